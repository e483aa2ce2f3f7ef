"""The search for one message's twin among those of the other side that wait.

Decides which of several is the one: by ids once both sides are known to share them, by text, by
what is stable in it, and by the usual lag. Never takes a message out of its lane.
"""

from __future__ import annotations

from collections.abc import Iterable

from bridge.parity.diagonal import Shift
from bridge.parity.item import Item, State
from bridge.parity.lane import Lane
from bridge.parity.ledger import Ledger
from bridge.parity.observation import Observation, Side
from bridge.parity.options import CompareOptions
from bridge.parity.reader import Reader
from bridge.parity.residue import Nearness

_DISTRUST = 10
_SELDOM_READ = 64
_SELDOM, _FEW_SELDOM, _STRAYS = 0.001, 0.1, 3
_SLACK, _INSTANT = 0.02, 1e-3
_FRESH, _MOST_STALE = 16, 1024
_FEWEST, _ESTABLISHED = 64, 256
_TIGHT = 0.25


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
        self._shift: Shift | None = None

    def expect(self, shift: Shift | None) -> None:
        """How much later the right side says the same, told from how the streams begin."""
        self._shift, self._stale = shift, 0

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

    def is_usual(self, item: Item, twin: Item) -> bool:
        """Whether two messages came as far apart as twins do, or none can tell how far that is.

        Where lags vary much, whose turn it is tells more than when it came.
        """
        low, high = self.nearness().range
        if high - low > self._options.disorder * _TIGHT:
            return True
        lag = twin.seen.at - item.seen.at
        if item.seen.side is not Side.LEGACY:
            lag = -lag
        return low <= lag <= high or not self._is_known()

    def latest(self, item: Item) -> float:
        """When the twin of a message will have come, by the other side's clock, in seconds."""
        low, high = self.nearness().range
        return item.seen.at + (high if item.seen.side is Side.LEGACY else -low)

    def usual(self, item: Item) -> float:
        """When the twin of a message usually comes, by the other side's clock, in seconds."""
        usual = self.nearness().usual
        return item.seen.at + (usual if item.seen.side is Side.LEGACY else -usual)

    def _is_known(self) -> bool:
        return self._shift is not None or self._ledger.lags.count >= _FEWEST

    def best(self, item: Item, other: Lane) -> Item | None:
        """The twin among those that still wait: the one whose turn it is, or a better one.

        That it came at an unusual time is no reason, unless another one came at a usual time.
        """
        seen, next_one = item.seen, other.expected()
        if (
            next_one is None
            or next_one.seen.data != seen.data
            or next_one.seen.type != seen.type
            or not self.fit(seen, next_one.seen)
        ):
            return self.find(item, other)
        if not self.is_usual(item, next_one):
            another = self.find(item, other)
            if another is not None and self.is_usual(item, another):
                return another
        return next_one

    def find(self, item: Item, other: Lane, *, early: bool = False) -> Item | None:
        """The twin among those that still wait: by its text, else by what is stable in it.

        Args:
            item: the one whose twin is meant.
            other: the other side.
            early: whether it is read though the other side has yet to say this.
        """
        twin = self._chosen(item, other.by_text(item.seen.data))
        if twin is None and (early or not self.is_early(item.seen)):
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
        told = self._shift if lags.count < _ESTABLISHED else None
        if not lags.count and told is None:
            return Nearness(usual, self._options.window)
        seldom = max(_SELDOM, min(_FEW_SELDOM, _STRAYS / max(lags.count, 1)))
        low, high = lags.quantile(seldom), lags.quantile(1 - seldom)
        if told is not None:
            low, high = (min(low, told.low), max(high, told.high)) if lags.count else told.range
            usual = told.usual
        slack = (high - low) * _SLACK + _INSTANT
        widest = max(high - usual, usual - low)
        most = max(self._options.disorder, widest)
        return Nearness(usual, most, (low - slack, high + slack))
