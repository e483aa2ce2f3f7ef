"""How a connection ends, said once for both wires.

One table: each WebSocket close code has exactly one SSE ending and back, and each HTTP status
maps to one of them. Decides whether a client should come back; never closes anything itself.
Sources: RFC 6455 section 7.4 and its registry; RFC 9110 section 15; the WHATWG EventSource text,
by which any status but 200 makes a browser give up for good. `docs/protocol.md` prints the table.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

APPLICATION_CODES = range(3000, 5000)
"""Close codes that applications choose (RFC 6455, 7.4.2); unlisted ones pass unchanged."""

_UNSENDABLE = frozenset({1005, 1006, 1010, 1015})

_REGISTERED = {3000: 401, 3003: 403, 3008: 408}
"""HTTP statuses of the IANA registry's application codes: unauthorized, forbidden, timeout."""

_NAMELESS = re.compile("close-([0-9]{4})", re.ASCII)
"""How a nameless code is named. Bounded: the number may come from a peer."""


@dataclass(frozen=True, slots=True)
class Ending:
    """Why a stream ends, on every wire at once.

    Attributes:
        name: the SSE ending: `code` of the `bridge.end` event.
        ws: the WebSocket close code.
        http: the HTTP status where the end comes before the stream has begun.
        reconnect: whether the client should come back by itself.
        delay: how long it should wait before that, in milliseconds; None leaves it to the client.
    """

    name: str
    ws: int
    http: int
    reconnect: bool
    delay: int | None = None

    @property
    def sendable(self) -> int:
        """A close code that may be put in a close frame: reserved ones become 1011 or 1000."""
        if self.ws not in _UNSENDABLE:
            return self.ws
        return INTERNAL.ws if self.reconnect else COMPLETE.ws

    def after(self, delay: int | None) -> Ending:
        """The same ending with a delay in milliseconds."""
        return replace(self, delay=delay)


COMPLETE = Ending("complete", 1000, 204, reconnect=False)
GOING_AWAY = Ending("going-away", 1001, 503, reconnect=True)
PROTOCOL_ERROR = Ending("protocol-error", 1002, 400, reconnect=False)
UNSUPPORTED = Ending("unsupported", 1003, 415, reconnect=False)
NO_STATUS = Ending("no-status", 1005, 200, reconnect=True)
ABNORMAL = Ending("abnormal", 1006, 502, reconnect=True)
INVALID_DATA = Ending("invalid-data", 1007, 422, reconnect=False)
POLICY = Ending("policy", 1008, 403, reconnect=False)
TOO_BIG = Ending("too-big", 1009, 413, reconnect=False)
MISSING_EXTENSION = Ending("missing-extension", 1010, 426, reconnect=False)
INTERNAL = Ending("internal", 1011, 500, reconnect=True)
RESTART = Ending("restart", 1012, 503, reconnect=True)
TRY_LATER = Ending("try-later", 1013, 429, reconnect=True)
BAD_GATEWAY = Ending("bad-gateway", 1014, 502, reconnect=True)
TLS_FAILED = Ending("tls-failed", 1015, 525, reconnect=True)
BAD_REQUEST = Ending("bad-request", 4400, 400, reconnect=False)
UNAUTHORIZED = Ending("unauthorized", 4401, 401, reconnect=False)
FORBIDDEN = Ending("forbidden", 4403, 403, reconnect=False)
NOT_FOUND = Ending("not-found", 4404, 404, reconnect=False)
TIMEOUT = Ending("timeout", 4408, 408, reconnect=True)
GONE = Ending("gone", 4410, 410, reconnect=False)

TABLE: tuple[Ending, ...] = (
    COMPLETE,
    GOING_AWAY,
    PROTOCOL_ERROR,
    UNSUPPORTED,
    NO_STATUS,
    ABNORMAL,
    INVALID_DATA,
    POLICY,
    TOO_BIG,
    MISSING_EXTENSION,
    INTERNAL,
    RESTART,
    TRY_LATER,
    BAD_GATEWAY,
    TLS_FAILED,
    BAD_REQUEST,
    UNAUTHORIZED,
    FORBIDDEN,
    NOT_FOUND,
    TIMEOUT,
    GONE,
)
"""Every ending that has a name; the two columns `name` and `ws` each hold no value twice."""

_BY_CODE: Mapping[int, Ending] = MappingProxyType({ending.ws: ending for ending in TABLE})
_BY_NAME: Mapping[str, Ending] = MappingProxyType({ending.name: ending for ending in TABLE})
_BY_STATUS: Mapping[int, Ending] = MappingProxyType(
    {
        204: COMPLETE,
        400: BAD_REQUEST,
        401: UNAUTHORIZED,
        403: FORBIDDEN,
        404: NOT_FOUND,
        408: TIMEOUT,
        410: GONE,
        413: TOO_BIG,
        415: UNSUPPORTED,
        422: INVALID_DATA,
        425: TRY_LATER,
        426: MISSING_EXTENSION,
        429: TRY_LATER,
        500: INTERNAL,
        502: BAD_GATEWAY,
        503: RESTART,
        504: BAD_GATEWAY,
        525: TLS_FAILED,
    }
)


def for_close(code: int | None) -> Ending:
    """The ending that a close code means; application codes that have no name keep their number.

    The nameless ones from 4400 to 4599 follow the habit of adding 4000 to an HTTP status, those of
    the IANA registry mean what they are registered for, and the others invite a reconnect.
    """
    if code is None:
        return NO_STATUS
    known = _BY_CODE.get(code)
    if known or code not in APPLICATION_CODES:
        return known or ABNORMAL
    status = code - 4000 if 4400 <= code < 4600 else _REGISTERED.get(code, 502)
    return Ending(f"close-{code}", code, status, reconnect=for_status(status).reconnect)


def for_name(name: str) -> Ending:
    """The ending that an SSE `code` means: the inverse of `for_close`."""
    nameless = _NAMELESS.fullmatch(name)
    return for_close(int(nameless[1])) if nameless else _BY_NAME.get(name, ABNORMAL)


def for_status(status: int) -> Ending:
    """The ending that a backend's HTTP status means, by its class where it has no row.

    200 to 299 other than 204 end without a reason (the stream is over, another may follow).
    """
    known = _BY_STATUS.get(status)
    if known:
        return known
    if status >= 500:
        return INTERNAL
    return BAD_REQUEST if status >= 400 else NO_STATUS
