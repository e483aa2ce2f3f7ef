"""Texts of formats and patterns, as the validator has them."""

import jsonschema_rs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.parity.strategies.texts import FORMATS, of_format, of_pattern, text


@settings(max_examples=200, deadline=None)
@given(st.data(), st.sampled_from(sorted(FORMATS)))
def test_a_text_of_a_format_has_it(data: st.DataObject, name: str) -> None:
    found = data.draw(of_format(name))
    jsonschema_rs.validate({"type": "string", "format": name}, found, validate_formats=True)


@pytest.mark.parametrize("pattern", ["^a+$", "b", r"^\d{3}-\w$", "(x|y)$"])
def test_a_text_of_a_pattern_holds_it(pattern: str) -> None:
    @settings(max_examples=50, deadline=None)
    @given(of_pattern(pattern))
    def check(found: str) -> None:
        jsonschema_rs.validate({"pattern": pattern}, found)

    check()


@settings(max_examples=50, deadline=None)
@given(text(2, 3), of_format("unheard-of", 4, 4), of_pattern(r"\p{L}"))
def test_any_other_text_can_be_encoded(some: str, more: str, other: str) -> None:
    assert 2 <= len(some) <= 3
    assert len(more) == 4
    (some + more + other).encode()
