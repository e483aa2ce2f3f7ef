"""Every exception that the bridge raises on purpose, and whose fault each one is.

    BridgeError
    ├── LocalFault                  our configuration, our caller or our client is wrong
    │   ├── ConfigError             a setting cannot be used
    │   │   └── ConfigErrors        several cannot
    │   ├── InvalidChannel          a channel name breaks the grammar or is not served here
    │   ├── InvalidField            an SSE field would inject a line
    │   ├── InvalidTransition       a session was asked for a move that its table does not have
    │   ├── HandOverRefused         moving a channel's lead now would lose or repeat events
    │   └── NotARecording           a file that was named as a recording is none
    └── RemoteFault                 a peer broke its protocol or a limit
        ├── EventTooLarge           an SSE event exceeds the configured size
        ├── RelayLost               a backend of a relayed request is away, or broke off
        └── RelayRefused            a backend refused a relayed request

An expected end of a connection is no exception but an `Ending` (see `bridge.wire.endings`).
This module never formats secrets: callers pass names of settings, not their values.
"""

from __future__ import annotations

from collections.abc import Sequence


class BridgeError(Exception):
    """The root of the tree; catching it catches everything that the bridge raises on purpose."""


class LocalFault(BridgeError):  # noqa: N818 - a fault is not an error of ours to name twice
    """This side is wrong: a setting, a call or one of our own clients."""


class RemoteFault(BridgeError):  # noqa: N818 - as above
    """The other side is wrong: it broke its protocol or one of our limits."""


class ConfigError(LocalFault):
    """A setting that cannot be used.

    Args:
        where: what a user would look for, such as `bridge.toml: upstream.sse.url`.
        what: what is wrong with it, without secrets.
        remedy: how to mend it.
    """

    def __init__(self, where: str, what: str, remedy: str = "") -> None:
        self.where, self.what, self.remedy = where, what, remedy
        super().__init__(f"{where}: {what}" + (f" ({remedy})" if remedy else ""))


class ConfigErrors(ConfigError):  # noqa: N818 - the plural of an Error
    """Several settings that cannot be used, told all at once; as text, one line for each.

    Args:
        problems: at least one.
    """

    def __init__(self, problems: Sequence[ConfigError]) -> None:
        first = problems[0]
        super().__init__(first.where, first.what, first.remedy)
        self.problems = tuple(problems)

    def __str__(self) -> str:
        return "\n".join(map(str, self.problems))


class InvalidChannel(LocalFault):
    """A channel name that breaks the grammar or that no route serves."""


class InvalidField(LocalFault):
    """An SSE `event` or `id` value holding CR, LF or NUL, which would inject lines."""


class InvalidTransition(LocalFault):
    """A session was asked for a move that its table does not have: a bug worth reporting."""


class HandOverRefused(LocalFault):
    """Moving a channel's lead to the other upstream now would lose or repeat events."""


class NotARecording(LocalFault):
    """A file that was named as a recording cannot be read, or is something else."""


class EventTooLarge(RemoteFault):
    """An SSE event grew past the limit before it was complete.

    Args:
        limit: the configured maximum, in bytes.
    """

    def __init__(self, limit: int) -> None:
        self.limit = limit
        super().__init__(f"an event exceeds {limit} bytes")


class RelayLost(RemoteFault):
    """A backend of a relayed request cannot be reached, fell silent or broke off.

    Args:
        reason: one line for people, without addresses and secrets.
        status: the HTTP status that says so before the answer has begun: 502 or 504.
    """

    def __init__(self, reason: str, status: int = 502) -> None:
        self.status = status
        super().__init__(reason)


class RelayRefused(RemoteFault):
    """A backend answered a relayed request with something other than a stream.

    Args:
        status: the backend's HTTP status.
        body: the first bytes of its answer.
        headers: of its answer, those that may reach the client.
    """

    def __init__(
        self, status: int, body: bytes = b"", headers: Sequence[tuple[bytes, bytes]] = ()
    ) -> None:
        self.status, self.body, self.headers = status, body, tuple(headers)
        super().__init__(f"the backend answered {status}")
