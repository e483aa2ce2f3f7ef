"""Templates replace known tokens, and no value leaves the quotes it stands in."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.wire.template import Verbatim, check, fields, fill

ANY_TEXT = st.text(st.characters())  # lone surrogates too


@given(ANY_TEXT, ANY_TEXT)
def test_a_json_template_parses_and_has_the_values(one: str, other: str) -> None:
    said = fill('{"a":"{one}","b":{"c":["x {other} y"]}}', {"one": one, "other": other})
    assert json.loads(said) == {"a": one, "b": {"c": [f"x {other} y"]}}
    assert said.isascii()
    assert said.isprintable()


@given(st.lists(st.sampled_from(["{", "}", "{a}", "{b}", '"', "a", "{{", "{}", "{a b}", "{1}"])))
def test_only_tokens_with_a_value_are_replaced(parts: list[str]) -> None:
    template = "".join(parts)
    assert fill(template, {}) == template
    assert fill(template, {"a": "V"}) == template.replace("{a}", "V")


def test_a_value_is_not_searched_for_tokens() -> None:
    assert fill("{a}{b}", {"a": "{b}", "b": "{a}"}) == "{b}{a}"


def test_verbatim_json_is_put_in_as_it_is() -> None:
    assert fill('{"object":{data}}', {"data": Verbatim('{"a":"{data}"}')}) == (
        '{"object":{"a":"{data}"}}'
    )


def test_the_fields_of_a_template_are_told() -> None:
    assert fields('{"a":"{x}","b":"{y}"}', ["x", "y", "z"]) == {"x", "y"}


def test_an_unknown_field_is_refused_with_those_that_are_known() -> None:
    with pytest.raises(
        ValueError, match=r"unknown field \{chanel\}; known are \{channel\}, \{id\}"
    ):
        fields("{chanel}", ["id", "channel"])


@pytest.mark.parametrize(
    "text", ["", "hello {x}", '{"a":"{x}"}', '{"a":{x}}', "[{x}]", " {x}", "{x} {x"]
)
def test_a_sound_template_passes(text: str) -> None:
    check(text, {"x": "1"})


@pytest.mark.parametrize("text", ['{"a":"{x}}', '{"a":{x}', "{a:1}", "[1,]"])
def test_a_template_that_begins_like_json_must_become_json(text: str) -> None:
    with pytest.raises(ValueError, match="becomes no valid JSON"):
        check(text, {"x": "1"})


def test_an_unquoted_text_is_found_before_anyone_is_sent_it() -> None:
    with pytest.raises(ValueError, match="mind its quotes"):
        check('{"a":{x}}', {"x": "word"})
