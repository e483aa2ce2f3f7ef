"""Two schemas as one: valid by the whole is valid by both."""

from typing import Any

import jsonschema_rs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.parity.strategies.merging import merged

SCHEMAS = st.sampled_from([
    True, {"type": "integer"}, {"type": "number", "minimum": 2}, {"type": ["integer", "string"]},
    {"enum": [1, "a", 3.5]}, {"maximum": 3}, {"required": ["a"]}, {"minLength": 2},
    {"properties": {"a": {"type": "integer"}}}, {"properties": {"a": {"minimum": 5}, "b": False}},
    {"anyOf": [{"type": "integer"}, {"type": "string"}]},
])  # fmt: skip
VALUES = st.sampled_from([0, 1, 2, 3, 3.5, "a", "abc", {}, {"a": 1}, {"a": 9}, {"b": 1}, None])


@settings(max_examples=500)
@given(SCHEMAS, SCHEMAS, VALUES)
def test_the_whole_holds_what_both_hold(some: Any, more: Any, value: Any) -> None:
    both = jsonschema_rs.is_valid(some, value) and jsonschema_rs.is_valid(more, value)
    assert jsonschema_rs.is_valid(merged(some, more), value) is both


@pytest.mark.parametrize(("some", "more"), [(False, {}), ({}, False), (True, False)])
def test_nothing_is_valid_by_a_schema_and_false(some: Any, more: Any) -> None:
    assert merged(some, more) is False
