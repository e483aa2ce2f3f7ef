"""The order of twins, judged as stretches of the streams pass."""

from collections.abc import Sequence
from typing import Any

import pytest

from bridge.parity.finding import Kind
from bridge.parity.item import Item, State
from bridge.parity.lane import Lane
from bridge.parity.ledger import Ledger
from bridge.parity.options import CompareOptions
from bridge.parity.residue import Pair
from bridge.parity.sequence import displaced
from bridge.parity.shape import Shapes
from bridge.parity.stretches import Stretches
from tests.parity.talk import CHANNEL, new, old, reader, task

FAR = float("inf")


class Scene:
    """Two lanes with their twins, and whoever judges their order."""

    def __init__(self, disorder: float = 2.0) -> None:
        options, reading = CompareOptions(), reader()
        self.left, self.right = Lane(), Lane()
        self.ledger = Ledger(options, reading, Shapes(5.0), 10.0)
        self.stretches = Stretches(
            CHANNEL, (self.left, self.right), self.ledger, reading, disorder, 10.0
        )

    def say(self, *texts: str, left: bool) -> list[Item]:
        lane, said = (self.left, old) if left else (self.right, new)
        return [lane.add(said(text, float(lane.count))) for text in texts]

    def pair(self, one: Item, other: Item) -> None:
        self.left.take_out(one)
        self.right.take_out(other)
        one.twin, other.twin = other, one
        one.state = other.state = State.PAIRED
        self.ledger.same(one, other)

    def moved(self) -> int:
        return self.ledger.tally.by_kind().get(Kind.REORDERED, 0)


def test_a_stretch_in_order_is_let_go_of() -> None:
    scene = Scene()
    left, right = scene.say("a", "b", left=True), scene.say("a", "b", left=False)
    for one, other in zip(left, right, strict=True):
        scene.pair(one, other)
    scene.stretches.judge((FAR, FAR))
    assert (scene.left.first(), scene.right.first(), scene.moved()) == (None, None, 0)


def test_twins_of_one_entity_out_of_order_are_named() -> None:
    scene = Scene()
    left = scene.say(task("a", n=1), task("a", n=2), task("a", n=3), left=True)
    right = scene.say(task("a", n=3), task("a", n=1), task("a", n=2), left=False)
    for place, one in enumerate(left):
        scene.pair(one, right[(place + 1) % 3])
    scene.stretches.judge((FAR, FAR))
    assert scene.moved() == 1


def test_a_stretch_does_not_end_within_a_pair_nor_before_what_still_waits() -> None:
    scene = Scene()
    left = scene.say("a", "b", "c", left=True)
    right = scene.say("c", "x", "a", left=False)
    scene.pair(left[0], right[2])
    scene.stretches.judge((0.0, 0.0))
    assert scene.left.first() is left[0]
    scene.right.age(right[1])
    scene.pair(left[2], right[0])
    scene.stretches.judge((0.0, 0.0))
    assert scene.left.first() is left[0]
    scene.left.age(left[1])
    scene.stretches.judge((0.0, 0.0))
    assert scene.left.first() is None


def test_nothing_is_judged_before_its_time() -> None:
    scene = Scene()
    one, other = scene.say("a", left=True)[0], scene.say("a", left=False)[0]
    scene.pair(one, other)
    scene.stretches.judge((-1.0, -1.0))
    assert scene.left.first() is one


def test_repeats_that_were_told_apart_wrongly_are_paired_anew() -> None:
    scene = Scene()
    left = scene.say(task("a"), task("b"), left=True)
    right = scene.say(task("a"), task("b"), task("a"), left=False)
    scene.pair(left[0], right[2])
    scene.pair(left[1], right[1])
    scene.right.age(right[0])
    right[2].seen, right[0].seen = new(task("a"), 99.0), new(task("a"), 0.0)
    scene.stretches.judge((FAR, FAR))
    assert scene.moved() == 0
    assert left[0].twin is right[0]
    assert (right[2].state, right[2].twin) == (State.AGED, None)


def tangled(count: int) -> list[int]:
    """An order in which nobody is far from its place, and no stretch holds all its twins."""
    return [each + 2 if each % 2 == 0 else max(0, each - 2) for each in range(count)]


def judged(order: list[int]) -> Scene:
    """A message a second on either side, about something else each, in this order on the right."""
    scene = Scene(disorder=6.0)
    rights = [scene.right.add(new(task(n), float(n))) for n in range(max(order) + 1)]
    for number, place in enumerate(order):
        scene.pair(scene.left.add(old(task(number), float(number))), rights[place])
    for limit in range(0, len(order), 5):
        scene.stretches.judge((float(limit), float(limit)))
    return scene


def test_a_disorder_without_a_pause_is_judged_and_let_go_of_all_the_same() -> None:
    scene = judged(tangled(300))
    assert len(scene.left.items) - scene.left.head < 60
    assert scene.moved() == 0


@pytest.mark.parametrize("place", range(80, 120, 3))
def test_one_that_moved_far_in_such_a_disorder_is_named_once(place: int) -> None:
    order = tangled(300)
    order.insert(place + 12, order.pop(place))
    assert judged(order).moved() == 1


def test_the_attempts_to_repair_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    scene, tried = Scene(), list[int]()
    left = scene.say(*(task("a", n=n % 2) for n in range(200)), left=True)
    right = scene.say(*(task("a", n=n % 2) for n in range(1, 601)), left=False)
    for place, one in enumerate(left):
        scene.pair(one, right[399 - place])

    def counted(pairs: Sequence[Pair], *more: Any) -> list[Pair]:
        tried.append(len(pairs))
        return displaced(pairs, *more)

    monkeypatch.setattr("bridge.parity.stretches.displaced", counted)
    monkeypatch.setattr("bridge.parity.stretches.uncrossed", list)
    monkeypatch.setattr("bridge.parity.stretches._LOOKED_AT", 4000)
    for item in right:
        if item.state is State.OPEN:
            scene.right.age(item)
    scene.stretches.judge((FAR, FAR))
    assert len(tried) <= 4000 / 200 + 2
