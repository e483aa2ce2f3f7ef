"""Pings to many sockets: each once an interval, spread, and never in a rush."""

import pytest

from bridge.endpoint.pulse import PARTS, Pulse
from bridge.endpoint.wheel import Wheel
from tests.endpoint.test_wheel import Clock


class Socket:
    """Remembers when it was pinged."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.pinged: list[float] = []

    def pulse(self) -> None:
        self.pinged.append(self._clock.now)


def beating(interval: float) -> tuple[Clock, Pulse]:
    clock = Clock()
    return clock, Pulse(Wheel(clock.later, lambda: clock.now), interval)


@pytest.mark.parametrize("interval", [0.5, 2.0, 20.0, 21.3])
def test_each_socket_is_pinged_once_an_interval_and_lateness_does_not_add_up(
    interval: float,
) -> None:
    clock, pulse = beating(interval)
    socket = Socket(clock)
    pulse.add(socket)
    clock.move(100 + 10.5 * interval)
    assert len(socket.pinged) == 10
    assert socket.pinged[0] >= 100 + interval - 1e-6
    assert socket.pinged[-1] <= 100 + 10 * interval + 0.2


def test_sockets_that_come_at_different_times_are_pinged_at_different_times() -> None:
    clock, pulse = beating(20.0)
    sockets = []
    for _ in range(PARTS):
        sockets.append(Socket(clock))
        pulse.add(sockets[-1])
        clock.move(clock.now + 1.0)
    clock.move(clock.now + 20.0)
    assert len({socket.pinged[0] for socket in sockets}) > PARTS / 2
    assert all(socket.pinged for socket in sockets)


def test_a_socket_that_left_is_pinged_no_more_and_nothing_is_due_then() -> None:
    clock, pulse = beating(2.0)
    socket = Socket(clock)
    pulse.add(socket)
    clock.move(103)
    pulse.discard(socket)
    pulse.discard(socket)
    count = len(socket.pinged)
    clock.move(120)
    assert len(socket.pinged) == count
    assert not clock.pending


def test_it_begins_again_for_the_next_socket() -> None:
    clock, pulse = beating(2.0)
    first = Socket(clock)
    pulse.add(first)
    pulse.discard(first)
    clock.move(1000)
    second = Socket(clock)
    pulse.add(second)
    clock.move(1001)
    assert not second.pinged
    clock.move(1003)
    assert len(second.pinged) == 1


def test_after_a_halt_of_the_loop_clients_get_their_time_to_answer() -> None:
    clock, pulse = beating(20.0)
    socket = Socket(clock)
    pulse.add(socket)
    clock.oversleep(1000)
    clock.move(1100)
    gaps = [
        later - earlier for earlier, later in zip(socket.pinged, socket.pinged[1:], strict=False)
    ]
    assert min(gaps) >= 18


def test_no_interval_pings_nobody() -> None:
    clock, pulse = beating(0)
    pulse.add(Socket(clock))
    assert not clock.timers


def test_a_socket_may_leave_while_it_is_pinged() -> None:
    clock, pulse = beating(1.0)

    class Dying(Socket):
        def pulse(self) -> None:
            super().pulse()
            pulse.discard(self)

    sockets = [Dying(clock) for _ in range(3)]
    for socket in sockets:
        pulse.add(socket)
    clock.move(110)
    assert [len(socket.pinged) for socket in sockets] == [1, 1, 1]
