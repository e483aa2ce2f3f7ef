"""When calls are due on the wheel, by a clock and a timer that the test moves."""

from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.endpoint.wheel import LAP, Due, cancel
from tests.endpoint.clockwork import TICK, Time

SECONDS = st.integers(0, 64).map(lambda eighths: eighths / 8)


@dataclass
class Call:
    """One call that was asked for, and the times at which it came."""

    time: Time
    seconds: float
    came: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.asked = self.time.now
        self.due: Due = self.time.wheel.after(self.seconds, lambda: self.came.append(self.time.now))


@given(st.lists(st.tuples(SECONDS, SECONDS), min_size=1, max_size=12))
def test_a_call_comes_once_never_early_and_within_one_tick(
    asked: list[tuple[float, float]],
) -> None:
    time = Time()
    calls = []
    for seconds, pause in asked:
        calls.append(Call(time, seconds))
        time.move(pause)
    time.move(10)
    for call in calls:
        (came,) = call.came
        assert call.seconds <= came - call.asked <= call.seconds + TICK
    assert not time.timers


@given(
    st.lists(st.tuples(SECONDS, st.booleans()), min_size=1, max_size=8),
    st.lists(SECONDS, max_size=8),
)
def test_a_loop_that_stalls_loses_no_call_and_doubles_none(
    asked: list[tuple[float, bool]], pauses: list[float]
) -> None:
    time = Time()
    calls = [(Call(time, seconds), cancelled) for seconds, cancelled in asked]
    for call, cancelled in calls:
        if cancelled:
            call.due.cancel()
    for pause in [*pauses, 10, 10]:
        time.stall(pause)
    for call, cancelled in calls:
        assert len(call.came) == (not cancelled)
        assert all(came >= call.asked + call.seconds for came in call.came)


def test_a_pause_of_years_is_no_work() -> None:
    time, order = Time(), list[int]()
    for seconds in (3, 1, 2):
        time.wheel.after(seconds, lambda seconds=seconds: order.append(seconds))  # type: ignore[misc]
    time.stall(1e15)
    assert order == [1, 2, 3]
    assert not time.timers


def test_no_timer_stands_while_nothing_is_due() -> None:
    time = Time()
    assert not time.timers
    time.wheel.after(1, lambda: None)
    time.wheel.after(1, lambda: None)
    assert len(time.timers) == 1
    time.move(2)
    assert not time.timers


def test_a_cancelled_call_never_comes_even_if_one_of_the_same_tick_cancels_it() -> None:
    time = Time()
    dues: list[Due] = []

    def cancel() -> None:
        dues[0].cancel()

    time.wheel.after(1, cancel)
    second = Call(time, 1)
    dues.append(second.due)
    time.move(2)
    assert second.came == []
    cancel()


def test_a_call_may_ask_for_others() -> None:
    time, came = Time(), list[float]()

    def again() -> None:
        came.append(time.now)
        if len(came) < 3:
            time.wheel.after(0, again)

    time.wheel.after(0.25, again)
    time.move(3)
    assert came == [100.5, 101.0, 101.5]


def test_a_call_that_asks_for_another_after_a_stall_does_not_bring_others_forward() -> None:
    time, later = Time(), list[Call]()
    time.wheel.after(1, lambda: later.append(Call(time, 5)))
    time.wheel.after(2, lambda: None)
    time.stall(60)
    time.move(4.5)
    assert later[0].came == []
    time.move(1)
    assert later[0].came == [165.0]


def test_a_call_that_fails_takes_no_other_with_it() -> None:
    time = Time()

    def fail() -> None:
        raise LookupError

    time.wheel.after(1, fail)
    other, later = Call(time, 1), Call(time, 1.5)
    with pytest.raises(LookupError):
        time.move(1)
    time.move(1)
    assert other.came == later.came == [101.5]


def test_a_closed_wheel_makes_none_of_its_calls() -> None:
    time = Time()
    call = Call(time, 1)
    time.wheel.close()
    time.wheel.close()
    time.move(5)
    assert call.came == []
    assert not time.standing


def test_a_call_may_close_the_wheel() -> None:
    time = Time()
    time.wheel.after(1, time.wheel.close)
    later = Call(time, 2)
    time.move(5)
    assert later.came == []
    assert not time.standing


def test_a_time_is_met_as_a_wait_is() -> None:
    time = Time()
    came: list[float] = []
    for when in (time.now + 1.2, time.now - 5.0):
        time.wheel.at(when, lambda: came.append(time.now))
    time.move(10)
    assert came == [pytest.approx(100.5), pytest.approx(101.5)]


def test_a_wait_of_many_laps_comes_once_and_not_early() -> None:
    time = Time()
    call = Call(time, 3600.0)
    time.move(3599.9)
    assert not call.came
    time.move(0.7)
    assert call.came == [pytest.approx(3700.0)]
    assert not time.timers


def test_what_was_cancelled_is_let_go_within_a_lap() -> None:
    time = Time()
    call = Call(time, 86_400.0)
    call.due.cancel()
    time.move((LAP + 1) * TICK)
    assert not time.timers


def test_nothing_may_be_cancelled() -> None:
    cancel(None)
