"""What waited long enough without a twin."""

from bridge.parity.finding import Kind
from bridge.parity.item import Item, State
from bridge.parity.ledger import LEFT, RIGHT
from tests.parity.talk import new, old, task
from tests.parity.test_join import Scene

FAR = float("inf")


def left_over(scene: Scene) -> list[Item]:
    """What is left of both sides after ten seconds more, the pairs and the rest being settled."""
    scene.join.advance((20.0, 20.0))
    return [item for lane in scene.join.lanes for item in lane.singles.values()]


def test_what_is_left_of_both_sides_is_paired_by_what_it_has_in_common() -> None:
    scene = Scene()
    scene.both("a", "b")
    scene.take(old(task("x", n=1, m=1), 2.0), new(task("x", n=2, m=1), 2.1))
    scene.both("c", at=3.0)
    assert left_over(scene) == []
    assert scene.close() == {Kind.ALTERED: 1}


def test_what_has_nothing_in_common_stays_alone_and_may_be_revised() -> None:
    scene = Scene()
    scene.both("a", "b")
    scene.take(old(task("x"), 2.0), new(task("y"), 2.1))
    scene.both("c", at=3.0)
    assert [(item.seen.data, item.state) for item in left_over(scene)] == [
        (task("x"), State.SINGLE),
        (task("y"), State.SINGLE),
    ]
    scene.take(old(task("y"), 21.0))
    scene.both("d", at=22.0)
    assert scene.close() == {Kind.MISSING: 1}


def test_before_their_time_nothing_is_settled() -> None:
    scene = Scene()
    scene.both("a", "b")
    scene.take(old(task("x"), 2.0))
    scene.both("c", at=3.0)
    scene.join.advance((3.5, 3.5))
    assert [len(scene.join.lanes[side].aged) for side in (LEFT, RIGHT)] == [1, 0]
    assert scene.ledger.tally.by_kind() == {}
