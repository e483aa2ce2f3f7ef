"""The log in lockstep with a model that keeps everything and works out retention anew each time."""

import json
from dataclasses import dataclass, field

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
)

from bridge.history.cursor import Cursor
from bridge.history.log import TRIMMED, Entry, Gap, Log, LogOptions, LogStatistics, Slice
from bridge.wire.event import GAP, Event
from bridge.wire.sse import Decoder

EPOCH = "now"
PAYLOADS = st.text(max_size=6) | st.binary(max_size=6)
REASONS = st.sampled_from(["upstream lost", "no replay"])


@dataclass
class Reader:
    """What one reader has: each seq up to its cursor was received or told to be lost."""

    cursor: Cursor
    began: int = field(init=False)
    received: list[int] = field(default_factory=list)
    lost: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.began = self.cursor.seq


@dataclass(frozen=True)
class Kept:
    """One entry as the model has it, with the first encoding that anyone saw of it."""

    event: Event
    at: float
    size: int


class LogMachine(RuleBasedStateMachine):
    readers = Bundle("readers")

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0
        self.all: list[Kept] = []
        self.base = 0
        self.blocks: dict[int, bytes] = {}
        self.everyone: list[Reader] = []

    @initialize(
        target=readers,
        max_events=st.integers(1, 6),
        max_bytes=st.integers(1, 40),
        max_age=st.integers(1, 20),
        start=st.integers(0, 6),
    )
    def begin(self, max_events: int, max_bytes: int, max_age: int, start: int) -> Reader:
        self.options = LogOptions(max_events, max_bytes, max_age, min(start, max_events))
        self.log = Log(EPOCH, self.options)
        return self.admit(Cursor(EPOCH, 0))

    # The model.

    def retain(self) -> None:
        """The longest run at the end that fits, never less than one, never more than before."""
        while len(self.all) - self.base > 1 and not self.fits(self.all[self.base :]):
            self.base += 1

    def fits(self, kept: list[Kept]) -> bool:
        return (
            len(kept) <= self.options.max_events
            and sum(each.size for each in kept) <= self.options.max_bytes
            and all(self.now - each.at <= self.options.max_age for each in kept)
        )

    @property
    def top(self) -> int:
        return len(self.all)

    def added(self, entry: Entry, size: int) -> None:
        assert entry.seq == self.top + 1
        self.all.append(Kept(entry.event, self.now, size))
        self.retain()

    # What upstreams do.

    @rule(payload=PAYLOADS, kind=st.sampled_from(["message", "stream"]))
    def append(self, payload: str | bytes, kind: str) -> None:
        event = Event(payload, type=kind, origin="ws", at=self.now)
        entry = self.log.append(event, self.now)
        assert entry.event is event
        self.added(entry, len(payload if isinstance(payload, bytes) else payload.encode()))

    @rule(reason=REASONS, lost=st.none() | st.integers(0, 9))
    def notice(self, reason: str, lost: int | None) -> None:
        entry = self.log.gap_notice(reason, lost, self.now)
        assert (entry.event.type, entry.ws) == (GAP, None)
        assert json.loads(entry.event.data) == {
            "old": f"{EPOCH}-{self.top}",
            "new": f"{EPOCH}-{self.top + 1}",
            "lost": lost,
            "reason": reason,
        }
        self.added(entry, len(entry.event.data))

    @rule(seconds=st.integers(0, 12), is_trimmed=st.booleans())
    def wait(self, seconds: int, is_trimmed: bool) -> None:
        self.now += seconds
        if is_trimmed:
            self.log.trim(self.now)
            self.retain()

    # What readers do.

    def admit(self, cursor: Cursor) -> Reader:
        reader = Reader(cursor)
        self.everyone.append(reader)
        return reader

    @rule(target=readers, written=st.sampled_from([None, ""]))
    def join(self, written: str | None) -> Reader:
        place = self.log.place(written)
        assert place == Cursor(EPOCH, max(self.base, self.top - self.options.start))
        return self.admit(place)

    @rule(target=readers, reader=readers)
    def resume(self, reader: Reader) -> Reader:
        """Come back with the place of a reader, which may be gone by now."""
        place = self.log.place(str(reader.cursor))
        again = self.admit(reader.cursor)
        if isinstance(place, Gap):
            self.told(again, place)
        else:
            assert place == reader.cursor
        return again

    @rule(target=readers, seq=st.integers(0, 30), epoch=st.sampled_from([EPOCH, "before"]))
    def forge(self, seq: int, epoch: str) -> Reader:
        """Come with a place that the log may or may not have given out."""
        place = self.log.place(f"{epoch}-{seq}")
        if epoch == EPOCH and self.base <= seq <= self.top:
            assert place == Cursor(EPOCH, seq)
            return self.admit(place)
        assert isinstance(place, Gap)
        assert place.lost == (self.base - seq if epoch == EPOCH and seq < self.base else None)
        assert place == self.log.read(Cursor(epoch, seq))
        return self.admit(place.new)

    @rule(target=readers, written=st.text(min_size=1))
    def claim(self, written: str) -> Reader:
        """Come with any text at all."""
        place = self.log.place(written)
        if isinstance(place, Cursor):
            assert Cursor.parse(written) == place
            return self.admit(place)
        assert json.loads(place.data)["new"] == f"{EPOCH}-{self.base}"
        return self.admit(place.new)

    @rule(reader=readers, limit=st.integers(1, 5), limit_bytes=st.integers(0, 12))
    def read(self, reader: Reader, limit: int, limit_bytes: int) -> None:
        found = self.log.read(reader.cursor, limit, limit_bytes)
        if isinstance(found, Gap):
            self.told(reader, found)
        else:
            self.given(reader, found, limit, limit_bytes)

    def told(self, reader: Reader, gap: Gap) -> None:
        assert (gap.old, gap.reason) == (str(reader.cursor), TRIMMED)
        hole = range(reader.cursor.seq + 1, gap.new.seq + 1)
        assert gap.new == Cursor(EPOCH, self.base)
        assert gap.lost == len(hole) > 0
        reader.lost += hole
        reader.cursor = gap.new

    def given(self, reader: Reader, found: Slice, limit: int, limit_bytes: int) -> None:
        assert self.base <= reader.cursor.seq
        assert bool(found.entries) == (reader.cursor.seq < self.top)
        assert len(found.entries) <= limit
        sizes = [entry.size for entry in found.entries]
        assert sum(sizes) <= limit_bytes or len(sizes) == 1
        self.is_full(reader.cursor.seq + len(sizes), sizes, limit, limit_bytes)
        for entry in found.entries:
            self.recognise(entry)
        reader.received += [entry.seq for entry in found.entries]
        reader.cursor = found.cursor

    def is_full(self, last: int, sizes: list[int], limit: int, limit_bytes: int) -> None:
        """A slice ends at the top, at its limit, or before an entry that is too large for it."""
        if last < self.top and len(sizes) < limit:
            assert sum(sizes) + self.all[last].size > limit_bytes

    def recognise(self, entry: Entry) -> None:
        """It is the entry of its place, and its bytes are those that everyone else got."""
        kept = self.all[entry.seq - 1]
        assert entry.event is kept.event
        assert entry.size == kept.size
        assert entry.sse is self.blocks.setdefault(entry.seq, entry.sse)
        (block,) = Decoder().feed(entry.sse)
        assert block.id == str(entry.cursor) == f"{EPOCH}-{entry.seq}"

    # What always holds.

    @invariant()
    def every_reader_has_each_seq_once_or_was_told_that_it_is_lost(self) -> None:
        for reader in self.everyone:
            assert reader.received == sorted(set(reader.received))
            accounted = sorted(reader.received + reader.lost)
            assert accounted == list(range(reader.began + 1, reader.cursor.seq + 1))

    @invariant()
    def the_log_keeps_what_the_model_keeps(self) -> None:
        kept = self.all[self.base :]
        assert (self.log.base, self.log.top) == (self.base, self.top)
        assert self.log.statistics() == LogStatistics(
            events=len(kept),
            bytes=sum(each.size for each in kept),
            appended=self.top,
            trimmed=self.base,
        )

    def teardown(self) -> None:
        """Every reader that reads on gets to the top, and then nothing."""
        for reader in self.everyone:
            while reader.cursor.seq < self.top:
                self.read(reader, 5, 30)
            assert self.log.read(reader.cursor) == Slice((), reader.cursor)
        self.every_reader_has_each_seq_once_or_was_told_that_it_is_lost()


TestLogMachine = LogMachine.TestCase
TestLogMachine.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)
