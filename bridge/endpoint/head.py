"""The head of an ordinary GET, read at one go.

Decides which bytes are one: a whole head by HTTP/1.1 (RFC 9112), nothing after it, no body, no
expectation. All else, from a head in two pieces to a malformed one, is for a complete HTTP server
to judge; what is None here was not answered and not even looked at yet.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple
from urllib.parse import unquote

import httptools

END = b"\r\n\r\n"

FIELDS = 100
"""Header fields of an ordinary head, at most."""

BYTES = 8192
"""Bytes of an ordinary head, at most: no line is longer than the strictest parser here takes."""

BODIES = frozenset({b"content-length", b"transfer-encoding"})
"""Fields that announce a body."""

_ODD = BODIES | {b"expect"}

_ONCE = frozenset(
    {
        b"accept",
        b"connection",
        b"host",
        b"origin",
        b"sec-websocket-extensions",
        b"sec-websocket-key",
        b"sec-websocket-protocol",
        b"sec-websocket-version",
        b"upgrade",
    }
)
"""Fields that stand once in an ordinary head, so that nobody reads another one of two."""

_TRIMMED = b" \t"

Fields = Sequence[tuple[bytes, bytes]]
"""Header fields as ASGI has them: names in small letters."""


class Head(NamedTuple):
    """One request's.

    Attributes:
        path: percent-decoded, without the query.
        raw_path: as it came.
        query: as it came, without the question mark.
        fields: all of them, in order.
        named: the last of each name.
        keep_alive: whether another request may follow on the connection (RFC 9112, 9.3).
        upgrade: whether the client asks to speak another protocol from then on.
    """

    path: str
    raw_path: bytes
    query: bytes
    fields: Fields
    named: dict[bytes, bytes]
    keep_alive: bool
    upgrade: bool


class _Heard:
    """What the parser reports."""

    __slots__ = ("complete", "fields", "url")

    def __init__(self) -> None:
        self.url = b""
        self.fields: list[tuple[bytes, bytes]] = []
        self.complete = 0

    def on_url(self, url: bytes) -> None:
        self.url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        self.fields.append((name.lower(), value.rstrip(_TRIMMED)))

    def on_message_complete(self) -> None:
        self.complete += 1


def ordinary(data: bytes) -> Head | None:
    """The head that `data` is; None where it is anything else."""
    if len(data) > BYTES or not data.startswith(b"GET /"):
        return None
    if data.find(END) != len(data) - len(END):
        return None
    heard = _Heard()
    parser, upgrade = httptools.HttpRequestParser(heard), False
    try:
        parser.feed_data(data)
    except httptools.HttpParserUpgrade as upgrading:
        if upgrading.args[0] != len(data):
            return None
        upgrade = True
    except httptools.HttpParserError:
        return None
    if heard.complete != 1 or parser.get_http_version() != "1.1":
        return None
    return _head(heard, upgrade=upgrade)


def _head(heard: _Heard, *, upgrade: bool) -> Head | None:
    url, fields, named = heard.url, heard.fields, dict(heard.fields)
    if len(fields) > FIELDS or not named.keys().isdisjoint(_ODD):
        return None
    if len(named) != len(fields) and _doubled(fields):
        return None
    if url.startswith(b"//") or b"#" in url or not url.isascii():
        return None  # neither origin-form (RFC 9112, 3.2.1) nor what servers agree about
    raw_path, _, query = url.partition(b"?")
    path = raw_path.decode()
    if "%" in path:
        path = unquote(path)
    keep_alive = b"close" not in named.get(b"connection", b"").lower()
    return Head(path, raw_path, query, fields, named, keep_alive, upgrade)


def _doubled(fields: Fields) -> bool:
    names = [name for name, _ in fields if name in _ONCE]
    return len(names) != len(set(names))
