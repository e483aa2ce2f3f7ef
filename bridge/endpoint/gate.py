"""A gate before an endpoint that knows nothing of guards, such as a relay.

Decides that whoever is over a limit, or is not let in by the guard, does not reach the endpoint;
which channel a request means is nothing that it could know, so it asks for a good credential alone.
"""

from __future__ import annotations

from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.websockets import WebSocket

from bridge.endpoint.answers import deny, refusal
from bridge.endpoint.auth import Guard
from bridge.endpoint.budget import Refused, Seat
from bridge.endpoint.farewell import turn_away
from bridge.endpoint.gateway import Gateway
from bridge.endpoint.grant import Refusal
from bridge.wire.endings import Ending


class Gate:
    """The ASGI endpoint of one URL behind a guard.

    Args:
        app: the endpoint.
        gateway: says for how long clients stay away.
        guard: lets clients in; one of the mode `none` looks at the page's origin alone.
    """

    def __init__(self, app: ASGIApp, gateway: Gateway, guard: Guard) -> None:
        self._app, self._gateway, self._guard = app, gateway, guard

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on, or answer 401, 403, 429 or 503; a WebSocket's handshake too."""
        with self._gateway.seated(scope) as seat:
            if refused := await self._refused(scope, seat):
                await _refuse(scope, receive, send, *refused)
            else:
                await self._app(scope, receive, send)

    async def _refused(self, scope: Scope, seat: Seat | Refused) -> tuple[Ending, str] | None:
        if isinstance(seat, Refused):
            return self._gateway.over(seat)
        verdict = await self._guard.admit(HTTPConnection(scope), None)
        if isinstance(verdict, Refusal):
            return self._gateway.delayed(verdict.ending), verdict.reason
        full = seat.name(verdict.principal)
        return self._gateway.over(full) if full else None


async def _refuse(scope: Scope, receive: Receive, send: Send, ending: Ending, reason: str) -> None:
    if scope["type"] == "websocket":
        await deny(WebSocket(scope, receive, send), ending, reason)
    elif scope["method"] != "GET":  # a script reads statuses; an EventSource gives up at one
        await refusal(ending, reason)(scope, receive, send)
    else:
        await turn_away(HTTPConnection(scope), receive, send, ending, reason)
