"""The soak's figures against their bars."""

from dataclasses import replace

import pytest

from benchmarks.soak.report import (
    Endured,
    drained,
    endurance,
    most_in_a_second,
    stalling,
    tables,
)

COUNTS = dict.fromkeys(("lost", "doubled", "reordered", "gaps", "dropped", "refused"), 0)
GOOD = Endured(5000, 120, 12, COUNTS | {"delivered": 9}, 0, before=1000, after=1100)


def _verdicts(found: Endured) -> list[str]:
    return [figure.verdict for figure in endurance(found)]


def test_all_is_well_where_nothing_went_wrong() -> None:
    assert set(_verdicts(GOOD)) == {"PASS"}


@pytest.mark.parametrize("name", sorted(COUNTS))
def test_one_wrong_event_or_connection_is_enough_to_fail(name: str) -> None:
    bad = replace(GOOD, counts={**GOOD.counts, name: 1})
    assert _verdicts(bad).count("FAIL") == 1


def test_memory_may_move_by_a_tenth() -> None:
    assert _verdicts(replace(GOOD, after=1101))[-1] == "FAIL"
    assert _verdicts(replace(GOOD, after=899))[-1] == "FAIL"


def test_a_client_left_behind_is_a_failure() -> None:
    assert "FAIL" in _verdicts(replace(GOOD, behind=1))


def test_the_others_are_compared_by_the_medians_of_their_rounds() -> None:
    assert stalling([10, 11, 90], [12, 16, 14], 2000, 200).holds
    assert not stalling([10, 10, 10], [10, 16, 17], 2000, 200).holds


def test_the_busiest_second_is_found_wherever_it_begins() -> None:
    assert most_in_a_second([]) == 0
    assert most_in_a_second([0.0, 0.9, 1.1, 1.2, 3.0]) == 3
    assert most_in_a_second([0.0, 1.0]) == 1


def test_a_drain_may_exceed_its_cap_by_a_fifth_and_must_lose_nobody() -> None:
    evenly = [number / 500 for number in range(2000)]
    assert all(figure.holds for figure in drained(evenly, 2000, 500))
    at_once = drained([0.0] * 700, 2000, 500)
    assert [figure.holds for figure in at_once] == [False, False]


def test_the_table_names_each_verdict() -> None:
    text = tables(endurance(replace(GOOD, behind=3)))
    assert text.count("PASS") == 4
    assert text.count("FAIL") == 1
