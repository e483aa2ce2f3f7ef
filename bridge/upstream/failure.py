"""What a refusal or a network error of a backend means.

Decides the `Lost` that stands for it and the words for people; never retries anything itself.
"""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Collection, Mapping
from dataclasses import replace
from ssl import SSLCertVerificationError

from bridge.seams import Lost
from bridge.upstream import answer
from bridge.wire import endings

_NUMBERED = re.compile(r"\[Errno (\d+)\]")
_LONGEST_REASON = 200


def refused(status: int, headers: Mapping[str, str]) -> Lost:
    """A status in place of the stream, with the delay that the backend asked for.

    Statuses under 400 are a backend that is not what the configuration says (a login page, a
    redirect elsewhere): worth another attempt, since deployments mend such things.
    """
    ending = endings.for_status(status) if status >= 400 else endings.BAD_GATEWAY
    return Lost(ending, f"the backend answered {status}", retry_after(headers))


def closed(code: int, reason: str, final: Collection[int]) -> Lost:
    """A backend's close frame (RFC 6455, 7.1.5).

    Args:
        code: its close code.
        reason: its words.
        final: codes that end the channel, besides those whose ending does so anyway. 1000 does
            only if it is listed, and 1009 too: it refuses one client's frame and no more.
    """
    ending = endings.for_close(code)
    optional = (endings.COMPLETE.ws, endings.TOO_BIG.ws)
    done = code in final or not (ending.reconnect or code in optional)
    said = f"the backend closed with {code}" + (f": {brief(reason)}" if reason else "")
    return Lost(replace(ending, reconnect=not done), said)


def unreachable(error: Exception) -> Lost:
    """A connection that could not be made or broke before it was of use."""
    return Lost(endings.BAD_GATEWAY, f"cannot reach the backend: {why(error)}")


def silent(seconds: float) -> Lost:
    """A connection without a sign of life."""
    return Lost(endings.TIMEOUT, f"the backend was silent for {seconds:g} s")


def oversized(reason: str) -> Lost:
    """An event or a message past the limit.

    Unlike a client's, it does not end the channel for everybody: the next attempt goes on behind
    it (the upstream forgets its place), which the reconnect announces as a hole.
    """
    return Lost(replace(endings.TOO_BIG, reconnect=True), reason)


def why(error: Exception) -> str:
    """An error in words that hold no URL and no address: system errors by what they mean."""
    if isinstance(error, SSLCertVerificationError):
        return f"its certificate is not accepted: {brief(error.verify_message).rstrip('.')}"
    if not isinstance(error, OSError):
        return type(error).__name__
    return brief(meaning(error) or str(error)) or type(error).__name__


def meaning(error: Exception) -> str:
    """What the system says of its error, without addresses; empty where it is none of the system's.

    Of several addresses' errors, which asyncio puts into one as text, the first counts.
    """
    number = getattr(error, "errno", None)
    if not number:
        among = _NUMBERED.search(str(error))
        number = int(among[1]) if among else 0
    return os.strerror(number).lower() if number in errno.errorcode else ""


def brief(text: str) -> str:
    """A backend's words, fit for one line of a log."""
    return " ".join(text.split())[:_LONGEST_REASON]


def retry_after(headers: Mapping[str, str]) -> int | None:
    """What `Retry-After` asks for, in milliseconds; None without one that can be read."""
    seconds = answer.retry_after(headers.get("Retry-After"), headers.get("Date"))
    return None if seconds is None else round(seconds * 1000)
