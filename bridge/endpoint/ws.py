"""`WS /api/v1/ws/{channel}`: how one legacy WebSocket client is let in.

Decides whether a socket is accepted and by which wire its conversation is held; the conversation
decides everything that is said.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import anyio
from starlette.types import Message, Receive, Scope, Send
from starlette.websockets import WebSocket

from bridge.endpoint.answers import deny
from bridge.endpoint.budget import Refused, Seat
from bridge.endpoint.conversation import Conversation
from bridge.endpoint.gateway import RESTARTS, query_of
from bridge.endpoint.grant import Refusal
from bridge.endpoint.guarded import GuardedConversation
from bridge.endpoint.offer import offered
from bridge.endpoint.pulse import Pulse
from bridge.endpoint.sse import written_cursor
from bridge.endpoint.stepped import servers_own
from bridge.endpoint.stepped_socket import SteppedSocket, cut
from bridge.endpoint.taken_socket import TakenSocket
from bridge.endpoint.talk import Talk
from bridge.endpoint.visit import Visit, visit
from bridge.errors import InvalidChannel
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
        self._guard = talk.gateway.guard_of(route.auth)
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
            name = self._gateway.name_of(self._route, websocket.path_params, query_of(scope))
        except InvalidChannel as fault:
            await self._refuse(websocket, NOT_FOUND, str(fault))
            return
        if self._gateway.hub.draining:
            await self._refuse(websocket, self._gateway.hub.draining, RESTARTS)
            return
        with self._gateway.seated(scope) as seat:
            if isinstance(seat, Refused):
                await self._refuse(websocket, *self._gateway.over(seat))
                return
            client = await visit(self._guard, websocket, name)
            if isinstance(client, Refusal):
                await self._refuse(websocket, client.ending, client.reason)
                return
            guest = _Guest(websocket, name, client, seat)
            if full := self._full(guest):
                await self._refuse(websocket, *full)
            else:
                await self._serve(guest, receive, send)

    def _full(self, guest: _Guest) -> tuple[Ending, str] | None:
        """As `Gateway.over`, where there is no room for this client or where it reads at once."""
        if refused := guest.seat.name(guest.visit.principal):
            return self._gateway.over(refused)
        at_once = self._dialect.options.deliver == "connect" and not guest.visit.waiting
        return self._gateway.full(guest.visit.key(guest.name)) if guest.name and at_once else None

    async def _serve(self, guest: _Guest, receive: Receive, send: Send) -> None:
        websocket, scope = guest.websocket, guest.websocket.scope
        if self._take(guest, self._acceptance(scope)):
            return
        await self._accept(websocket)
        if not self._take(guest):
            await self._step(guest, receive, send)

    def _acceptance(self, scope: Scope) -> Message:
        subprotocol = self._dialect.subprotocol(scope.get("subprotocols", ()))
        return {"type": "websocket.accept", "subprotocol": subprotocol, "headers": []}

    async def _accept(self, websocket: WebSocket) -> None:
        await websocket.accept(self._acceptance(websocket.scope)["subprotocol"])

    async def _refuse(self, websocket: WebSocket, ending: Ending, reason: str) -> None:
        ending = self._gateway.delayed(ending)
        if self._dialect.options.reject == "before":
            await deny(websocket, ending, reason)
            return
        await self._accept(websocket)
        await websocket.close(self._dialect.close_code(ending), cut(reason))

    def _take(self, guest: _Guest, *begin: Message) -> bool:
        """Whether the connection is the conversation's now; `begin` accepts where nothing did."""
        take = offered(guest.websocket.scope)
        socket: TakenSocket | None = take(self._make, *begin) if take else None
        if socket is None:
            if not begin:  # there is no second try
                self._gateway.fallback.note("ws", offered=take is not None)
            return False
        guest.seat.kept = True
        self._gateway.opened("ws")
        socket.conversation = self._conversation(guest, socket)
        self._pulse.add(socket)
        socket.conversation.open(written_cursor(guest.websocket))
        return True

    def _gone(self, socket: TakenSocket) -> None:
        socket.conversation.seat.release()
        self._pulse.discard(socket)
        self._gateway.gone("ws")

    async def _step(self, guest: _Guest, receive: Receive, send: Send) -> None:
        self._gateway.opened("ws")
        with anyio.CancelScope() as scope:
            socket = SteppedSocket(
                receive,
                servers_own(guest.websocket.scope, send),
                self._dialect,
                scope.cancel,
                timeout=self._gateway.options.send_timeout,
                wheel=self._wheel,
            )
            conversation = self._conversation(guest, socket)
            socket.conversation = conversation
            try:
                conversation.open(written_cursor(guest.websocket))
                await socket.read()
            finally:
                socket.stop()
                conversation.closed()
                self._gateway.gone("ws")

    def _conversation(self, guest: _Guest, wire: TakenSocket | SteppedSocket) -> Conversation:
        talk, name, seat = self._talk, guest.name, guest.seat
        notices = query_of(guest.websocket.scope).get("notices") in ("1", "true")
        if self._guard.is_open:
            made = Conversation(talk, wire, name, seat, notices=notices)
        else:
            made = GuardedConversation(talk, wire, name, seat, guest.visit, notices=notices)
        talk.present.add(made)
        return made


@dataclass(frozen=True, slots=True)
class _Guest:
    """One that is let in, on its way to be served.

    Attributes:
        websocket: the connection.
        name: the path's channel.
        visit: what it may.
        seat: released when it is gone.
    """

    websocket: WebSocket
    name: ChannelName | None
    visit: Visit
    seat: Seat
