"""`GET /api/v1/transport/{channel}`: which wire this client should use.

Decides nothing yet: until the switch says otherwise every client stays on WebSocket. Clients can
be written against the answer's shape now, and ask again after `ttl` seconds.
"""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from bridge.endpoint.answers import answer, refusal
from bridge.endpoint.gateway import Gateway
from bridge.errors import InvalidChannel
from bridge.wire.endings import NOT_FOUND
from bridge.wire.names import ChannelName, expand

TTL = 60


class TransportHint:
    """The ASGI endpoint of the hint."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer with JSON: `wire`, the paths of both wires, `ttl` in seconds, and `reason`."""
        request = Request(scope, receive)
        await self._respond(request)(scope, receive, send)

    def _respond(self, request: Request) -> Response:
        try:
            name = self._gateway.admit(ChannelName.parse(request.path_params["channel"]))
        except InvalidChannel as fault:
            return refusal(NOT_FOUND, str(fault))
        return answer(
            200,
            {
                "channel": name.text,
                "wire": "ws",
                "ws": expand("/api/v1/ws/{channel}", name),
                "sse": expand("/api/v1/events/{channel}", name),
                "ttl": TTL,
                "reason": "every client stays on WebSocket",
            },
        )
