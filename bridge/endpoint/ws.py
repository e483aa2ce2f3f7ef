"""`WS /api/v1/ws/{channel}`: one legacy WebSocket client, with one or several subscriptions.

Decides how a socket opens, what becomes of each frame of the client, and when the socket closes;
what a frame means is the dialect's business and what is sent next the pump's. A frame for the
backend waits in a bounded queue, in order, so that a slow backend never delays a pong, and a
client that outruns its backend is slowed by TCP instead of buffered.
"""

from __future__ import annotations

import anyio
from anyio.abc import TaskGroup
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket, WebSocketDisconnect

from bridge.endpoint.answers import refusal
from bridge.endpoint.gateway import Gateway
from bridge.endpoint.pump import AsyncBell, Pump
from bridge.endpoint.session import Session, Signal
from bridge.endpoint.snapshot import Joining
from bridge.endpoint.socket import Outgoing, Socket, SocketSink
from bridge.errors import InvalidChannel
from bridge.history.log import Gap
from bridge.hub.channel import Channel, ChannelKey
from bridge.wire.dialect import (
    Authenticate,
    Command,
    Dialect,
    Ignore,
    Meaning,
    Refuse,
    Reply,
    Subscribe,
    Unsubscribe,
)
from bridge.wire.endings import NOT_FOUND, UNSUPPORTED, Ending
from bridge.wire.frame import Frame
from bridge.wire.names import ChannelName
from bridge.wire.routes import RouteOptions


class SocketEndpoint:
    """The ASGI endpoint of a route's WebSocket side."""

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
            await self._refuse(websocket, self._gateway.hub.draining, "the bridge restarts")
            return
        socket = Socket(websocket, self._dialect, self._gateway.options.send_timeout)
        with self._gateway.counted("ws"):
            talk = Conversation(self._gateway, self._dialect, self._joining, self._outgoing, socket)
            await talk.run(name)

    async def _refuse(self, websocket: WebSocket, ending: Ending, reason: str) -> None:
        ending = self._gateway.delayed(ending)
        if self._dialect.options.reject == "before":
            await websocket.send_denial_response(refusal(ending, reason))
            return
        socket = Socket(websocket, self._dialect, self._gateway.options.send_timeout)
        await socket.accept()
        await socket.close(ending, reason)


