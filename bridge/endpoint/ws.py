"""`WS /api/v1/ws/{channel}`: one legacy WebSocket client, with one or several subscriptions.

Decides whether a socket is let in, and how it is told where it is not: before it is accepted, by
an HTTP status, or after, by a close code that browsers can read. What is said on it is
`dialogue`'s business.
"""

from __future__ import annotations

from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket

from bridge.endpoint.answers import deny
from bridge.endpoint.dialogue import Dialogue
from bridge.endpoint.gateway import Gateway
from bridge.endpoint.outgoing import Outgoing
from bridge.endpoint.pump import RESTARTS
from bridge.endpoint.snapshot import Joining
from bridge.endpoint.socket import Socket
from bridge.errors import InvalidChannel
from bridge.wire.dialect import Dialect
from bridge.wire.endings import NOT_FOUND, Ending
from bridge.wire.routes import RouteOptions


class SocketEndpoint:
    """The ASGI endpoint of a route's WebSocket side.

    Args:
        gateway: what the endpoints share.
        route: which channel a path means.
        dialect: how legacy clients speak.
        joining: gives joiners their snapshot.
        outgoing: the frames that an event becomes.
    """

    def __init__(
        self,
        gateway: Gateway,
        route: RouteOptions,
        dialect: Dialect,
        joining: Joining,
        outgoing: Outgoing,
    ) -> None:
        self._gateway, self._route, self._dialect = gateway, route, dialect
        self._joining, self._outgoing = joining, outgoing

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one socket until either side closes it."""
        websocket = WebSocket(scope, receive, send)
        try:
            name = self._gateway.name_of(self._route, websocket.path_params, websocket.query_params)
        except InvalidChannel as fault:
            await self._refuse(websocket, NOT_FOUND, str(fault))
            return
        if self._gateway.hub.draining:
            await self._refuse(websocket, self._gateway.hub.draining, RESTARTS)
            return
        socket = self._socket(websocket)
        with self._gateway.counted("ws"):
            await Dialogue(self._gateway, self._joining, self._outgoing, socket, name).run()

    async def _refuse(self, websocket: WebSocket, ending: Ending, reason: str) -> None:
        ending = self._gateway.delayed(ending)
        if self._dialect.options.reject == "before":
            await deny(websocket, ending, reason)
            return
        socket = self._socket(websocket)
        await socket.accept()
        await socket.close(ending, reason)

    def _socket(self, websocket: WebSocket) -> Socket:
        return Socket(websocket, self._dialect, self._gateway.options.send_timeout)
