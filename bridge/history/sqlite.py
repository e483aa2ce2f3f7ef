"""A store whose logs outlive the process: in memory for readers, in one SQLite file for the next.

Decides what is written when, and what a restart makes of it. The logs in memory are the truth;
what is new of them is gathered and committed together, on a thread of its own, so no reader and no
publisher ever waits for a disk. Only one batch is on its way at a time, and what comes meanwhile
needs no queue, since it is in the logs.

A process that is killed takes with it what was not committed, though clients may have it, with
places. So no place is ever given to two events: each process gives each log a new epoch, and keeps
of the earlier ones how far they were committed (`Log.past`). A cursor up to there means the same
event as before; one beyond it is told a gap.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Hashable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from itertools import count
from pathlib import Path

import structlog

from bridge.errors import ConfigError
from bridge.history.database import WHERE, Batch, Change, Database, Kept
from bridge.history.entry import Entry
from bridge.history.log import Log, LogOptions
from bridge.history.memory import StoreStatistics, statistics_of
from bridge.history.pool import Pool
from bridge.seams import Meter, Unmetered
from bridge.wire.event import Event

_EPOCHS = 16
"""Earlier epochs that are remembered of one log: of as many restarts a client may return from."""

_UNMETERED = Unmetered()

_log: structlog.typing.FilteringBoundLogger = structlog.get_logger("bridge.history")

Identity = tuple[str, str]
"""Name and scope of a channel, as they are written down."""


class KeptLog(Log):
    """A log that says when there is something to write.

    Attributes:
        number: its row.
        identity: whose it is.
        written: the last place that was committed.
        restored: the mark that an earlier process left; None of a log that is new.
        mark: gives what the upstream is to go on by after a restart; opaque.
    """

    __slots__ = ("_changed", "identity", "mark", "number", "restored", "written")

    def __init__(
        self,
        epoch: str,
        options: LogOptions,
        pool: Pool | None,
        changed: Callable[[KeptLog], None],
        number: int,
        identity: Identity,
    ) -> None:
        self._changed = changed
        super().__init__(epoch, options, pool)
        self.number, self.identity = number, identity
        self.written, self.restored = 0, None  # type: int, str | None
        self.mark: Callable[[], str] = str

    def append(self, event: Event, now: float) -> Entry:
        """As any log."""
        entry = super().append(event, now)
        self._changed(self)
        return entry

    def shrink(self, limit: int) -> None:
        """As any log."""
        super().shrink(limit)
        self._changed(self)

    def change(self) -> Change:
        """What is to be written."""
        name, scope = self.identity
        return Change(
            self.number,
            name,
            scope,
            self.epoch,
            dict(self.past),
            self.mark(),
            self.base,
            self.tail(self.written),
        )


class SqliteStore:
    """A `Store` in a file. It is read as a whole at the beginning, which blocks.

    Args:
        options: how much each log keeps, and the file.
        identify: name and scope of a key; the scope must hold no secret.
        new_epoch: a fresh epoch of letters and digits.
        clock: seconds, monotonic.
        wall: seconds since 1970.
        pool: bounds all logs together.
        meter: counts commits.

    Raises:
        ConfigError: the file cannot be used.
    """

    def __init__(
        self,
        options: LogOptions,
        *,
        identify: Callable[[Hashable], Identity],
        new_epoch: Callable[[], str],
        clock: Callable[[], float],
        wall: Callable[[], float],
        pool: Pool | None = None,
        meter: Meter = _UNMETERED,
    ) -> None:
        self._options, self._identify, self._pool = options, identify, pool
        self._clock, self._wall, self._meter = clock, wall, meter
        path = Path(options.path)
        self._database = Database(path, fresh=options.on_corrupt == "fresh")
        if self._database.aside:
            _log.error("history put aside", path=str(path), aside=str(self._database.aside))
        self._logs: dict[Identity, KeptLog] = {}
        self._unclaimed: set[Identity] = set()
        self._dirty: dict[KeptLog, None] = {}
        self._dropped: list[int] = []
        self._writer = ThreadPoolExecutor(1, "history")
        self._news, self._stopping = asyncio.Event(), asyncio.Event()
        self._flushing: asyncio.Task[None] | None = None
        self._failed = False
        kept = self._database.load(self._offset)
        self._numbers = count(max((each.number for each in kept), default=0) + 1)
        for each in kept:
            self._restore(each, new_epoch())
        self._write_first(path)

    # What the hub calls.

    def open(self, key: Hashable, epoch: str) -> Log:
        """The log of `key`, a new one named `epoch` where there is none.

        Raises:
            ValueError: an epoch that no cursor could be written with.
        """
        identity = self._identify(key)
        self._unclaimed.discard(identity)
        log = self._logs.get(identity)
        if log is None:
            log = self._new(epoch, next(self._numbers), identity)
            self._changed(log)
        return log

    def drop(self, key: Hashable) -> None:
        """Forget the log of `key`, if there is one, here and on disk."""
        self._drop(self._identify(key))

    def statistics(self) -> StoreStatistics:
        """A moment's counts over all logs, counted when asked."""
        return statistics_of(self._logs.values())

    # What the application calls.

    def start(self) -> None:
        """Write from now on; needs the event loop."""
        self._flushing = asyncio.get_running_loop().create_task(self._run(), name="history")

    async def close(self) -> None:
        """Write what is left, and let go of the file. Nothing may change afterwards."""
        self._stopping.set()
        self._news.set()
        if self._flushing:
            await self._flushing
        for log in self._logs.values():  # a mark may be newer than the last entry
            self._dirty[log] = None
        await self._flush()
        await asyncio.get_running_loop().run_in_executor(self._writer, self._database.close)
        self._writer.shutdown()

    def forget_unclaimed(self) -> None:
        """Drop the logs of an earlier process that nobody has opened since."""
        for identity in tuple(self._unclaimed):
            self._drop(identity)

    # Restoring.

    @property
    def _offset(self) -> float:
        return self._wall() - self._clock()

    def _new(self, epoch: str, number: int, identity: Identity) -> KeptLog:
        log = KeptLog(epoch, self._options, self._pool, self._changed, number, identity)
        self._logs[identity] = log
        return log

    def _restore(self, kept: Kept, epoch: str) -> None:
        """The same log in a new epoch; its own and its earlier ones hold as far as they reach."""
        identity, entries, now = (kept.name, kept.scope), kept.entries, self._clock()
        top = entries[-1][0] if entries else 0
        base = entries[0][0] - 1 if entries else 0
        past = {**kept.past, kept.epoch: top}
        useful = [(each, upto) for each, upto in past.items() if upto >= base]
        log = self._new(epoch, kept.number, identity)
        log.restore(
            [(seq, event, min(at, now)) for seq, event, at in entries], dict(useful[-_EPOCHS:])
        )
        log.written, log.restored, log.mark = top, kept.mark, lambda: kept.mark
        log.trim(now)
        self._unclaimed.add(identity)
        self._changed(log)

    def _write_first(self, path: Path) -> None:
        """Commit the new epochs before any client is given one of their places."""
        try:
            self._database.write(self._gather())
        except sqlite3.Error as fault:
            self._database.close()
            raise ConfigError(WHERE, f"{path} cannot be written: {fault}") from fault
        for log in self._logs.values():
            log.written = log.top

    # Writing.

    def _changed(self, log: KeptLog) -> None:
        self._dirty[log] = None
        self._news.set()

    def _drop(self, identity: Identity) -> None:
        log = self._logs.pop(identity, None)
        if log is None:
            return
        self._unclaimed.discard(identity)
        self._dirty.pop(log, None)
        self._dropped.append(log.number)
        if self._pool:
            self._pool.remove(log)
        self._news.set()

    async def _run(self) -> None:
        while not self._stopping.is_set():
            await self._news.wait()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), self._options.flush)
            self._news.clear()
            await self._flush()

    def _gather(self) -> Batch:
        logs, self._dirty = self._dirty, {}
        dropped, self._dropped = self._dropped, []
        return Batch(self._offset, dropped, [log.change() for log in logs])

    async def _flush(self) -> None:
        """Commit what is new; what could not be written is tried again with what comes next."""
        logs = [log for log in self._dirty if self._logs.get(log.identity) is log]
        self._dirty = dict.fromkeys(logs)
        tops = [log.top for log in logs]
        batch = self._gather()
        loop = asyncio.get_running_loop()
        try:
            await loop.run_in_executor(self._writer, self._database.write, batch)
        except (sqlite3.Error, ValueError) as fault:  # a text that is none is a ValueError
            self._put_back(batch, logs, fault)
            return
        self._meter.count("history_commits", outcome="written")
        self._failed = False
        for log, top in zip(logs, tops, strict=True):
            log.written = top

    def _put_back(self, batch: Batch, logs: Iterable[KeptLog], fault: Exception) -> None:
        """Told once, until a commit succeeds: a full disk is no news twenty times a second."""
        self._meter.count("history_commits", outcome="failed")
        if not self._failed:
            _log.error("history is not written", path=self._options.path, reason=str(fault))
        self._failed = True
        self._dropped = [*batch.dropped, *self._dropped]
        for log in logs:
            if self._logs.get(log.identity) is log:
                self._changed(log)
