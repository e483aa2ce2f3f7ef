"""What a restart makes of a store in a file: places that survived hold, others are told a gap."""

import asyncio
import sqlite3
from collections.abc import Callable, Hashable
from contextlib import closing
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from bridge.history.cursor import Cursor
from bridge.history.database import Batch
from bridge.history.log import OTHER_EPOCH, Gap, Log, LogOptions
from bridge.history.memory import StoreStatistics
from bridge.history.pool import Pool
from bridge.history.sqlite import KeptLog, SqliteStore
from bridge.wire.event import Event
from tests.endpoint.hall import Tally
from tests.support.waiting import until

KEY = ("project.1", "")


def identify(key: Hashable) -> tuple[str, str]:
    assert isinstance(key, tuple)
    return key


class Machine:
    """One machine, on which process follows process.

    Attributes:
        now: the monotonic clock.
        wall: the wall clock less the monotonic one.
    """

    def __init__(self, path: Path, **options: Any) -> None:
        self.path, self.now, self.wall = path, 0.0, 1_000_000.0
        self._epochs = count(1)
        given = {"flush": 0.001} | options
        self.options = LogOptions(persist="sqlite", path=str(path), **given)

    def boot(self, pool: Pool | None = None, meter: Any = None) -> SqliteStore:
        return SqliteStore(
            self.options,
            identify=identify,
            new_epoch=self.epoch,
            clock=lambda: self.now,
            wall=lambda: self.wall + self.now,
            pool=pool,
            **({"meter": meter} if meter else {}),
        )

    def epoch(self) -> str:
        return f"e{next(self._epochs)}"

    def open(self, store: SqliteStore, key: Hashable = KEY) -> KeptLog:
        log = store.open(key, self.epoch())
        assert isinstance(log, KeptLog)
        return log


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path / "history.db")


def fill(log: Log, *payloads: str, now: float = 0.0) -> None:
    for payload in payloads:
        log.append(Event(payload), now)


def payloads(log: Log, written: str) -> list[str | bytes]:
    place = log.place(written)
    assert isinstance(place, Cursor), place
    found = log.read(place)
    assert not isinstance(found, Gap)
    return [entry.event.data for entry in found.entries]


async def stop(store: SqliteStore) -> None:
    store.start()
    await store.close()


def crash(store: SqliteStore) -> None:
    """Let go of the file as a killed process does: with nothing more written."""
    store._database.close()
    store._writer.shutdown()


async def test_a_cursor_of_before_means_the_same_place_after_a_restart(machine: Machine) -> None:
    store = machine.boot()
    old = machine.open(store)
    fill(old, "one", "two", "three")
    await stop(store)
    store = machine.boot()
    log = machine.open(store)
    assert payloads(log, f"{old.epoch}-1") == ["two", "three"]
    assert payloads(log, f"{old.epoch}-3") == []
    assert log.top == 3
    crash(store)


async def test_places_go_on_after_a_restart_under_another_epoch(machine: Machine) -> None:
    store = machine.boot()
    old = machine.open(store)
    fill(old, "one")
    await stop(store)
    store = machine.boot()
    log = machine.open(store)
    assert log.epoch != old.epoch
    assert str(log.append(Event("two"), 0.0).cursor) == f"{log.epoch}-2"
    assert log.place(f"{old.epoch}-1") == Cursor(log.epoch, 1)
    crash(store)


async def test_a_place_that_was_not_written_before_a_crash_is_a_gap_and_never_another_event(
    machine: Machine,
) -> None:
    store = machine.boot()
    store.start()
    old = machine.open(store)
    fill(old, "one", "two")
    await until(lambda: old.written == 2)
    fill(old, "lost", "lost too")
    crash(store)
    with pytest.raises(RuntimeError):
        await store.close()

    store = machine.boot()
    log = machine.open(store)
    fill(log, "three", "four")
    held = log.place(f"{old.epoch}-4")
    assert held == Gap(f"{old.epoch}-4", Cursor(log.epoch, 2), None, OTHER_EPOCH)
    assert payloads(log, f"{old.epoch}-2") == ["three", "four"]
    crash(store)


async def test_places_of_many_restarts_hold(machine: Machine) -> None:
    places = []
    for boot in range(5):
        store = machine.boot()
        log = machine.open(store)
        fill(log, f"payload {boot}")
        places.append(f"{log.epoch}-{log.top}")
        await stop(store)
    store = machine.boot()
    log = machine.open(store)
    for boot, place in enumerate(places):
        assert payloads(log, place) == [f"payload {each}" for each in range(boot + 1, 5)]
    crash(store)


async def test_the_epoch_of_a_log_without_an_event_holds_too(machine: Machine) -> None:
    store = machine.boot()
    old = machine.open(store)
    await stop(store)
    store = machine.boot()
    log = machine.open(store)
    assert log.place(f"{old.epoch}-0") == Cursor(log.epoch, 0)
    crash(store)


async def test_ages_are_counted_over_the_restart(tmp_path: Path) -> None:
    machine = Machine(tmp_path / "history.db", max_age=100.0)
    store = machine.boot()
    fill(machine.open(store), "old", now=0.0)
    fill(machine.open(store), "young", "newest", now=90.0)
    machine.now = 90.0
    await stop(store)
    machine.now, machine.wall = 5.0, machine.wall + 105.0  # the machine booted 20 s later
    store = machine.boot()
    log = machine.open(store)
    assert [entry.event.data for entry in log.tail(0)] == ["young", "newest"]
    assert [entry.at for entry in log.tail(0)] == [-15.0, -15.0]
    crash(store)


