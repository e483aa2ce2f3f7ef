"""How an SSE stream begins and how it says that it is over, for every endpoint that has one.

Decides the response's head and the last event, `bridge.end`; never whether a stream ends. By the
WHATWG EventSource text a browser gives up for good on any status but 200, so transient trouble is
told in a stream, with the time to wait in `retry:`.
"""

from __future__ import annotations

import orjson
from starlette.requests import HTTPConnection
from starlette.types import Message, Receive, Send

from bridge.endpoint.answers import refusal
from bridge.wire.endings import Ending
from bridge.wire.event import END
from bridge.wire.sse import encode

UNBUFFERED = (
    (b"cache-control", b"no-cache, no-transform"),
    (b"x-accel-buffering", b"no"),
)
"""What keeps proxies from caching, compressing (RFC 9111, 5.2.2.6) and buffering a stream."""

HEADERS = (
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-cache, no-store, no-transform"),
    UNBUFFERED[1],
    (b"referrer-policy", b"no-referrer"),
)
"""The header fields of a stream that is the bridge's own. Its URL may have held a credential."""

START: Message = {"type": "http.response.start", "status": 200, "headers": HEADERS}
"""The ASGI message that begins such a stream."""


def told(ending: Ending, reason: str) -> dict[str, object]:
    """The members of a `bridge.end`: code, close, reason, reconnect and delay in ms or None."""
    return {
        "code": ending.name,
        "close": ending.ws,
        "reason": reason,
        "reconnect": ending.reconnect,
        "delay": ending.delay,
    }


def farewell(ending: Ending, reason: str) -> bytes:
    """The block of a `bridge.end` event, with `retry:` where the ending has a delay."""
    said = orjson.dumps(told(ending, reason)).decode()
    return encode(said, event=END, retry=ending.delay)


async def turn_away(
    connection: HTTPConnection, receive: Receive, send: Send, ending: Ending, reason: str
) -> None:
    """A final word as a status; a transient one as a short stream, where one is expected."""
    expects_stream = "text/event-stream" in connection.headers.get("accept", "")
    if not (ending.reconnect and expects_stream):
        await refusal(ending, reason)(connection.scope, receive, send)
        return
    await send(START)
    await send({"type": "http.response.body", "body": farewell(ending, reason)})
