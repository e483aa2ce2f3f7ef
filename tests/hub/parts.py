"""A hub with timers that the test fires and leads that only remember."""

from collections.abc import Callable
from dataclasses import dataclass, field

from bridge.history.log import LogOptions
from bridge.history.memory import MemoryStore
from bridge.hub.channel import Channel, ChannelKey
from bridge.hub.hub import Hub, HubOptions
from bridge.seams import Downstream, Unmetered
from bridge.wire.endings import Ending
from bridge.wire.frame import Frame
from bridge.wire.names import ChannelName


@dataclass
class IdleLead:
    """An upstream that does nothing but remember whether it runs."""

    downstream: Downstream
    resumable: bool = True
    running: bool = False
    starts: int = 0

    def start(self) -> None:
        assert not self.running, "started twice"
        self.running, self.starts = True, self.starts + 1

    def stop(self) -> None:
        self.running = False

    async def send(self, frame: Frame) -> Ending | None:
        return None


@dataclass(eq=False)
class Due:
    """A timer that fires when the test says so."""

    at: float
    callback: Callable[[], None]
    cancelled: bool = False

    def cancel(self) -> None:
        self.cancelled = True


@dataclass
class World:
    """A hub, its clock and everything it made."""

    options: HubOptions = field(default_factory=HubOptions)
    now: float = 0.0
    epochs: int = 0
    timers: list[Due] = field(default_factory=list)
    leads: list[IdleLead] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.store = MemoryStore(LogOptions())
        self.hub = Hub(
            self._source,
            self.store,
            new_epoch=self._epoch,
            options=self.options,
            clock=lambda: self.now,
            call_later=self._later,
            meter=Unmetered(),
        )

    def pass_time(self, seconds: float) -> None:
        """Move the clock and fire what falls due, in order."""
        end = self.now + seconds
        while due := [timer for timer in self.timers if timer.at <= end]:
            first = min(due, key=lambda timer: timer.at)
            self.timers.remove(first)
            self.now = max(self.now, first.at)
            if not first.cancelled:
                first.callback()
        self.now = end

    def _source(self, channel: Channel) -> IdleLead:
        self.leads.append(IdleLead(channel))
        return self.leads[-1]

    def _epoch(self) -> str:
        self.epochs += 1
        return f"e{self.epochs}"

    def _later(self, delay: float, callback: Callable[[], None]) -> Due:
        self.timers.append(Due(self.now + delay, callback))
        return self.timers[-1]


def key(text: str = "project.1") -> ChannelKey:
    """A channel key of the shared scope."""
    return ChannelKey(ChannelName.parse(text))


class Rings:
    """A bell that counts."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self) -> None:
        self.count += 1
