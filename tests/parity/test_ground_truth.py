"""Streams whose every difference is known: what is found, what is missed, what is imagined.

Recall and precision are counted for each kind over several seeds, rates from 1e-5 to 1e-1, with
noise, clocks that are up to 5 s apart, disorder within 2 s, and repeats after reconnects.
"""

from collections import Counter
from collections.abc import Iterator
from typing import Literal

import pytest

from bridge.parity.comparison import Comparison
from bridge.parity.finding import Kind
from bridge.parity.noise import Noise
from bridge.parity.observation import Side
from bridge.parity.options import CompareOptions
from bridge.parity.report import Outcome
from tests.support.truth import Scenario, Score, by_kind, compared, interleaved, streams

SKEWS = (5.0, -5.0, 0.0, -2.5)
JITTERS = (1.9, 0.0, 0.7)
RECONNECTS = (0, 3, 1)


def conditions(faults: dict[Kind, float], seed: int, count: int, edge: float = 3.0) -> Scenario:
    """The same faults under other conditions for each seed."""
    return Scenario(
        seed,
        count,
        faults=faults,
        noise=seed % 2 == 1,
        skew=SKEWS[seed % 4],
        jitter=JITTERS[seed % 3],
        edge=edge,
        reconnects=RECONNECTS[seed // 2 % 3],
    )


def score(scenarios: Iterator[Scenario]) -> Score:
    """What comparisons made of all these."""
    total = Score()
    for scenario in scenarios:
        found = streams(scenario)
        report = compared(found, CompareOptions(clocks="two" if scenario.skew else "one"))
        total.add(found.truth, by_kind(report))
    return total


def assert_exact(total: Score, kinds: list[Kind]) -> None:
    for kind in kinds:
        assert total.truth[kind] > 0
        assert total.recall(kind) >= 0.99, (kind, total)
        assert total.precision(kind) >= 0.99, (kind, total)
    imagined = {kind: count for kind, count in total.found.items() if not total.truth[kind]}
    assert sum(imagined.values()) <= 0.01 * total.truth.total(), imagined


@pytest.mark.parametrize("kind", Kind)
def test_each_kind_alone_at_rates_of_one_in_ten_hundred_and_thousand(kind: Kind) -> None:
    rates = (1e-1, 1e-2, 1e-3)
    scenarios = (
        conditions({kind: rate}, seed, 1200) for seed in range(4) for rate in rates[: 3 - seed % 2]
    )
    assert_exact(score(scenarios), [kind])


def test_all_kinds_at_once() -> None:
    faults = dict.fromkeys(Kind, 5e-3)
    assert_exact(score(conditions(faults, seed, 3000, 12.5) for seed in range(6)), list(Kind))


def test_one_of_each_kind_in_a_hundred_thousand() -> None:
    scenario = Scenario(17, 100_000, 500.0, dict.fromkeys(Kind, 1e-5), skew=3.0, jitter=0.05)
    assert_exact(score(iter([scenario])), list(Kind))


def test_a_hundred_equal_but_noisy_pairs_raise_no_alarm() -> None:
    alarms: Counter[tuple[int, Kind]] = Counter()
    for seed in range(1000, 1100):
        scenario = Scenario(
            seed,
            300,
            noise=True,
            skew=SKEWS[seed % 4],
            jitter=JITTERS[seed % 3],
            reconnects=RECONNECTS[seed % 3],
        )
        report = compared(streams(scenario), CompareOptions(clocks="two"))
        assert report.verdict.outcome is Outcome.PASS, (seed, report.verdict)
        alarms.update({(seed, kind): n for kind, n in by_kind(report).items()})
    assert alarms == {}


def test_noise_that_was_learned_once_excuses_no_more_later() -> None:
    learned = Comparison(CompareOptions())
    for sight in interleaved(streams(Scenario(5, 1500, noise=True, jitter=0.7))):
        learned.take(sight)
    learned.close()
    noise = Noise.from_json(learned.learned().to_json())
    faults = dict.fromkeys((Kind.MISSING, Kind.ALTERED, Kind.EXTRA), 1e-2)
    later = streams(Scenario(6, 1500, noise=True, jitter=0.7, faults=faults))
    later.control.clear()
    found = by_kind(compared(later, CompareOptions(), noise))
    assert found == later.truth


def test_who_is_compared_with_itself_passes() -> None:
    found = streams(Scenario(8, 1000))
    comparison = Comparison()
    for sight in interleaved(found):
        if sight.side is not Side.CONTROL:
            comparison.take(sight)
    comparison.close()
    report = comparison.report()
    assert (report.verdict.outcome, report.findings) == (Outcome.PASS, ())


@pytest.mark.parametrize("speech", ["busy", "words"])
@pytest.mark.parametrize("lag", [0.0, 0.3, 1.5, -0.3, -1.5])
@pytest.mark.parametrize("noise", [False, True])
def test_who_begins_later_and_says_the_same_of_one_entity_raises_no_alarm(
    speech: Literal["busy", "words"], lag: float, noise: bool
) -> None:
    for seed, later in enumerate((4.0, -4.0, 0.0, 0.7)):
        found = streams(
            Scenario(seed, 600, 20 + 15 * seed, noise=noise, lag=lag, later=later, speech=speech)
        )
        report = compared(found, CompareOptions())
        assert by_kind(report) == {}, (seed, later)
        assert report.verdict.outcome is Outcome.PASS, (seed, later)
