"""The head of an ordinary GET, read at one go.

Decides which bytes are one: a whole head by HTTP/1.1 (RFC 9112), nothing after it, no body, no
expectation. All else, from a head in two pieces to a malformed one, is for a complete HTTP server
to judge; what is None here was not answered and not even looked at yet.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple
from urllib.parse import unquote

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


_ORDINARY = re.compile(
    rb"GET (/[!-\"$-~]*) HTTP/1\.1\r\n"
    rb"((?:[!#$%&'*+.^_`|~0-9A-Za-z-]+:[\t -~\x80-\xff]*\r\n)+)\r\n"
)
"""RFC 9112, 3 and 5, without what is obsolete or lenient there: a bare CR or LF, a folded line, a
space before a colon. No two parts can match the same bytes, so it is linear on any input."""


def ordinary(data: bytes) -> Head | None:
    """The head that `data` is; None where it is anything else."""
    found = _ORDINARY.fullmatch(data) if len(data) <= BYTES else None
    if not found or found[1].startswith(b"//"):  # no origin-form that servers agree about
        return None
    fields = [_field(line) for line in found[2].split(b"\r\n")[:-1]]
    named = dict(fields)
    if len(fields) > FIELDS or not named.keys().isdisjoint(_ODD):
        return None
    if len(named) != len(fields) and _doubled(fields):
        return None
    raw_path, _, query = found[1].partition(b"?")
    path = raw_path.decode()
    if "%" in path:
        path = unquote(path)
    keep_alive, upgrade = True, False
    if b"connection" in named:
        options = [each.strip(_TRIMMED) for each in named[b"connection"].lower().split(b",")]
        keep_alive = b"close" not in options
        upgrade = b"upgrade" in options and bool(named.get(b"upgrade"))
    return Head(path, raw_path, query, fields, named, keep_alive, upgrade)


def _field(line: bytes) -> tuple[bytes, bytes]:
    name, _, value = line.partition(b":")
    return name.lower(), value.strip(_TRIMMED)


def _doubled(fields: Fields) -> bool:
    names = [name for name, _ in fields if name in _ONCE]
    return len(names) != len(set(names))
