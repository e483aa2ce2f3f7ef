"""The smallest part that still shows a difference."""

import json
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.parity.finding import Kind
from bridge.parity.observation import Observation, Side
from bridge.parity.shrink import Sort, compared, failing, shrunk, smallest


def said(side: Side, number: int, at: float, url: str = "a") -> Observation:
    message = {"type": "file", "object": {"id": f"f{number}", "url": url}}
    return Observation(side, "c", json.dumps(message), at)


def streams(count: int, altered: int) -> list[Observation]:
    """Two equal streams, but for one message."""
    found = []
    for number in range(count):
        found.append(said(Side.LEGACY, number, number))
        url = "b" if number == altered else "a"
        found.append(said(Side.CANDIDATE, number, number + 0.1, url))
    return found


@settings(max_examples=200)
@given(st.sets(st.integers(0, 60), min_size=1, max_size=4), st.integers(61, 80))
def test_nothing_is_left_that_can_be_done_without(wanted: set[int], count: int) -> None:
    left = smallest(range(count), lambda part: wanted <= set(part))
    assert left == sorted(wanted)


def test_tries_are_bounded() -> None:
    tries: list[int] = []

    def shows(part: Sequence[int]) -> bool:
        tries.append(len(part))
        return {0, 999} <= set(part)

    smallest(range(1000), shows, most_tries=10)
    assert len(tries) <= 10 + 4


@pytest.mark.parametrize("altered", [1, 150, 298])
def test_a_changed_message_among_many_is_shown_alone(altered: int) -> None:
    sights = streams(300, altered)
    (finding,) = failing(compared(sights))
    sort = Sort.of(finding)
    assert (sort.kind, sort.message, sort.path) == (Kind.ALTERED, "file", "$.object.url")
    small = shrunk(sights, sort)
    assert len(small) <= 4
    assert Sort.of(failing(compared(small))[0]) == sort
    for place in range(len(small)):
        rest = [*small[:place], *small[place + 1 :]]
        assert sort not in map(Sort.of, failing(compared(rest)))
