"""A bar is passed by the median of paired ratios, or by a plain count."""

import pytest

from benchmarks import plan
from benchmarks.bars import BARS, Bar, Figure, Verdict, judged
from benchmarks.samples import Sample, Spread

COST = Bar("cost", "sse-single", "cpu_us", 1.0, 0.5, to="nchan")
RATE = Bar("rate", "sse-overload", "rate", 4, 6.5, to="nchan", more_is_better=True)
SPLENDID_ONLY = Bar("idle", "sse-idle50000", "dropped", None, 0)


def figure(bar: Bar, value: float | None) -> Figure:
    return Figure(bar, None if value is None else Spread(value, value, value, 1))


@pytest.mark.parametrize(
    ("bar", "value", "verdict"),
    [
        (COST, 0.5, Verdict.STRETCH),
        (COST, 0.51, Verdict.PASS),
        (COST, 1.0004, Verdict.PASS),
        (COST, 1.01, Verdict.FAIL),
        (COST, None, Verdict.UNKNOWN),
        (RATE, 6.5, Verdict.STRETCH),
        (RATE, 4.0, Verdict.PASS),
        (RATE, 3.9, Verdict.FAIL),
        (SPLENDID_ONLY, 0, Verdict.STRETCH),
        (SPLENDID_ONLY, 1, Verdict.UNKNOWN),
    ],
)
def test_a_figure_passes_its_bar_or_not(bar: Bar, value: float | None, verdict: Verdict) -> None:
    assert figure(bar, value).verdict is verdict


def sample(peer: str, cycle: int, value: float, topic: str = "sse-single") -> Sample:
    return Sample(topic, peer, cycle, {"cpu_us": value})


def test_the_figure_of_a_ratio_is_the_median_over_cycles() -> None:
    samples = [sample("nchan", cycle, 2.0) for cycle in range(3)]
    samples += [sample("bridge", cycle, value) for cycle, value in enumerate([1.0, 2.0, 8.0])]
    (found,) = judged(samples, [COST])
    assert found.found == Spread(1.0, 0.5, 4.0, 3)


def test_a_server_may_be_compared_with_itself_elsewhere() -> None:
    bar = Bar("scale", "sse-10000", "cpu_us", 1.3, 1.0, to="bridge", to_topic="sse-1000")
    samples = [sample("bridge", 0, 6.0, "sse-10000"), sample("bridge", 0, 5.0, "sse-1000")]
    (found,) = judged(samples, [bar])
    assert found.found == Spread(1.2, 1.2, 1.2, 1)


def test_differences_become_one_ratio_of_medians() -> None:
    bar = Bar("late", "sse-single", "cpu_us", 5, 2, to="nginx", differences=True)
    samples = [sample("nginx", 0, -1.0), sample("nginx", 1, 1.0), sample("nginx", 2, 2.0)]
    samples += [sample("bridge", cycle, 3.0) for cycle in range(3)]
    (found,) = judged(samples, [bar])
    assert found.found == Spread(3.0, 3.0, 3.0, 1)


def test_a_plain_count_needs_nobody_to_compare_with() -> None:
    idle = Sample("sse-idle50000", "bridge", 0, {"dropped": 0.0})
    (found,) = judged([idle], [SPLENDID_ONLY])
    assert found.verdict is Verdict.STRETCH


def test_a_bar_whose_servers_were_left_out_is_not_judged() -> None:
    (found,) = judged([sample("bridge", 0, 1.0)], [COST])
    assert found.verdict is Verdict.UNKNOWN


def test_every_bar_asks_for_a_topic_that_is_measured() -> None:
    measured = {*plan.ALL, "sse-1000", "sse-10000"}
    asked = {topic for bar in BARS for topic in (bar.topic, bar.to_topic) if topic}
    assert asked <= measured


def test_no_stretch_is_easier_than_its_bar() -> None:
    for bar in BARS:
        if bar.must is not None:
            harder = bar.stretch >= bar.must if bar.more_is_better else bar.stretch <= bar.must
            assert harder, bar.what
