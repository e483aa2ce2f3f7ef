"""The first messages of a channel, held until the lag is known."""

from random import Random

import pytest

from bridge.parity.lane import Lane
from bridge.parity.ledger import LEFT, RIGHT, Ledger
from bridge.parity.observation import Side, Turn
from bridge.parity.onset import Onset
from bridge.parity.options import CompareOptions
from bridge.parity.shape import Shapes
from tests.parity.talk import new, old, reader, task, turn


class Scene:
    """Two lanes, and whoever holds what comes for them."""

    def __init__(self) -> None:
        options, self.reading = CompareOptions(), reader()
        self.lanes = (Lane(), Lane())
        self.ledger = Ledger(options, self.reading, Shapes(5.0), 10.0)
        self.onset = Onset(self.lanes, self.reading, self.ledger, options)

    def tell(self, left: list[str], right: list[str], lag: float, began: float) -> None:
        """Both sides say these, the right one later by the lag, the left one from a time on."""
        sights = [old(text, n * 0.05) for n, text in enumerate(left) if n * 0.05 >= began]
        sights += [new(text, n * 0.05 + lag) for n, text in enumerate(right)]
        for seen in sorted(sights, key=lambda seen: seen.at):
            side = LEFT if seen.side is Side.LEGACY else RIGHT
            if not self.onset.holds(side, seen):
                self.lanes[side].add(seen)
            elif self.onset.is_due():
                return


def test_what_one_side_says_alone_is_not_held_nor_its_answer() -> None:
    scene = Scene()
    assert not scene.onset.holds(LEFT, old("a"))
    scene.lanes[LEFT].add(old("a"))
    assert not scene.onset.holds(RIGHT, new("a", 0.02))
    assert scene.onset.over


def test_nothing_is_held_once_other_channels_showed_the_lag() -> None:
    scene = Scene()
    for _ in range(8):
        scene.ledger.lags.add(0.3)
    scene.lanes[LEFT].add(old("a"))
    assert not scene.onset.holds(RIGHT, new("b"))
    assert scene.onset.over


@pytest.mark.parametrize("lag", [0.02, 1.5])
@pytest.mark.parametrize("noise", [False, True])
def test_the_lag_is_told_from_words_that_recur_with_noise_or_without(
    lag: float, noise: bool
) -> None:
    chance, scene = Random(1), Scene()
    words = [chance.choice("abcdefghijkl") for _ in range(200)]
    left, right = (
        [task("e", text=word, sig=chance.random() if noise else 0) for word in words]
        for _ in range(2)
    )
    scene.tell(left, right, lag, 4.0)
    assert scene.onset.shift is not None
    assert scene.onset.shift.usual == pytest.approx(lag)


def test_the_lag_is_told_from_what_is_said_but_once() -> None:
    scene = Scene()
    texts = [task("e", step=n) for n in range(200)]
    scene.tell(texts, texts, -0.5, 3.0)
    assert scene.onset.shift is not None
    assert scene.onset.shift.range == pytest.approx((-0.5, -0.5))


def test_what_tells_no_lag_is_held_no_longer_than_half_the_window() -> None:
    scene = Scene()
    scene.lanes[LEFT].add(old("x", 0.0))
    assert not scene.onset.is_stale((100.0, 100.0))
    assert scene.onset.holds(RIGHT, new("tick", 1.0))
    assert not scene.onset.is_due()
    assert not scene.onset.is_stale((5.9, 5.9))
    assert scene.onset.is_stale((6.0, 6.0))


def test_a_flood_is_let_go() -> None:
    scene = Scene()
    scene.lanes[LEFT].add(old("x", 0.0))
    due = []
    for n in range(512):
        assert scene.onset.holds(RIGHT, new("tick", n * 0.001))
        due.append(scene.onset.is_due())
    assert due == [False] * 511 + [True]


def test_all_that_was_held_is_let_go_in_order_marks_included() -> None:
    scene = Scene()
    mark = turn(Side.CANDIDATE, 1.0, Turn.LOST)
    assert not scene.onset.mark(RIGHT, mark)
    scene.lanes[LEFT].add(old("x", 0.0))
    first, last = new("a", 0.5), old("b", 1.5)
    assert scene.onset.holds(RIGHT, first)
    assert scene.onset.mark(RIGHT, mark)
    assert scene.onset.holds(LEFT, last)
    assert scene.onset.let_go() == [(RIGHT, first), (RIGHT, mark), (LEFT, last)]
    assert not scene.onset.holds(RIGHT, new("c", 2.0))
