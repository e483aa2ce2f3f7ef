"""The windowed join of one channel."""

from collections.abc import Sequence
from random import Random

import pytest

from bridge.parity.finding import Kind
from bridge.parity.join import Join
from bridge.parity.ledger import LEFT, RIGHT, Ledger
from bridge.parity.observation import Observation, Side, Turn
from bridge.parity.options import CompareOptions
from bridge.parity.shape import Shapes
from bridge.parity.tally import SAME
from tests.parity.talk import CHANNEL, new, old, reader, task, turn


class Scene:
    """A join with its account."""

    def __init__(self, **options: object) -> None:
        made = CompareOptions(**options)  # type: ignore[arg-type]
        self.reading = reader(made)
        self.ledger = Ledger(made, self.reading, Shapes(5.0), made.window)
        self.join = Join(CHANNEL, made, self.reading, self.ledger)

    def take(self, *said: Observation) -> None:
        for seen in said:
            self.join.take(RIGHT if seen.side is Side.CANDIDATE else LEFT, seen)

    def both(self, *texts: str, at: float = 0.0) -> None:
        for place, text in enumerate(texts):
            self.take(old(text, at + place), new(text, at + place + 0.02))

    def close(self) -> dict[Kind, int]:
        self.join.close()
        return dict(self.ledger.tally.by_kind())

    def waiting(self) -> Sequence[int]:
        return [len(lane.open) for lane in self.join.lanes]


def test_twins_meet_at_once_and_leave_nothing_behind() -> None:
    scene = Scene()
    scene.both(*(task(n) for n in range(2000)))
    assert scene.waiting() == [0, 0]
    assert max(len(lane.items) for lane in scene.join.lanes) < 600
    assert scene.join.proven == 2000


def test_what_is_proven_is_as_far_as_both_digests_agree() -> None:
    scene = Scene()
    scene.both("a", "b")
    scene.take(old("c", 2.0))
    assert (scene.join.proven, scene.join.digests[LEFT].count) == (2, 3)


def test_an_altered_message_is_paired_once_it_waited() -> None:
    scene = Scene()
    scene.both("a", "b")
    scene.take(old(task("x", n=1, m=1), 2.0), new(task("x", n=2, m=1), 2.1))
    assert scene.waiting() == [1, 1]
    scene.both("c", "d", at=3.0)
    scene.join.advance((20.0, 20.0))
    assert scene.waiting() == [0, 0]
    assert scene.close() == {Kind.ALTERED: 1}


def test_a_missing_message_is_revised_by_its_late_twin() -> None:
    scene = Scene()
    scene.both("a", "b")
    scene.take(old(task("x"), 2.0))
    scene.both("c", "d", at=3.0)
    scene.join.advance((20.0, 20.0))
    assert dict(scene.ledger.tally.by_kind()) == {Kind.MISSING: 1}
    scene.take(new(task("x"), 25.0))
    scene.both("e", "f", at=26.0)
    assert scene.close() == {Kind.LATE: 1}


def test_after_the_recall_nothing_revises_a_missing_message() -> None:
    scene = Scene()
    scene.both("a", "b")
    scene.take(old(task("x"), 2.0))
    scene.both("c", "d", at=3.0)
    scene.join.advance((20.0, 20.0))
    scene.both("e", at=60.0)
    scene.join.advance((50.0, 50.0))
    scene.take(new(task("x"), 61.0))
    scene.both("f", "g", at=62.0)
    assert scene.close() == {Kind.MISSING: 1, Kind.EXTRA: 1}


def test_a_place_that_always_differs_is_learned_and_left_out_of_keys() -> None:
    scene = Scene()
    for n in range(40):
        body = {"n": n, "m": n, "o": n}
        scene.take(
            old(task(n % 3, **body, at=f"10:{n}"), n * 0.1),
            new(task(n % 3, **body, at=f"11:{n}"), n * 0.1 + 0.02),
        )
    assert scene.reading.volatile.holds("task", "$.object.at")
    assert scene.waiting() == [0, 0]
    assert scene.close() == {Kind.ALTERED: 40}


