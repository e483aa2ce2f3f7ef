"""One bound for the payload bytes of many logs.

Decides which logs give something up once all of them together hold too much, and how much; a log
itself decides what goes. The largest give first, down to one level for all of them (max-min
fairness), so a channel that holds little never pays for one that holds much.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Protocol

_REST = 0.9
"""What is left of the bound after a reclaim, so that not every append needs one."""

_PAUSE = 1 / 16
"""How much of the bound comes in before the next try, where the newest entries alone exceed it."""


_NEVER = 1 << 62


class Shrinking(Protocol):
    """What can give up bytes: a log."""

    @property
    def held(self) -> int:
        """Its payload bytes."""

    def shrink(self, limit: int) -> None:
        """Trim to so many bytes, or to its newest entry."""


class Pool:
    """The bytes of all logs of one store.

    Args:
        limit: the most that they may hold together; 0 is any amount.
        reclaimed: told how many bytes were given up.

    Attributes:
        held: what they hold now.
    """

    __slots__ = ("_limit", "_logs", "_mark", "_reclaimed", "held")

    def __init__(self, limit: int = 0, reclaimed: Callable[[int], object] = lambda _: None) -> None:
        self._limit, self._reclaimed = limit, reclaimed
        self._mark = limit
        self._logs: dict[Shrinking, None] = {}
        self.held = 0

    def add(self, log: Shrinking) -> None:
        """Count a log from now on, with what it holds; what it gains it tells by `changed`."""
        self._logs[log] = None
        self.held += log.held

    def remove(self, log: Shrinking) -> None:
        """Count a log no more; harmless where it is not counted."""
        if log in self._logs:
            self.changed(log, -log.held)
            del self._logs[log]

    def changed(self, log: Shrinking, change: int) -> None:
        """A log that is counted has so many bytes more, or less."""
        if log not in self._logs:
            return
        self.held += change
        if self._limit and self.held > self._mark:
            self._reclaim()
        elif change < 0 and self._mark < _NEVER:
            self._mark = min(self._mark, self._next_mark())

    def _reclaim(self) -> None:
        before, self._mark = self.held, _NEVER  # what follows is not to begin another
        level = fair_level((log.held for log in self._logs), int(self._limit * _REST))
        for log in tuple(self._logs):
            if log.held > level:
                log.shrink(level)
        self._mark = self._next_mark()
        self._reclaimed(before - self.held)

    def _next_mark(self) -> int:
        return max(self._limit, self.held + int(self._limit * _PAUSE))


def fair_level(sizes: Iterable[int], total: int) -> int:
    """The highest level to which the larger ones can be cut so that all of them sum to `total`.

    Where they do so as they are, it is the largest of them.
    """
    ordered = sorted(sizes)
    left = total
    for at, size in enumerate(ordered):
        share = left // (len(ordered) - at)
        if size > share:
            return share
        left -= size
    return ordered[-1] if ordered else 0
