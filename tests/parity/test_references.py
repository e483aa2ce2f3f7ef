"""Where schemas hold schemas and point to, and what is left alone."""

import pytest

from bridge.parity.references import find, moved_references, steps, subschemas

SCHEMA = {
    "properties": {"$ref": {"$ref": "#/a"}, "const": {"const": {"$ref": "#/kept"}}},
    "items": [{"$ref": "#/b"}, {"not": {"$ref": "#/c"}}],
    "additionalProperties": False,
    "examples": [{"$ref": "#/kept"}],
    "anyOf": [{"prefixItems": [{"$ref": "#/d"}]}],
}


def test_references_are_moved_and_values_are_not() -> None:
    moved = moved_references(SCHEMA, lambda target: f"moved{target}")
    assert str(moved).count("moved#") == 4
    assert moved["properties"]["const"] == {"const": {"$ref": "#/kept"}}
    assert moved["examples"] == SCHEMA["examples"]


def test_all_schemas_within_are_found() -> None:
    found = [each["$ref"] for each in subschemas(SCHEMA) if isinstance(each.get("$ref"), str)]
    assert sorted(found) == ["#/a", "#/b", "#/c", "#/d"]


def test_a_pointer_is_followed_through_objects_and_arrays() -> None:
    assert steps("#/a~1b/%7Ec/~01") == ["a/b", "~c", "~1"]
    assert find({"a/b": [0, {"x": 5}]}, "#/a~1b/1/x") == 5
    assert find({"a": 1}, "#") == {"a": 1}


@pytest.mark.parametrize("pointer", ["#/none", "#/list/2", "#/list/x", "#/text/0"])
def test_a_pointer_to_nothing_is_a_lookup_error(pointer: str) -> None:
    with pytest.raises(LookupError):
        find({"list": [0], "text": "abc"}, pointer)
