"""The smallest set that moved, and how many pairs are the wrong way round."""

from itertools import combinations

from hypothesis import given
from hypothesis import strategies as st

from bridge.parity.order import in_place, inversions, is_sorted, moved

ORDERS = st.permutations(range(8)).flatmap(
    lambda order: st.integers(0, 8).map(lambda length: list(order[:length]))
)


@given(ORDERS)
def test_no_smaller_set_would_do(positions: list[int]) -> None:
    found = moved(positions)
    assert is_sorted([each for place, each in enumerate(positions) if place not in found])
    for size in range(len(found)):
        for some in combinations(range(len(positions)), size):
            rest = [each for place, each in enumerate(positions) if place not in some]
            assert not is_sorted(rest)


@given(ORDERS)
def test_what_moved_and_what_did_not_are_all(positions: list[int]) -> None:
    assert sorted([*moved(positions), *in_place(positions)]) == list(range(len(positions)))


@given(ORDERS)
def test_inversions_are_counted_one_by_one(positions: list[int]) -> None:
    counted = sum(one > other for one, other in combinations(positions, 2))
    assert inversions(positions) == counted
    assert (counted == 0) is is_sorted(positions)


def test_one_that_came_late_is_the_one_that_moved() -> None:
    assert moved([1, 2, 3, 0, 4]) == [3]
    assert moved([5, 0, 1, 2]) == [0]
    assert inversions([5, 0, 1, 2]) == 3


def test_nothing_and_one_are_in_order() -> None:
    assert moved([]) == moved([7]) == in_place([]) == []
    assert in_place([7]) == [0]
