"""A gate before an endpoint that knows nothing of guards, such as a relay.

Decides that whoever the guard does not let in does not reach the endpoint; which channel a request
means is nothing that it could know, so it asks for a good credential alone.
"""

from __future__ import annotations

from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.websockets import WebSocket

from bridge.endpoint.answers import deny, refusal
from bridge.endpoint.auth import Guard
from bridge.endpoint.gateway import Gateway
from bridge.endpoint.grant import Refusal


class Gate:
    """The ASGI endpoint of one URL behind a guard.

    Args:
        app: the endpoint.
        gateway: says for how long clients stay away.
        guard: lets clients in.
    """

    def __init__(self, app: ASGIApp, gateway: Gateway, guard: Guard) -> None:
        self._app, self._gateway, self._guard = app, gateway, guard

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on, or answer 401, 403 or 503; a WebSocket's handshake too."""
        verdict = await self._guard.admit(HTTPConnection(scope), None)
        if not isinstance(verdict, Refusal):
            await self._app(scope, receive, send)
            return
        ending = self._gateway.delayed(verdict.ending)
        if scope["type"] == "websocket":
            await deny(WebSocket(scope, receive, send), ending, verdict.reason)
        else:
            await refusal(ending, verdict.reason)(scope, receive, send)
