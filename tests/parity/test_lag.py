"""The distribution of lags: exact while there are few, within five per cent afterwards."""

from math import inf
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.parity.lag import Lags

SECONDS = st.floats(-30, 30, allow_nan=False)


def lags(values: list[float]) -> Lags:
    made = Lags()
    for each in values:
        made.add(each)
    return made


@given(st.lists(SECONDS, min_size=1, max_size=60), st.floats(0, 1))
def test_few_are_ranked_exactly(values: list[float], share: float) -> None:
    found = lags(values).quantile(share)
    assert found in values
    assert sum(each <= found for each in values) >= share * len(values) - 1e-9
    assert sum(each < found for each in values) <= share * len(values)


@pytest.mark.parametrize("share", [0.001, 0.1, 0.5, 0.9, 0.99, 0.999])
@pytest.mark.parametrize("sign", [1, -1])
def test_many_are_ranked_within_five_per_cent(share: float, sign: int) -> None:
    chance = Random(7)
    values = sorted(sign * chance.lognormvariate(-3, 1.5) for _ in range(20_000))
    exact = values[max(1, -int(-share * len(values) // 1)) - 1]
    assert lags(values).quantile(share) == pytest.approx(exact, rel=0.06)


@given(st.lists(SECONDS, min_size=1001, max_size=1100))
def test_no_quantile_leaves_what_was_seen(values: list[float]) -> None:
    made = lags(values)
    for share in (0.0, 0.5, 1.0):
        assert min(values) <= made.quantile(share) <= max(values)


def test_without_any_there_is_no_lag() -> None:
    assert Lags().quantile(0.5) == 0
    assert Lags().snapshot().count == 0


@pytest.mark.parametrize("count", [10, 5000])
def test_a_snapshot_takes_the_clock_s_offset_out(count: int) -> None:
    found = lags([5 + each / count for each in range(count)]).snapshot(5.0)
    assert found.p50 == pytest.approx(0.5, abs=0.3)
    assert found.p99 == pytest.approx(1, abs=0.3)
    assert found.largest == pytest.approx(1, abs=0.2)
    assert sum(each for _, each in found.histogram) == found.count == count
    assert found.histogram[-1][0] == inf


def test_the_largest_is_so_by_magnitude() -> None:
    assert lags([-3.0, 1.0]).snapshot().largest == -3
