"""The figures of a soak against their bars. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median, quantiles

from benchmarks.report import table


@dataclass(frozen=True, slots=True)
class Figure:
    """One promise and what was found.

    Attributes:
        what: in words.
        found: in words.
        bar: in words.
        holds: whether it is kept; None where it was not measured, or nothing is promised.
    """

    what: str
    found: str
    bar: str
    holds: bool | None

    @property
    def verdict(self) -> str:
        """One word."""
        return {True: "PASS", False: "FAIL", None: "-"}[self.holds]


@dataclass(frozen=True, slots=True)
class Endured:
    """What a crowd went through.

    Attributes:
        clients: how many were there at a time.
        seconds: for how long.
        kills: how often the backend died.
        counts: of events and connections, by name.
        behind: clients that lacked an event at the end.
        before: resident memory at the start, in KiB.
        after: at the end.
    """

    clients: int
    seconds: int
    kills: int
    counts: Mapping[str, int]
    behind: int
    before: float
    after: float


def endurance(found: Endured) -> list[Figure]:
    """The figures of the crowd that comes and goes."""
    wrong = {name: found.counts[name] for name in ("lost", "doubled", "reordered")}
    what = f"{found.clients:,} clients, {found.seconds} s, backend killed {found.kills} times"
    events = f"of {found.counts['delivered']:,} events"
    told = ", ".join(f"{count} {name}" for name, count in wrong.items())
    growth = round(found.after / found.before - 1, 4)
    ended = found.counts["dropped"] + found.counts["refused"]
    return [
        Figure(f"{what}: events wrong", f"{told} {events}", "none", not any(wrong.values())),
        Figure(
            "holes announced, though the backend replays",
            str(found.counts["gaps"]),
            "none",
            not found.counts["gaps"],
        ),
        Figure("clients that were cut off or turned away", str(ended), "none", not ended),
        Figure(
            "clients that lack an event at the end", str(found.behind), "none", not found.behind
        ),
        Figure(
            "resident memory, end to start",
            f"{found.after / 1024:.0f} to {found.before / 1024:.0f} MiB, {growth:+.1%}",
            "within 10 %",
            abs(growth) <= 0.10,
        ),
    ]


def stalling(calm: Sequence[float], stalled: Sequence[float], clients: int, readers: int) -> Figure:
    """The others' p99 in milliseconds, with and without stalled readers, each by round."""
    ratio = median(stalled) / median(calm)
    return Figure(
        f"{readers} stalled readers among {clients:,}: p99 of the others",
        f"{median(stalled):.1f} to {median(calm):.1f} ms, x {ratio:.2f}",
        "x 1.5",
        ratio <= 1.5,
    )


def drained(returns: Sequence[float], clients: int, rate: int) -> list[Figure]:
    """How fast a drain's clients come back."""
    busiest = most_in_a_second(returns)
    return [
        Figure(
            f"drain of {clients:,} clients at {rate}/s: reconnects in the busiest second",
            str(busiest),
            f"{rate * 1.2:.0f}",
            busiest <= rate * 1.2,
        ),
        Figure("clients that came back", f"{len(returns):,}", "all", len(returns) >= clients),
    ]


def most_in_a_second(moments: Sequence[float]) -> int:
    """The most of these moments, in seconds, that lie within one second of each other."""
    ordered, first, most = sorted(moments), 0, 0
    for last, moment in enumerate(ordered):
        while moment - ordered[first] >= 1:
            first += 1
        most = max(most, last - first + 1)
    return most


def p99(values: Sequence[float]) -> float:
    """The 99th percentile."""
    return quantiles(values, n=100)[98]


def steady(samples: Sequence[float]) -> float:
    """The median, so that a collection of garbage in one sample does not count."""
    return median(samples)


def tables(figures: Sequence[Figure]) -> str:
    """Markdown."""
    rows = [[figure.what, figure.found, figure.bar, figure.verdict] for figure in figures]
    return table(["figure", "found", "bar", ""], rows)
