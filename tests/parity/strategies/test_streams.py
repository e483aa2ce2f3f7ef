"""Disordered streams: what was put in is in them, and a comparison finds that and nothing else."""

from collections import Counter

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bridge.parity.comparison import Comparison
from bridge.parity.finding import Kind
from bridge.parity.observation import Mark, Observation, Side
from bridge.parity.strategies import Disorder, Scenario, scenarios

MESSAGES = st.integers().map(lambda number: {"type": "task", "object": {"id": number}})
DISTINCT = st.uuids().map(lambda made: {"type": "task", "object": {"id": str(made)}})
WILD = Disorder(drops=2, duplicates=2, delays=2, reconnects=2)
QUICK = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))


def said(scenario: Scenario, side: Side) -> list[Observation]:
    found = (each for each in scenario.sights if isinstance(each, Observation))
    return [each for each in found if each.side is side]


def failing(scenario: Scenario) -> Counter[Kind]:
    comparison = Comparison()
    for sight in scenario.sights:
        comparison.take(sight)
    comparison.close()
    findings = comparison.report().findings
    return Counter({each.kind: each.count for each in findings if each.excused is None})


@QUICK
@given(scenarios(MESSAGES, WILD))
def test_the_legacy_side_says_the_source_and_the_candidate_what_was_left(
    scenario: Scenario,
) -> None:
    assert len(said(scenario, Side.LEGACY)) == len(scenario.source)
    repeated = [each for each in scenario.injected if each.kind is None]
    ids = Counter((each.id, each.connection) for each in said(scenario, Side.CANDIDATE))
    places = {id_ for id_, _ in ids}
    assert len(places) == len(scenario.source) - scenario.expected(Kind.MISSING)
    marks = [each for each in scenario.sights if isinstance(each, Mark)]
    assert len(marks) == 2 * len(repeated)


@QUICK
@given(scenarios(MESSAGES, WILD))
def test_sights_come_by_arrival(scenario: Scenario) -> None:
    times = [sight.at for sight in scenario.sights]
    assert times == sorted(times)


@QUICK
@given(scenarios(DISTINCT, Disorder(jitter=1.0, reconnects=2)))
def test_a_faithful_candidate_is_not_blamed(scenario: Scenario) -> None:
    assert failing(scenario) == Counter()


@QUICK
@given(scenarios(DISTINCT, Disorder(jitter=0.05, drops=3, reconnects=0), least=3))
def test_what_was_dropped_is_missing(scenario: Scenario) -> None:
    assert failing(scenario)[Kind.MISSING] == scenario.expected(Kind.MISSING)


@QUICK
@given(scenarios(DISTINCT, Disorder(jitter=0.05, duplicates=3, reconnects=0), least=3))
def test_what_was_said_twice_is_duplicated(scenario: Scenario) -> None:
    assert failing(scenario)[Kind.DUPLICATED] == scenario.expected(Kind.DUPLICATED)


def test_what_is_negative_is_refused() -> None:
    with pytest.raises(ValueError, match="drops must not be negative"):
        Disorder(drops=-1)
