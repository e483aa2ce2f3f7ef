"""The walk of two values: which places differ, and in what way."""

import json

import pytest
from hypothesis import given

from bridge.parity.canonical import Opaque, canonical, parse
from bridge.parity.finding import Kind
from bridge.parity.rules import DROP
from bridge.parity.walk import Difference, differences, json_type, leaves, step
from tests.parity.talk import JSON

ALTERED, DRIFT, REORDERED = Kind.ALTERED, Kind.TYPE_DRIFT, Kind.REORDERED


def found(one: object, other: object) -> list[tuple[Kind, str]]:
    return [(each.kind, each.path) for each in differences(one, other)]


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ({"a": 1}, {"a": 2}, [(ALTERED, "$.a")]),
        ({"a": 1}, {"a": "1"}, [(DRIFT, "$.a")]),
        ({"a": 1}, {"a": None}, [(DRIFT, "$.a")]),
        ({"a": 1}, {"a": True}, [(DRIFT, "$.a")]),
        ({"a": 1}, {"a": 1.5}, [(ALTERED, "$.a")]),
        ({"a": 1}, {}, [(DRIFT, "$.a")]),
        ({}, {"a": 1}, [(DRIFT, "$.a")]),
        ({"a": {}}, {"a": []}, [(DRIFT, "$.a")]),
        ([1, 2, 3], [3, 1, 2], [(REORDERED, "$")]),
        ([1, 2, 3], [1, 9, 3], [(ALTERED, "$[*]")]),
        ([1, 2], [1, 2, 3], [(ALTERED, "$[*]")]),
        ([1, 2, 3], [1, 3], [(ALTERED, "$[*]")]),
        ([1, 1, 2], [1, 2, 2], [(ALTERED, "$[*]")]),
        ([1], [True], [(DRIFT, "$[*]")]),
        ({"a": [{"n": 1}]}, {"a": [{"n": 2}]}, [(ALTERED, "$.a[*].n")]),
        ({"a b": {"c'd": 1}}, {"a b": {"c'd": 2}}, [(ALTERED, "$['a b']['c'd']")]),
        (Opaque("a"), Opaque("b"), [(ALTERED, "$")]),
        (Opaque("a"), "a", [(DRIFT, "$")]),
    ],
)
def test_differences_have_their_kind_and_place(
    one: object, other: object, expected: list[tuple[Kind, str]]
) -> None:
    assert found(one, other) == expected


def test_elements_with_ids_are_compared_with_their_own() -> None:
    one = [{"id": "a", "n": 1}, {"id": "b", "n": 2}, {"id": "c", "n": 3}]
    other = [{"id": "c", "n": 3}, {"id": "a", "n": 9}]
    assert differences(one, other) == [
        Difference(ALTERED, "$[*].n", 1, 9, (0,)),
        Difference(ALTERED, "$[*]", one[1], DROP, (1,)),
    ]
    assert differences(other, one)[-1] == Difference(ALTERED, "$[*]", DROP, one[1], (1,))


def test_ids_that_are_not_unique_tell_no_element() -> None:
    one = [{"id": "a"}, {"id": "a"}, {"id": "z"}]
    assert differences(one, one[:2]) == [Difference(ALTERED, "$[*]", {"id": "z"}, DROP, (2,))]


def test_what_is_alike_at_both_ends_is_not_named() -> None:
    assert differences([1, 2, 3, 4], [1, 2, 9, 3, 4]) == [
        Difference(ALTERED, "$[*]", DROP, 9, (2,))
    ]


def test_a_pair_names_64_places_at_most() -> None:
    assert len(differences(dict.fromkeys("abc" * 40, 1), {})) == 3
    assert len(differences({str(n) + "x": 1 for n in range(100)}, {})) == 64


def test_depth_has_an_end() -> None:
    def nested(value: object) -> object:
        for _ in range(300):
            value = {"a": value}
        return value

    assert [each.path.count(".a") for each in differences(nested(1), nested(2))] == [200]


@given(JSON)
def test_a_value_does_not_differ_from_itself_however_it_is_spelled(value: object) -> None:
    one = parse(json.dumps(value))
    other = parse(json.dumps(value, sort_keys=True, indent=1))
    assert differences(one, other) == []


@given(JSON, JSON)
def test_there_is_a_difference_exactly_where_forms_differ(one: object, other: object) -> None:
    left, right = parse(json.dumps(one)), parse(json.dumps(other))
    same = canonical(left) == canonical(right)
    assert (differences(left, right) == []) is same
    assert len(differences(left, right)) == len(differences(right, left))


@given(JSON)
def test_leaves_are_all_scalars_and_empty_containers(value: object) -> None:
    for path, leaf in leaves(value):
        assert path.startswith("$")
        assert not isinstance(leaf, dict | list) or not leaf


def test_members_that_are_ids_are_any_member() -> None:
    tree = {"files": {"550e8400-e29b-41d4-a716-446655440000": {"n": 1}, "17": {"n": 2}}}
    assert list(leaves(tree)) == [("$.files.*.n", 2), ("$.files.*.n", 1)]
    assert step("$", "deadbeefcafe01") == "$.*"
    assert step("$", "deadbeefcafe") == "$.deadbeefcafe"


@pytest.mark.parametrize(
    ("value", "name"),
    [
        (None, "null"),
        (True, "boolean"),
        (1, "number"),
        (1.5, "number"),
        ("", "string"),
        ([], "array"),
        ({}, "object"),
        (Opaque(""), "text"),
        (DROP, "absent"),
    ],
)
def test_types_have_the_names_of_json_schema(value: object, name: str) -> None:
    assert json_type(value) == name
