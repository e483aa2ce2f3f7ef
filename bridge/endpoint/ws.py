"""`WS /api/v1/ws/{channel}`: how one legacy WebSocket client is let in.

Decides whether a socket is accepted and by which wire its conversation is held; the conversation
decides everything that is said.
"""

from __future__ import annotations

from functools import partial

import anyio
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket

from bridge.endpoint.answers import deny
from bridge.endpoint.budget import Refused, Seat
from bridge.endpoint.conversation import Conversation
from bridge.endpoint.gateway import RESTARTS
from bridge.endpoint.pulse import Pulse
from bridge.endpoint.sse import written_cursor
from bridge.endpoint.stepped import servers_own
from bridge.endpoint.stepped_socket import SteppedSocket, cut
from bridge.endpoint.taken_socket import TakenSocket
from bridge.endpoint.takeover import offered
from bridge.endpoint.talk import Talk
from bridge.errors import InvalidChannel
from bridge.hub.channel import ChannelKey
from bridge.wire.endings import NOT_FOUND, Ending
from bridge.wire.names import ChannelName
from bridge.wire.routes import RouteOptions


class SocketEndpoint:
    """The ASGI endpoint of a route's WebSocket side.

    Args:
        talk: what all conversations share.
        route: names the channel.
        pulse: pings taken-over sockets.
    """

    def __init__(self, talk: Talk, route: RouteOptions, pulse: Pulse) -> None:
        self._talk, self._route, self._pulse = talk, route, pulse
        self._gateway, self._dialect = talk.gateway, talk.dialect
        self._wheel = talk.fanouts.service.wheel
        self._make = partial(
            TakenSocket,
            dialect=self._dialect,
            limit=self._gateway.options.max_frame_bytes,
            timeout=self._gateway.options.send_timeout,
            wheel=self._wheel,
            closed=self._gone,
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one socket until either side closes it, or its connection is taken over."""
        websocket = WebSocket(scope, receive, send)
        try:
            name = self._gateway.name_of(self._route, websocket.path_params, websocket.query_params)
        except InvalidChannel as fault:
            await self._refuse(websocket, NOT_FOUND, str(fault))
            return
        if self._gateway.hub.draining:
            await self._refuse(websocket, self._gateway.hub.draining, RESTARTS)
            return
        with self._gateway.seated(websocket) as seat:
            if isinstance(seat, Refused):
                await self._refuse(websocket, *self._gateway.over(seat))
            elif full := self._full(name):
                await self._refuse(websocket, *full)
            else:
                await self._serve(websocket, receive, send, name, seat)

    def _full(self, name: ChannelName | None) -> tuple[Ending, str] | None:
        """Why the path's channel takes no further reader, if it is read from the start."""
        at_once = name and self._dialect.options.deliver == "connect"
        return self._gateway.full(ChannelKey(name)) if name and at_once else None

    async def _serve(
        self,
        websocket: WebSocket,
        receive: Receive,
        send: Send,
        name: ChannelName | None,
        seat: Seat,
    ) -> None:
        await self._accept(websocket)
        self._gateway.opened("ws")
        if not self._take(websocket, name, seat):
            await self._step(websocket, receive, send, name, seat)

    async def _accept(self, websocket: WebSocket) -> None:
        await websocket.accept(self._dialect.subprotocol(websocket.scope.get("subprotocols", ())))

    async def _refuse(self, websocket: WebSocket, ending: Ending, reason: str) -> None:
        ending = self._gateway.delayed(ending)
        if self._dialect.options.reject == "before":
            await deny(websocket, ending, reason)
            return
        await self._accept(websocket)
        await websocket.close(self._dialect.close_code(ending), cut(reason))

    def _take(self, websocket: WebSocket, name: ChannelName | None, seat: Seat) -> bool:
        take = offered(websocket.scope)
        socket: TakenSocket | None = take(self._make) if take else None
        if socket is None:
            self._gateway.fallback.note("ws", offered=take is not None)
            return False
        seat.kept = True
        socket.conversation = self._conversation(websocket, socket, name, seat)
        self._pulse.add(socket)
        socket.conversation.open(written_cursor(websocket))
        return True

    def _gone(self, socket: TakenSocket) -> None:
        socket.conversation.seat.release()
        self._pulse.discard(socket)
        self._gateway.gone("ws")

    async def _step(
        self,
        websocket: WebSocket,
        receive: Receive,
        send: Send,
        name: ChannelName | None,
        seat: Seat,
    ) -> None:
        with anyio.CancelScope() as scope:
            socket = SteppedSocket(
                receive,
                servers_own(websocket.scope, send),
                self._dialect,
                scope.cancel,
                timeout=self._gateway.options.send_timeout,
                wheel=self._wheel,
            )
            conversation = self._conversation(websocket, socket, name, seat)
            socket.conversation = conversation
            try:
                conversation.open(written_cursor(websocket))
                await socket.read()
            finally:
                socket.stop()
                conversation.closed()
                self._gateway.gone("ws")

    def _conversation(
        self,
        websocket: WebSocket,
        wire: TakenSocket | SteppedSocket,
        name: ChannelName | None,
        seat: Seat,
    ) -> Conversation:
        notices = websocket.query_params.get("notices") in ("1", "true")
        return Conversation(self._talk, wire, name, seat, notices=notices)
