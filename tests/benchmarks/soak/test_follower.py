"""The sequence check of the soak: each way of going wrong is counted as what it is."""

import pytest

from benchmarks.soak.follower import Account, Follower


def _sse(*numbers: int) -> Account:
    """A client by SSE, each of whose events has its place."""
    account = Account()
    follower = Follower(account)
    for number in numbers:
        follower.event(number)
        follower.at(f"e-{number}")
    return account


@pytest.mark.parametrize(
    ("numbers", "expected"),
    [
        ((5, 6, 7), Account(delivered=3)),
        ((5, 8), Account(delivered=2, lost=2)),
        ((5, 5), Account(delivered=2, doubled=1)),
        ((5, 6, 5), Account(delivered=3, reordered=1)),
    ],
)
def test_each_fault_is_counted(numbers: tuple[int, ...], expected: Account) -> None:
    assert _sse(*numbers) == expected


def test_what_comes_again_after_the_cursor_is_known() -> None:
    account = Account()
    follower = Follower(account)
    follower.at("e-0")
    for number in (1, 2):
        follower.event(number)
    follower.resumed()
    for number in (1, 2, 3):
        follower.event(number)
    follower.at("e-3")
    follower.resumed()
    follower.event(4)
    assert account == Account(delivered=4)


def test_a_cursor_in_the_middle_of_what_comes_again_leaves_the_rest_known() -> None:
    account = Account()
    follower = Follower(account)
    follower.at("e-0")
    for number in (1, 2, 3):
        follower.event(number)
    follower.resumed()
    follower.event(1)
    follower.at("e-1")
    follower.resumed()
    for number in (2, 3, 4):
        follower.event(number)
    assert account == Account(delivered=4)


def test_a_repetition_that_the_cursor_does_not_explain_is_doubled() -> None:
    account = Account()
    follower = Follower(account)
    follower.event(1)
    follower.at("e-1")
    follower.resumed()
    follower.event(1)
    assert account.doubled == 1


def test_without_a_cursor_a_client_begins_anew() -> None:
    account = Account()
    follower = Follower(account)
    follower.event(1)
    follower.resumed()
    follower.event(9)
    assert account == Account(delivered=2)


def test_an_announced_hole_is_a_loss_all_the_same() -> None:
    account = Account()
    follower = Follower(account)
    follower.event(1)
    follower.gap("f-0")
    follower.event(4)
    assert (account.gaps, account.lost, follower.place) == (1, 2, "f-0")
