"""The store in a file in lockstep with the one in memory, over restarts and crashes.

In memory nothing is ever restarted, so it shows what a client should find. After a crash it is cut
to what was committed: that is all that the file can know.
"""

import asyncio
import tempfile
from collections.abc import Hashable
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, rule

from bridge.history.cursor import Cursor
from bridge.history.entry import Entry
from bridge.history.log import OTHER_EPOCH, TRIMMED, Gap, Log, LogOptions
from bridge.history.sqlite import KeptLog, SqliteStore
from bridge.wire.event import Event

KEYS = st.sampled_from([("project.1", ""), ("project.1", "s")])
Key = tuple[str, str]


def identify(key: Hashable) -> Key:
    assert isinstance(key, tuple)
    return key


@dataclass(frozen=True)
class Place:
    """What a client holds.

    Attributes:
        key: of its channel.
        life: which log of that name; another begins after each drop.
        written: the cursor.
        seq: the place.
        last: the event at it, None before the first.
    """

    key: Key
    life: int
    written: str
    seq: int
    last: Event | None


@dataclass
class Twin:
    """A channel as it should be found.

    Attributes:
        life: counts the logs of this name.
        log: in memory, never restarted.
        told: every event, by its place.
        committed: how far the file has it; -1 where it does not know this life of it.
    """

    life: int
    log: Log
    told: dict[int, Event]
    committed: int = -1


class StoreMachine(RuleBasedStateMachine):
    places = Bundle("places")

    def __init__(self) -> None:
        super().__init__()
        self.now, self.wall = 0.0, 1e9
        self.epochs, self.events, self.lives = count(1), count(1), count(1)
        self.twins: dict[Key, Twin] = {}
        self.folder = tempfile.TemporaryDirectory()

    @initialize(max_events=st.integers(1, 6), max_bytes=st.integers(1, 40))
    def begin(self, max_events: int, max_bytes: int) -> None:
        path = str(Path(self.folder.name, "history.db"))
        self.options = LogOptions(max_events, max_bytes, 30.0, persist="sqlite", path=path)
        self.boot()

    def boot(self) -> None:
        self.store = SqliteStore(
            self.options,
            identify=identify,
            new_epoch=lambda: f"e{next(self.epochs)}",
            clock=lambda: self.now,
            wall=lambda: self.wall + self.now,
        )
        for twin in self.twins.values():
            twin.log.trim(self.now)
            twin.committed = twin.log.top

    def log(self, key: Key) -> KeptLog:
        """The log of a key, as the hub opens it; its twin is made beside it."""
        log = self.store.open(key, f"e{next(self.epochs)}")
        assert isinstance(log, KeptLog)
        if key not in self.twins:
            self.twins[key] = Twin(next(self.lives), Log("twin", self.options), {})
        return log

    # What upstreams and the hub do.

    @rule(target=places, key=KEYS, payload=st.text(max_size=6) | st.binary(max_size=6))
    def append(self, key: Key, payload: str | bytes) -> Place:
        """Whoever reads has the place at once, long before it is committed."""
        event, log = Event(payload, id=str(next(self.events))), self.log(key)
        entry = log.append(event, self.now)
        self.appended(key, entry, self.twins[key].log.append(event, self.now))
        return self.held(key, log)

    @rule(key=KEYS, lost=st.none() | st.integers(0, 9))
    def notice(self, key: Key, lost: int | None) -> None:
        log = self.log(key)
        entry = log.gap_notice("reconnected", lost, self.now)
        twin = self.twins[key].log.append(entry.event, self.now)
        self.appended(key, entry, twin)

    def appended(self, key: Key, entry: Entry, twin: Entry) -> None:
        assert entry.seq == twin.seq
        self.twins[key].told[entry.seq] = entry.event

    @rule(key=KEYS)
    def drop(self, key: Key) -> None:
        self.store.drop(key)
        self.twins.pop(key, None)

    @rule(seconds=st.integers(1, 20))
    def wait(self, seconds: int) -> None:
        self.now += seconds

    # What becomes of the process.

    @rule()
    def flush(self) -> None:
        asyncio.run(self.store._flush())
        for twin in self.twins.values():
            twin.committed = twin.log.top

    @rule()
    def restart(self) -> None:
        asyncio.run(self.store.close())
        self.boot()

    @rule()
    def crash(self) -> None:
        """What was not committed is gone; so is what a drop took away, if that was not."""
        self.flush_drops()
        self.store._database.close()
        self.store._writer.shutdown()
        for key, twin in tuple(self.twins.items()):
            if twin.committed < 0:
                del self.twins[key]
            else:
                self.cut(twin)
        self.boot()

    def flush_drops(self) -> None:
        if self.store._dropped:
            self.flush()

    def cut(self, twin: Twin) -> None:
        kept = [(e.seq, e.event, e.at) for e in twin.log.tail(0) if e.seq <= twin.committed]
        if not kept and twin.committed:  # trimmed in memory, though not in the file
            kept = [(twin.committed, twin.told[twin.committed], self.now)]
        twin.log = Log("twin", self.options)
        twin.log.restore(kept, {})
        twin.told = {seq: event for seq, event in twin.told.items() if seq <= twin.committed}

    # What clients do.

    @rule(target=places, key=KEYS)
    def join(self, key: Key) -> Place:
        return self.held(key, self.log(key))

    def held(self, key: Key, log: KeptLog) -> Place:
        twin = self.twins[key]
        return Place(key, twin.life, f"{log.epoch}-{log.top}", log.top, twin.told.get(log.top))

    @rule(place=places)
    def resume(self, place: Place) -> None:
        """A place means what it meant, or a gap is told; what follows is what it should be."""
        log = self.log(place.key)
        twin, found = self.twins[place.key], log.place(place.written)
        if isinstance(found, Gap):
            assert found.reason in (TRIMMED, OTHER_EPOCH)
            assert self.is_lost(place, twin, log)
            return
        assert twin.life == place.life
        assert found == Cursor(log.epoch, place.seq)
        assert self.same(twin.told.get(place.seq), place.last)
        read = log.read(found, 100)
        assert not isinstance(read, Gap)
        for entry in read.entries:
            assert self.same(twin.told[entry.seq], entry.event)
        assert read.cursor.seq == twin.log.top

    def is_lost(self, place: Place, twin: Twin, log: Log) -> bool:
        other = twin.life != place.life
        return other or place.seq < log.base or not self.same(twin.told.get(place.seq), place.last)

    def same(self, one: Event | None, other: Event | None) -> bool:
        """The same event, though a restart counts its time from elsewhere."""
        return one is other or (
            one is not None
            and other is not None
            and (one.data, one.id, one.type, one.origin)
            == (other.data, other.id, other.type, other.origin)
        )

    # What always holds.

    @invariant()
    def both_keep_the_same(self) -> None:
        for key, twin in self.twins.items():
            log = self.store._logs.get(key)
            assert log is not None
            assert log.top == twin.log.top
            kept = [entry.event.data for entry in log.tail(0)]
            should = [entry.event.data for entry in twin.log.tail(0)]
            assert kept[-len(should) :] == should
            assert len(kept) <= self.options.max_events

    def teardown(self) -> None:
        if hasattr(self, "store"):
            asyncio.run(self.store.close())
        self.folder.cleanup()


TestStoreMachine = StoreMachine.TestCase
TestStoreMachine.settings = settings(max_examples=80, stateful_step_count=40, deadline=None)