async def test_a_clock_that_was_set_back_makes_no_entry_of_the_future(machine: Machine) -> None:
    store = machine.boot()
    fill(machine.open(store), "x")
    await stop(store)
    machine.wall -= 5000
    store = machine.boot()
    assert [entry.at for entry in machine.open(store).tail(0)] == [machine.now]
    crash(store)


async def test_the_mark_comes_back_and_one_that_changed_late_is_written_at_the_end(
    machine: Machine,
) -> None:
    store = machine.boot()
    log = machine.open(store)
    assert log.restored is None
    store.start()
    log.mark = lambda: "early"
    fill(log, "x")
    await until(lambda: log.written == 1)
    log.mark = lambda: "late"
    await store.close()
    store = machine.boot()
    assert machine.open(store).restored == "late"
    crash(store)


async def test_a_log_that_nobody_opens_keeps_its_mark(machine: Machine) -> None:
    store = machine.boot()
    machine.open(store).mark = lambda: "mark"
    await stop(store)
    await stop(machine.boot())
    store = machine.boot()
    assert machine.open(store).restored == "mark"
    crash(store)


async def test_a_dropped_log_is_gone_and_its_cursors_with_it(machine: Machine) -> None:
    store = machine.boot()
    old = machine.open(store)
    fill(old, "x")
    await stop(store)
    store = machine.boot()
    store.drop(KEY)
    store.drop(KEY)
    await stop(store)
    store = machine.boot()
    log = machine.open(store)
    assert (log.top, log.restored) == (0, None)
    assert isinstance(log.place(f"{old.epoch}-1"), Gap)
    crash(store)


async def test_a_log_that_is_dropped_and_opened_again_is_a_new_one(machine: Machine) -> None:
    store = machine.boot()
    store.start()
    fill(machine.open(store), "x")
    store.drop(KEY)
    log = machine.open(store)
    fill(log, "y")
    await store.close()
    store = machine.boot()
    assert payloads(machine.open(store), f"{log.epoch}-0") == ["y"]
    crash(store)


async def test_what_nobody_comes_back_for_is_forgotten(machine: Machine) -> None:
    store = machine.boot()
    for key in (KEY, ("file.1", "")):
        fill(machine.open(store, key), "x")
    await stop(store)
    store = machine.boot()
    machine.open(store)
    store.forget_unclaimed()
    assert store.statistics() == StoreStatistics(logs=1, events=1, bytes=1)
    await stop(store)
    with closing(sqlite3.connect(machine.path)) as file:
        assert file.execute("SELECT name FROM channels").fetchall() == [("project.1",)]
        assert file.execute("SELECT count(*) FROM entries").fetchone() == (1,)


async def test_the_file_is_trimmed_with_the_log(tmp_path: Path) -> None:
    machine = Machine(tmp_path / "history.db", max_events=3)
    store = machine.boot()
    store.start()
    log = machine.open(store)
    for number in range(50):
        fill(log, str(number))
        await until(lambda top=log.top: log.written == top)  # type: ignore[misc]
    await store.close()
    with closing(sqlite3.connect(machine.path)) as file:
        assert file.execute("SELECT seq FROM entries").fetchall() == [(48,), (49,), (50,)]


async def test_what_a_shared_bound_takes_is_taken_from_the_file(machine: Machine) -> None:
    store = machine.boot(Pool(100))
    store.start()
    fill(machine.open(store), *["x" * 10] * 9)
    fill(machine.open(store, ("file.1", "")), *["y" * 10] * 3)
    assert store.statistics().bytes <= 100
    kept = store.statistics().events
    await store.close()
    with closing(sqlite3.connect(machine.path)) as file:
        assert file.execute("SELECT count(*) FROM entries").fetchone() == (kept,)


async def test_a_full_disk_costs_persistence_and_not_the_stream(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    meter = Tally()
    store = machine.boot(meter=meter)
    store.start()
    log = machine.open(store)
    write, attempts = store._database.write, count()

    def full(batch: Batch) -> None:
        next(attempts)
        raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr(store._database, "write", full)
    with capture_logs() as lines:
        fill(log, "one", "two")
        await until(lambda: next(attempts) > 5)
    assert [line["event"] for line in lines] == ["history is not written"]
    assert log.top == 2
    monkeypatch.setattr(store._database, "write", write)
    await until(lambda: log.written == 2)
    await store.close()
    store = machine.boot()
    assert payloads(machine.open(store), f"{log.epoch}-0") == ["one", "two"]
    crash(store)


async def test_publishers_do_not_wait_for_a_slow_disk(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = machine.boot()
    store.start()
    log, loop = machine.open(store), asyncio.get_running_loop()
    write, release = store._database.write, asyncio.Event()
    monkeypatch.setattr(store._database, "write", _after(release, loop, write))
    fill(log, "one")
    await until(lambda: bool(store._writer._work_queue.qsize() or store._writer._threads))
    fill(log, *["more"] * 1000)
    assert (log.top, log.written) == (1001, 0)
    release.set()
    await until(lambda: log.written == 1001)
    await store.close()


def _after(
    release: asyncio.Event, loop: asyncio.AbstractEventLoop, write: Callable[[Batch], None]
) -> Callable[[Batch], None]:
    def waiting(batch: Batch) -> None:
        asyncio.run_coroutine_threadsafe(_wait(release), loop).result(10)
        write(batch)

    return waiting


async def _wait(release: asyncio.Event) -> None:
    await release.wait()


async def test_a_put_aside_file_is_said(tmp_path: Path) -> None:
    machine = Machine(tmp_path / "history.db", on_corrupt="fresh")
    machine.path.write_bytes(b"rubbish" * 1000)
    with capture_logs() as lines:
        store = machine.boot()
    assert lines[0]["event"] == "history put aside"
    crash(store)
