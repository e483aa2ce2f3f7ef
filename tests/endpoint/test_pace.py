"""How fast clients are let go and come back, by any chance and any delay of the event loop."""

from random import Random

from hypothesis import given
from hypothesis import strategies as st

from bridge.endpoint.pace import JITTER, LONGEST, SHARE, SOONEST, SPREAD, TICK, Pace, Returns
from bridge.wire.endings import COMPLETE, RESTART

RATES = st.sampled_from([1.0, 30.0, 500.0, 5000.0])
SEEDS = st.integers(0, 1000)


def most_in_a_second(moments: list[float]) -> int:
    """The most of these moments that lie within one second."""
    ordered, first, most = sorted(moments), 0, 0
    for last, moment in enumerate(ordered):
        while moment - ordered[first] >= 1:
            first += 1
        most = max(most, last - first + 1)
    return most


def drained(sessions: int, rate: float, seconds: float, seed: int, late: float) -> list[float]:
    """When each session ended; an event loop that is busy wakes up to `late` seconds late."""
    chance = Random(seed)
    pace, now, moments = Pace(rate, seconds, chance.random), 0.0, list[float]()
    while sessions and now < seconds:
        passed = pace.pause() + chance.random() * late
        now += passed
        ended = pace.batch(sessions, passed)
        assert 0 <= ended <= sessions
        sessions -= ended
        moments += [now] * ended
    assert not sessions
    return moments


@given(RATES, st.floats(0.0, 1.0), SEEDS)
def test_no_second_has_more_endings_than_the_rate_and_a_batch(
    rate: float, share: float, seed: int
) -> None:
    seconds = 10.0
    moments = drained(int(rate * seconds * SHARE * share), rate, seconds, seed, late=0.0)
    assert most_in_a_second(moments) <= rate * (1 + 1.5 * TICK) + 1


@given(st.integers(0, 20_000), RATES, st.floats(1.0, 60.0), SEEDS, st.floats(0.0, 0.1))
def test_all_end_in_time_however_many_they_are(
    sessions: int, rate: float, seconds: float, seed: int, late: float
) -> None:
    moments = drained(sessions, rate, seconds, seed, late)
    assert max(moments, default=0.0) <= SHARE * seconds + 1.5 * TICK + late


@given(SEEDS)
def test_a_rate_that_is_too_low_is_raised_no_further_than_all_need_it(seed: int) -> None:
    moments = drained(8000, 10.0, 10.0, seed, late=0.0)
    assert most_in_a_second(moments) <= 1000 * (1 + 3 * TICK) + 1


def test_those_who_do_not_end_when_they_are_to_are_counted_again() -> None:
    pace = Pace(100.0, 10.0, lambda: 0.5)
    for _ in range(159):
        assert pace.batch(3, TICK) <= 3
    assert pace.batch(3, TICK) == 3


def test_without_a_rate_all_end_at_once() -> None:
    assert Pace(0.0, 10.0, lambda: 0.5).batch(12_345, TICK) == 12_345


def come_back(moments: list[float], rate: float, seed: int) -> list[float]:
    """When those who are ended at these moments return."""
    now, found = 0.0, []
    returns = Returns(rate, Random(seed).random, lambda: now)
    for now in moments:
        delay = returns(RESTART).delay
        assert delay is not None
        found.append(now + delay / 1000)
    return found


@given(st.lists(st.floats(0, 5), max_size=400), st.sampled_from([10.0, 100.0, 500.0]), SEEDS)
def test_no_second_has_more_returns_than_the_rate_and_its_jitter(
    moments: list[float], rate: float, seed: int
) -> None:
    if len(moments) > rate * 50:
        moments = moments[: int(rate * 50)]
    moments.sort()
    found = come_back(moments, rate, seed)
    assert most_in_a_second(found) <= rate * (1 + JITTER) + 2
    assert all(
        SOONEST <= back - gone <= LONGEST + JITTER + 0.001
        for gone, back in zip(moments, found, strict=True)
    )


@given(SEEDS)
def test_a_drain_at_the_rate_keeps_its_clients_away_no_longer_than_it_has_to(seed: int) -> None:
    moments = drained(2000, 500.0, 60.0, seed, late=0.02)
    found = come_back(moments, 500.0, seed)
    assert most_in_a_second(found) <= 600
    assert max(found) <= 2000 / 500 + SOONEST + 1


def test_where_too_many_wait_they_come_at_any_moment_until_the_longest() -> None:
    found = come_back([0.0] * 1000, 1.0, 7)
    assert all(SOONEST <= each <= LONGEST + JITTER + 0.001 for each in found)
    assert most_in_a_second(found) < 100


def test_without_a_rate_clients_come_back_at_random() -> None:
    found = come_back([0.0] * 1000, 0.0, 7)
    assert all(SOONEST <= each <= SOONEST + SPREAD + 0.001 for each in found)
    assert len({round(each, 2) for each in found}) > 200


def test_a_delay_that_is_given_stands_and_a_final_word_has_none() -> None:
    returns = Returns(10.0, lambda: 0.5, lambda: 0.0)
    assert returns(RESTART.after(7)).delay == 7
    assert returns(COMPLETE).delay is None
