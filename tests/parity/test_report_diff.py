"""Two payloads beside each other."""

import json

from hypothesis import given
from hypothesis import strategies as st

from bridge.parity.report_diff import LONGEST, Line, Row, rows


def test_only_what_differs_is_marked() -> None:
    assert rows('{"a":1,"u":"x1y"}', '{"u":"x2y","a":1}') == [
        Row("same", Line("{"), Line("{")),
        Row("same", Line('  "a": 1,'), Line('  "a": 1,')),
        Row("changed", Line('  "u": "x', "1", 'y"'), Line('  "u": "x', "2", 'y"')),
        Row("same", Line("}"), Line("}")),
    ]


def test_where_writing_is_what_differs_it_is_left_as_it_was() -> None:
    assert rows('{"a": 1}', '{"a":1}', raw=True) == [
        Row("changed", Line('{"a":', " ", "1}"), Line('{"a":', "", "1}"))
    ]


def test_a_side_that_said_nothing_is_empty() -> None:
    assert rows("x", None) == [Row("changed", Line("x"), None)]
    assert rows(None, None) == []


def test_long_equal_parts_are_left_out_and_counted() -> None:
    old, new = (json.dumps([*range(50), last, *range(50)]) for last in ("a", "b"))
    found = rows(old, new)
    assert [row.sort for row in found] == [
        "skipped",
        *["same"] * 3,
        "changed",
        *["same"] * 3,
        "skipped",
    ]
    assert found[0].count == found[-1].count == 48


def test_what_is_too_long_is_cut() -> None:
    (row,) = rows("x" * (LONGEST + 5), None)
    assert row.legacy is not None
    assert row.legacy.before.endswith("x… 5 more characters")


@given(st.text() | st.none(), st.text() | st.none())
def test_equal_texts_have_no_change_and_others_have_one(one: str | None, two: str | None) -> None:
    left, right = ((text or "").splitlines() or [""] for text in (one, two))
    is_same = left == right
    if (one is None) == (two is None):
        assert is_same or any(row.sort == "changed" for row in rows(one, two, raw=True))
    assert not any(row.sort == "changed" for row in rows(one, one))