class Conversation:
    """One accepted socket: its subscriptions, its reader and its queue to the backend."""

    def __init__(
        self,
        gateway: Gateway,
        dialect: Dialect,
        joining: Joining,
        outgoing: Outgoing,
        socket: Socket,
    ) -> None:
        self._gateway, self._dialect, self._joining = gateway, dialect, joining
        self._outgoing, self._socket = outgoing, socket
        self._subscriptions: dict[ChannelName, tuple[Channel, anyio.CancelScope]] = {}
        self._to_backend, self._from_client = anyio.create_memory_object_stream[Frame](
            gateway.options.uplink_queue
        )

    async def run(self, name: ChannelName | None) -> None:
        """Accept, deliver, read; returns once the socket is closed."""
        await self._socket.accept()
        with self._to_backend, self._from_client:
            try:
                async with anyio.create_task_group() as tasks:
                    await self._converse(tasks, name)
                    tasks.cancel_scope.cancel()
            except* WebSocketDisconnect:
                pass

    async def _converse(self, tasks: TaskGroup, name: ChannelName | None) -> None:
        await self._socket.say(self._dialect.welcome(name))
        tasks.start_soon(self._carry)
        if self._dialect.server_ping:
            tasks.start_soon(self._ping, self._dialect.server_ping)
        if name:
            self._subscribe(tasks, name, self._socket.query("last_event_id"))
        while (frame := await self._socket.receive()) is not None:
            await self._obey(tasks, self._dialect.read(frame, name))

    async def _obey(self, tasks: TaskGroup, meaning: Meaning) -> None:
        match meaning:
            case Subscribe():
                await self._on_subscribe(tasks, meaning)
            case Unsubscribe():
                for each in meaning.names:
                    self._unsubscribe(each)
                await self._socket.say(meaning.reply)
            case Reply(text):
                await self._socket.say(text)
            case Command(frame):
                await self._to_backend.send(frame)
            case Refuse(ending, reason):
                await self._refused(ending, reason)
            case Ignore(reason):
                self._gateway.meter.count("frames_ignored", reason=reason)
            case Authenticate(_, reply):
                await self._socket.say(reply)

    async def _on_subscribe(self, tasks: TaskGroup, wish: Subscribe) -> None:
        try:
            names = [self._gateway.admit(each) for each in wish.names]
        except InvalidChannel as fault:
            await self._refused(NOT_FOUND, str(fault))
            return
        await self._socket.say(wish.reply)
        for each in names:
            self._subscribe(tasks, each, wish.resume)

    def _subscribe(self, tasks: TaskGroup, name: ChannelName, place: str | None) -> None:
        """Begin to deliver; a channel that is already delivered goes on as it is."""
        if name in self._subscriptions:
            return
        bell = AsyncBell()
        channel = self._gateway.hub.join(ChannelKey(name), bell)
        scope = anyio.CancelScope()
        self._subscriptions[name] = channel, scope
        tasks.start_soon(self._deliver, channel, scope, bell, place)

    def _unsubscribe(self, name: ChannelName) -> None:
        subscribed = self._subscriptions.pop(name, None)
        if subscribed:
            subscribed[1].cancel()

    async def _deliver(
        self, channel: Channel, scope: anyio.CancelScope, bell: AsyncBell, written: str | None
    ) -> None:
        try:
            with scope:
                await self._pump(channel, bell, written)
        finally:
            self._gateway.hub.leave(channel, bell)
            if self._subscriptions.get(channel.key.name, (None,))[0] is channel:
                del self._subscriptions[channel.key.name]

    async def _pump(self, channel: Channel, bell: AsyncBell, written: str | None) -> None:
        place = channel.log.place(written)
        cursor = place.new if isinstance(place, Gap) else place
        session = Session(wire="ws", cursor=cursor)
        sink = SocketSink(self._socket, channel.key.name, self._outgoing, self._is_last)
        session.apply(Signal.ACCEPTED)
        if isinstance(place, Gap):
            await sink.gap(place)
        await sink.begin(cursor)
        if written is None or isinstance(place, Gap):
            event = await self._joining.snapshot(channel, bell, cursor)
            if event:
                await self._socket.deliver(event.data)
        await Pump(self._gateway, channel, session, sink, bell).run()

    def _is_last(self) -> bool:
        return len(self._subscriptions) <= 1

    async def _carry(self) -> None:
        """Take the client's frames to the backend one after the other, in order."""
        async for frame in self._from_client:
            ending = await self._send_up(frame)
            if ending:
                await self._refused(ending, "the backend refused a frame")

    async def _send_up(self, frame: Frame) -> Ending | None:
        for channel, _ in self._subscriptions.values():
            ending = await channel.lead.send(frame)
            outcome = ending.name if ending else "accepted"
            self._gateway.meter.count("frames_up", outcome=outcome)
            return ending
        return UNSUPPORTED

    async def _refused(self, ending: Ending, reason: str) -> None:
        """As the dialect says: close, tell or ignore. Without a way to the backend: ignore."""
        policy = self._dialect.options.uplink_refused
        if ending is UNSUPPORTED or policy == "ignore":
            self._gateway.meter.count("frames_ignored", reason=ending.name)
        elif policy == "frame":
            await self._socket.say(self._dialect.error(ending, reason))
        else:
            await self._socket.close(self._gateway.delayed(ending), reason)

    async def _ping(self, text: str) -> None:
        while True:
            await anyio.sleep(self._dialect.options.server_ping_interval)
            await self._socket.say(text)
