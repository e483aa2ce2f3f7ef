"""Offset and drift of two clocks, with intervals that hold them."""

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.parity.clocks import Clocks, Offset, offset
from tests.parity.talk import new, old


def clocks(count: int, seconds: float, drift: float = 0.0, seed: int = 1) -> Clocks:
    chance, made = Random(seed), Clocks()
    for each in range(count):
        at = each * 0.1
        made.add(at, at * (1 + drift) + seconds + chance.uniform(-0.05, 0.05))
    return made


@given(st.floats(-5, 5), st.integers(5, 3000), st.integers(0, 99))
def test_the_offset_is_found_whatever_it_is(seconds: float, count: int, seed: int) -> None:
    made = clocks(count, seconds, seed=seed)
    found = made.offset()
    assert found.seconds == pytest.approx(seconds, abs=0.05)
    assert made.estimate == pytest.approx(seconds, abs=0.05)
    assert found.low <= found.seconds <= found.high
    assert found.count == count


@pytest.mark.parametrize("ppm", [-200, 0, 500])
def test_the_drift_lies_in_its_interval(ppm: int) -> None:
    found = clocks(20_000, 3.0, ppm * 1e-6).offset()
    assert found.drift_low <= ppm * 1e-6 <= found.drift_high
    assert found.drift == pytest.approx(ppm * 1e-6, abs=5e-5)


def test_one_wild_pair_in_ten_moves_no_offset() -> None:
    made = Clocks()
    for each in range(500):
        made.add(each, each + (900.0 if each % 10 == 0 else 2.0))
    assert made.offset().seconds == made.estimate == 2


def test_nothing_is_known_without_pairs() -> None:
    assert Clocks().offset() == Offset()
    assert Clocks().estimate == 0


def test_one_moment_shows_no_drift() -> None:
    made = Clocks()
    made.add(1.0, 3.0)
    made.add(1.0, 3.0)
    assert (made.offset().drift, made.offset().seconds) == (0, 2)


def test_recordings_are_set_by_what_each_says_once() -> None:
    legacy = [old("tick", 0), old("a", 1), old("tick", 2), old("b", 3), old("c", 4)]
    candidate = [new("tick", 50), new("a", 3.5), new("b", 5.5), new("other", 6)]
    assert (offset(legacy, candidate).seconds, offset(legacy, candidate).count) == (2.5, 2)
