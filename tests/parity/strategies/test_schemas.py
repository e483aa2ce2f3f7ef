"""Every value that is made from a schema is valid by it, whatever keywords it has."""

from typing import Any

import jsonschema_rs
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bridge.parity.contract import legacy
from bridge.parity.strategies import from_schema, json_values
from bridge.parity.strategies.texts import FORMATS
from tests.support.schemas import TREE

OBJECTS = {"type": "object", "properties": {"a": {"type": "integer"}, "b": {"type": "string"}}}

SCHEMAS: list[Any] = [
    True,
    {},
    {"type": "null"},
    {"type": ["integer", "null"]},
    {"const": {"a": [1]}},
    {"enum": [1, "a", None]},
    {"type": "integer", "minimum": 3, "exclusiveMaximum": 5},
    {"type": "integer", "multipleOf": 7, "minimum": 1},
    {"type": "number", "exclusiveMinimum": 0, "maximum": 1},
    {"type": "number", "multipleOf": 0.5},
    {"minimum": 10**9},
    {"type": "string", "minLength": 3, "maxLength": 4},
    {"type": "string", "pattern": "^[a-z]{2,4}-\\d+$"},
    {"pattern": "needle"},
    *({"type": "string", "format": name} for name in FORMATS),
    {"type": "string", "format": "unheard-of"},
    {"type": "array", "items": {"type": "integer"}, "minItems": 2, "maxItems": 3},
    {"type": "array", "prefixItems": [{"type": "integer"}, {"type": "string"}], "items": False},
    {"prefixItems": [{"const": 1}], "items": {"type": "null"}, "minItems": 2},
    {"type": "array", "uniqueItems": True, "items": {"enum": [1, 2, 3]}},
    {"type": "array", "contains": {"const": "x"}},
    {**OBJECTS, "required": ["a"]},
    {**OBJECTS, "required": ["a", "c"], "additionalProperties": {"type": "boolean"}},
    {**OBJECTS, "additionalProperties": False, "minProperties": 1},
    {**OBJECTS, "unevaluatedProperties": False},
    {"type": "object", "patternProperties": {"^x-": {"type": "integer"}},
     "additionalProperties": False, "minProperties": 1},
    {"type": "object", "propertyNames": {"pattern": "^[a-z]+$"}, "maxProperties": 2},
    {"type": "object", "additionalProperties": {"type": "null"}, "minProperties": 3},
    {"type": "object", "properties": {"a": True}, "dependentRequired": {"a": ["b"]}},
    {"anyOf": [{"type": "integer"}, {"type": "string", "maxLength": 1}]},
    {"oneOf": [{"type": "integer", "minimum": 0}, {"type": "integer", "maximum": 5}]},
    {"allOf": [OBJECTS, {"required": ["a"]}, {"properties": {"a": {"minimum": 5}}}]},
    {"allOf": [{"type": ["integer", "string"]}, {"type": "number"}, {"minimum": 1}]},
    {"type": "string", "not": {"maxLength": 0}},
    {"type": "object", "required": ["k"], "properties": {"k": {"enum": [1, 2]}},
     "if": {"properties": {"k": {"const": 1}}}, "then": {"required": ["v"]},
     "else": {"properties": {"v": {"type": "null"}}}},
    {"$ref": "#/$defs/n", "minimum": 5, "$defs": {"n": {"type": "integer"}}},
    {"allOf": [{"$ref": "#/$defs/n"}], "$defs": {"n": {"$ref": "#/$defs/m"}, "m": {"const": 1}}},
    TREE,
    {"anyOf": [{"type": "null"}, {"type": "array", "items": {"$ref": "#"}}]},
    {"type": "object", "required": ["left"], "properties": {
        "left": {"anyOf": [{"type": "null"}, {"$ref": "#"}]}, "right": {"$ref": "#"}}},
    {"$schema": "http://json-schema.org/draft-07/schema#", "type": "array",
     "items": [{"type": "integer"}], "additionalItems": {"type": "string"}},
    *legacy().schemas.values(),
]  # fmt: skip


@pytest.mark.parametrize("schema", SCHEMAS, ids=lambda schema: str(schema)[:60])
def test_every_value_is_valid(schema: Any) -> None:
    validator = jsonschema_rs.validator_for(schema, validate_formats=True)

    @settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(from_schema(schema))
    def check(value: Any) -> None:
        validator.validate(value)

    check()


_LEAVES = st.sampled_from(
    [{"type": "integer"}, {"type": "string", "maxLength": 3}, {"type": ["null", "boolean"]},
     {"enum": [1, "a"]}, {"type": "number", "minimum": 0}, {"format": "uuid", "type": "string"}]
)  # fmt: skip
_SCHEMAS: st.SearchStrategy[Any] = st.recursive(
    _LEAVES,
    lambda inner: (
        st.builds(lambda items: {"type": "array", "items": items, "maxItems": 3}, inner)
        | st.lists(inner, min_size=1, max_size=2).map(
            lambda parts: {"type": "array", "prefixItems": parts})
        | st.builds(lambda options: {"anyOf": options}, st.lists(inner, min_size=1, max_size=3))
        | st.builds(
            lambda members, closed: {"type": "object", "properties": members,
                                     "required": sorted(members)[:1],
                                     "additionalProperties": closed},
            st.dictionaries(st.sampled_from("abc"), inner, max_size=3), st.booleans(),
        )
    ),
    max_leaves=6,
)  # fmt: skip


@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_every_value_of_a_made_up_schema_is_valid(data: st.DataObject) -> None:
    schema = data.draw(_SCHEMAS)
    jsonschema_rs.validate(schema, data.draw(from_schema(schema)))


def test_nothing_is_made_where_nothing_is_valid() -> None:
    assert from_schema(False).is_empty
    assert from_schema({"allOf": [{"const": 1}, False]}).is_empty


@pytest.mark.parametrize("schema", [{"type": "text"}, {"$ref": "http://127.0.0.1:1/x"}])
def test_what_is_no_schema_is_refused_at_once(schema: Any) -> None:
    with pytest.raises(jsonschema_rs.ValidationError):
        from_schema(schema)


@settings(max_examples=50, deadline=None)
@given(json_values())
def test_any_value_is_json(value: Any) -> None:
    assert jsonschema_rs.is_valid(True, value)
