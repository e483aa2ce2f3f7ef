"""Which pairs moved: strictly within an entity, by seconds across entities."""

from random import Random

from hypothesis import given
from hypothesis import strategies as st

from bridge.parity.item import Item
from bridge.parity.sequence import Pair, displaced, uncrossed
from tests.parity.talk import item, new, old


def entity(each: Item) -> str:
    return str(each.seen.data)[0]


def pairs(*said: tuple[str, int, float]) -> list[Pair]:
    """Pairs in the legacy side's order: text, place and time on the other side."""
    return [
        (item(old(text, float(place)), place), item(new(text, at), seq))
        for place, (text, seq, at) in enumerate(said)
    ]


def moved(found: list[Pair], disorder: float = 2.0) -> list[str | bytes]:
    return [left.seen.data for left, _ in displaced(found, entity, disorder)]


def test_nothing_moved_where_both_sides_agree() -> None:
    assert moved(pairs(("a1", 0, 0.0), ("b1", 1, 0.1), ("a2", 2, 0.2))) == []


def test_other_entities_may_overtake_each_other_by_so_many_seconds() -> None:
    near = pairs(("a1", 1, 1.5), ("b1", 0, 0.0))
    assert moved(near) == []
    assert moved(near, disorder=1.0) == ["a1"]


def test_the_same_entity_may_not_at_all() -> None:
    assert moved(pairs(("a1", 1, 0.001), ("a2", 0, 0.0), ("b1", 2, 0.2))) == ["a1"]


def test_one_that_moved_far_is_named_once_and_not_those_it_passed() -> None:
    found = pairs(("a1", 3, 9.0), ("b1", 0, 1.0), ("b2", 1, 2.0), ("a2", 2, 3.0))
    assert moved(found) == ["a1"]


def test_one_that_came_far_too_early_moved_as_well() -> None:
    assert moved(pairs(("a1", 1, 5.0), ("b1", 2, 6.0), ("c1", 0, 0.0))) == ["c1"]


@given(st.permutations(range(7)), st.integers(0, 9))
def test_what_is_left_is_in_order_for_every_entity(order: list[int], seed: int) -> None:
    chance = Random(seed)
    names = [chance.choice("ab") + str(place) for place in range(7)]
    found = pairs(*((name, seq, seq * 0.1) for name, seq in zip(names, order, strict=True)))
    away = {id(left) for left, _ in displaced(found, entity, 0.25)}
    for kind in "ab":
        kept = [right.seq for left, right in found if entity(left) == kind and id(left) not in away]
        assert kept == sorted(kept)


def test_repeats_are_told_apart_by_nothing_and_never_cross() -> None:
    crossed = pairs(("a", 2, 2.0), ("b", 1, 1.0), ("a", 0, 0.0))
    found = uncrossed(crossed)
    assert [(left.seen.data, right.seq) for left, right in found] == [("a", 0), ("b", 1), ("a", 2)]
    assert all(left.twin is right and right.twin is left for left, right in found)


def test_what_only_noise_tells_apart_never_crosses_either() -> None:
    crossed = pairs(("a1", 2, 2.0), ("b", 1, 1.0), ("a2", 0, 0.0))
    for left, right in (crossed[0], crossed[2]):
        left.digest = right.digest = b"a"
    assert [right.seq for _, right in uncrossed(crossed)] == [0, 1, 2]
