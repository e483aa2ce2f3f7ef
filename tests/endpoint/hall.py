"""A fan-out whose event loop and clock the test drives, and clients that only remember."""

from collections import Counter, deque
from collections.abc import Callable

from bridge.endpoint.batch import Form
from bridge.endpoint.fanout import Fanout
from bridge.endpoint.fanouts import Fanouts
from bridge.endpoint.options import ClientOptions
from bridge.endpoint.outgoing import Outgoing
from bridge.endpoint.reader import Reader
from bridge.endpoint.service import Service
from bridge.endpoint.session import Session, Signal
from bridge.endpoint.wheel import Wheel
from bridge.history.log import Gap, LogOptions
from bridge.history.memory import MemoryStore
from bridge.hub.channel import Channel, ChannelKey
from bridge.hub.hub import Hub, HubOptions
from bridge.wire.endings import Ending
from bridge.wire.event import Event
from bridge.wire.sse import Decoder, ServerSentEvent
from tests.hub.parts import Due, IdleLead, key


class Tally:
    """A meter that remembers: `tally["slow_clients", "sse"]`."""

    def __init__(self) -> None:
        self.counts: Counter[tuple[str, str]] = Counter()

    def __getitem__(self, named: tuple[str, str]) -> int:
        return self.counts[named]

    def count(self, name: str, amount: float = 1, **labels: str) -> None:
        self.counts[name, labels.get("wire", "")] += int(amount)

    def gauge(self, name: str, change: float, **labels: str) -> None:
        self.counts[name, labels.get("wire", "")] += int(change)


class Client:
    """An outlet that remembers, and is full when the test says so.

    Attributes:
        got: everything that was written, in order.
        room: writes that it takes before it is full; None takes all.
        ending: how it was ended.
        broken: whether writing to it raises.
    """

    def __init__(self, form: Form = Form.BLOCKS, room: int | None = None) -> None:
        self.form, self.room = form, room
        self.got: list[object] = []
        self.gaps: list[Gap] = []
        self.ending: tuple[Ending, str] | None = None
        self.aborted = self.broken = False
        self.reader: Reader

    def write(self, made: object) -> None:
        if self.broken:
            raise RuntimeError("the wire is broken")
        assert self.ending is None, "written to after its end"
        assert not self.reader.held, "written to while it was full"
        self.got.append(made)
        if self.room is not None:
            self.room -= 1
            if self.room <= 0:
                self.reader.full()

    def gap(self, gap: Gap) -> None:
        self.gaps.append(gap)
        self.write(gap)

    def end(self, ending: Ending, reason: str) -> None:
        assert self.ending is None, "ended twice"
        self.ending = ending, reason
        if self.broken:
            raise RuntimeError("the wire is broken")

    def abort(self) -> None:
        self.aborted = True

    @property
    def events(self) -> list[ServerSentEvent]:
        """What blocks that were written mean."""
        decoder = Decoder()
        return [event for block in self.blocks for event in decoder.feed(block)]

    @property
    def blocks(self) -> list[bytes]:
        """The bodies of the ASGI messages that were written."""
        return [made["body"] for made in self.got if isinstance(made, dict)]

    @property
    def said(self) -> list[str]:
        """The payloads of events, without the bridge's own."""
        return [event.data for event in self.events if not event.event.startswith("bridge.")]


class Hall:
    """Fan-outs over a real hub, driven by hand.

    Attributes:
        now: the clock.
        soon: calls for the event loop's next turn.
        meter: what was counted.
    """

    def __init__(
        self,
        log: LogOptions | None = None,
        *,
        slice_: int = 256,
        outgoing: Outgoing = lambda event, _: (event.data,),
        **options: float,
    ) -> None:
        self.now = 0.0
        self.soon: deque[Callable[[], object]] = deque()
        self.timers: list[Due] = []
        self.meter = Tally()
        self.hub = Hub(
            IdleLead,
            MemoryStore(log),
            new_epoch=lambda: "e",
            options=HubOptions(refusal=1e6),
            clock=lambda: self.now,
            call_later=self.later,
            meter=self.meter,
        )
        self.wheel = Wheel(self.later, lambda: self.now)
        self.service = Service(
            hub=self.hub,
            options=ClientOptions(**options),  # type: ignore[arg-type]
            meter=self.meter,
            wheel=self.wheel,
            call_soon=lambda call, *given: self.soon.append(lambda: call(*given)),
            outgoing=outgoing,
            delayed=lambda ending: ending.after(1234) if ending.reconnect else ending,
            slice=slice_,
        )
        self.fanouts = Fanouts(self.service)

    def later(self, delay: float, callback: Callable[[], None]) -> Due:
        self.timers.append(Due(self.now + delay, callback))
        return self.timers[-1]

    def turn(self) -> None:
        """One turn of the event loop: what is due at its beginning, nothing that comes of it."""
        for _ in range(len(self.soon)):
            self.soon.popleft()()

    def settle(self) -> None:
        """Turns until nothing is due."""
        while self.soon:
            self.turn()

    def pass_time(self, seconds: float) -> None:
        """Move the clock and fire what falls due, in order."""
        end = self.now + seconds
        while due := [timer for timer in self.timers if timer.at <= end]:
            first = min(due, key=lambda timer: timer.at)
            self.timers.remove(first)
            self.now = max(self.now, first.at)
            if not first.cancelled:
                first.callback()
            self.settle()
        self.now = end

    def join(self, text: str = "project.1") -> Fanout:
        return self.fanouts.join(key(text))

    def channel(self, text: str = "project.1") -> Channel:
        named: ChannelKey = key(text)
        return next(each for each in self.hub.channels() if each.key == named)

    def publish(self, *payloads: str) -> None:
        """As if the backend had said these, in one batch."""
        self.channel().publish([Event(payload) for payload in payloads])

    def enter(
        self,
        form: Form = Form.BLOCKS,
        *,
        after: str | None = None,
        room: int | None = None,
    ) -> Client:
        """A client joins; one whose place is gone is told so, as the endpoints do."""
        fanout = self.join()
        found = fanout.channel.log.place(after)
        client = Client(form, room)
        cursor = found.new if isinstance(found, Gap) else found
        session = Session("sse" if form in {Form.BLOCKS, Form.CHUNK} else "ws", cursor)
        session.apply(Signal.ACCEPTED)
        client.reader = Reader(fanout, session, client)
        if isinstance(found, Gap):
            client.gap(found)
        fanout.add(client.reader)
        return client

    def leave(self, client: Client) -> None:
        """The client goes away."""
        client.reader.left()
        self.fanouts.leave(self.join_of(client))

    def join_of(self, client: Client) -> Fanout:
        """The fan-out that a client holds."""
        fanout = client.reader._fanout
        assert isinstance(fanout, Fanout)
        return fanout
