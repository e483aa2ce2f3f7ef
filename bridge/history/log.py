"""One channel's log: an append-only run of events that readers follow with a cursor.

Decides which place an event gets, how long it is kept, and what a reader at a given place is
answered: a Slice, or a Gap that names the hole, never silently less. Never looks at a clock,
never wakes anyone and never reads a payload: time is an argument, waiting is the hub's business.

`seq` counts notices of the bridge like any other entry. So it is dense over both, and the counts
of lost entries and the start policy count both.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bridge.history.answers import (
    BEYOND_TOP,
    OTHER_EPOCH,
    TRIMMED,
    UNREADABLE,
    Gap,
    Slice,
    echo,
)
from bridge.history.cursor import Cursor
from bridge.history.entry import Entry
from bridge.history.options import LogOptions
from bridge.history.pool import Pool
from bridge.wire.event import GAP, Event

__all__ = [
    "BEYOND_TOP",
    "OTHER_EPOCH",
    "TRIMMED",
    "UNREADABLE",
    "Entry",
    "Gap",
    "Log",
    "LogOptions",
    "LogStatistics",
    "Slice",
]

DEFAULTS = LogOptions()


@dataclass(frozen=True, slots=True)
class LogStatistics:
    """A moment's counts.

    Attributes:
        events: how many entries are kept.
        bytes: their payloads together.
        appended: how many there ever were in this epoch.
        trimmed: how many of those are gone.
    """

    events: int
    bytes: int
    appended: int
    trimmed: int


class Log:
    """The events of one channel in one epoch.

    Entries live in a dict by seq: append, access by place and removal at the front cost the same
    however long the log is, and what is trimmed is freed at once.

    Args:
        epoch: names this life of the log; 1 to 32 letters and digits.
        options: how much is kept.
        pool: bounds the bytes of this log together with others'.

    Attributes:
        epoch: as given.
        past: earlier epochs of the same log, each with the last place of it that survived. A
            cursor of one means the same place in this epoch, up to there.

    Raises:
        ValueError: an epoch that no cursor could be written with.
    """

    __slots__ = ("_bytes", "_entries", "_options", "_pool", "_top", "epoch", "past")

    def __init__(
        self, epoch: str, options: LogOptions = DEFAULTS, pool: Pool | None = None
    ) -> None:
        if Cursor.parse(f"{epoch}-0") is None:
            raise ValueError("an epoch is 1 to 32 letters and digits")
        self.epoch = epoch
        self.past: Mapping[str, int] = {}
        self._options, self._pool = options, pool
        self._entries: dict[int, Entry] = {}
        self._top = 0
        self._bytes = 0
        if pool:
            pool.add(self)

    def restore(self, kept: Sequence[tuple[int, Event, float]], past: Mapping[str, int]) -> None:
        """Take over what an earlier life of this log left, before anything is appended.

        Args:
            kept: place, event and time of appending, oldest first and without a hole.
            past: see the attribute.
        """
        self.past = past
        for seq, event, at in kept:
            entry = self._entries[seq] = Entry(self.epoch, seq, event, at)
            self._bytes, self._top = self._bytes + entry.size, seq
        if self._pool:
            self._pool.changed(self, self._bytes)

    @property
    def top(self) -> int:
        """The seq of the newest entry; 0 before the first."""
        return self._top

    @property
    def base(self) -> int:
        """The seq before the first entry that is kept: all that is kept follows it."""
        return self._top - len(self._entries)

    def append(self, event: Event, now: float) -> Entry:
        """Give `event` the next place, then trim.

        Args:
            event: what happened.
            now: seconds of the monotonic clock; never less than at an earlier call.
        """
        before, seq = self._bytes, self._top + 1
        self._top = seq
        entry = self._entries[seq] = Entry(self.epoch, seq, event, now)
        self._bytes += entry.size
        self._trim(now, before)
        return entry

    def gap_notice(self, reason: str, lost: int | None, now: float) -> Entry:
        """Append the notice of a hole that was there before the events reached this log.

        It stands in order between the events, so whoever reads now and whoever resumes later is
        told exactly once. Its `new` is its own place, its `old` the one before.

        Args:
            reason: why, in one word or line.
            lost: how many events are missing, None where that is not known.
            now: as for `append`.
        """
        gap = Gap(str(self._at(self._top)), self._at(self._top + 1), lost, reason)
        return self.append(Event(gap.data, type=GAP, origin="bridge", at=now), now)

    def trim(self, now: float) -> None:
        """Drop entries at the front until the rest is within the limits or only one is left."""
        self._trim(now, self._bytes)

    def shrink(self, limit: int) -> None:
        """Drop entries at the front until the rest has `limit` bytes or only one is left."""
        before = self._bytes
        while len(self._entries) > 1 and self._bytes > limit:
            self._drop_oldest()
        self._tell(before)

    @property
    def held(self) -> int:
        """The payload bytes that are kept."""
        return self._bytes

    def tail(self, after: int) -> tuple[Entry, ...]:
        """All entries behind the place `after` that are kept, oldest first."""
        return tuple(
            map(self._entries.__getitem__, range(max(after, self.base) + 1, self._top + 1))
        )

    def place(self, written: str | None) -> Cursor | Gap:
        """Where a reader begins that names its place as `written`.

        None and the empty text name none: the start policy holds. A place from which reading
        would not be whole is a Gap, whose `new` is the oldest place that still is.
        """
        if not written:
            return self._at(max(self.base, self._top - self._options.start))
        cursor = Cursor.parse(written)
        if cursor is None:
            return Gap(echo(written), self._at(self.base), None, UNREADABLE)
        return self._hole(cursor) or self._at(cursor.seq)

    def read(self, cursor: Cursor, limit: int = 256, limit_bytes: int = 1024 * 1024) -> Slice | Gap:
        """The entries after `cursor`, oldest first, or the Gap that keeps them from being whole.

        A Slice is empty only where the reader has everything; else it holds at least one entry
        even if that alone exceeds a limit. What does not fit follows its cursor.

        Args:
            cursor: the reader's place.
            limit: the most entries.
            limit_bytes: the most payload bytes.
        """
        seq = cursor.seq
        if cursor.epoch != self.epoch or not self.base <= seq <= self._top:
            hole = self._hole(cursor)
            if hole:
                return hole
        entries = self._after(seq, limit, limit_bytes)
        return Slice(entries, self._at(seq + len(entries)))

    def statistics(self) -> LogStatistics:
        """A moment's counts."""
        return LogStatistics(len(self._entries), self._bytes, self._top, self.base)

    def _at(self, seq: int) -> Cursor:
        return Cursor(self.epoch, seq)

    def _trim(self, now: float, before: int) -> None:
        while len(self._entries) > 1 and self._exceeds(now):
            self._drop_oldest()
        self._tell(before)

    def _drop_oldest(self) -> None:
        self._bytes -= self._entries.pop(self.base + 1).size

    def _tell(self, before: int) -> None:
        """The pool may trim this log and others at once; their readers find out by reading."""
        if self._pool and self._bytes != before:
            self._pool.changed(self, self._bytes - before)

    def _exceeds(self, now: float) -> bool:
        options, entries = self._options, self._entries
        kept = len(entries)
        return (
            kept > options.max_events
            or self._bytes > options.max_bytes
            or now - entries[self._top - kept + 1].at > options.max_age
        )

    def _hole(self, cursor: Cursor) -> Gap | None:
        """What keeps reading after `cursor` from being whole.

        A place beyond the top was forged or outlived its log, so nothing is known of what its
        holder has: as with another epoch, all that is kept is offered. A holder of a place of an
        earlier life that did not survive has at least all that did, so it goes on behind that.
        """
        if cursor.epoch != self.epoch:
            survived = self.past.get(cursor.epoch)
            if survived is None:
                return Gap(str(cursor), self._at(self.base), None, OTHER_EPOCH)
            if cursor.seq > survived:
                return Gap(str(cursor), self._at(max(survived, self.base)), None, OTHER_EPOCH)
        if cursor.seq > self._top:
            return Gap(str(cursor), self._at(self.base), None, BEYOND_TOP)
        if cursor.seq < self.base:
            return Gap(str(cursor), self._at(self.base), self.base - cursor.seq, TRIMMED)
        return None

    def _after(self, seq: int, limit: int, limit_bytes: int) -> tuple[Entry, ...]:
        if seq == self._top - 1:  # the usual case by far
            return (self._entries[self._top],)
        entries: list[Entry] = []
        for place in range(seq + 1, min(self._top, seq + max(limit, 1)) + 1):
            entry = self._entries[place]
            limit_bytes -= entry.size
            if limit_bytes < 0 and entries:
                break
            entries.append(entry)
        return tuple(entries)
