"""One client at one channel: held, given room, ended, gone, in any order that happens."""

import pytest

from bridge.endpoint.session import State
from bridge.wire.endings import COMPLETE, NOT_FOUND, UNAUTHORIZED
from tests.endpoint.hall import Hall


def test_full_holds_and_room_lets_go() -> None:
    client = Hall().enter()
    reader = client.reader
    reader.full()
    states = [(reader.held, reader.session.state)]
    reader.room()
    states.append((reader.held, reader.session.state))
    assert states == [(True, State.SENDING), (False, State.WAITING)]


def test_servers_may_say_so_twice() -> None:
    client = Hall().enter()
    for _ in range(2):
        client.reader.full()
    for _ in range(2):
        client.reader.room()
    assert not client.reader.held


def test_room_in_time_disarms_the_deadline() -> None:
    hall = Hall(send_timeout=5.0)
    client = hall.enter()
    client.reader.full()
    hall.pass_time(4)
    client.reader.room()
    hall.pass_time(100)
    assert client.ending is None
    assert hall.meter["slow_clients", "sse"] == 0


def test_where_another_deadline_stands_none_begins() -> None:
    hall = Hall(send_timeout=5.0)
    client = hall.enter()
    client.reader.full(timed=False)
    hall.pass_time(100)
    assert client.ending is None


def test_an_end_is_said_once_and_bounded_by_a_deadline() -> None:
    hall = Hall(send_timeout=5.0)
    client = hall.enter()
    client.reader.end(NOT_FOUND, "gone")
    client.reader.end(COMPLETE, "")
    assert client.ending == (NOT_FOUND, "gone")
    hall.pass_time(4)
    assert not client.aborted
    hall.pass_time(2)
    assert client.aborted


def test_one_that_leaves_after_its_end_is_not_dropped_again() -> None:
    hall = Hall(send_timeout=5.0)
    client = hall.enter()
    client.reader.end(NOT_FOUND, "gone")
    hall.leave(client)
    hall.pass_time(100)
    assert not client.aborted
    assert client.reader.session.state is State.ENDED


def test_after_the_end_room_and_fullness_mean_nothing() -> None:
    client = Hall().enter()
    client.reader.end(NOT_FOUND, "gone")
    client.reader.full()
    client.reader.room()
    assert client.reader.held


def test_an_end_while_a_send_waits_takes_its_deadline_over() -> None:
    hall = Hall(send_timeout=5.0)
    client = hall.enter()
    client.reader.full()
    hall.pass_time(4)
    client.reader.end(NOT_FOUND, "gone")
    hall.pass_time(4)
    assert not client.aborted
    assert hall.meter["slow_clients", "sse"] == 0


@pytest.mark.parametrize("full", [True, False])
def test_leaving_ends_it_from_any_state(full: bool) -> None:
    hall = Hall(send_timeout=5.0)
    client = hall.enter()
    if full:
        client.reader.full()
    client.reader.left()
    client.reader.left()
    hall.pass_time(100)
    assert client.reader.session.state is State.ENDED
    assert client.ending is None


@pytest.mark.parametrize("full", [True, False])
def test_a_session_ends_when_it_expires(full: bool) -> None:
    hall = Hall(send_timeout=1000.0)
    client = hall.enter()
    client.reader.expire_at(hall.now + 60, UNAUTHORIZED, "expired")
    if full:
        client.reader.full()
    hall.pass_time(59)
    assert client.ending is None
    hall.pass_time(2)
    assert client.ending == (UNAUTHORIZED, "expired")


def test_an_expiry_stands_in_place_of_the_last_one() -> None:
    hall = Hall()
    client = hall.enter()
    client.reader.expire_at(hall.now + 10, UNAUTHORIZED, "")
    client.reader.expire_at(hall.now + 100, UNAUTHORIZED, "")
    hall.pass_time(50)
    assert client.ending is None
    hall.pass_time(60)
    assert client.ending


@pytest.mark.parametrize("first", ["left", "ended"])
def test_one_that_is_over_does_not_expire(first: str) -> None:
    hall = Hall()
    client = hall.enter()
    client.reader.expire_at(hall.now + 10, UNAUTHORIZED, "expired")
    if first == "left":
        hall.leave(client)
    else:
        client.reader.end(COMPLETE, "")
    client.reader.expire_at(hall.now + 10, UNAUTHORIZED, "expired")
    hall.pass_time(100)
    assert client.ending == (None if first == "left" else (COMPLETE, ""))
