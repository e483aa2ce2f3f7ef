"""Ratios are taken inside a cycle before anything else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.samples import (
    Sample,
    Spread,
    by_cycle,
    in_order,
    of_medians,
    paired,
    spread,
    topics,
    written,
)

SAMPLES = [
    Sample("sse-single", "nchan", 0, {"cpu_us": 4.0}),
    Sample("sse-single", "bridge", 0, {"cpu_us": 3.0}),
    Sample("sse-burst", "bridge", 0, {"rate": 9.0}),
    Sample("sse-single", "bridge", 1, {"cpu_us": 6.0, "rate": 1.0}),
]


def test_values_are_found_by_topic_server_and_cycle() -> None:
    assert by_cycle(SAMPLES, "sse-single", "bridge", "cpu_us") == {0: 3.0, 1: 6.0}
    assert by_cycle(SAMPLES, "sse-single", "bridge", "rate") == {1: 1.0}


def test_servers_and_topics_keep_the_order_in_which_they_were_asked() -> None:
    assert in_order(SAMPLES, "sse-single") == ["nchan", "bridge"]
    assert topics(SAMPLES) == ["sse-single", "sse-burst"]


def test_a_cycle_in_which_the_machine_was_slow_leaves_its_ratio_alone() -> None:
    assert paired({0: 2.0, 1: 20.0}, {0: 1.0, 1: 10.0}) == [2.0, 2.0]


def test_a_cycle_that_only_one_server_saw_gives_no_ratio() -> None:
    assert paired({0: 2.0, 1: 5.0}, {0: 1.0}) == [2.0]


def test_nothing_is_divided_by_nothing() -> None:
    assert paired({0: 2.0}, {0: 0.0}) == []
    assert of_medians({0: 2.0}, {0: 0.0}) == []
    assert of_medians({}, {0: 1.0}) == []
    assert of_medians({0: 1.0}, {}) == []


def test_differences_are_compared_by_their_medians() -> None:
    assert of_medians({0: 2.0, 1: 4.0, 2: 90.0}, {0: -1.0, 1: 2.0, 2: 3.0}) == [2.0]


def test_a_spread_names_the_middle_and_both_tails() -> None:
    assert spread(range(11)) == Spread(5, 1, 9, 11)
    assert spread([3.0]) == Spread(3.0, 3.0, 3.0, 1)
    assert spread([]) is None


@given(st.lists(st.floats(0, 1e9), min_size=1))
def test_a_median_lies_between_the_tails(values: list[float]) -> None:
    found = spread(values)
    assert found
    assert found.low <= found.median <= found.high


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (0.12345, "0.123"),
        (1.2345, "1.23"),
        (123.45, "123"),
        (1234567.8, "1,234,568"),
        (-2.5, "-2.50"),
        (float("inf"), "inf"),
    ],
)
def test_numbers_are_written_with_three_digits_that_count(value: float, text: str) -> None:
    assert written(value) == text
