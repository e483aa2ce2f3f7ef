"""How two clocks differ that timed the same messages: an offset, a drift, and how sure that is.

Decides from pairs of arrival times, a bounded and evenly spread sample of them. The offset holds
the usual lag of the candidate as well, for the two cannot be told apart.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from math import sqrt
from statistics import median

from bridge.parity.observation import Observation

_LARGEST = 1024
_FOR_DRIFT = 160
_EVERY = 64
_TWO_SIDED = 1.96


@dataclass(frozen=True, slots=True)
class Offset:
    """By how much the candidate's clock is ahead.

    Attributes:
        seconds: the median of candidate minus legacy.
        low: where its 95 % interval begins.
        high: where it ends.
        drift: by how many seconds it grows a second (Theil 1950, Sen 1968).
        drift_low: where that one's 95 % interval begins.
        drift_high: where it ends.
        count: how many pairs it rests on.
    """

    seconds: float = 0.0
    low: float = 0.0
    high: float = 0.0
    drift: float = 0.0
    drift_low: float = 0.0
    drift_high: float = 0.0
    count: int = 0


class Clocks:
    """Estimates an offset while pairs come in."""

    __slots__ = ("_estimate", "_sample", "_stride", "count")

    def __init__(self) -> None:
        self._sample: list[tuple[float, float]] = []
        self._stride = 1
        self._estimate = 0.0
        self.count = 0

    def add(self, legacy: float, candidate: float) -> None:
        """Take in when the two sides said the same."""
        if self.count % self._stride == 0:
            self._sample.append((legacy, candidate - legacy))
            if len(self._sample) == _LARGEST:
                self._sample = self._sample[::2]
                self._stride *= 2
            if self.count < _EVERY or len(self._sample) % _EVERY == 0:
                self._estimate = median(delta for _, delta in self._sample)
        self.count += 1

    @property
    def estimate(self) -> float:
        """The offset as it is known by now, in seconds; 0 before the first pair."""
        return self._estimate

    def offset(self) -> Offset:
        """The offset and its drift with their intervals; costs some milliseconds."""
        if not self._sample:
            return Offset()
        deltas = sorted(delta for _, delta in self._sample)
        low, high = _middle(len(deltas))
        return Offset(
            median(deltas),
            deltas[low],
            deltas[high],
            *_drift(self._sample[:: -(-len(self._sample) // _FOR_DRIFT)]),
            self.count,
        )


def offset(legacy: Iterable[Observation], candidate: Iterable[Observation]) -> Offset:
    """How the clocks of two recordings differ, by the payloads that each holds only once."""
    first, second = (_once(side) for side in (legacy, candidate))
    clocks = Clocks()
    for data, at in first.items():
        if data in second:
            clocks.add(at, second[data])
    return clocks.offset()


def _once(side: Iterable[Observation]) -> dict[str | bytes, float]:
    found: dict[str | bytes, float] = {}
    repeated = set()
    for seen in side:
        if seen.data in found:
            repeated.add(seen.data)
        found[seen.data] = seen.at
    return {data: at for data, at in found.items() if data not in repeated}


def _middle(count: int) -> tuple[int, int]:
    """The ranks between which a median lies in 95 of 100 cases, whatever the distribution."""
    half = _TWO_SIDED * sqrt(count) / 2
    return max(0, int(count / 2 - half)), min(count - 1, int(count / 2 + half))


def _drift(sample: list[tuple[float, float]]) -> tuple[float, float, float]:
    slopes = sorted(
        (second - first) / (later - earlier)
        for place, (earlier, first) in enumerate(sample)
        for later, second in sample[place + 1 :]
        if later != earlier
    )
    if not slopes:
        return 0.0, 0.0, 0.0
    count, size = len(slopes), len(sample)
    half = _TWO_SIDED * sqrt(size * (size - 1) * (2 * size + 5) / 18) / 2
    low, high = max(0, int(count / 2 - half)), min(count - 1, int(count / 2 + half))
    return median(slopes), slopes[low], slopes[high]
