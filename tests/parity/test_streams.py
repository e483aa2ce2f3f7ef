"""All channels of two sides, and the time by which their messages waited long enough."""

import pytest

from bridge.parity.finding import Kind
from bridge.parity.ledger import LEFT, RIGHT, Ledger
from bridge.parity.observation import Observation, Side, Turn
from bridge.parity.options import CompareOptions
from bridge.parity.shape import Shapes
from bridge.parity.streams import Streams
from tests.parity.talk import new, old, reader, turn


def streams(**options: object) -> Streams:
    made = CompareOptions(**options)  # type: ignore[arg-type]
    reading = reader(made)
    return Streams(made, reading, Ledger(made, reading, Shapes(5.0), made.window), made.window)


def waiting(made: Streams) -> int:
    return sum(join.waiting for join in made.joins.values())


def on(channel: str, seen: Observation) -> Observation:
    return Observation(seen.side, channel, seen.data, seen.at)


def test_channels_have_nothing_to_do_with_each_other() -> None:
    made = streams()
    made.take(LEFT, on("a", old("x", 0.0)))
    made.take(RIGHT, on("b", new("x", 0.0)))
    assert (waiting(made), sorted(made.joins)) == (2, ["a", "b"])
    made.take(RIGHT, on("a", new("x", 0.1)))
    assert waiting(made) == 1
    assert made.join("a") is made.joins["a"]


def test_time_passes_with_what_arrives_on_any_channel() -> None:
    made = streams()
    made.take(LEFT, on("a", old("x", 0.0)))
    made.take(LEFT, on("b", old("y", 12.0)))
    assert waiting(made) == 1


def test_time_passes_without_a_word() -> None:
    made = streams()
    made.take(LEFT, old("x", 0.0))
    made.advance(5.0)
    assert waiting(made) == 1
    made.advance(12.0)
    assert waiting(made) == 0


def test_two_clocks_have_no_time_of_their_own_and_wait_for_pairs() -> None:
    made = streams(clocks="two")
    made.take(LEFT, old("lonely", 0.0))
    made.advance(1000.0)
    made.take(RIGHT, new("other", 1000.0))
    assert waiting(made) == 2


def test_two_clocks_pass_together_once_their_offset_is_known() -> None:
    made = streams(clocks="two")
    for at in range(40):
        made.take(LEFT, old(str(at), float(at)))
        made.take(RIGHT, new(str(at), at + 1000.0))
        if at == 10:
            made.take(LEFT, old("lonely", 10.5))
    assert made.ledger.offset == 1000
    assert waiting(made) == 0
    made.close()
    assert [leaf.kind for leaf in made.ledger.tally.entries] == [Kind.MISSING]


def test_what_comes_after_the_other_side_s_last_word_is_the_tail() -> None:
    made = streams()
    for at in range(5):
        made.take(LEFT, old(str(at), float(at)))
        made.take(RIGHT, new(str(at), float(at)))
    for at in range(5, 30):
        made.take(LEFT, old(str(at), float(at)))
    made.close()
    assert made.tail + made.ledger.outside >= 25
    assert made.tail > 0
    assert made.ledger.tally.entries == {}


@pytest.mark.parametrize("clocks", ["one", "two"])
def test_a_mark_of_an_unknown_channel_opens_it(clocks: str) -> None:
    made = streams(clocks=clocks)
    made.mark(RIGHT, turn(Side.CANDIDATE, 3.0, Turn.OPENED))
    assert [lane.began for join in made.joins.values() for lane in join.lanes] == [None, 3.0]
    made.close()
