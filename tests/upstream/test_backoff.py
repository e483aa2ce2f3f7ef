"""Delays between attempts."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.upstream.backoff import LONGEST_RETRY, Backoff, ReconnectOptions

ALMOST_ONE = 1 - 2**-53


def test_the_bound_doubles_until_the_cap() -> None:
    backoff = Backoff(ReconnectOptions(base=0.5, cap=3.0, factor=2.0))
    assert [backoff.next(None, 1.0) for _ in range(5)] == [0.5, 1.0, 2.0, 3.0, 3.0]


def test_the_delay_is_uniform_below_the_bound() -> None:
    assert Backoff(ReconnectOptions()).next(None, 0.0) == 0.0
    assert Backoff(ReconnectOptions()).next(None, 0.5) == 0.25


def test_the_backends_retry_is_a_floor_with_jitter_on_top() -> None:
    backoff = Backoff(ReconnectOptions(base=0.5, cap=20.0))
    assert backoff.next(3000, 0.0) == 3.0
    assert backoff.next(3000, 0.5) == 3.0 + 3.0


def test_a_retry_above_the_cap_is_still_honoured() -> None:
    assert Backoff(ReconnectOptions(cap=20.0)).next(60_000, 0.0) == 60.0


def test_a_retry_of_days_is_cut_to_an_hour() -> None:
    assert Backoff(ReconnectOptions()).next(10**12, 0.0) == LONGEST_RETRY


@pytest.mark.parametrize("retry", [0, -5])
def test_a_retry_of_nothing_does_not_remove_the_jitter(retry: int) -> None:
    assert Backoff(ReconnectOptions(base=0.5)).next(retry, 1.0) == 0.5


def test_a_connection_that_delivered_starts_the_delays_anew() -> None:
    backoff = Backoff(ReconnectOptions(base=0.5))
    backoff.next(None, 1.0)
    backoff.closed(delivered=True, lived=0.0)
    assert backoff.next(None, 1.0) == 0.5


def test_a_connection_that_lived_long_starts_the_delays_anew() -> None:
    backoff = Backoff(ReconnectOptions(base=0.5, cap=20.0))
    backoff.next(None, 1.0)
    backoff.closed(delivered=False, lived=20.0)
    assert backoff.next(None, 1.0) == 0.5


def test_a_connection_that_hung_up_at_once_does_not() -> None:
    backoff = Backoff(ReconnectOptions(base=0.5, cap=20.0))
    backoff.next(None, 1.0)
    backoff.closed(delivered=False, lived=0.1)
    assert backoff.next(None, 1.0) == 1.0


@given(
    retries=st.lists(st.none() | st.integers(-(10**6), 10**15), min_size=1, max_size=3000),
    random=st.floats(0, ALMOST_ONE),
    factor=st.floats(1, 10),
)
def test_every_delay_lies_between_the_floor_and_the_floor_plus_the_cap(
    retries: list[int | None], random: float, factor: float
) -> None:
    options = ReconnectOptions(base=0.5, cap=20.0, factor=factor)
    backoff = Backoff(options)
    for retry in retries:
        floor = min(max(retry or 0, 0) / 1000, LONGEST_RETRY)
        assert floor <= backoff.next(retry, random) <= floor + options.cap


def test_thousands_of_failures_do_not_overflow() -> None:
    backoff = Backoff(ReconnectOptions(factor=1e6))
    assert [backoff.next(None, 1.0) for _ in range(3000)][-1] == 20.0


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"base": 0.0}, "base"),
        ({"base": float("nan")}, "base"),
        ({"base": 2.0, "cap": 1.0}, "cap"),
        ({"factor": 0.5}, "factor"),
    ],
)
def test_unusable_options_are_refused_by_name(wrong: dict[str, float], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        ReconnectOptions(**wrong)
