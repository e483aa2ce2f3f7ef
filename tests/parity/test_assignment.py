"""The cheapest pairing of two small groups."""

from itertools import permutations

from hypothesis import given
from hypothesis import strategies as st

from bridge.parity.assignment import cheapest

MATRICES = st.tuples(st.integers(1, 5), st.integers(1, 5)).flatmap(
    lambda size: st.lists(
        st.lists(st.integers(0, 20).map(float), min_size=size[1], max_size=size[1]),
        min_size=size[0],
        max_size=size[0],
    )
)


def brute_force(costs: list[list[float]]) -> float:
    """The smallest total over every way to pair the smaller group."""
    if len(costs) > len(costs[0]):
        costs = [list(column) for column in zip(*costs, strict=True)]
    ways = permutations(range(len(costs[0])), len(costs))
    return min(sum(costs[row][column] for row, column in enumerate(way)) for way in ways)


@given(MATRICES)
def test_no_other_pairing_is_cheaper(costs: list[list[float]]) -> None:
    pairs = cheapest(costs)
    assert sum(costs[row][column] for row, column in pairs) == brute_force(costs)


@given(MATRICES)
def test_each_of_the_smaller_group_has_one_partner(costs: list[list[float]]) -> None:
    pairs = cheapest(costs)
    assert len(pairs) == min(len(costs), len(costs[0]))
    assert len({row for row, _ in pairs}) == len({column for _, column in pairs}) == len(pairs)
    assert pairs == sorted(pairs)


def test_the_cheapest_single_pair_gives_way_to_the_cheapest_whole() -> None:
    assert cheapest([[0.0, 1.0], [1.0, 9.0]]) == [(0, 1), (1, 0)]


def test_an_empty_group_has_no_pairs() -> None:
    assert cheapest([]) == cheapest([[], []]) == []
