"""What was measured, and ratios of it: inside each cycle first, medians last.

Pure. On a busy machine a figure of one minute says little beside a figure of the next; within a
cycle all servers had the same neighbours.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Sample:
    """One segment of one server.

    Attributes:
        topic: what was asked, such as `sse-single`.
        peer: who answered.
        cycle: when; the same number means side by side.
        values: by name, such as `cpu_us`.
    """

    topic: str
    peer: str
    cycle: int
    values: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Spread:
    """A median with the 10th and 90th percentile.

    Attributes:
        median: in the middle.
        low: exceeded by nine of ten.
        high: exceeded by one of ten.
        count: how many values there were.
    """

    median: float
    low: float
    high: float
    count: int


def spread(values: Iterable[float]) -> Spread | None:
    """The spread of some values; None of none."""
    ordered = sorted(values)
    if not ordered:
        return None
    tenth = len(ordered) // 10
    return Spread(statistics.median(ordered), ordered[tenth], ordered[-1 - tenth], len(ordered))


def by_cycle(samples: Sequence[Sample], topic: str, peer: str, value: str) -> dict[int, float]:
    """One value of one server, by cycle."""
    return {
        sample.cycle: sample.values[value]
        for sample in samples
        if (sample.topic, sample.peer) == (topic, peer) and value in sample.values
    }


def paired(measured: Mapping[int, float], to: Mapping[int, float]) -> list[float]:
    """Ratios inside each cycle that both were measured in."""
    return [measured[cycle] / to[cycle] for cycle in measured if to.get(cycle, 0) > 0]


def of_medians(measured: Mapping[int, float], to: Mapping[int, float]) -> list[float]:
    """One ratio of two medians: for differences, which may be near nothing in a single cycle."""
    if not measured or not to:
        return []
    base = statistics.median(to.values())
    return [statistics.median(measured.values()) / base] if base > 0 else []


def in_order(samples: Sequence[Sample], topic: str) -> list[str]:
    """The servers of a topic, as they were first measured."""
    return list(dict.fromkeys(sample.peer for sample in samples if sample.topic == topic))


def topics(samples: Sequence[Sample]) -> list[str]:
    """The topics, as they were first measured."""
    return list(dict.fromkeys(sample.topic for sample in samples))


def written(value: float, digits: int = 3) -> str:
    """A number with so many significant digits, and no exponent."""
    if value == 0 or not math.isfinite(value):
        return f"{value:g}"
    decimals = max(0, digits - 1 - math.floor(math.log10(abs(value))))
    return f"{value:,.{decimals}f}"
