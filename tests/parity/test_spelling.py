"""How JSON is spelled, whatever it says."""

import json

import pytest
from hypothesis import given

from bridge.parity.canonical import parse
from bridge.parity.spelling import difference, style
from tests.parity.talk import JSON


def between(one: str | bytes, other: str | bytes) -> str:
    return difference(one, other, parse(one), parse(other))


@pytest.mark.parametrize(
    ("one", "other", "reason"),
    [
        ('{"a":1}', '{"a": 1}', "compact against spaced"),
        ('{"a": 1}', '{"a":1}', "spaced against compact"),
        ('{"a":"é"}', '{"a":"\\u00e9"}', "compact against compact with escapes"),
        ('{"a": "é"}', '{"a": "\\u00e9"}', "spaced against spaced with escapes"),
        ('{"a":1,"b":2}', '{"b":2,"a":1}', "the order of members"),
        ('[{"a":1,"b":2}]', '[{"b":3,"a":1}]', "the order of members"),
        ('{"a":1,"b":2}', '{"a":1,"c":3,"b":2}', ""),
        ('{"a":1}', '{"a":2}', ""),
        ('{"a" :1}', '{"a":1}', ""),
        ("tick", "tock", ""),
        ("tick", b"tick", "text against binary"),
        (b"a", b"b", ""),
    ],
)
def test_what_differs_in_the_spelling(one: str | bytes, other: str | bytes, reason: str) -> None:
    assert between(one, other) == reason


@given(JSON)
def test_a_text_is_spelled_as_itself(value: object) -> None:
    for text in (json.dumps(value), json.dumps(value, separators=(",", ":"))):
        assert between(text, text) == ""


def test_what_nobody_can_spell_has_no_style() -> None:
    assert style("tick", parse("tick")) == ""
    assert style('"\\ud800"', parse('"\\ud800"')) == "compact with escapes"
    assert style(" 1", 1) == ""
