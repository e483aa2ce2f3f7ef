"""The bars that the project set itself, and whether what was measured passes them.

Pure. Each bar is a ratio of one interleaved run, or a plain count where there is nobody to
compare with.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from benchmarks.plan import GUARDED
from benchmarks.samples import Sample, Spread, by_cycle, of_medians, paired, spread


class Verdict(StrEnum):
    """What a figure says of its bar."""

    STRETCH = "PASS, stretch"
    PASS = "PASS"  # noqa: S105 - no password
    FAIL = "FAIL"
    UNKNOWN = "-"


@dataclass(frozen=True, slots=True)
class Bar:
    """One promise.

    Attributes:
        what: in words.
        topic: what is measured.
        value: which value of it.
        must: the bar; None where only the stretch is set.
        stretch: the bar that would be splendid.
        peer: who is measured.
        to: whom it is compared with; empty for a plain value.
        to_topic: where the other was measured, if elsewhere.
        more_is_better: whether the bar is a least.
        differences: whether both values are differences, so that only their medians are compared.
    """

    what: str
    topic: str
    value: str
    must: float | None
    stretch: float
    peer: str = "bridge"
    to: str = ""
    to_topic: str = ""
    more_is_better: bool = False
    differences: bool = False


@dataclass(frozen=True, slots=True)
class Figure:
    """What was found for a bar.

    Attributes:
        bar: the promise.
        found: the figure; None where something of it was not measured.
    """

    bar: Bar
    found: Spread | None

    @property
    def verdict(self) -> Verdict:
        """Whether the promise is kept."""
        if self.found is None:
            return Verdict.UNKNOWN
        if self._passes(self.bar.stretch):
            return Verdict.STRETCH
        if self.bar.must is None:
            return Verdict.UNKNOWN
        return Verdict.PASS if self._passes(self.bar.must) else Verdict.FAIL

    def _passes(self, limit: float) -> bool:
        assert self.found
        rounded = round(self.found.median, 3)
        return rounded >= limit if self.bar.more_is_better else rounded <= limit


CPU, RATE, P99, MEMORY, OPENED = "cpu_us", "rate", "p99_ms", "kib", "opened"


def _fan_out() -> list[Bar]:
    bars = []
    for mode, name in (("sse", "SSE"), ("ws", "WS")):
        single, burst = f"{mode}-single", f"{mode}-burst"
        to_nchan = (0.90, 0.75) if mode == "sse" else (1.0, 0.88)
        bars += [
            Bar(f"CPU per delivery, {name}, to the C limit", single, CPU, 1.45, 1.25, to="C limit"),
            Bar(f"CPU per delivery, {name}, to nchan", single, CPU, *to_nchan, to="nchan"),
            Bar(f"CPU in bursts of eight, {name}, to nchan", burst, CPU, 0.20, 0.12, to="nchan"),
        ]
    return bars


def _by_mode() -> list[Bar]:
    bars = []
    for mode, name in (("sse", "SSE"), ("ws", "WS")):
        paced, memory, proxy = f"{mode}-paced", f"{mode}-memory", f"{mode}-proxy"
        opened = f"connections opened per CPU-second, each with a new JWT, {name}, to nchan"
        late, added = f"{mode}-proxypaced", f"one stream per client, added p99, {name}, to nginx"
        bars += [
            Bar(f"p99 at 10 events/s, {name}, to nchan", paced, P99, 1.0, 0.9, to="nchan"),
            Bar(f"memory per idle client, {name}, to nchan", memory, MEMORY, 0.5, 0.25, to="nchan"),
            Bar(opened, memory, OPENED, 0.2, 0.3, GUARDED, "nchan", more_is_better=True),
            Bar(f"one stream per client, CPU, {name}, to nginx", proxy, CPU, 1.6, 1.1, to="nginx"),
            Bar(added, late, "added_p99_ms", 5, 2, to="nginx", differences=True),
        ]
    return bars


def _alone() -> list[Bar]:
    overload = "deliveries/s at 1,000 events/s to 1,000 SSE clients, to nchan"
    scale = "CPU per delivery, 10,000 SSE clients, to 1,000"
    stepped = "bridge, stepped"
    return [
        Bar(overload, "sse-overload", RATE, 4, 6.5, to="nchan", more_is_better=True),
        Bar(scale, "sse-10000", CPU, 1.3, 1.05, to="bridge", to_topic="sse-1000"),
        Bar("15,000 idle SSE clients, one event/s: dropped", "sse-idle15000", "dropped", 0, 0),
        Bar("50,000 idle SSE clients, one event/s: dropped", "sse-idle50000", "dropped", None, 0),
        Bar("fallback, CPU, SSE, to naive", "sse-single", CPU, 0.4, 0.3, stepped, "naive"),
        Bar("fallback, CPU, WS, to naive", "ws-single", CPU, 0.7, 0.5, stepped, "naive"),
    ]


BARS: tuple[Bar, ...] = (*_fan_out(), *_by_mode(), *_alone())


def judged(samples: Sequence[Sample], bars: Sequence[Bar] = BARS) -> list[Figure]:
    """Every bar with what was found for it, if anything was."""
    return [Figure(bar, _found(samples, bar)) for bar in bars]


def _found(samples: Sequence[Sample], bar: Bar) -> Spread | None:
    measured = by_cycle(samples, bar.topic, bar.peer, bar.value)
    if not bar.to:
        return spread(measured.values())
    to = by_cycle(samples, bar.to_topic or bar.topic, bar.to, bar.value)
    return spread((of_medians if bar.differences else paired)(measured, to))
