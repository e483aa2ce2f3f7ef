"""One side of a channel: what waits, what is next, and where its stream tears."""

from hypothesis import given
from hypothesis import strategies as st

from bridge.parity.item import Item, State
from bridge.parity.lane import Lane
from bridge.parity.observation import Side, Turn
from tests.parity.talk import lane, old, turn

LEGACY = Side.LEGACY


def hole(made: Lane, at: float, margin: float = 0.0) -> str:
    return made.hole(at, at, margin)


def texts(items: list[Item]) -> list[tuple[str | bytes, int]]:
    return [(each.seen.data, each.seq) for each in items]


def test_what_arrives_waits_in_its_order() -> None:
    made = lane(old("a", 1.0), old("b", 3.0), old("c", 2.0))
    assert [each.seen.data for each in made.open.values()] == ["a", "b", "c"]
    assert (made.count, made.began, made.clock, made.last_at) == (3, 1.0, 3.0, 2.0)


def test_the_next_one_expected_follows_the_one_taken_out_last() -> None:
    made = lane(*(old(name) for name in "abcd"))
    made.take_out(made.items[1])
    made.items[1].state = State.PAIRED
    assert made.expected() is made.items[2]
    made.age(made.items[2])
    assert made.expected() is made.items[3]
    assert lane().expected() is None


def test_texts_are_found_oldest_first_until_they_have_a_twin() -> None:
    made = lane(old("a"), old("b"), old("a"))
    assert texts(made.by_text("a")) == [("a", 0), ("a", 2)]
    made.take_out(made.items[0])
    made.items[0].state = State.PAIRED
    made.add(old("a"))
    assert texts(made.by_text("a")) == [("a", 2), ("a", 3)]
    assert made.by_text("z") == []


def test_digests_are_read_once_and_anew_after_a_new_key() -> None:
    made = lane(old("a"), old("b"))
    asked: list[str | bytes] = []

    def read(item: Item) -> bytes:
        asked.append(item.seen.data)
        item.digest = item.digest or b"key"
        return item.digest

    assert len(made.by_digest(b"key", read)) == 2
    assert len(made.by_digest(b"key", read)) == 2
    assert asked == ["a", "b"]
    made.rekey()
    assert made.items[0].digest is None
    assert len(made.by_digest(b"key", read)) == 2
    made.take_out(made.items[0])
    assert texts(made.by_digest(b"key", read)) == [("b", 1)]


def test_a_message_goes_from_waiting_to_settled_and_out() -> None:
    made = lane(old("a"), old("b"))
    first, second = made.items
    made.age(first)
    assert (list(made.open), list(made.aged), first.state) == ([1], [0], State.AGED)
    made.settle(first)
    assert (list(made.aged), list(made.singles), first.state) == ([], [0], State.SINGLE)
    assert texts(made.by_text("a")) == [("a", 0)]
    made.take_out(first)
    assert made.singles == {}
    made.set_aside(second)
    assert (list(made.singles), made.open) == ([1], {})


def test_a_message_that_lost_its_twin_can_be_found_again() -> None:
    made = lane(old("a"), old("b"))
    first = made.items[0]
    made.by_text("a")
    made.take_out(first)
    first.state = State.PAIRED
    assert made.by_text("a") == []
    made.release(first)
    assert (first.state, first.twin) == (State.AGED, None)
    assert made.by_text("a") == [first]


@given(st.lists(st.booleans(), max_size=700))
def test_items_that_are_done_are_let_go_of(done: list[bool]) -> None:
    made = Lane()
    for is_done in done:
        item = made.add(old("a"))
        if is_done:
            made.take_out(item)
            item.state = State.DONE
        else:
            made.first()
            made.drop(len(made.items) - made.head)
    assert len(made.items) - made.head <= len(done)
    assert len(made.items) <= 2 * 256 + 1 or made.head * 2 <= len(made.items)
    assert made.base + len(made.items) == made.count


