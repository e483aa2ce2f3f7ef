"""Pairing what is left: a changed message is not one lost and one new."""

import pytest

from bridge.parity.item import Item
from bridge.parity.observation import Observation
from bridge.parity.residue import Nearness, paired, unlike
from tests.parity.talk import item, new, old, reader, task

NEAR = Nearness(0.0, 10.0)


def items(*seen: Observation) -> list[Item]:
    return [item(each, place) for place, each in enumerate(seen)]


def pairs(left: list[Item], right: list[Item], *, by_id: bool = False) -> list[tuple[int, int]]:
    found = paired(left, right, reader(), NEAR, by_id=by_id)
    return sorted((one.seq, other.seq) for one, other in found)


def chat(text: str, number: int = 0) -> str:
    return f'{{"type":"chat","object":{{"text":"{text}","user":"u","room":"r","n":{number}}}}}'


def test_a_changed_message_finds_its_twin_among_others() -> None:
    left = items(old(task("a", n=1, m=1)), old(task("b", n=1, m=1)))
    right = items(new(task("c", n=1, m=1)), new(task("b", n=2, m=1)))
    assert pairs(left, right) == [(1, 1)]


def test_messages_about_different_things_are_no_pair() -> None:
    assert pairs(items(old(task("a"))), items(new(task("b")))) == []
    assert pairs(items(old(task("a", n=1, m=2))), items(new(task("b", n=1, m=2)))) == []


def test_a_shared_wire_id_pairs_even_what_has_nothing_else_in_common() -> None:
    left, right = items(old(task("a"), id="7")), items(new("tick", id="7"))
    assert pairs(left, right, by_id=True) == [(0, 0)]
    assert pairs(left, right, by_id=False) == []


def test_the_same_version_goes_before_what_is_more_alike() -> None:
    left = items(old(task("a", version=1, n=1, m=1, o=1)), old(task("a", version=2, n=2, m=1, o=1)))
    right = items(new(task("a", version=2, n=1, m=1, o=1)))
    assert pairs(left, right) == [(1, 0)]


def test_without_an_id_more_than_half_has_to_be_alike() -> None:
    assert pairs(items(old(chat("hello", 1))), items(new(chat("hallo", 1)))) == [(0, 0)]
    strange = '{"type":"chat","object":{"a":1,"b":2,"c":3}}'
    assert pairs(items(old(chat("hello"))), items(new(strange))) == []


def test_the_nearer_in_time_is_the_twin_of_two_that_are_as_alike() -> None:
    left = items(old(chat("a", 1), 0.0), old(chat("b", 1), 5.0))
    right = items(new(chat("c", 1), 4.9))
    assert pairs(left, right) == [(1, 0)]


def test_what_is_too_far_in_time_is_no_pair() -> None:
    assert pairs(items(old(chat("a"), 0.0)), items(new(chat("b"), 11.0))) == []


def test_a_usual_lag_moves_the_time_that_twins_are_expected_at() -> None:
    left, right = items(old(chat("a"), 0.0)), items(new(chat("b"), 500.0))
    assert len(paired(left, right, reader(), Nearness(499.0, 2.0), by_id=False)) == 1


def test_crowds_are_paired_block_by_block() -> None:
    left = items(*(old(chat(f"a{n}", n), n * 0.01) for n in range(300)))
    right = items(*(new(chat(f"b{n}", n), n * 0.01 + 0.001) for n in range(300)))
    found = pairs(left, right)
    # Blocks may tear a pair apart where no pause is, and nothing more.
    assert sum(one == other for one, other in found) > 280


@pytest.mark.parametrize(("most", "off"), [(10.0, 0.5), (0.0, 5e6)])
def test_nearness_counts_from_the_usual_lag(most: float, off: float) -> None:
    near = Nearness(1.0, most)
    assert near.of(item(old("a", 0.0)), item(new("a", 6.0))) == off
    assert near.of(item(old("a", 0.0)), item(new("a", 1.0))) == 0


def test_how_unlike_two_messages_are() -> None:
    one = item(old(task("a", n=1, m=2)))
    assert unlike(one, item(new(task("a", n=1, m=2))), reader()) == 0
    assert unlike(one, item(new(task("a", n=1, m=3))), reader()) == pytest.approx(0.25)
    assert unlike(one, item(new("tick")), reader()) == 1


def test_what_differs_by_nature_makes_nobody_unlike() -> None:
    reading = reader()
    noisy = [f"v{place}" for place in range(6)]
    one, other = (
        item(said(task("a", state=n, **dict.fromkeys(noisy, n))))
        for n, said in ((1, old), (2, new))
    )
    assert unlike(one, other, reading) > 0.75
    assert paired([one], [other], reading, NEAR, by_id=False) == []
    for name in noisy:
        reading.volatile.take("task", f"$.object.{name}")
    assert unlike(one, other, reading) == pytest.approx(1 / 3)
    assert paired([one], [other], reading, NEAR, by_id=False) == [(one, other)]
