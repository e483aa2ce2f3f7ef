"""The first messages of a channel, held until it is known how much later one side says the same.

Decides that from what both sides say in the same order, or from what is said but once. Without it
a text that recurs would be paired with an older one where one side began earlier. Never pairs.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import islice
from statistics import median

from bridge.parity.diagonal import Shift, Told, shift
from bridge.parity.item import Item
from bridge.parity.lane import Lane
from bridge.parity.ledger import LEFT, RIGHT, Ledger
from bridge.parity.observation import Mark, Observation, Sight
from bridge.parity.options import CompareOptions
from bridge.parity.reader import Reader

_ESTABLISHED = 8
_FEWEST, _MOST = 16, 512
_EARLIER = 2048
_SHARE, _DISTINCT, _STRAYS = 0.5, 0.8, 8


class Onset:
    """Holds what both sides of one channel say, from the later one's first message on.

    Args:
        lanes: both sides, with what the earlier one said before.
        reader: reads messages.
        ledger: knows the usual lag, from other channels.
        options: how long messages wait; half of that is the longest anything is held.
    """

    def __init__(
        self, lanes: tuple[Lane, Lane], reader: Reader, ledger: Ledger, options: CompareOptions
    ) -> None:
        self._lanes, self._reader, self._ledger = lanes, reader, ledger
        self._longest, self._disorder = options.window / 2, options.disorder
        self.held: list[tuple[int, Sight]] = []
        self.over = False
        """Whether nothing is held any more."""
        self.shift: Shift | None = None
        """How much later the right side says the same, once that is known."""
        self._sides: tuple[list[Item], list[Item]] = [], []
        self._next = _FEWEST

    def holds(self, side: int, seen: Observation) -> bool:
        """Take in a message, unless nothing is to be held; whether it was taken."""
        if self.over or not (self.held or self._begins(side, seen)):
            return False
        self.held.append((side, seen))
        self._sides[side].append(Item(seen, len(self._sides[side])))
        return True

    def mark(self, side: int, mark: Mark) -> bool:
        """Take in what became of a connection while messages are held; whether it was taken."""
        if self.held:
            self.held.append((side, mark))
        return bool(self.held)

    def _begins(self, side: int, seen: Observation) -> bool:
        """Whether the later side says its first word, and that is no answer to the only one."""
        other = self._lanes[1 - side]
        if not other.count:
            return False
        first = other.expected()
        answers = len(other.open) == 1 and first is not None and first.seen.data == seen.data
        self.over = answers or self._ledger.lags.count >= _ESTABLISHED
        return not self.over

    def is_due(self) -> bool:
        """Whether what is held is to be let go: the lag is known, or is not to be known."""
        fewest, most = sorted(map(len, self._sides))
        if fewest >= self._next or most >= _MOST:
            self._next = 2 * fewest
            self.shift = self._found()
            return self.shift is not None or most >= _MOST
        return False

    def is_stale(self, clocks: Sequence[float]) -> bool:
        """Whether something was held long enough.

        Args:
            clocks: the time of each side, in seconds.
        """
        return any(
            items and clock - items[0].seen.at >= self._longest
            for items, clock in zip(self._sides, clocks, strict=True)
        )

    def let_go(self) -> list[tuple[int, Sight]]:
        """All that was held, in the order of arrival; nothing is from now on."""
        if self.held and self.shift is None:
            self.shift = self._found()
        held, self.held, self.over = self.held, [], True
        self._sides = [], []
        return held

    def _found(self) -> Shift | None:
        left, right = (
            [*islice(reversed(lane.open.values()), _EARLIER)][::-1] + items
            for lane, items in zip(self._lanes, self._sides, strict=True)
        )
        found = self._shift(*_texts(left, right))
        if found is None:
            # Chance agrees on a part of a message too, but hardly on that of most.
            fewest = _SHARE * min(len(left), len(right))
            found = self._shift(*self._stable(left, right), fewest)
        return found

    def _shift(
        self, left: Sequence[Told], right: Sequence[Told], fewest: float = 0.0
    ) -> Shift | None:
        return _once(left, right, self._disorder, fewest) or shift(left, right)

    def _stable(self, left: list[Item], right: list[Item]) -> tuple[Sequence[Told], Sequence[Told]]:
        """What was said, without what only one side says."""
        sides = [[self._reader.features(item) for item in items] for items in (left, right)]
        known = [frozenset().union(*features) for features in sides]
        both = known[LEFT] & known[RIGHT]
        one, other = (
            [(each & both, item.seen.at) for each, item in zip(features, items, strict=True)]
            for features, items in zip(sides, (left, right), strict=True)
        )
        return one, other


def _texts(left: list[Item], right: list[Item]) -> tuple[Sequence[Told], Sequence[Told]]:
    one, other = ([(item.seen.data, item.seen.at) for item in items] for items in (left, right))
    return one, other


def _once(
    left: Sequence[Told], right: Sequence[Told], disorder: float, fewest: float
) -> Shift | None:
    """The lags of what each side says but once, where that is nearly all both have in common."""
    counts = [Counter(text for text, _ in side) for side in (left, right)]
    common = counts[LEFT].keys() & counts[RIGHT].keys()
    once = {text for text in common if counts[LEFT][text] == counts[RIGHT][text] == 1}
    if len(once) < max(_FEWEST / 2, fewest) or len(once) < _DISTINCT * len(common):
        return None
    times = {text: at for text, at in left if text in once}
    lags = sorted(at - times[text] for text, at in right if text in once)
    usual = median(lags)
    near = sum(abs(lag - usual) <= disorder for lag in lags)
    strays = len(lags) // _STRAYS
    return Shift(usual, lags[strays], lags[-1 - strays]) if near >= _DISTINCT * len(lags) else None
