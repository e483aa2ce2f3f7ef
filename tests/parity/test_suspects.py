"""What keys should leave out, learned from messages that have no twin though it should be there."""

import pytest

from bridge.parity.diagonal import Shift
from bridge.parity.item import Item, State
from bridge.parity.lane import Lane
from bridge.parity.ledger import LEFT, RIGHT, Ledger
from bridge.parity.observation import Observation, Side
from bridge.parity.options import CompareOptions
from bridge.parity.shape import Shapes
from bridge.parity.suspects import Suspects
from bridge.parity.twins import Twins
from tests.parity.talk import new, old, reader, task

SENT = "$.object.at"


class Scene:
    """Two lanes, and what is suspected about them."""

    def __init__(self) -> None:
        options = CompareOptions()
        self.reading = reader(options)
        self.lanes = (Lane(), Lane())
        self.twins = Twins(options, self.reading, Ledger(options, self.reading, Shapes(5.0), 10.0))
        self.suspects = Suspects(self.lanes, self.reading, self.twins, options)

    def say(self, seen: Observation, *, suspect: bool = True) -> Item:
        side = RIGHT if seen.side is Side.CANDIDATE else LEFT
        item = self.lanes[side].add(seen)
        if suspect:
            self.suspects.add(side, item)
            self.suspects.judge(side)
        return item

    def volatile(self, *names: str) -> list[bool]:
        return [self.reading.volatile.holds("task", f"$.object.{name}") for name in names]


def stamped(number: int, second: int) -> str:
    """The next state of the one task there is, and when it was sent."""
    return task("one", step=number, note=f"step {number}", at=second)


def test_what_always_differs_between_likely_twins_is_left_out() -> None:
    scene = Scene()
    for n in range(20):
        scene.say(old(stamped(n, 100 + n), n * 0.5), suspect=False)
        scene.say(new(stamped(n, 200 + n), n * 0.5 + 0.02))
    assert scene.volatile("at", "step", "note") == [True, False, False]


@pytest.mark.parametrize("before", [3, 100])
def test_likely_is_what_has_most_in_common_even_where_a_side_began_later(before: int) -> None:
    scene = Scene()
    for n in range(before + 40):
        scene.say(new(stamped(n, 200 + n), n * 0.05), suspect=False)
        if n >= before:
            scene.say(old(stamped(n, 100 + n), n * 0.05 + 0.02))
    assert scene.volatile("at", "step", "note") == [True, False, False]


def test_who_finds_a_twin_in_time_is_no_suspect() -> None:
    scene = Scene()
    for n in range(50):
        scene.say(new(task("one", step=n), n * 0.01), suspect=False)
    for n in range(50, 90):
        item = scene.say(old(task("one", step=n), n * 0.01))
        item.state = State.PAIRED
        scene.say(new(task("one", step=n), n * 0.01 + 0.2), suspect=False)
    assert scene.volatile("step") == [False]


def test_what_has_little_in_common_teaches_nothing() -> None:
    scene = Scene()
    for n in range(20):
        scene.say(old(task("one", a=n, b=n, c=n, d=n, e=n), n * 0.5), suspect=False)
        scene.say(new(task("one", a=-n, b=-n, c=-n, d=-n, e=-n), n * 0.5 + 0.02))
    assert scene.reading.volatile.count == 0


def test_what_the_other_side_said_before_its_stream_began_teaches_nothing() -> None:
    scene = Scene()
    scene.twins.expect(Shift(1.5, 1.5, 1.5))
    for n in range(30):
        scene.say(new(task("one", step=n), 4.0 + n * 0.04))
        scene.say(old(task("one", step=n + 40), 4.0 + n * 0.04), suspect=False)
    scene.say(new(task("one", step=39), 5.49))
    assert scene.volatile("step") == [False]
