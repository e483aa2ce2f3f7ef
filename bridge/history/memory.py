"""Where logs are kept: the seam that every store fits, and the store that keeps them in memory.

Decides which log belongs to a key; never what is in it, and never when it is over (the hub does).
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from typing import Protocol

from bridge.history.log import Log, LogOptions


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
                persists) an earlier one, that log keeps its own epoch, and old cursors hold.
        """

    def drop(self, key: Hashable) -> None:
        """Forget the log of `key`; an unknown key is ignored, since both ends may clean up."""

    def statistics(self) -> StoreStatistics:
        """A moment's counts over all logs."""


class MemoryStore:
    """A `Store` whose logs live as long as the process.

    Args:
        options: how much each log keeps; the defaults where it is None.
    """

    __slots__ = ("_logs", "_options")

    def __init__(self, options: LogOptions | None = None) -> None:
        self._options = options or LogOptions()
        self._logs: dict[Hashable, Log] = {}

    def open(self, key: Hashable, epoch: str) -> Log:
        """The log of `key`, a new one named `epoch` where there is none.

        Raises:
            ValueError: an epoch that no cursor could be written with.
        """
        log = self._logs.get(key)
        if log is None:
            log = self._logs[key] = Log(epoch, self._options)
        return log

    def drop(self, key: Hashable) -> None:
        """Forget the log of `key`, if there is one. Whoever still holds it may read on."""
        self._logs.pop(key, None)

    def statistics(self) -> StoreStatistics:
        """A moment's counts over all logs, counted when asked."""
        each = [log.statistics() for log in self._logs.values()]
        return StoreStatistics(
            len(each), sum(log.events for log in each), sum(log.bytes for log in each)
        )