def test_a_replay_after_a_reconnect_is_set_aside_at_once() -> None:
    scene = Scene()
    scene.both("a", "b", "c")
    scene.join.mark(RIGHT, turn(Side.CANDIDATE, 3.0, Turn.LOST))
    scene.join.mark(RIGHT, turn(Side.CANDIDATE, 3.1, Turn.OPENED, 1))
    scene.take(new("b", 3.2, connection=1), new("c", 3.3, connection=1))
    assert (scene.waiting(), scene.ledger.repeated) == ([0, 0], 2)
    scene.take(old("d", 4.0), new("d", 4.1, connection=1))
    assert scene.close() == {}


def test_a_replay_of_what_still_waits_is_set_aside_too() -> None:
    scene = Scene()
    scene.both("a", "b")
    scene.take(new("tick", 2.0), new("c", 2.1))
    scene.join.mark(RIGHT, turn(Side.CANDIDATE, 2.2, Turn.OPENED, 1))
    scene.take(new("tick", 2.3, connection=1), new("c", 2.4, connection=1))
    assert (scene.waiting(), scene.ledger.repeated) == ([0, 2], 2)
    scene.take(old("tick", 3.0), old("c", 3.1), old("d", 4.0), new("d", 4.1, connection=1))
    assert scene.close() == {}


def test_a_replay_that_was_none_finds_its_twin_after_all() -> None:
    scene = Scene()
    scene.both("a", "b", "tick")
    scene.join.mark(RIGHT, turn(Side.CANDIDATE, 3.0, Turn.OPENED, 1))
    scene.take(new("tick", 3.2, connection=1), old("tick", 3.3))
    scene.take(old("c", 5.0), new("c", 5.1, connection=1))
    assert scene.close() == {}
    assert scene.ledger.repeated == 0


def test_the_window_is_bounded_by_messages_too() -> None:
    scene = Scene(max_pending=100)
    scene.both("a")
    for n in range(5000):
        scene.take(old(task(n), 1.0))
    lane = scene.join.lanes[LEFT]
    assert len(lane.open) <= 101
    scene.join.advance((0.0, 0.0))
    assert len(lane.open) + len(lane.aged) <= 5000
    for n in range(5000):
        scene.take(old(task(n), 30.0))
        if n % 500 == 0:
            scene.join.advance((20.0, 20.0))
    assert len(lane.singles) <= 1100


def test_ids_that_differ_by_nature_are_learned_and_paired_in_hindsight() -> None:
    scene = Scene()
    for n in range(60):
        at = n * 1.0
        scene.take(old(task(f"a{n}", n=n, m=n), at), new(task(f"b{n}", n=n, m=n), at + 0.02))
        scene.join.advance((at - 10, at - 10))
    assert scene.close() == {Kind.ALTERED: 60}


@pytest.mark.parametrize("ids", [True, False])
def test_wire_ids_tell_equal_texts_apart_once_they_are_known_to_agree(ids: bool) -> None:
    scene = Scene()
    names = [str(n) if ids else "" for n in range(6)]
    for n in range(4):
        scene.take(old("tick", float(n), id=names[n]), new("tick", n + 0.1, id=names[n]))
    scene.take(old("tick", 4.0, id=names[4]), new("tick", 4.1, id=names[5]))
    assert scene.waiting() == ([1, 1] if ids else [0, 0])
    assert scene.ledger.tally.pairs[SAME] == (4 if ids else 5)


def test_words_that_recur_meet_their_own_twins_where_a_side_begins_later() -> None:
    scene, chance = Scene(), Random(1)
    said = [(chance.choice("abcdefghijkl"), n * 0.05) for n in range(300)]
    sights = [new(text, at) for text, at in said]
    sights += [old(text, at + 0.02) for text, at in said if at >= 4]
    scene.take(*sorted(sights, key=lambda seen: seen.at))
    assert scene.waiting() == [0, 80]
    assert scene.ledger.lags.low == pytest.approx(-0.02)
    assert scene.ledger.lags.high == pytest.approx(-0.02)
    assert scene.close() == {}


def test_what_is_held_ages_no_sooner_than_it_is_let_go() -> None:
    scene = Scene()
    scene.take(*(old("tick", float(n)) for n in range(5)), *[new("tick", 8.0)] * 4)
    scene.join.advance((2.0, 2.0))
    assert (scene.join.waiting, scene.waiting()) == (9, [5, 0])
    scene.take(new("tick", 9.0))
    scene.join.advance((3.0, 3.0))
    assert scene.join.waiting == 0
    assert scene.close() == {}
