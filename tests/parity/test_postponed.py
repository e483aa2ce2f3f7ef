"""Messages that wait for a better twin than the one there is."""

from bridge.parity.diagonal import Shift
from bridge.parity.ledger import LEFT, RIGHT
from bridge.parity.postponed import Postponed
from tests.parity.talk import lane, new, old
from tests.parity.test_twins import twins

LAG = Shift(1.5, 1.5, 1.5)


def test_who_has_a_twin_at_the_usual_time_does_not_wait() -> None:
    left, right, found = lane(old("a", 0.0)), lane(new("a", 1.5)), twins()
    found.expect(LAG)
    waiting = Postponed((left, right), found, one_clock=True)
    assert not waiting.add(RIGHT, right.items[0], left.items[0])


def test_nobody_waits_while_no_lag_is_known() -> None:
    left, right = lane(old("a", 9.0)), lane(new("a", 0.0))
    waiting = Postponed((left, right), twins(), one_clock=True)
    assert not waiting.add(LEFT, left.items[0], right.items[0])


def test_a_message_waits_until_its_own_twin_would_have_come() -> None:
    left, right, found = lane(old("a", 4.0)), lane(new("a", 1.0)), twins()
    found.expect(LAG)
    waiting = Postponed((left, right), found, one_clock=True)
    assert waiting.add(LEFT, left.items[0], right.items[0])
    assert (waiting.count, list(waiting.due())) == (1, [])
    right.add(new("b", 5.6))
    assert list(waiting.due()) == [(LEFT, left.items[0])]
    assert waiting.count == 0


def test_a_message_waits_for_the_sake_of_its_twin_too() -> None:
    left, right, found = lane(old("a", 4.5)), lane(new("a", 4.6)), twins()
    found.expect(LAG)
    waiting = Postponed((left, right), found, one_clock=False)
    assert waiting.add(RIGHT, right.items[0], left.items[0])
    left.add(old("b", 9.0))
    assert list(waiting.due()) == []
    right.add(new("b", 6.1))
    assert list(waiting.due()) == [(RIGHT, right.items[0])]


def test_at_the_end_nobody_waits() -> None:
    left, right, found = lane(old("a", 4.0)), lane(new("a", 1.0)), twins()
    found.expect(LAG)
    waiting = Postponed((left, right), found, one_clock=True)
    waiting.add(LEFT, left.items[0], right.items[0])
    assert list(waiting.due(all_of_them=True)) == [(LEFT, left.items[0])]
