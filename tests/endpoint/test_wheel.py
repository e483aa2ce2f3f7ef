"""The one timer for many waits: never early, never for nothing, never for ever."""

import os
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.endpoint.wheel import Wheel
from tests.hub.parts import Due


class Clock:
    """Time that the test moves, and the timers that are set on it."""

    def __init__(self) -> None:
        self.now = 100.0
        self.timers: list[Due] = []
        self.set = 0

    def later(self, delay: float, callback: Callable[[], None]) -> Due:
        assert delay >= 0
        self.set += 1
        self.timers.append(Due(self.now + delay, callback))
        return self.timers[-1]

    @property
    def pending(self) -> list[Due]:
        return [each for each in self.timers if not each.cancelled]

    def move(self, to: float) -> None:
        """Fire what falls due up to `to`."""
        while due := [each for each in self.pending if each.at <= to]:
            first = min(due, key=lambda each: each.at)
            self.timers.remove(first)
            self.now = max(self.now, first.at)
            first.callback()
        self.now = max(self.now, to)

    def oversleep(self, to: float) -> None:
        """As a loop that was busy until `to`."""
        self.now = to
        self.move(to)


@given(st.lists(st.floats(0, 50), max_size=20))
def test_no_call_is_early_and_none_is_late_by_more_than_a_tick(waits: list[float]) -> None:
    clock = Clock()
    wheel, made = Wheel(clock.later, lambda: clock.now, tick=0.5), list[tuple[float, float]]()
    for wait in waits:
        wheel.after(wait, lambda due=clock.now + wait: made.append((due, clock.now)))  # type: ignore[misc]
    clock.move(200)
    assert len(made) == len(waits)
    assert all(due - 1e-6 <= at <= due + 0.5 + 1e-6 for due, at in made)
    assert not clock.pending


def test_it_sleeps_until_the_first_that_is_due_and_sets_no_timer_otherwise() -> None:
    clock = Clock()
    wheel = Wheel(clock.later, lambda: clock.now)
    assert not clock.timers
    wheel.after(60, lambda: None)
    [timer] = clock.pending
    assert timer.at >= 160
    wheel.after(1, lambda: None)
    [timer] = clock.pending
    assert timer.at < 102


def test_waits_of_one_time_share_one_timer() -> None:
    clock = Clock()
    wheel = Wheel(clock.later, lambda: clock.now)
    for _ in range(1000):
        wheel.after(10, lambda: None)
    assert clock.set == 1


def test_a_long_sleep_of_the_loop_costs_no_more_than_what_is_due() -> None:
    clock, made = Clock(), list[str]()
    wheel = Wheel(clock.later, lambda: clock.now, tick=0.001)
    wheel.after(1, lambda: made.append("first"))
    wheel.after(2, lambda: made.append("second"))
    clock.oversleep(1e12)
    assert made == ["first", "second"]


def test_a_cancelled_call_is_not_made_and_lets_go_of_what_it_held() -> None:
    clock, made = Clock(), list[str]()
    wheel = Wheel(clock.later, lambda: clock.now)
    due = wheel.after(1, lambda: made.append("called"))
    due.cancel()
    assert due.callback is None
    clock.move(110)
    due.cancel()
    assert not made


def test_a_call_may_wait_anew_even_for_no_time_at_all() -> None:
    clock, made = Clock(), list[float]()
    wheel = Wheel(clock.later, lambda: clock.now, tick=1.0)

    def again() -> None:
        made.append(clock.now)
        if len(made) < 4:
            wheel.after(0 if len(made) < 3 else 5, again)

    wheel.after(0, again)
    clock.move(200)
    assert len(made) == 4
    assert made[3] >= made[2] + 5


def test_a_call_that_fails_is_heard_of_and_costs_no_other() -> None:
    clock, made = Clock(), list[str]()
    wheel = Wheel(clock.later, lambda: clock.now)

    def fail() -> None:
        raise LookupError("no such thing")

    wheel.after(1, fail)
    wheel.after(1, lambda: made.append("beside"))
    wheel.after(9, lambda: made.append("later"))
    with pytest.raises(LookupError):
        clock.move(105)
    clock.move(120)
    assert made == ["beside", "later"]


def test_a_failure_of_the_last_call_leaves_the_later_ones_due() -> None:
    clock, made = Clock(), list[str]()
    wheel = Wheel(clock.later, lambda: clock.now)
    wheel.after(1, lambda: os.environ.__delitem__("WS2SSE_NO_SUCH"))
    wheel.after(9, lambda: made.append("later"))
    with pytest.raises(KeyError):
        clock.move(105)
    clock.move(120)
    assert made == ["later"]


def test_a_timer_that_fires_too_soon_makes_no_call_too_soon() -> None:
    clock, made = Clock(), list[str]()
    wheel = Wheel(clock.later, lambda: clock.now)
    wheel.after(10, lambda: made.append("called"))
    [timer] = clock.timers
    clock.timers.clear()
    clock.now = timer.at - 0.05
    timer.callback()
    assert not made
    clock.move(120)
    assert made == ["called"]


def test_closing_makes_no_call_any_more() -> None:
    clock, made = Clock(), list[str]()
    wheel = Wheel(clock.later, lambda: clock.now)
    wheel.close()
    wheel.after(1, lambda: made.append("called"))
    wheel.close()
    assert not clock.pending
    clock.move(120)
    assert not made


def test_it_tells_the_time() -> None:
    assert Wheel(Clock().later, lambda: 7.0).now() == 7.0
