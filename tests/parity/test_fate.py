"""What becomes of a message that found no twin."""

import pytest

from bridge.parity.fate import Fate
from bridge.parity.finding import Kind
from bridge.parity.item import Item, State
from bridge.parity.lane import Lane
from bridge.parity.ledger import LEFT, RIGHT, Ledger
from bridge.parity.observation import Observation, Side, Turn
from bridge.parity.options import CompareOptions
from bridge.parity.repeats import Repeats
from bridge.parity.shape import Shapes
from tests.parity.talk import CHANNEL, item, new, old, reader, task, turn


class Scene:
    """Both sides of a channel whose stream began with one common message, at 0 s."""

    def __init__(self, **options: object) -> None:
        made = CompareOptions(**options)  # type: ignore[arg-type]
        reading = reader(made)
        self.ledger = Ledger(made, reading, Shapes(5.0), 10.0)
        self.repeats = Repeats(30.0, 1000, 10.0)
        self.lanes = Lane(), Lane()
        self.fate = Fate(CHANNEL, self.lanes, self.ledger, reading, self.repeats, made)
        self.common("first", 0.0)

    def common(self, data: str, at: float) -> None:
        """Both sides say the same."""
        left, right = self.lanes[LEFT].add(old(data, at)), self.lanes[RIGHT].add(new(data, at))
        self.repeats.add(left, right)
        self.ledger.same(left, right)
        for lane, each, other in zip(self.lanes, (left, right), self.lanes[::-1], strict=True):
            lane.take_out(each)
            each.state = State.PAIRED
            if lane.first_common < 0:
                lane.first_common, other.opening = each.seq, each.seq
            lane.last_common, other.closing = each.seq, each.seq

    def alone(self, seen: Observation) -> Item:
        """One side says something that found no twin, and no twin is expected any more."""
        lane = self.lanes[seen.side is Side.CANDIDATE]
        made = lane.add(seen)
        lane.age(made)
        return made

    def kinds(self) -> list[Kind]:
        self.fate.confirm()
        return [leaf.kind for leaf in self.ledger.tally.entries]


@pytest.mark.parametrize(("side", "kind"), [(LEFT, Kind.MISSING), (RIGHT, Kind.EXTRA)])
def test_one_side_alone_said_it(side: int, kind: Kind) -> None:
    scene = Scene()
    lonely = scene.alone(old("a", 1.0) if side == LEFT else new("a", 1.0))
    scene.common("last", 2.0)
    assert scene.fate.decide(side, lonely)
    assert scene.kinds() == [kind]


def test_before_the_first_common_message_it_is_outside() -> None:
    scene = Scene()
    scene.lanes[LEFT].first_common = 2
    assert scene.fate.decide(LEFT, scene.alone(old("a", 0.0)))
    assert (scene.ledger.outside, scene.kinds()) == (1, [])


def test_before_the_other_stream_began_it_is_outside() -> None:
    scene = Scene()
    scene.lanes[RIGHT].began = 5.0
    lonely = scene.alone(old("a", 4.0))
    scene.common("last", 9.0)
    assert scene.fate.decide(LEFT, lonely)
    assert scene.ledger.outside == 1


def test_after_the_last_common_message_it_waits_for_one_more() -> None:
    scene = Scene()
    assert scene.fate.decide(LEFT, scene.alone(old("a", 1.0)))
    assert scene.ledger.tally.entries == {}
    scene.common("last", 2.0)
    assert scene.kinds() == [Kind.MISSING]


def test_where_no_more_comes_it_is_outside() -> None:
    scene = Scene()
    scene.fate.decide(LEFT, scene.alone(old("a", 1.0)))
    assert scene.fate.close() == 1
    assert (scene.ledger.outside, scene.kinds()) == (1, [])
    assert scene.fate.decide(RIGHT, scene.alone(new("b", 1.0)), closing=True)
    assert scene.ledger.outside == 2


def test_what_the_other_side_could_not_have_said_by_its_end_is_outside() -> None:
    scene = Scene()
    lonely = scene.alone(old("a", 9.0))
    scene.common("last", 1.0)
    scene.lanes[RIGHT].clock = 8.0
    assert scene.fate.decide(LEFT, lonely, closing=True)
    assert scene.ledger.outside == 1


