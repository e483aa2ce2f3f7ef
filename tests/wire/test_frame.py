"""Frames keep what came and parse it for routing only."""

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.wire.frame import Frame

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(st.text() | st.binary())
def test_whatever_came_is_kept_and_parsing_never_raises(raw: str | bytes) -> None:
    frame = Frame(raw)
    frame.parse()
    assert frame.raw is raw


@given(JSON)
def test_json_is_parsed_from_text_and_from_bytes(value: object) -> None:
    raw = orjson.dumps(value)
    assert Frame(raw).parse() == Frame(raw.decode()).parse() == value


@pytest.mark.parametrize(
    "raw", ["", "ping", "{", '{"a":1,}', "[" * 100_000, '"\ud800"', b"\xff\xfe", "NaN"]
)
def test_what_is_no_json_parses_as_none(raw: str | bytes) -> None:
    assert Frame(raw).parse() is None


def test_text_and_binary_are_told_apart() -> None:
    assert Frame("{}").is_text
    assert not Frame(b"{}").is_text


@pytest.mark.parametrize(("raw", "size"), [("", 0), ("abc", 3), ("я", 2), ("🤖", 4), (b"\xff", 1)])
def test_the_length_is_counted_in_bytes_on_the_wire(raw: str | bytes, size: int) -> None:
    assert len(Frame(raw)) == size


def test_an_empty_message_is_still_a_message() -> None:
    assert Frame("")
    assert Frame(b"")
