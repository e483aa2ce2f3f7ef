"""Which channels live: opened by the first reader, closed some time after the last one.

Decides when an upstream starts and stops and how long a log outlives its readers; never reads a
socket and never sleeps (time and timers are arguments).

A channel's life is one table:

    phase      first reader joins   last reader leaves   timer            backend ends it
    absent     -> live (start)      -                    -                -
    live       -                    -> lingering         -                ending stands
    lingering  -> live              -                    -> parked (stop) ending stands
    parked     -> live (start)      -                    -> absent        -

A lead that could not continue without an unannounced hole is not parked but forgotten: the log's
epoch goes with it, so whoever comes back with an old cursor is told of the gap, and newcomers
are not bothered with one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import Enum
from typing import Protocol

from bridge.history.log import Log
from bridge.history.memory import Store
from bridge.hub.channel import Bell, Channel, ChannelKey, Incoming, Latch, unchanged
from bridge.seams import Lead, Meter
from bridge.wire.endings import RESTART, Ending


@dataclass(frozen=True, slots=True)
class HubOptions:
    """How long channels outlive their readers.

    Attributes:
        linger: seconds that an upstream stays open after the last reader left.
        retain: seconds that a closed channel keeps its log and its place for readers who return.
        refusal: seconds for which a backend's final word is repeated to newcomers unasked.
    """

    linger: float = 10.0
    retain: float = 300.0
    refusal: float = 5.0

    def __post_init__(self) -> None:
        for name in ("linger", "retain", "refusal"):
            if not 0 <= getattr(self, name) < float("inf"):
                raise ValueError(f"{name} must be 0 or more seconds")


class Phase(Enum):
    """Where a channel stands; the module's table says how it moves."""

    LIVE = "live"
    LINGERING = "lingering"
    PARKED = "parked"


class Timer(Protocol):
    """A call that is due later, as `asyncio.TimerHandle`."""

    def cancel(self) -> None:
        """Do not call."""


CallLater = Callable[[float, Callable[[], None]], Timer]
Source = Callable[[Channel], Lead]
"""Makes the upstream that writes to a channel; it is not started yet."""


@dataclass(slots=True)
class _Room:
    """A channel with the hub's own notes about it."""

    channel: Channel
    phase: Phase = Phase.LIVE
    timer: Timer | None = None

    def rest(self) -> None:
        if self.timer:
            self.timer.cancel()
            self.timer = None


@dataclass(frozen=True, slots=True)
class HubStatistics:
    """A moment's counts.

    Attributes:
        channels: how many are in each phase, by its name.
        readers: how many sessions read, over all channels.
    """

    channels: dict[str, int]
    readers: int


