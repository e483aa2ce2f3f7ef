"""One channel's log: an append-only run of events that readers follow with a cursor.

Decides which place an event gets, how long it is kept, and what a reader at a given place is
answered: a Slice, or a Gap that names the hole, never silently less. Never looks at a clock,
never wakes anyone and never reads a payload: time is an argument, waiting is the hub's business.

`seq` counts notices of the bridge like any other entry. So it is dense over both, and the counts
of lost entries and the start policy count both.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import orjson

from bridge.history.cursor import Cursor
from bridge.history.entry import Entry
from bridge.wire.event import GAP, Event

__all__ = ["Entry", "Gap", "Log", "LogOptions", "LogStatistics", "Slice"]

TRIMMED = "trimmed"
"""Reason of a gap: the reader's place is behind what is retained."""

OTHER_EPOCH = "other-epoch"
"""Reason of a gap: the place belongs to another life of the log."""

BEYOND_TOP = "beyond-top"
"""Reason of a gap: the place was never given out in this life of the log."""

UNREADABLE = "unreadable"
"""Reason of a gap: what the reader wrote is no cursor."""

_ECHO_LENGTH = 64  # A cursor has at most 52 characters; hostile text is not sent back at length.


@dataclass(frozen=True, slots=True)
class LogOptions:
    """How much of a channel is kept, and where newcomers begin.

    The newest entry is always kept, whatever the limits say.

    Attributes:
        max_events: the most entries that are kept.
        max_bytes: the most payload bytes that are kept. Memory may reach twice that, since the
            encoded form of an entry is kept beside it once somebody has read it by SSE.
        max_age: seconds that an entry is kept.
        start: where a reader without a cursor begins: 0 with what comes from now on, N with the
            last N entries.
    """

    max_events: int = 10_000
    max_bytes: int = 64 * 1024 * 1024
    max_age: float = 300.0
    start: int = 0

    def __post_init__(self) -> None:
        if self.max_events < 1:
            raise ValueError("max_events must be 1 or more; the newest event is always kept")
        if self.max_bytes < 1:
            raise ValueError("max_bytes must be 1 or more; the newest event is always kept")
        if not self.max_age > 0:
            raise ValueError("max_age must be more than 0 seconds; use inf to keep any age")
        if self.start < 0:
            raise ValueError("start must be 0 (only what is new) or a number of last events")
        if self.start > self.max_events:
            raise ValueError("start exceeds max_events; lower start or raise max_events")


@dataclass(frozen=True, slots=True)
class Slice:
    """What follows a reader's place, without a hole.

    Attributes:
        entries: oldest first; empty where the reader has everything.
        cursor: the place after the last of them, from which to read on.
    """

    entries: Sequence[Entry]
    cursor: Cursor


@dataclass(frozen=True, slots=True)
class Gap:
    """A hole in what a reader gets.

    Attributes:
        old: the reader's place as it named it, cut where it is no cursor.
        new: the place from which to read on.
        lost: how many entries are in the hole, None where that is not known.
        reason: why, in one word or line.
    """

    old: str | None
    new: Cursor
    lost: int | None
    reason: str

    @property
    def data(self) -> str:
        """The JSON of the `bridge.gap` event: `old`, `new`, `lost` and `reason`."""
        said = {"old": self.old, "new": str(self.new), "lost": self.lost, "reason": self.reason}
        return orjson.dumps(said).decode()


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

    Raises:
        ValueError: an epoch that no cursor could be written with.
    """

    __slots__ = ("_bytes", "_entries", "_options", "_top", "epoch")

    def __init__(self, epoch: str, options: LogOptions = LogOptions()) -> None:
        if Cursor.parse(f"{epoch}-0") is None:
            raise ValueError("an epoch is 1 to 32 letters and digits")
        self.epoch = epoch
        self._options = options
        self._entries: dict[int, Entry] = {}
        self._top = 0
        self._bytes = 0

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
        self._top = seq = self._top + 1
        entry = self._entries[seq] = Entry(self.epoch, seq, event, now)
        self._bytes += entry.size
        if self._exceeds(now):
            self.trim(now)
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
        while len(self._entries) > 1 and self._exceeds(now):
            self._bytes -= self._entries.pop(self.base + 1).size

    def place(self, written: str | None) -> Cursor | Gap:
        """Where a reader begins that names its place as `written`.

        None and the empty text name none: the start policy holds. A place from which reading
        would not be whole is a Gap, whose `new` is the oldest place that still is.
        """
        if not written:
            return self._at(max(self.base, self._top - self._options.start))
        cursor = Cursor.parse(written)
        if cursor is None:
            return Gap(_echo(written), self._at(self.base), None, UNREADABLE)
        return self._hole(cursor) or cursor

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
        holder has: as with another epoch, all that is kept is offered.
        """
        if cursor.epoch != self.epoch:
            return Gap(str(cursor), self._at(self.base), None, OTHER_EPOCH)
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


def _echo(written: str) -> str:
    """Foreign text as it may stand in JSON: short, and without lone surrogates."""
    return written[:_ECHO_LENGTH].encode(errors="replace").decode()
