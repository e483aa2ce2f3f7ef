"""A message on its way: fresh, and in states whose order others rely on."""

from bridge.parity.item import GONE, Item, State
from bridge.parity.tally import SAME
from tests.parity.talk import old


def test_a_fresh_message_waits_and_nothing_was_read_of_it() -> None:
    made = Item(old("a", 3.0), 7)
    assert (made.state, made.seq, made.seen.at, made.signature) == (State.OPEN, 7, 3.0, SAME)
    read = (made.message, made.digest, made.entity, made.features)
    assert read == (None, None, None, None)
    assert (made.twin, made.successor, made.leaf, made.repeated) == (None, None, None, False)


def test_what_is_large_can_be_put_away() -> None:
    made = Item(old("a"), 0)
    made.features, made.digest = frozenset([("$", "1")]), b"key"
    made.put_away()
    assert made.message is None
    assert not made.features


def test_states_come_in_the_order_in_which_lanes_compare_them() -> None:
    # A lane skips at its head whatever is beyond a pair; a single one may still be alone.
    assert State.OPEN < State.PAIRED < State.AGED < State.SINGLE < State.DONE


def test_twins_that_left_do_not_hold_each_other_but_are_known_to_have_had_one() -> None:
    one, other, alone = Item(old("a"), 0), Item(old("a"), 0), Item(old("b"), 1)
    one.twin, other.twin = other, one
    one.leave()
    alone.leave()
    assert one.twin is GONE
    assert alone.twin is None
