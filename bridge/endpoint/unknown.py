"""What answers a URL that no route knows, alike on both wires.

Decides only that it is 404: before anything goes upstream, and on a WebSocket as the HTTP answer
to its handshake, where a framework would say 403.
"""

from __future__ import annotations

from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket

from bridge.endpoint.answers import deny, refusal
from bridge.wire.endings import NOT_FOUND

REASON = "nothing is served at this path"


class Unknown:
    """The ASGI endpoint behind all routes."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer 404."""
        if scope["type"] == "websocket":
            await deny(WebSocket(scope, receive, send), NOT_FOUND, REASON)
        else:
            await refusal(NOT_FOUND, REASON)(scope, receive, send)
