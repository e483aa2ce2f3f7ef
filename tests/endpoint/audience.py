"""A fan-out without an event loop: its turns, its time and its outlets are the test's."""

from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from bridge.endpoint.batch import Batch, Form
from bridge.endpoint.fanout import Fanout
from bridge.endpoint.fanouts import Fanouts
from bridge.endpoint.options import ClientOptions
from bridge.endpoint.reader import Reader
from bridge.endpoint.service import Service
from bridge.endpoint.session import Session, Signal
from bridge.history.cursor import Cursor
from bridge.history.log import Gap, LogOptions
from bridge.history.memory import MemoryStore
from bridge.hub.channel import Channel, ChannelKey
from bridge.wire.endings import Ending
from bridge.wire.event import PING, Event
from bridge.wire.sse import Decoder
from tests.endpoint.clockwork import Time
from tests.hub.parts import World, key


@dataclass
class Counts:
    """A meter that can be read."""

    found: Counter[tuple[str, str]] = field(default_factory=Counter)

    def count(self, name: str, amount: float = 1, **labels: str) -> None:
        self.found[name, labels.get("wire", "")] += int(amount)

    def gauge(self, name: str, change: float, **labels: str) -> None:
        self.count(name, change, **labels)


@dataclass(eq=False)
class Client:
    """An outlet that remembers, and becomes full when the test says so.

    Attributes:
        said: in order: the number of each event, a Gap, an Ending, or the word `ping`.
        fills: whether the next write makes it full.
    """

    form: Form
    said: list[Any] = field(default_factory=list)
    written: list[object] = field(default_factory=list)
    fills: bool = False
    is_full: bool = False
    is_aborted: bool = False
    reason: str = ""
    reader: Reader = field(init=False)
    fanout: Fanout = field(init=False)
    start: Cursor = field(init=False)

    @property
    def write(self) -> Callable[[object], None]:
        return self._write

    def _write(self, made: object) -> None:
        assert not self.is_full, "written to while it was full"
        assert not self.is_over, "written to after the end"
        self.written.append(made)
        self.said += numbers(self.form, made)
        if self.fills:
            self.fills, self.is_full = False, True
            self.reader.full()

    def gap(self, gap: Gap) -> None:
        assert not self.is_full
        assert not self.is_over
        self.said.append(gap)

    def end(self, ending: Ending, reason: str) -> None:
        assert not self.is_over, "ended twice"
        self.said.append(ending)
        self.reason = reason

    def abort(self) -> None:
        self.is_aborted = True

    @property
    def is_over(self) -> bool:
        return any(isinstance(each, Ending) for each in self.said)

    def room(self) -> None:
        self.fills = self.is_full = False
        self.reader.room()


def numbers(form: Form, made: object) -> list[Any]:
    """Which events a batch holds, by their places; payloads name their own."""
    if isinstance(made, Batch):
        return [entry.seq for entry in made.entries]
    if form is Form.PAYLOADS:
        assert isinstance(made, list)
        return [int(each["text"]) for each in made]
    if form is Form.BLOCKS:
        assert isinstance(made, dict)
        made = made["body"]
    assert isinstance(made, bytes)
    if form is Form.CHUNK:
        size, _, rest = made.partition(b"\r\n")
        made = rest[: int(size, 16)]
        assert rest == made + b"\r\n"
    events = Decoder().feed(made)
    return [PING if each.event == PING else int(each.id.rpartition("-")[2]) for each in events]


class Audience:
    """One channel's clients, two of whom are served in a turn."""

    def __init__(self, log: LogOptions | None = None, **options: Any) -> None:
        self.time, self.world, self.counts = Time(), World(), Counts()
        self.hub = self.world.hub
        self.hub._store = MemoryStore(log or LogOptions())
        self.soon: deque[tuple[Callable[..., object], tuple[Any, ...]]] = deque()
        self.fanouts = Fanouts(
            Service(
                self.hub,
                ClientOptions(**options),
                self.counts,
                self.time.wheel,
                lambda callback, *given: self.soon.append((callback, given)),
                lambda event, _: (event.data,),
                lambda ending: ending.after(1000) if ending.reconnect else ending,
                slice=2,
            )
        )
        self.key: ChannelKey = key()
        self.notices: set[int] = set()

    @property
    def channel(self) -> Channel:
        return next(iter(self.hub.channels()))

    def join(self, form: Form = Form.ENTRIES, place: str | None = None) -> Client:
        """A client that is let in at a written place."""
        fanout = self.fanouts.join(self.key)
        found = fanout.channel.log.place(place)
        client = Client(form)
        client.fanout, client.start = fanout, found.new if isinstance(found, Gap) else found
        session = Session("sse", client.start)
        session.apply(Signal.ACCEPTED)
        client.reader = Reader(fanout, session, client)
        fanout.add(client.reader)
        return client

    def leave(self, client: Client) -> None:
        client.reader.left()
        self.fanouts.leave(client.fanout)

    def publish(self, count: int = 1, size: int = 0) -> None:
        """Events in one batch whose payloads name their places."""
        top = self.channel.log.top
        self.channel.publish(
            [Event(str(top + each + 1).zfill(size), origin="sse") for each in range(count)]
        )

    def notice(self) -> None:
        """A hole that the backend left."""
        self.channel.gap("reconnected")
        self.notices.add(self.channel.log.top)

    def turn(self) -> None:
        """One turn of the event loop: what is due now, not what that asks for."""
        for _ in range(len(self.soon)):
            callback, given = self.soon.popleft()
            callback(*given)

    def settle(self) -> None:
        """Turns until nothing is due."""
        for _ in range(10_000):
            if not self.soon:
                return
            self.turn()
        raise AssertionError("the fan-out never rests")
