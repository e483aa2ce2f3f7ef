"""Who is let in, and which frames are too many."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.endpoint.budget import Bucket, Budget, Refused, Seat
from bridge.endpoint.limits import LimitOptions

HERE, THERE = "192.0.2.1", "192.0.2.2"


def entered(budget: Budget, address: str = HERE, principal: str = "", now: float = 0.0) -> Seat:
    seat = budget.enter(address, principal, now)
    assert isinstance(seat, Seat), seat
    return seat


def reason(found: Seat | Refused | None) -> str:
    assert isinstance(found, Refused)
    assert found.why
    return found.reason


def test_without_limits_everybody_is_let_in() -> None:
    budget = Budget(LimitOptions(connections=0))
    assert all(entered(budget).frame(1 << 30, 0.0) is None for _ in range(1000))


@pytest.mark.parametrize(
    ("limit", "why"),
    [
        ({"connections": 2}, "connections"),
        ({"per_address": 2}, "address"),
        ({"per_principal": 2}, "principal"),
    ],
)
def test_a_full_house_lets_one_in_for_each_that_leaves(limit: dict[str, Any], why: str) -> None:
    budget = Budget(LimitOptions(**limit))
    first, _ = entered(budget, HERE, "ann"), entered(budget, HERE, "ann")
    assert reason(budget.enter(HERE, "ann", 0.0)) == why
    first.release()
    first.release()
    entered(budget, HERE, "ann")
    assert reason(budget.enter(HERE, "ann", 0.0)) == why


def test_others_have_their_own_share() -> None:
    budget = Budget(LimitOptions(per_address=1, per_principal=1))
    entered(budget, HERE, "ann")
    entered(budget, THERE, "bob")
    assert reason(budget.enter("2001:db8::1", "ann", 0.0)) == "principal"
    assert reason(budget.enter(HERE, "cid", 0.0)) == "address"


def test_an_ipv6_client_cannot_multiply_itself_within_its_network() -> None:
    budget = Budget(LimitOptions(per_address=1))
    entered(budget, "2001:db8::1")
    assert reason(budget.enter("2001:db8::2", "", 0.0)) == "address"
    entered(budget, "2001:db8:0:1::1")


def test_clients_without_address_or_name_are_not_thrown_together() -> None:
    budget = Budget(LimitOptions(per_address=1, per_principal=1))
    assert all(entered(budget, "") for _ in range(5))


def test_arrivals_have_a_rate_and_are_told_when_there_is_room() -> None:
    budget = Budget(LimitOptions(arrivals=2))
    for _ in range(2):
        entered(budget, now=10.0).release()
    assert budget.enter(HERE, "", 10.0) == Refused("arrivals", 0.5)
    entered(budget, now=10.5)


def test_one_address_cannot_use_up_the_arrivals_of_all() -> None:
    budget = Budget(LimitOptions(arrivals=10, arrivals_per_address=1))
    entered(budget, HERE, now=10.0)
    assert reason(budget.enter(HERE, "", 10.0)) == "address-arrivals"
    entered(budget, THERE, now=10.0)


def test_requests_of_one_client_are_no_arrivals_and_their_frames_count_together() -> None:
    budget = Budget(LimitOptions(arrivals=1, frames=2))
    for _ in range(2):
        seat = budget.enter(HERE, "", 10.0, lasting=False)
        assert isinstance(seat, Seat)
        assert seat.frame(1, 10.0) is None
        seat.release()
    seat = budget.enter(HERE, "", 10.0, lasting=False)
    assert isinstance(seat, Seat)
    assert reason(seat.frame(1, 10.0)) == "frames"


def test_a_request_counts_for_its_principal_as_soon_as_that_is_known() -> None:
    budget = Budget(LimitOptions(frames=1, per_principal=1))
    first, second = (budget.enter(HERE, "", 10.0, lasting=False) for _ in range(2))
    assert isinstance(first, Seat)
    assert isinstance(second, Seat)
    assert first.name("alice") is None
    assert reason(second.name("alice")) == "principal"
    assert first.frame(1, 10.0) is None
    first.release()
    assert second.name("alice") is None
    assert reason(second.frame(1, 10.0)) == "frames"
    second.release()
    another = budget.enter(HERE, "", 10.0, lasting=False)
    assert isinstance(another, Seat)
    assert another.frame(1, 10.0) is None  # the address itself has said nothing yet


def test_sockets_of_one_address_have_their_frames_each() -> None:
    budget = Budget(LimitOptions(frames=1))
    assert entered(budget).frame(1, 10.0) is None
    seat = entered(budget)
    assert seat.frame(1, 10.0) is None
    assert seat.frame(1, 10.0) == Refused("frames", 1.0)


def test_bytes_have_a_rate_and_a_large_frame_is_paid_for_later() -> None:
    seat = entered(Budget(LimitOptions(frame_bytes=100)))
    assert seat.frame(250, 10.0) is None
    assert seat.frame(1, 10.0) == Refused("frame-bytes", 1.51)
    assert seat.frame(100, 12.5) is None


def test_idle_addresses_are_forgotten() -> None:
    budget = Budget(LimitOptions(arrivals_per_address=1))
    for number in range(20_000):
        entered(budget, f"10.0.{number >> 8}.{number & 255}", now=float(number)).release()
    assert budget.parties < 3000


@given(
    takes=st.lists(st.tuples(st.floats(0.01, 20), st.floats(0, 3)), max_size=50),
    rate=st.floats(0.1, 10),
    burst=st.floats(1, 10),
)
def test_a_bucket_gives_no_more_than_its_rate_and_burst(
    takes: list[tuple[float, float]], rate: float, burst: float
) -> None:
    bucket, now, given_out, largest = Bucket(rate, burst), 100.0, 0.0, 0.0
    for amount, pause in takes:
        now += pause
        wait = bucket.take(amount, now)
        if wait:
            assert bucket.take(amount, now + wait * 1.001 + 1e-6) == 0
            now += wait * 1.001 + 1e-6
        given_out, largest = given_out + amount, max(largest, amount)
    assert given_out <= burst + rate * (now - 100.0) + largest + 1e-3
