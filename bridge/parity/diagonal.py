"""By how much two sequences of texts are shifted against each other, where texts recur.

Decides by the stretch that both have in common without a gap (the local alignment of Smith and
Waterman, 1981, along each diagonal), and only where no other shift comes near. Never pairs.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from statistics import median

_LEAST = 8
_RIVAL = 0.5
_INSTANT = 5e-3

Told = tuple[Hashable, float]
"""What was said, and when in seconds."""


@dataclass(frozen=True, slots=True)
class Shift:
    """How much later one side says the same, in seconds.

    Attributes:
        usual: the median.
        low: the least.
        high: the most.
    """

    usual: float
    low: float
    high: float

    @property
    def range(self) -> tuple[float, float]:
        """Between which lags all twins so far came."""
        return self.low, self.high


def shift(left: Sequence[Told], right: Sequence[Told]) -> Shift | None:
    """How much later the right side says the same; None where that cannot be told yet.

    Args:
        left: in the order of arrival.
        right: as well; each side by its own clock.
    """
    found = [_best(right, left, places) for places in _diagonals(left, right).values()]
    found = sorted((each for each in found if each[0] > 0), key=lambda each: -each[0])
    if not found or found[0][0] < _LEAST:
        return None
    score, lags = found[0]
    usual, least, most = median(lags), min(lags) - _INSTANT, max(lags) + _INSTANT
    for rival, others in found[1:]:
        if rival < score * _RIVAL:
            break
        if not least <= median(others) <= most:
            return None
    return Shift(usual, min(lags), max(lags))


def _diagonals(left: Sequence[Told], right: Sequence[Told]) -> dict[int, list[tuple[int, int]]]:
    """By how many places they are shifted: the places at which both say the same, ascending."""
    places: defaultdict[Hashable, list[int]] = defaultdict(list)
    for place, (text, _) in enumerate(left):
        places[text].append(place)
    found: defaultdict[int, list[tuple[int, int]]] = defaultdict(list)
    for other, (text, _) in enumerate(right):
        for place in places.get(text, ()):
            found[other - place].append((other, place))
    return found


def _best(
    right: Sequence[Told], left: Sequence[Told], places: Iterable[tuple[int, int]]
) -> tuple[int, list[float]]:
    """The stretch of a diagonal with the most agreements beyond disagreements, and its lags."""
    best, found = 0, list[float]()
    score, last, lags = 0, -1, list[float]()
    for other, place in places:
        score -= other - last - 1
        if score <= 0:
            score, lags = 0, []
        score, last = score + 1, other
        lags.append(right[other][1] - left[place][1])
        if score > best:
            best, found = score, lags[:]
    return best, found