def test_said_again_after_a_reconnect_it_is_allowed() -> None:
    scene = Scene()
    again = scene.alone(new("first", 1.0, connection=1))
    assert scene.fate.is_repetition(RIGHT, again)
    assert scene.fate.decide(RIGHT, again)
    assert (scene.ledger.repeated, again.repeated, scene.kinds()) == (1, True, [])


def test_said_again_without_a_reason_it_is_a_duplicate_that_nothing_revises() -> None:
    scene = Scene()
    again = scene.alone(new("first", 1.0))
    scene.common("last", 2.0)
    assert scene.fate.is_repetition(RIGHT, again)
    assert not scene.fate.is_repetition(RIGHT, scene.alone(new("b", 1.0)))
    assert not scene.fate.decide(RIGHT, again)
    assert scene.kinds() == [Kind.DUPLICATED]


def test_around_a_lost_connection_the_reason_is_named() -> None:
    scene = Scene()
    scene.lanes[RIGHT].mark(turn(Side.CANDIDATE, 0.5, Turn.LOST, reason="reset"))
    scene.lanes[RIGHT].mark(turn(Side.CANDIDATE, 1.5, Turn.OPENED, 1))
    lonely = scene.alone(old("a", 1.0))
    scene.common("last", 6.0)
    scene.fate.decide(LEFT, lonely)
    scene.fate.confirm()
    assert [leaf.reason for leaf in scene.ledger.tally.entries] == ["reset"]


def coalesced(first: str, second: str, at: float = 1.5, *, paired: bool = True) -> list[Kind]:
    """What an older state is when a newer one follows, whose twin was found."""
    scene = Scene()
    older = scene.alone(old(first, 1.0))
    newer = scene.lanes[LEFT].add(old(second, at))
    scene.fate.note_successor(LEFT, older)
    newer.twin = item(new(second)) if paired else None
    scene.common("last", 3.0)
    scene.fate.decide(LEFT, older)
    return scene.kinds()


def test_a_newer_state_stands_for_an_older_one() -> None:
    assert coalesced(task("a", n=1), task("a", n=2)) == [Kind.COALESCED]


@pytest.mark.parametrize(
    ("first", "second", "at"),
    [
        (task("a", n=1), task("a", n=2), 2.5),
        (task("a", n=1), task("b", n=2), 1.5),
        (task("a", n=1), task("a", m=2), 1.5),
        ('{"type":"chat","object":{"text":"a"}}', '{"type":"chat","object":{"text":"b"}}', 1.5),
        ("1", "2", 1.5),
    ],
    ids=["too late", "another entity", "other members", "texts follow one another", "no object"],
)
def test_nothing_else_does(first: str, second: str, at: float) -> None:
    assert coalesced(first, second, at) == [Kind.MISSING]


def test_numbers_of_one_type_are_a_state_without_an_id() -> None:
    load = '{{"type":"load","object":{{"cpu":{}}}}}'
    assert coalesced(load.format(1), load.format(2)) == [Kind.COALESCED]


def test_a_newer_state_that_is_missing_itself_stands_for_nothing() -> None:
    assert coalesced(task("a", n=1), task("a", n=2), paired=False) == [Kind.MISSING]


@pytest.mark.parametrize("side", [LEFT, RIGHT])
def test_what_an_open_connection_of_the_candidate_leaves_out_for_a_window_is_missing(
    side: int,
) -> None:
    scene = Scene()
    scene.fate.decide(side, scene.alone(old("a", 1.0) if side == LEFT else new("a", 1.0)))
    scene.lanes[1 - side].clock = 11.0
    assert scene.fate.close() == (0 if side == LEFT else 1)
    assert scene.kinds() == ([Kind.MISSING] if side == LEFT else [])


@pytest.mark.parametrize("why", ["too early", "lost", "torn", "two clocks", "another tap"])
def test_no_other_silence_proves_anything(why: str) -> None:
    scene = Scene(clocks="two" if why == "two clocks" else "one")
    scene.fate.decide(LEFT, scene.alone(old("a", 1.0)))
    if why in ("lost", "torn"):
        scene.lanes[RIGHT].mark(turn(Side.CANDIDATE, 5.0, Turn.LOST))
    if why == "torn":
        scene.lanes[RIGHT].mark(turn(Side.CANDIDATE, 6.0, Turn.OPENED, 1))
    scene.ledger.trusts_silence &= why != "another tap"
    scene.lanes[RIGHT].clock = 10.9 if why == "too early" else 99.0
    assert scene.fate.close() == 1
    assert scene.kinds() == []