class Hub:
    """Opens, shares and closes channels.

    Args:
        source: makes a channel's upstream.
        store: keeps the logs.
        new_epoch: a fresh epoch of letters and digits.
        options: how long things outlive their readers.
        clock: seconds, monotonic.
        call_later: starts a timer, as `loop.call_later`.
        meter: counts.
        new_latch: the completion latch of a channel, None where it needs none.
        incoming: what an event becomes before it gets its place.
        max_channels: the most that are in memory at once; 0 is any number. See `make_room`.

    Attributes:
        draining: what newcomers are told from the beginning of a drain on.
        emptying: whether all readers are to end then as soon as they have been sent everything.
    """

    def __init__(
        self,
        source: Source,
        store: Store,
        *,
        new_epoch: Callable[[], str],
        options: HubOptions,
        clock: Callable[[], float],
        call_later: CallLater,
        meter: Meter,
        new_latch: Callable[[ChannelKey], Latch | None] = lambda _: None,
        incoming: Incoming = unchanged,
        max_channels: int = 0,
    ) -> None:
        self._source, self._store, self._new_epoch = source, store, new_epoch
        self._options, self._clock, self._call_later = options, clock, call_later
        self._meter, self._new_latch, self._incoming = meter, new_latch, incoming
        self._rooms: dict[ChannelKey, _Room] = {}
        self._idle: dict[ChannelKey, _Room] = {}  # without readers, in the order of their leaving
        self._max_channels = max_channels
        self.draining: Ending | None = None
        self.emptying = False

    def make_room(self, key: ChannelKey) -> bool:
        """Whether a channel may be joined; forgets, for one that is not open, the longest idle.

        To be asked before `join`, which opens whatever it is asked for.
        """
        if not self._max_channels or key in self._rooms or len(self._rooms) < self._max_channels:
            return True
        idle = next(iter(self._idle.values()), None)
        if idle is None:
            return False
        idle.channel.lead.stop()
        self._forget(idle)
        return True

    def readers(self, key: ChannelKey) -> int:
        """How many sessions read a channel, which may not be open."""
        room = self._rooms.get(key)
        return room.channel.readers if room else 0

    def join(self, key: ChannelKey, bell: Bell) -> Channel:
        """Read a channel: opens it for the first reader. `bell` rings until `leave`."""
        room = self._rooms.get(key) or self._open(key)
        channel = room.channel
        room.rest()
        self._idle.pop(key, None)
        if room.phase is Phase.PARKED or self._is_refusal_stale(channel):
            channel.start()
        room.phase = Phase.LIVE
        channel.log.trim(self._clock())
        channel.attach(bell)
        return channel

    def leave(self, channel: Channel, bell: Bell) -> None:
        """Stop reading; the last one to leave starts the linger timer."""
        channel.detach(bell)
        room = self._rooms.get(channel.key)
        if room is None or room.channel is not channel or channel.readers:
            return
        room.rest()
        room.phase = Phase.LINGERING
        self._idle[channel.key] = room
        room.timer = self._call_later(self._options.linger, lambda: self._park(room))

    def refuse(self, ending: Ending = RESTART) -> None:
        """Refuse newcomers from now on; who is here is ended by and by."""
        self.draining = ending

    def drain(self, ending: Ending = RESTART) -> None:
        """Refuse newcomers from now on and wake every reader, so that each ends."""
        self.draining, self.emptying = ending, True
        for channel in self.channels():
            channel.ring()

    def close(self) -> None:
        """Stop every upstream and leave the logs to the store, which may keep them."""
        for room in list(self._rooms.values()):
            room.channel.lead.stop()
            self._remove(room)

    def channels(self) -> Iterable[Channel]:
        """The channels that are open, a snapshot."""
        return tuple(room.channel for room in self._rooms.values())

    def statistics(self) -> HubStatistics:
        """A moment's counts, by phase."""
        phases = dict.fromkeys((phase.value for phase in Phase), 0)
        for room in self._rooms.values():
            phases[room.phase.value] += 1
        return HubStatistics(phases, sum(room.channel.readers for room in self._rooms.values()))

    def _open(self, key: ChannelKey) -> _Room:
        log = self._store.open(key, self._new_epoch())
        channel = Channel(
            key,
            log,
            clock=self._clock,
            meter=self._meter,
            latch=self._latch_of(key, log),
            incoming=self._incoming,
        )
        channel.lead = self._source(channel)
        room = self._rooms[key] = _Room(channel)
        self._meter.gauge("channels", 1)
        channel.start()
        return room

    def _latch_of(self, key: ChannelKey, log: Log) -> Latch | None:
        """A latch that knows what the log tells already, if it is of an earlier process."""
        latch = self._new_latch(key)
        if latch:
            for entry in log.tail(log.base):
                latch.admit(entry.event, entry.seq)
        return latch

    def _is_refusal_stale(self, channel: Channel) -> bool:
        age = self._clock() - channel.ended_at
        return channel.ending is not None and age >= self._options.refusal

    def _park(self, room: _Room) -> None:
        channel = room.channel
        resumable = channel.lead.resumable and not channel.ending
        channel.lead.stop()
        if not resumable or not self._options.retain:
            self._forget(room)
            return
        room.phase = Phase.PARKED
        room.timer = self._call_later(self._options.retain, lambda: self._forget(room))

    def _forget(self, room: _Room) -> None:
        if self._remove(room):
            self._store.drop(room.channel.key)

    def _remove(self, room: _Room) -> bool:
        room.rest()
        key = room.channel.key
        if self._rooms.get(key) is not room:
            return False
        del self._rooms[key]
        self._idle.pop(key, None)
        self._meter.gauge("channels", -1)
        return True
