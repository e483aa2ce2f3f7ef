"""Where an upstream connects to: checked URL templates, headers and replay settings.

Decides what a configuration may hold, when it is read and not when the first client comes; never
connects. A field may stand in the path or the query only, so no channel name ever chooses the
host that the bridge talks to.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Literal, get_args
from urllib.parse import urlsplit

from bridge.wire.names import fields

Replay = Literal["auto", "trusted", "none"]
"""What a backend does after a reconnect: see `bridge.upstream.continuity`."""

FIELDS = frozenset({"channel", "kind", "id"})
"""What a URL template may name."""

_URL = re.compile(r"[!-~]+", re.ASCII)
_TOKEN = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+", re.ASCII)
_HEADER_VALUE = re.compile(r"[^\x00-\x08\x0a-\x1f\x7f]*")


def check_url(setting: str, template: str, schemes: tuple[str, ...]) -> None:
    """Refuse a URL template that no channel could use. What it holds is not repeated.

    Raises:
        ValueError: naming the setting, what is wrong and how to mend it.
    """
    unknown = sorted(fields(template) - FIELDS)
    if unknown:
        raise ValueError(
            f"{setting} has the unknown field {{{unknown[0]}}}; use {{channel}}, {{kind}} or {{id}}"
        )
    check_address(setting, template, schemes)


def check_address(setting: str, template: str, schemes: tuple[str, ...]) -> None:
    """Refuse what no request could go to, whatever its fields are.

    Raises:
        ValueError: as `check_url`.
    """
    choice = " or ".join(f"{scheme}://" for scheme in schemes)
    if not _URL.fullmatch(template):
        raise ValueError(f"{setting} holds a space or a non-ASCII character; percent-encode it")
    parts = _split(setting, template)
    if parts[0] not in schemes or not parts[1]:
        raise ValueError(f"{setting} is not a full URL; begin it with {choice} and a host")
    if fields(parts[1]):
        raise ValueError(f"{setting} has a field in its host; move it to the path or the query")


def _split(setting: str, template: str) -> tuple[str, str]:
    """The scheme, and the host with its port."""
    try:
        parts = urlsplit(template)
        _ = parts.port  # parsed on access, so that a bad one is told here
    except ValueError:
        raise ValueError(f"{setting} has an unusable host or port; write host:port") from None
    return parts.scheme, parts.netloc if parts.hostname else ""


def check_headers(setting: str, headers: Mapping[str, str], *urls: str) -> None:
    """Refuse headers that would break a request (RFC 9110, 5.1 and 5.5). Values are not repeated.

    So would a user in one of the `urls` that they go to beside an `Authorization` among them.

    Raises:
        ValueError: naming the header.
    """
    if any(name.lower() == "authorization" for name in headers) and any(map(has_user, urls)):
        raise ValueError(f"{setting} hold Authorization, and the URL a user; leave one of them out")
    for name, value in headers.items():
        if not _TOKEN.fullmatch(name):
            raise ValueError(f"{setting} has a name that is not a header name; use letters and -")
        if not _HEADER_VALUE.fullmatch(value):
            raise ValueError(f"{setting}: {name} holds a control character; remove line breaks")


def has_user(url: str) -> bool:
    """Whether a URL brings a credential of its own, which becomes an `Authorization` header."""
    return "@" in urlsplit(url).netloc


def check_replay(replay: str) -> None:
    """Refuse an unknown `replay`.

    Raises:
        ValueError: listing the choices.
    """
    if replay not in get_args(Replay):
        raise ValueError(f"replay is {replay!r}; use {', '.join(get_args(Replay))}")


def check_seconds(**times: float) -> None:
    """Refuse negative times; 0 means never.

    Raises:
        ValueError: naming the setting.
    """
    for name, value in times.items():
        if not 0 <= value < math.inf:
            raise ValueError(f"{name} must be finite and not negative; 0 turns it off")
