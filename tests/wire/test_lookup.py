"""Dotted paths and the part of an address that stays."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.wire.lookup import address, first_text, found

FILE = {"id": "f1", "tasks": [{"status": "in_progress"}, {"status": "error"}], "url": None}
PROJECT = {"data": [{"value": None}, {"value": {"url": "u1"}}, {"value": {"url": "u2"}}]}


@pytest.mark.parametrize(
    ("path", "values"),
    [
        ("id", ["f1"]),
        ("url", [None]),
        ("tasks.-1.status", ["error"]),
        ("tasks.0.status", ["in_progress"]),
        ("tasks.*.status", ["in_progress", "error"]),
        ("tasks.2.status", []),
        ("tasks.-3.status", []),
        ("tasks.status", []),
        ("id.deeper", []),
        ("absent", []),
    ],
)
def test_a_path_finds_its_values_in_order(path: str, values: list[object]) -> None:
    assert list(found(FILE, path)) == values


def test_a_star_also_stands_for_every_member_of_an_object() -> None:
    assert list(found({"a": {"url": 1}, "b": {"url": 2}}, "*.url")) == [1, 2]


def test_the_first_text_skips_what_is_absent_or_empty() -> None:
    assert first_text(PROJECT, ("url", "data.*.value.url")) == "u1"


@pytest.mark.parametrize("value", [None, "", 0, False, True, [], {}, 1.5])
def test_only_text_and_numbers_name_something(value: object) -> None:
    assert first_text({"id": value}, ("id",)) == ""


def test_a_numeric_id_reads_as_text() -> None:
    assert first_text({"id": 42}, ("id",)) == "42"


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    ),
    st.text(),
)
def test_no_path_into_any_document_raises(document: Any, path: str) -> None:
    list(found(document, path))


@pytest.mark.parametrize(
    ("url", "stays"),
    [
        ("https://h/a.webp", "https://h/a.webp"),
        ("https://h/a.webp#t=1", "https://h/a.webp"),
        ("https://h/a.mp4?X-Amz-Signature=1&X-Amz-Date=2", "https://h/a.mp4"),
        ("https://h/a.mp4?Expires=1&Signature=2&Key-Pair-Id=3", "https://h/a.mp4"),
        ("https://h/a.mp4?sv=1&sig=2&se=3&access_token=4", "https://h/a.mp4"),
        ("https://h/get?file=f1&token=x", "https://h/get?file=f1"),
        ("https://h/a.webp?v=2", "https://h/a.webp?v=2"),
    ],
)
def test_only_signing_parameters_are_taken_away(url: str, stays: str) -> None:
    assert address(url) == stays


def test_a_lone_star_leaves_the_whole_query_out() -> None:
    assert address("https://h/a?v=2&x", ("*",)) == "https://h/a"


def test_a_long_address_is_stood_for_by_its_digest() -> None:
    one, other = (address(f"data:image/png;base64,{letter * 10_000}") for letter in "AB")
    assert len(one) == len(other) == 128
    assert one != other
