"""One accepted WebSocket: its subscriptions, what becomes of each of its frames, its end.

Decides when a subscription begins and ends and when the socket is over; what a frame means is the
dialect's business and what is sent next the pump's. A frame for the backend waits in a bounded
queue, in order, so that a slow backend never delays a pong, and a client that outruns its backend
is slowed by TCP instead of buffered.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field

import anyio
from anyio.abc import TaskGroup
from starlette.websockets import WebSocketDisconnect

from bridge.endpoint.gateway import Gateway, label
from bridge.endpoint.outgoing import Outgoing
from bridge.endpoint.pump import AsyncBell, Pump
from bridge.endpoint.session import Session
from bridge.endpoint.snapshot import Joining
from bridge.endpoint.socket import Socket, SocketSink
from bridge.endpoint.upward import NO_WAY_UP, Carrier
from bridge.errors import InvalidChannel
from bridge.history.log import Gap
from bridge.hub.channel import ChannelKey
from bridge.wire.dialect import (
    Authenticate,
    Command,
    Ignore,
    Meaning,
    Refuse,
    Reply,
    Subscribe,
    Unsubscribe,
)
from bridge.wire.endings import NOT_FOUND, TOO_BIG, Ending
from bridge.wire.frame import Frame
from bridge.wire.names import ChannelName


@dataclass(eq=False, slots=True)
class _Subscription:
    """One channel on one socket. The same channel may be subscribed anew before this is over."""

    name: ChannelName
    written: str | None
    scope: anyio.CancelScope = field(default_factory=anyio.CancelScope)


class Dialogue:
    """One socket, from its acceptance to its close.

    Args:
        gateway: what the endpoints share.
        joining: gives joiners their snapshot.
        outgoing: the frames that an event becomes.
        socket: not yet accepted.
        name: the channel that the socket itself names, None where its frames do.
    """

    def __init__(
        self,
        gateway: Gateway,
        joining: Joining,
        outgoing: Outgoing,
        socket: Socket,
        name: ChannelName | None,
    ) -> None:
        self._gateway, self._joining, self._outgoing = gateway, joining, outgoing
        self._socket, self._dialect, self._name = socket, socket.dialect, name
        self._subscriptions: dict[ChannelName, _Subscription] = {}
        self._carrier = Carrier(gateway, self._refused)
        self._limit = gateway.options.max_frame_bytes

    async def run(self) -> None:
        """Accept, deliver, read; returns once the socket is closed.

        What a client said before it left still goes to the backend, within `send_timeout`.
        """
        try:
            await self._socket.accept()
            async with anyio.create_task_group() as carrying:
                await self._talk(carrying)
                self._carrier.finish()
                patience = self._gateway.options.send_timeout
                carrying.cancel_scope.deadline = anyio.current_time() + patience
        finally:
            self._carrier.close()

    async def _talk(self, carrying: TaskGroup) -> None:
        try:
            async with anyio.create_task_group() as tasks:
                self._socket.on_close = tasks.cancel_scope.cancel
                await self._converse(tasks, carrying)
                tasks.cancel_scope.cancel()
        except* WebSocketDisconnect:
            pass

    async def _converse(self, tasks: TaskGroup, carrying: TaskGroup) -> None:
        await self._socket.say(self._dialect.welcome(self._name))
        if self._dialect.server_ping:
            tasks.start_soon(self._ping, self._dialect.server_ping)
        if self._name:
            self._subscribe(tasks, self._name, self._socket.place)
        while (frame := await self._socket.receive()) is not None:
            if len(frame) > self._limit:
                await self._socket.close(TOO_BIG, f"a frame exceeds {self._limit} bytes")
                return
            meaning = self._dialect.read(frame, self._name)
            if isinstance(meaning, Command):
                await self._forward(carrying, meaning.frame)
            else:
                await self._obey(tasks, meaning)

    async def _obey(self, tasks: TaskGroup, meaning: Meaning) -> None:
        match meaning:
            case Subscribe():
                await self._on_subscribe(tasks, meaning)
            case Unsubscribe():
                await self._on_unsubscribe(meaning)
            case Reply(text):
                await self._socket.say(text)
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

    async def _on_unsubscribe(self, wish: Unsubscribe) -> None:
        try:
            names = [self._gateway.admit(each) for each in wish.names]
        except InvalidChannel:
            names = []  # nobody can have subscribed to it
        for each in names:
            self._unsubscribe(each)
        await self._socket.say(wish.reply)

    def _subscribe(self, tasks: TaskGroup, name: ChannelName, written: str | None) -> None:
        """Begin to deliver; a channel that is delivered goes on, unless the client names a place.

        From there it is delivered anew: what came since the opening comes twice, since leaving
        out what the client says it lacks would be a hole that nobody tells of.
        """
        if name in self._subscriptions and written is None:
            return
        self._unsubscribe(name)
        self._subscriptions[name] = subscription = _Subscription(name, written)
        tasks.start_soon(self._deliver, subscription)

    def _unsubscribe(self, name: ChannelName) -> None:
        subscription = self._subscriptions.get(name)
        if subscription:
            self._drop(subscription)
            subscription.scope.cancel()

    def _drop(self, subscription: _Subscription) -> bool:
        """Take a subscription off, if it is still there; whether none is left."""
        if self._subscriptions.get(subscription.name) is subscription:
            del self._subscriptions[subscription.name]
        return not self._subscriptions

    async def _deliver(self, subscription: _Subscription) -> None:
        hub, bell = self._gateway.hub, AsyncBell()
        channel = hub.join(ChannelKey(subscription.name), bell)
        try:
            with subscription.scope:
                place = channel.log.place(subscription.written)
                session = Session(wire="ws", cursor=place.new if isinstance(place, Gap) else place)
                joins = subscription.written is None or isinstance(place, Gap)
                sink = SocketSink(
                    self._socket,
                    subscription.name,
                    self._outgoing,
                    lambda: self._drop(subscription),
                )
                joining = self._joining if joins else None
                await Pump(self._gateway, channel, session, sink, bell, joining).run(place)
        finally:
            hub.leave(channel, bell)
            self._drop(subscription)

    async def _forward(self, carrying: TaskGroup, frame: Frame) -> None:
        """Send a frame up through the socket's own channel, else the first subscribed one."""
        name = self._name or next(iter(self._subscriptions), None)
        if name is None:
            await self._refused(NO_WAY_UP, "")
        else:
            await self._carrier.put(carrying, name, frame)

    async def _refused(self, ending: Ending, reason: str) -> None:
        """As the dialect says: close, tell or ignore. Without a way to the backend: ignore."""
        policy = self._dialect.options.uplink_refused
        if ending is NO_WAY_UP or policy == "ignore":
            self._gateway.meter.count("frames_ignored", reason=label(ending))
        elif policy == "frame":
            with suppress(WebSocketDisconnect):  # it left before it could be told
                await self._socket.say(self._dialect.error(ending, reason))
        else:
            self._carrier.stop()
            await self._socket.close(self._gateway.delayed(ending), reason)

    async def _ping(self, text: str) -> None:
        while True:
            await anyio.sleep(self._dialect.options.server_ping_interval)
            await self._socket.say(text)