def test_what_is_beyond_the_head_is_found_by_its_text_all_the_same() -> None:
    made = lane(*(old(str(each)) for each in range(600)))
    for item in list(made.items):
        if item.seq != 5:
            made.take_out(item)
            item.state = State.DONE
    made.age(made.items[5])
    made.settle(made.items[5])
    assert made.first() is None
    made.drop(0)
    assert made.base > 5
    assert texts(made.by_text("5")) == [("5", 5)]


def test_a_lane_knows_what_an_earlier_connection_said_without_a_twin() -> None:
    made = lane(old("a", id="7"), old("b"), old("b"))
    assert not made.repeats(made.items[2])
    assert made.repeats(made.add(old("b", connection=1)))
    assert made.repeats(made.add(old("a", id="7", connection=1)))
    assert not made.repeats(made.add(old("a", id="8", connection=1)))


def test_those_that_follow_within_a_time() -> None:
    made = lane(old("a", 0), old("b", 0.5), old("c", 1.0), old("d", 1.1))
    assert [each.seen.data for each in made.following(made.items[0], 1.0)] == ["b", "c"]
    assert list(made.following(made.items[3], 1.0)) == []


def test_a_lost_connection_tears_the_stream_until_the_next_one_opens() -> None:
    made = lane(old("a", 1.0))
    made.mark(turn(LEGACY, 2.0, Turn.LOST, 0, "reset"))
    made.mark(turn(LEGACY, 2.5, Turn.LOST, 0, "again"))
    assert (hole(made, 9.0), hole(made, 1.1), hole(made, 1.0)) == ("reset", "reset", "")
    made.mark(turn(LEGACY, 4.0, Turn.OPENED, 1))
    assert (hole(made, 4.4, 0.5), hole(made, 4.6, 0.5)) == ("reset", "")
    assert made.hole(0.5, 1.5, 0.0) == made.hole(4.4, 9.0, 0.5) == "reset"
    assert made.hole(0.5, 1.0, 0.5) == ""
    made.add(old("b", 4.8, connection=1))
    made.mark(turn(LEGACY, 5.0, Turn.LOST, 1))
    assert (hole(made, 4.8), hole(made, 4.9)) == ("", "the connection was lost")


def test_a_new_connection_without_a_mark_tears_it_from_the_last_word() -> None:
    made = lane(old("a", 1.0), old("b", 6.0, connection=1))
    assert (hole(made, 3.0), hole(made, 0.5)) == ("the connection was lost", "")
    assert made.replaying
    assert made.connections == {0: 1.0, 1: 6.0}


def test_an_announced_gap_reaches_back_to_the_last_word() -> None:
    made = lane(old("a", 1.0))
    made.mark(turn(LEGACY, 3.0, Turn.GAP, reason="dropped 4"))
    assert (hole(made, 2.0), hole(made, 3.1)) == ("dropped 4", "")
    made.mark(turn(LEGACY, 4.0, Turn.GAP))
    assert hole(made, 3.5) == "the backend announced a gap"


def test_a_stream_begins_when_its_connection_opens() -> None:
    made = lane()
    made.mark(turn(LEGACY, 2.0, Turn.OPENED))
    made.add(old("a", 5.0))
    assert (made.began, made.clock, made.replaying) == (2.0, 5.0, False)
    made.mark(turn(LEGACY, 6.0, Turn.OPENED))
    assert made.connections == {0: 2.0}


def test_holes_and_connections_are_bounded() -> None:
    made = lane(old("a", 0.0))
    for each in range(1, 400):
        made.mark(turn(LEGACY, float(each), Turn.OPENED, each))
    assert len(made.holes) == 64
    assert len(made.connections) == 256
    assert 399 in made.connections


def test_before_its_first_word_a_stream_is_torn_from_its_opening_on() -> None:
    made = Lane()
    made.mark(turn(LEGACY, 0.0, Turn.OPENED))
    made.mark(turn(LEGACY, 5.0, Turn.LOST))
    assert (hole(made, 0.0), hole(made, 1.0)) == ("", "the connection was lost")
