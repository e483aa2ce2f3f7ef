"""The search for one message's twin among those of the other side that wait.

Decides which of several is the one: by ids once both sides are known to share them, by text, by
what is stable in it, and by the usual lag. Never takes a message out of its lane.
"""

from __future__ import annotations

from collections.abc import Iterable

from bridge.parity.item import Item, State
from bridge.parity.lane import Lane
from bridge.parity.ledger import Ledger
from bridge.parity.observation import Observation, Side
from bridge.parity.options import CompareOptions
from bridge.parity.reader import Reader
from bridge.parity.residue import Nearness

_DISTRUST = 10
_SELDOM_READ = 64
_SELDOM, _SLACK, _INSTANT = 0.001, 0.02, 1e-3
_FRESH, _MOST_STALE = 16, 1024


class Twins:
    """Finds twins on one channel.

    Args:
        options: how long to wait, and how much disorder is none.
        reader: reads messages.
        ledger: knows the usual lag.
    """

    def __init__(self, options: CompareOptions, reader: Reader, ledger: Ledger) -> None:
        self._options, self._reader, self._ledger = options, reader, ledger
        self._same_ids = 0
        self._read = 0
        self._stale, self._known = 0, Nearness(0.0, options.window)

    @property
    def by_id(self) -> bool:
        """Whether both sides are known to give the same ids on the wire."""
        return self._same_ids > 0

    def note(self, one: Observation, other: Observation) -> None:
        """Two messages are twins: do their ids agree?"""
        if one.id and other.id:
            self._same_ids += 1 if one.id == other.id else -_DISTRUST

    def fit(self, one: Observation, other: Observation) -> bool:
        """Whether ids allow two messages to be twins, once the sides are known to share ids."""
        return self._same_ids <= 0 or one.id == other.id or not (one.id and other.id)

    def find(self, item: Item, other: Lane) -> Item | None:
        """The twin among those that still wait: by its text, else by what is stable in it."""
        twin = self._chosen(item, other.by_text(item.seen.data))
        if twin is None and not self.is_early(item.seen):
            digest = self._reader.digest(item)
            twin = self._chosen(item, other.by_digest(digest, self._reader.digest))
            self._read += twin is not None
        return twin

    def is_early(self, seen: Observation) -> bool:
        """Whether the other side has yet to say this, as lags are; then reading it can wait.

        Not so where texts often differ, for then nothing else finds those that moved.
        """
        if self._read * _SELDOM_READ > self._ledger.lags.count:
            return False
        low, high = self.nearness().range
        return low > 0 if seen.side is Side.LEGACY else high < 0

    def _chosen(self, item: Item, candidates: Iterable[Item]) -> Item | None:
        fitting = [
            each
            for each in candidates
            if each.state is State.OPEN and self.fit(item.seen, each.seen)
        ]
        if not fitting:
            return None
        if len(fitting) == 1:
            return fitting[0]
        same = (each for each in fitting if item.seen.id and each.seen.id == item.seen.id)
        return next(same, None) or self._likeliest(item, fitting)

    def _likeliest(self, item: Item, candidates: list[Item]) -> Item:
        """Which of several that say the same: the oldest of those that came at a usual time.

        The oldest of all would do where nothing is ever lost; where one is, all later ones would
        shift. One of an earlier connection goes before, for the later one most likely repeats it.
        """
        near, sign = self.nearness(), -1 if item.seen.side is Side.LEGACY else 1
        (low, high), usual = near.range, near.usual

        def likeliness(each: Item) -> tuple[int, bool, float]:
            lag = sign * (item.seen.at - each.seen.at)
            is_usual = low <= lag <= high
            return (
                each.seen.connection,
                not is_usual,
                each.seen.at if is_usual else abs(lag - usual),
            )

        return min(candidates, key=likeliness)

    def nearness(self) -> Nearness:
        """When a twin is to be expected, by the lags seen so far, give or take the last few."""
        count = self._ledger.lags.count
        if count >= self._stale:
            self._stale = count + 1 + min(count // _FRESH, _MOST_STALE)
            self._known = self._measured()
        return self._known

    def _measured(self) -> Nearness:
        lags = self._ledger.lags
        usual = lags.quantile(0.5)
        if not lags.count:
            return Nearness(usual, self._options.window)
        low, high = lags.quantile(_SELDOM), lags.quantile(1 - _SELDOM)
        slack = (high - low) * _SLACK + _INSTANT
        widest = max(high - usual, usual - low)
        most = max(self._options.disorder, widest)
        return Nearness(usual, most, (low - slack, high + slack))
