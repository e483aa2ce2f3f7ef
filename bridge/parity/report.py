"""The outcome of a comparison as one value, which every output format is written from.

Decides nothing: the comparison fills it in, and the writers beside it print it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from bridge.parity.finding import Finding


class Outcome(StrEnum):
    """What may be said of two streams. `INSUFFICIENT` never stands for a pass."""

    PASS = "pass"  # noqa: S105 - no password
    FAIL = "fail"
    INSUFFICIENT = "insufficient"


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a verdict rests on: counts of messages over the whole comparison.

    Attributes:
        legacy: messages of the legacy side.
        candidate: messages of the candidate.
        matched: pairs that say the same, those with excused differences included.
        outside: messages before the first or after the last common one, which prove nothing.
        failed: pairs or single messages with a difference that nothing excuses.
        excused: pairs or single messages whose differences are all excused.
        unreadable: lines of a recording that could not be read.
    """

    legacy: int = 0
    candidate: int = 0
    matched: int = 0
    outside: int = 0
    failed: int = 0
    excused: int = 0
    unreadable: int = 0


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether the candidate may take over.

    Attributes:
        outcome: pass, fail or insufficient.
        reason: one sentence for people.
        bound: the upper confidence bound of the share of messages that differ, from 0 to 1.
        confidence: of that bound, such as 0.95.
        evidence: what was counted.
    """

    outcome: Outcome
    reason: str
    bound: float
    confidence: float
    evidence: Evidence


@dataclass(frozen=True, slots=True)
class Lag:
    """How much later the candidate says the same; negative where it is earlier. In seconds.

    Attributes:
        count: pairs that were measured.
        p50: the median.
        p99: the 99th percentile.
        largest: the largest by magnitude.
        histogram: counts by upper bound in seconds, ascending; the last bound is `inf`.
    """

    count: int = 0
    p50: float = 0.0
    p99: float = 0.0
    largest: float = 0.0
    histogram: tuple[tuple[float, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Moment:
    """One slice of the comparison's time, for a timeline.

    Attributes:
        at: its start, in seconds since the comparison's first sight.
        matched: pairs that said the same in it, or differ in nothing that is not excused.
        differences: how many findings of each kind fell into it, by the kind's name.
    """

    at: float
    matched: int
    differences: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Report:
    """A comparison's outcome.

    Attributes:
        verdict: what may be said.
        findings: the differences, those that fail first, then by count.
        lag: how much later the candidate is.
        timeline: slices of equal length; empty where nothing was seen.
        channels: which channels were compared.
        duration: seconds from the first sight to the last.
        notes: lines about the inputs themselves, such as a recording's unreadable lines.
        names: what the two sides are called, such as the recordings' names.
    """

    verdict: Verdict
    findings: tuple[Finding, ...] = ()
    lag: Lag = Lag()
    timeline: tuple[Moment, ...] = ()
    channels: tuple[str, ...] = ()
    duration: float = 0.0
    notes: tuple[str, ...] = ()
    names: tuple[str, str] = field(default=("legacy", "candidate"))
