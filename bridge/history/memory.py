"""Where logs are kept: the seam that every store fits, and the store that keeps them in memory.

Decides which log belongs to a key; never what is in it, and never when it is over (the hub does).
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from dataclasses import dataclass
from typing import Protocol

from bridge.history.log import Log, LogOptions
from bridge.history.pool import Pool


@dataclass(frozen=True, slots=True)
class StoreStatistics:
    """A moment's counts over all logs.

    Attributes:
        logs: how many are open.
        events: how many entries they keep.
        bytes: the payloads of those.
    """

    logs: int
    events: int
    bytes: int


class Store(Protocol):
    """Keeps logs by key, such as a channel's name and scope. All calls return at once."""

    def open(self, key: Hashable, epoch: str) -> Log:
        """The log of `key`: the same one until it is dropped.

        Args:
            key: whose log.
            epoch: names a new log. Where the store still has one, from this process or (if it
                persists) an earlier one, that log has an epoch of its own, and old cursors hold
                as far as it was kept.
        """

    def drop(self, key: Hashable) -> None:
        """Forget the log of `key`; an unknown key is ignored, since both ends may clean up."""

    def statistics(self) -> StoreStatistics:
        """A moment's counts over all logs."""


class MemoryStore:
    """A `Store` whose logs live as long as the process.

    Args:
        options: how much each log keeps; the defaults where it is None.
        pool: bounds all of them together.
    """

    __slots__ = ("_logs", "_options", "_pool")

    def __init__(self, options: LogOptions | None = None, pool: Pool | None = None) -> None:
        self._options, self._pool = options or LogOptions(), pool
        self._logs: dict[Hashable, Log] = {}

    def open(self, key: Hashable, epoch: str) -> Log:
        """The log of `key`, a new one named `epoch` where there is none.

        Raises:
            ValueError: an epoch that no cursor could be written with.
        """
        log = self._logs.get(key)
        if log is None:
            log = self._logs[key] = Log(epoch, self._options, self._pool)
        return log

    def drop(self, key: Hashable) -> None:
        """Forget the log of `key`, if there is one. Whoever still holds it may read on."""
        log = self._logs.pop(key, None)
        if log is not None and self._pool:
            self._pool.remove(log)

    def statistics(self) -> StoreStatistics:
        """A moment's counts over all logs, counted when asked."""
        return statistics_of(self._logs.values())


def statistics_of(logs: Iterable[Log]) -> StoreStatistics:
    """The counts of these logs together."""
    each = [log.statistics() for log in logs]
    return StoreStatistics(
        len(each), sum(log.events for log in each), sum(log.bytes for log in each)
    )
