"""Plain HTTP answers of the client's side: refusals, outcomes and small JSON documents.

Decides their shape only: one JSON object, never cached. Which status fits is the endings table's.
"""

from __future__ import annotations

from typing import Any

import orjson
from starlette.responses import Response
from starlette.websockets import WebSocket

from bridge.wire.endings import UNAUTHORIZED, Ending

NO_STORE = {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer"}
"""What a URL held is not kept with the answer, and not told to whom the answer links."""

CHALLENGE = 'Bearer realm="ws2sse"'
"""What every 401 says (RFC 9110, 11.6.1; RFC 6750, 3)."""


def answer(status: int, body: dict[str, Any], headers: dict[str, str] | None = None) -> Response:
    """A JSON document that no cache keeps; 204 and 304 have no body by RFC 9110."""
    content = b"" if status in (204, 304) else orjson.dumps(body) + b"\n"
    return Response(content, status, NO_STORE | (headers or {}), "application/json")


def refusal(ending: Ending, reason: str) -> Response:
    """The ending as an HTTP answer, with `Retry-After` in seconds where one is due."""
    headers: dict[str, str] = {}
    if ending.delay is not None:
        headers["Retry-After"] = str(-(-ending.delay // 1000))
    if ending.http == UNAUTHORIZED.http:
        headers["WWW-Authenticate"] = CHALLENGE
    body = {"code": ending.name, "reason": reason, "reconnect": ending.reconnect}
    return answer(ending.http, body, headers)


async def deny(websocket: WebSocket, ending: Ending, reason: str) -> None:
    """Answer a WebSocket handshake with the ending's status; servers that cannot say 403."""
    if "websocket.http.response" in websocket.scope.get("extensions", {}):
        await websocket.send_denial_response(refusal(ending, reason))
    else:
        await websocket.close(ending.sendable)
