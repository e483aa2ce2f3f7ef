"""What payloads are counted as."""

import pytest

from bridge.wire.payload import has_carriage_return, is_json


@pytest.mark.parametrize("text", ["{}", "[1]", ' "x"', "-1", "true", "null", '{"a":"\\r"}'])
def test_json_is_recognised(text: str) -> None:
    assert is_json(text)


@pytest.mark.parametrize("text", ["", "hello", "{", "[DONE]", "NaN", b"{}"])
def test_what_is_not_json_is_not(text: str | bytes) -> None:
    assert not is_json(text)


def test_a_large_payload_is_judged_by_its_first_character() -> None:
    assert is_json("[" + "1," * 50_000)
    assert not is_json("hello " * 20_000)


def test_only_text_with_a_bare_return_is_altered_by_sse() -> None:
    assert has_carriage_return("a\r\nb")
    assert not has_carriage_return("a\nb")
    assert not has_carriage_return(b"\r")
