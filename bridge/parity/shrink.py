"""The smallest part of what two taps saw that still shows a difference.

Decides which sights can go: halves, then smaller parts, until none can (delta debugging, Zeller
and Hildebrandt 2002). Each try is a whole comparison of what is left.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from bridge.parity.comparison import Comparison
from bridge.parity.finding import Finding, Kind
from bridge.parity.observation import Sight
from bridge.parity.options import CompareOptions
from bridge.parity.report import Report

T = TypeVar("T")

MOST_TRIES = 2000
"""Comparisons that one difference is worth; what is smallest by then is taken."""


@dataclass(frozen=True, slots=True)
class Sort:
    """What makes two findings the same sort of difference.

    Attributes:
        kind: what differs.
        message: the type of message.
        path: where in it.
    """

    kind: Kind
    message: str
    path: str

    @classmethod
    def of(cls, finding: Finding) -> Sort:
        """The sort of a finding."""
        return cls(finding.kind, finding.message, finding.path)


def compared(sights: Sequence[Sight], options: CompareOptions | None = None) -> Report:
    """The report on sights that are all there is."""
    comparison = Comparison(options)
    for sight in sights:
        comparison.take(sight)
    comparison.close()
    return comparison.report()


def failing(report: Report) -> tuple[Finding, ...]:
    """The findings that nothing excuses."""
    return tuple(finding for finding in report.findings if finding.excused is None)


def shrunk(
    sights: Sequence[Sight], sort: Sort, options: CompareOptions | None = None
) -> tuple[Sight, ...]:
    """A smallest part that shows a sort of difference: without any one sight it no longer does.

    Args:
        sights: what shows it, in the order of arrival.
        sort: what it shows.
        options: how to compare.
    """

    def shows(part: Sequence[Sight]) -> bool:
        return any(Sort.of(finding) == sort for finding in failing(compared(part, options)))

    return tuple(smallest(_around(sights, sort, options, shows), shows))


def _around(
    sights: Sequence[Sight],
    sort: Sort,
    options: CompareOptions | None,
    shows: Callable[[Sequence[Sight]], bool],
) -> Sequence[Sight]:
    """What lies around the first example, where that is enough: tries are cheap on little."""
    findings = failing(compared(sights, options))
    first = next((each.first for each in findings if Sort.of(each) == sort), 0.0)
    reach = 2 * (options or CompareOptions()).window
    near = [sight for sight in sights if abs(sight.at - first) <= reach]
    return near if len(near) < len(sights) and shows(near) else sights


def smallest(
    items: Sequence[T], shows: Callable[[Sequence[T]], bool], most_tries: int = MOST_TRIES
) -> list[T]:
    """Items without any that `shows` can do without, in their order."""
    left, parts, tries = list(items), 2, 0
    while len(left) > 1 and tries < most_tries:
        size = -(-len(left) // parts)
        for start in range(0, len(left), size):
            rest = left[:start] + left[start + size :]
            tries += 1
            if shows(rest):
                left, parts = rest, max(parts - 1, 2)
                break
        else:
            if size == 1:
                break
            parts = min(2 * parts, len(left))
    return left
