"""Which places keys leave out, after how many differences."""

import pytest

from bridge.parity.volatile import Volatile

URL = "$.object.url"


def test_eight_likely_twins_that_differ_at_one_place_make_it_volatile() -> None:
    volatile = Volatile()
    answers = [volatile.differed("file", [URL, URL]) for _ in range(9)]
    assert answers == [False] * 7 + [True, False]
    assert volatile.holds("file", URL)
    assert not volatile.holds("task", URL)
    assert volatile.reduced("file", {"object": {"url": 1, "n": 2}}) == {"object": {"n": 2}}
    assert volatile.reduced("task", {"object": {"url": 1}}) == {"object": {"url": 1}}


def test_a_place_that_differs_seldom_stays_in_the_key() -> None:
    volatile = Volatile()
    volatile.met("file", 1000)
    assert not any(volatile.differed("file", [URL]) for _ in range(200))
    assert any(volatile.differed("file", [URL]) for _ in range(200))


def test_known_places_are_left_out_from_the_start() -> None:
    volatile = Volatile([("file", URL), ("file", "$['it's']")])
    assert volatile.holds("file", URL)
    assert not volatile.take("file", "$.a'b['")


def test_a_type_has_32_volatile_places_at_most() -> None:
    volatile = Volatile()
    for _ in range(20):
        volatile.differed("file", [f"$.a{place}" for place in range(30)])
    for _ in range(20):
        volatile.differed("file", [f"$.a{place}" for place in range(40)])
    assert sum(volatile.holds("file", f"$.a{place}") for place in range(40)) == 32


@pytest.mark.parametrize("value", [1, "text", [1], None])
def test_what_has_no_such_place_is_left_as_it_is(value: object) -> None:
    assert Volatile([("file", URL)]).reduced("file", value) == value
