"""Shapes: what a noisy value must still look like."""

from collections.abc import Sequence
from random import Random
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.parity.rules import DROP
from bridge.parity.shape import Shapes, alike, rising, segments, shape

UUIDS = st.uuids().map(str)


@pytest.mark.parametrize(
    ("value", "name"),
    [
        (str(UUID(int=7)), "uuid"),
        ("2026-11-25T10:00:00Z", "timestamp"),
        ("2026-11-25 10:00", "timestamp"),
        ("2026-11-25T10:00:00,5+0100", "timestamp"),
        ("https://cdn.example/a.webp?sig=1", "address"),
        ("deadbeef", "hex"),
        ("eyJhbGciOiJub25lIn0.e30.", "token"),
        ("short", "text"),
        ("two words", "text"),
        ("", "text"),
        (7, "number"),
        (1.5, "number"),
        (1_764_000_000, "epoch"),
        (1_764_000_000_123, "epoch"),
        (True, "boolean"),
        (None, "null"),
        ([], "array"),
        ({}, "object"),
        (DROP, "absent"),
    ],
)
def test_values_have_these_shapes(value: object, name: str) -> None:
    assert shape(value) == name


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("2026-11-25T10:00:00Z", "2026-11-25T10:00:04.9Z", True),
        ("2026-11-25T10:00:00Z", "2026-11-25T10:00:05.1Z", False),
        ("2026-11-25T10:00:00Z", "2026-11-25T11:00:00+01:00", True),
        ("2026-11-25T10:00:00", "2026-11-25T10:00:01Z", True),
        ("2026-99-25T10:00:00Z", "2026-11-25T10:00:01Z", False),
        ("2026-99-25T10:00:00Z", "2026-98-25T10:00:00Z", True),
        ("2026-11-25T10:00:00Z", "rubbish", False),
        (1_764_000_000, 1_764_000_004, True),
        (1_764_000_000, 1_764_000_006, False),
        (1_764_000_000_000, 1_764_000_004_000, True),
        (1_764_000_000, 1_764_000_000_000, False),
        ("https://a/x.webp?sig=1", "https://a/x.webp?sig=22", True),
        ("https://a/x.webp?sig=1", "https://a/x.webp", False),
        ("https://a/x.webp?sig=1", "https://b/x.webp?sig=1", False),
        ("https://a/x.webp", "http://a/x.webp", False),
        ("https://a/x.webp", "https://a/x.png", False),
        ("https://a/p/x", "https://a/x", False),
        ("https://a/deadbeef01.webp", "https://a/deadbeef02.webp", True),
        ("https://a/deadbeef01.webp", "https://a/lost.webp", False),
        ("https://a//x", "https://a/y/x", False),
        ("http://[", "http://[", False),
        ("deadbeef", "deadbee0", True),
        ("deadbeef", "deadbeef00", False),
        ("abcdef_1", "abcdef_12345", True),
        ("abcdef_1", "abcdef_1234567890", False),
        ("any text", "any other text", True),
        (1, 2.5, True),
        (1, "1", False),
        (None, DROP, False),
    ],
)
def test_these_look_alike_or_not(one: object, other: object, same: bool) -> None:
    assert alike(one, other, 5.0) is same
    assert alike(other, one, 5.0) is same


@given(UUIDS, UUIDS)
def test_any_two_uuids_are_alike_and_no_other_text_is(one: str, other: str) -> None:
    assert alike(one, other, 0)
    assert not alike(one, other[:-1], 0)


def feed(shapes: Shapes, pairs: Sequence[tuple[float, float]]) -> list[bool]:
    return [shapes.kept("t", "$.n", one, other) for one, other in pairs]


def test_numbers_stay_in_the_range_widened_by_itself() -> None:
    chance = Random(3)
    known = [(float(chance.randrange(10, 20)), float(chance.randrange(10, 20))) for _ in range(50)]
    shapes = Shapes(5.0)
    assert all(feed(shapes, known))
    assert feed(shapes, [(15, 27), (15, 30), (15, -1), (12, 1)]) == [True, False, False, True]
    assert shapes.ranges() == {("t", "$.n"): (10.0, 19.0)}


def test_a_range_known_before_holds_once_there_are_enough() -> None:
    shapes = Shapes(5.0, {("t", "$.n"): (0.0, 100.0)})
    assert feed(shapes, [(50, 50), (40, 40)] * 5 + [(50, 199), (50, 201)])[-2:] == [True, False]


def test_a_counter_must_not_stand_still() -> None:
    rises = [(float(each), float(each + 3)) for each in range(40)]
    assert all(feed(Shapes(5.0), rises))
    stuck = feed(Shapes(5.0), [(float(each), 7.0) for each in range(40)])
    assert stuck[:16] == [True] * 16
    assert not any(stuck[16:])


def test_other_shapes_learn_no_range() -> None:
    shapes = Shapes(5.0)
    assert shapes.kept("t", "$.u", "https://a/?s=1", "https://a/?s=2")
    assert not shapes.kept("t", "$.u", "https://a/?s=1", "rubbish")
    assert shapes.ranges() == {}


def test_counters_nearly_always_rise() -> None:
    assert rising([1, 2, 3])
    assert not rising([1, 2, 1, 2])
    assert not rising([1])


@pytest.mark.parametrize(
    ("one", "other", "said"),
    [
        ("https://a/p/5?sig=1", "https://a/p/5?sig=2", ""),
        ("https://a/p/5?sig=1", "https://a/p/99?sig=2", "another path, in segment 2"),
        ("https://a/p/5/x", "https://a/q/5/y", "another path, in segment 1 and 3"),
        ("https://a", "https://a/", ""),
        ("http://[", "http://a/b", ""),
        ("deadbeef", "deadbee0", ""),
        (1, "https://a/p", ""),
    ],
)
def test_another_segment_of_a_path_is_named(one: object, other: object, said: str) -> None:
    assert segments(one, other) == said
