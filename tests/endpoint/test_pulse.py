"""When each socket is pinged, by a clock that the test moves."""

import itertools

import pytest

from bridge.endpoint.pulse import PARTS, Pulse
from tests.endpoint.clockwork import TICK, Time


class Socket:
    """Remembers when it was pinged; may leave at that moment."""

    def __init__(self, time: Time, pulse: Pulse | None = None) -> None:
        self._time, self._leaves = time, pulse
        self.pinged: list[float] = []

    def pulse(self) -> None:
        self.pinged.append(self._time.now)
        if self._leaves:
            self._leaves.discard(self)


def test_each_socket_is_pinged_once_an_interval_however_long_it_stays() -> None:
    time = Time()
    pulse = Pulse(time.wheel, 20.0)
    sockets = [Socket(time) for _ in range(50)]
    for socket in sockets:
        pulse.add(socket)
        time.move(0.7)
    time.move(200)
    for socket in sockets:
        apart = [later - sooner for sooner, later in itertools.pairwise(socket.pinged)]
        assert len(apart) >= 9
        assert all(abs(each - 20) <= TICK for each in apart)


def test_the_first_ping_is_at_most_one_interval_away() -> None:
    time = Time()
    pulse = Pulse(time.wheel, 20.0)
    for _ in range(30):
        socket, added = Socket(time), time.now
        pulse.add(socket)
        time.move(22)
        assert 20 - 20 / PARTS <= socket.pinged[0] - added <= 20 + TICK


def test_sockets_that_come_over_time_are_not_all_pinged_at_once() -> None:
    time = Time()
    pulse = Pulse(time.wheel, 20.0)
    sockets = [Socket(time) for _ in range(40)]
    for socket in sockets:
        pulse.add(socket)
        time.move(0.5)
    time.move(20)
    assert len({socket.pinged[0] for socket in sockets}) >= PARTS - 1


@pytest.mark.parametrize("interval", [0.02, 0.5, 2.0])
def test_an_interval_near_a_tick_is_kept_as_well_as_ticks_allow(interval: float) -> None:
    time = Time()
    pulse = Pulse(time.wheel, interval)
    socket = Socket(time)
    pulse.add(socket)
    time.move(20)
    expected = 20 / max(interval, TICK)
    assert expected * 0.9 - 1 <= len(socket.pinged) <= expected + 1


def test_after_a_stall_nobody_is_pinged_again_before_there_was_time_to_answer() -> None:
    time = Time()
    pulse = Pulse(time.wheel, 20.0)
    sockets = [Socket(time) for _ in range(20)]
    for socket in sockets:
        pulse.add(socket)
        time.move(1)
    time.stall(100)
    time.move(60)
    for socket in sockets:
        apart = [later - sooner for sooner, later in itertools.pairwise(socket.pinged)]
        assert min(apart) >= 20 - 20 / PARTS - TICK


def test_an_interval_of_zero_pings_nobody() -> None:
    time = Time()
    pulse = Pulse(time.wheel, 0)
    pulse.add(Socket(time))
    assert not time.timers


def test_who_leaves_is_pinged_no_more_and_the_last_one_stops_the_timer() -> None:
    time = Time()
    pulse = Pulse(time.wheel, 20.0)
    stays, leaves = Socket(time), Socket(time, pulse)
    pulse.add(stays)
    pulse.add(leaves)
    time.move(100)
    assert (len(stays.pinged), len(leaves.pinged)) == (5, 1)
    pulse.discard(stays)
    pulse.discard(leaves)
    time.move(2)
    assert not time.timers
    pulse.add(stays)
    time.move(25)
    assert len(stays.pinged) == 6
