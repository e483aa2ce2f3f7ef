"""How much later one side says the same: a distribution of bounded size.

Decides quantiles, exactly while there are few values and within five per cent afterwards. Never
looks at a clock.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from itertools import accumulate
from math import inf

from bridge.parity.report import Lag

_EXACT = 1000
_SMALLEST, _GROWTH, _STEPS = 1e-4, 1.1, 190
_UP = [_SMALLEST * _GROWTH**step for step in range(_STEPS)]
_BOUNDS = [*(-bound for bound in reversed(_UP)), 0.0, *_UP]
_PRINTED = (
    *(-5.0, -1.0, -0.25, -0.1, -0.025, -0.01, -0.001, 0.0),
    *(0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, inf),
)


class Lags:
    """The lags seen so far, in seconds; negative where the candidate was earlier."""

    __slots__ = ("_counts", "_few", "_largest", "count", "high", "low")

    def __init__(self) -> None:
        self._few: list[float] | None = []
        self._counts = [0] * (len(_BOUNDS) + 1)
        self._largest = 0.0
        self.count = 0
        self.low, self.high = inf, -inf

    def add(self, lag: float) -> None:
        """Take one in."""
        self.count += 1
        self._counts[bisect_left(_BOUNDS, lag)] += 1
        self.low = min(self.low, lag)
        self.high = max(self.high, lag)
        if self._few is not None:
            if self.count <= _EXACT:
                insort(self._few, lag)
            else:
                self._few = None

    def quantile(self, share: float) -> float:
        """The smallest lag that at least this share of all does not exceed; 0 without any."""
        if not self.count:
            return 0.0
        rank = max(1, -int(-share * self.count // 1))
        if self._few is not None:
            return self._few[min(rank, self.count) - 1]
        for place, reached in enumerate(accumulate(self._counts)):
            if reached >= rank:
                return self._within(place)
        return self.high

    def _within(self, place: int) -> float:
        """The middle of a bucket, cut to what was seen."""
        lower = _BOUNDS[place - 1] if place else self.low
        upper = _BOUNDS[place] if place < len(_BOUNDS) else self.high
        return (max(lower, self.low) + min(upper, self.high)) / 2

    def snapshot(self, offset: float = 0.0) -> Lag:
        """The distribution as a report has it.

        Args:
            offset: by how much the candidate's clock is ahead of the legacy side's.
        """
        if not self.count:
            return Lag()
        return Lag(
            self.count,
            self.quantile(0.5) - offset,
            self.quantile(0.99) - offset,
            max(self.low - offset, self.high - offset, key=abs),
            tuple(zip(_PRINTED, self._printed(offset), strict=True)),
        )

    def _printed(self, offset: float) -> list[int]:
        counts = [0] * len(_PRINTED)
        values = (
            ((lag, 1) for lag in self._few)
            if self._few is not None
            else ((self._within(place), count) for place, count in enumerate(self._counts) if count)
        )
        for lag, count in values:
            counts[bisect_left(_PRINTED, lag - offset)] += count
        return counts
