"""One WebSocket client: its subscriptions, and what becomes of each frame that it sends.

Decides by what the dialect makes of a frame; never waits and never touches a socket, so the same
conversation is held over a taken-over connection and through an ASGI server.
"""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from functools import partial

import orjson

from bridge.endpoint.budget import Seat
from bridge.endpoint.carrier import Carrier, Permit
from bridge.endpoint.fanout import TOO_SLOW
from bridge.endpoint.farewell import told
from bridge.endpoint.gateway import label
from bridge.endpoint.notices import notice
from bridge.endpoint.reader import Reader
from bridge.endpoint.server_ping import ServerPing
from bridge.endpoint.session import Session, Signal
from bridge.endpoint.subscription import Subscription
from bridge.endpoint.talk import Talk, Wire
from bridge.endpoint.upward import NO_WAY_UP
from bridge.endpoint.wheel import Due, cancel
from bridge.errors import InvalidChannel
from bridge.history.log import Gap
from bridge.hub.channel import ChannelKey
from bridge.wire import meaning as means
from bridge.wire.endings import NOT_FOUND, POLICY, TRY_LATER, Ending
from bridge.wire.event import CURSOR, END, GAP
from bridge.wire.frame import Frame
from bridge.wire.names import ChannelName


class Conversation:
    """One accepted socket.

    Args:
        talk: what all share.
        wire: the socket.
        name: the path's channel, None where it names none.
        seat: the client's, which counts its frames.
        notices: whether the client asked, by `?notices=true`, to be told its place, holes and
            endings in frames of the bridge's own; legacy clients do not and never see one.
    """

    __slots__ = (
        "_carrier",
        "_deadline",
        "_expiry",
        "_full",
        "_name",
        "_notices",
        "_over",
        "_pings",
        "_talk",
        "readers",
        "seat",
        "wire",
    )
    readers: dict[ChannelName, Reader]  # of the channels that are read

    def __init__(
        self, talk: Talk, wire: Wire, name: ChannelName | None, seat: Seat, *, notices: bool = False
    ) -> None:
        self._talk, self.wire, self._name, self._notices = talk, wire, name, notices
        self.seat, self.readers = seat, {}
        self._carrier: Carrier | None = None
        self._over = self._full = False
        self._deadline: Due | None = None
        self._expiry: Due | None = None
        self._pings: ServerPing | None = None

    def open(self, place: str | None) -> None:
        """Greet, and deliver the path's channel from `place` on."""
        dialect = self._talk.dialect
        self._say(dialect.welcome(self._name))
        if self._name and dialect.options.deliver == "connect":
            self._subscribe(self._name, place)
        if dialect.server_ping and not self._over:
            every = dialect.options.server_ping_interval
            self._pings = ServerPing(self._talk.wheel, every, self._ping)

    def expire_at(self, when: float, ending: Ending, reason: str) -> None:
        """End the conversation at a time, as `Reader.expire_at` does on the other wire."""
        cancel(self._expiry)
        if not self._over:
            self._expiry = self._talk.wheel.at(when, partial(self.end, ending, reason))

    def hear(self, frame: Frame) -> None:
        """Do what a frame asks for; nothing once the conversation is over."""
        if self.counts(len(frame)):
            self._obey(self._talk.dialect.read(frame, self._name))

    def counts(self, size: int) -> bool:
        """Count a frame, also one that says nothing by itself; whether it is to be heard."""
        if not self._over and (over := self._talk.gateway.too_much(self.seat, size)):
            self._close(*over)
        return not self._over

    def full(self) -> None:
        """The wire takes no more for now; one deadline stands for all that is read over it."""
        self._full = True
        for reader in tuple(self.readers.values()):
            reader.full(timed=False)
        if not self._over:
            timeout = self._talk.gateway.options.send_timeout
            self._deadline = self._talk.wheel.after(timeout, self._give_up)

    def room(self) -> None:
        """The wire takes more again."""
        self._full = False
        cancel(self._deadline)
        for reader in tuple(self.readers.values()):
            reader.room()

    def over(self) -> None:
        """Nothing more is to be said: the wire is closing."""
        self._over = True
        self._talk.present.discard(self)
        cancel(self._deadline)
        cancel(self._expiry)
        if self._pings:
            self._pings.stop()
        for name in tuple(self.readers):
            self._leave(name)

    def closed(self) -> None:
        """The client is gone. Frames that it sent before still go to the backend, for a while."""
        self.over()
        if self._carrier:
            self._carrier.finish(self._talk.wheel)

    # What the client says.

    def _obey(self, meaning: means.Meaning) -> None:
        match meaning:
            case means.Subscribe():
                self._on_subscribe(meaning)
            case means.Unsubscribe(names, reply):
                for name in names:
                    with contextlib.suppress(InvalidChannel):
                        self._leave(self._talk.gateway.admit(name))
                self._say(reply)
            case means.Reply(text) | means.Authenticate(_, text):
                self._say(text)
            case means.Command(frame):
                self._send_up(frame)
            case means.Refuse(ending, reason):
                self._refuse(ending, reason)
            case means.Ignore(reason):
                self._talk.gateway.meter.count("frames_ignored", reason=reason)

    def _on_subscribe(self, wish: means.Subscribe) -> None:
        gateway = self._talk.gateway
        try:
            names = [gateway.admit(each) for each in wish.names]
        except InvalidChannel as fault:
            self._refuse(NOT_FOUND, str(fault))
            return
        if len(self.readers.keys() | set(names)) > gateway.options.max_subscriptions:
            self._refuse(POLICY, "too many subscriptions on one socket")
            return
        self._begin_all(names, wish)

    def _begin_all(self, names: Sequence[ChannelName], wish: means.Subscribe) -> None:
        self._say(wish.reply)
        for each in names:
            self._subscribe(each, wish.resume)

    def _send_up(self, frame: Frame) -> None:
        """Through the socket's own channel, else the one that was subscribed first."""
        name = self._name or next(iter(self.readers), None)
        if name is None:
            self._refuse(NO_WAY_UP, "")
        else:
            self._carry(name, frame)

    def _carry(self, name: ChannelName, frame: Frame, permit: Permit | None = None) -> None:
        if self._carrier is None:
            gateway, background = self._talk.gateway, self._talk.background
            self._carrier = Carrier(gateway, background, self.wire, self._refuse)
        self._carrier.put(self._key(name), frame, permit)

    def _say(self, text: str | None) -> None:
        if text:
            self.wire.deliver(text)

    def _refuse(self, ending: Ending, reason: str) -> None:
        """As the dialect says: close, tell or ignore. Without a way to the backend: ignore."""
        talk, policy = self._talk, self._talk.dialect.options.uplink_refused
        if not self._over and (ending is NO_WAY_UP or policy == "ignore"):
            talk.gateway.meter.count("frames_ignored", reason=label(ending))
        elif not self._over and policy == "frame":
            self._say(talk.dialect.error(ending, reason))
        elif not self._over:
            self._close(talk.gateway.delayed(ending), reason)

    def _close(self, ending: Ending, reason: str) -> None:
        """Close; what follows a frame that was refused would reach the backend without it."""
        self.over()
        if self._carrier:
            self._carrier.drop()
        self.wire.close(ending, reason)

    def _give_up(self) -> None:
        self._talk.gateway.meter.count("slow_clients", wire="ws")
        self.end(self._talk.gateway.delayed(TRY_LATER), TOO_SLOW)

    def end(self, ending: Ending, reason: str) -> None:
        """End all that is read, then the socket."""
        for name in self.readers:
            self.notify(END, name, **told(ending, reason))
        self._close(ending, reason)

    # What the client reads.

    def _subscribe(self, name: ChannelName, place: str | None) -> None:
        """Begin to deliver; a channel that is delivered goes on, unless the client names a place.

        From there it is delivered anew: what came since the opening comes twice, since leaving
        out what the client says it lacks would be a hole that nobody tells of.
        """
        if self._over or (name in self.readers and place is None):
            return
        self._leave(name)
        if full := self._talk.gateway.full(self._key(name)):
            self._close(*full)
            return
        fanout = self._talk.fanouts.join(self._key(name))
        found = fanout.channel.log.place(place)
        cursor = found.new if isinstance(found, Gap) else found
        chatty = self._notices or bool(self._talk.dialect.options.gap)
        outlet = Subscription(self, name, fanout, chatty=chatty)
        reader = self.readers[name] = Reader(fanout, Session("ws", cursor), outlet)
        reader.session.apply(Signal.ACCEPTED)
        if self._full:
            reader.full(timed=False)
        if isinstance(found, Gap):
            self._talk.gateway.meter.count("gaps_told", wire="ws")
            outlet.gap(found)
        if self._notices:
            self.notify(CURSOR, name, id=str(cursor))
        if self._talk.joining.wanted(name) and (place is None or isinstance(found, Gap)):
            self._talk.background.spawn(self._begin(reader, outlet))
        else:
            fanout.add(reader)

    async def _begin(self, reader: Reader, outlet: Subscription) -> None:
        """Deliver the snapshot first, then what the log has since the client joined."""
        fanout, name = outlet.fanout, outlet.name
        events = await self._talk.joining.snapshot(fanout, reader.session.cursor)
        if self.readers.get(name) is reader:
            for event in events:
                self.wire.deliver(event.data)
            fanout.add(reader)

    def _ping(self) -> None:
        if not self._full:  # what is still to be written shows as well that we live
            self._say(self._talk.dialect.server_ping)

    def _leave(self, name: ChannelName) -> None:
        reader = self.readers.pop(name, None)
        if reader and isinstance(reader.outlet, Subscription):
            reader.left()
            self._talk.fanouts.leave(reader.outlet.fanout)

    def _key(self, name: ChannelName) -> ChannelKey:
        return ChannelKey(name)

    # What subscriptions tell.

    def ended(self, name: ChannelName, ending: Ending, reason: str) -> None:
        """A channel is over. The last one to be closes the socket.

        So does one whose client should come back, since it has to come back for all of them: a
        subscription that stops on an open socket would be a hole that nobody tells of.
        """
        self._leave(name)
        self.notify(END, name, **told(ending, reason))
        if ending.reconnect or not self.readers:
            self._close(ending, reason)
        else:
            self._say(self._talk.dialect.error(ending, reason))

    def tell_gap(self, name: ChannelName, data: str) -> None:
        """Tell of a hole, as the dialect asks or to a client that asked for notices."""
        said = orjson.loads(data)
        self._say(self._talk.dialect.gap(**said))
        self.notify(GAP, name, **said)

    def notify(self, kind: str, name: ChannelName, **members: object) -> None:
        """Send a notice of the bridge's own, if the client asked for notices."""
        if self._notices:
            self.wire.deliver(notice(kind, name, **members))
