"""What an outline makes of values: it allows all that it saw, whatever the order."""

import random

import jsonschema_rs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.parity.outline import DEEPEST, MOST_MEMBERS, Outline

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.floats(-9, 9) | st.text(max_size=3)
    | st.sampled_from(["2026-01-02", "2026-01-02T03:04:05Z", "https://host/a?b=c#d",
                       "0b0f9d04-7c1f-4d6e-9a57-6f2f0f7ad5a1", "2026-02-30"]),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=8,
)  # fmt: skip


def outlined(values: list[object]) -> dict[str, object]:
    outline = Outline()
    for value in values:
        outline.take(value)
    return outline.schema()


@settings(max_examples=500, deadline=None)
@given(st.lists(JSON, min_size=1, max_size=8))
def test_all_that_was_seen_is_valid(values: list[object]) -> None:
    validator = jsonschema_rs.validator_for(outlined(values), validate_formats=True)
    for value in values:
        validator.validate(value)


@settings(max_examples=200, deadline=None)
@given(st.lists(JSON, max_size=8), st.randoms(use_true_random=False))
def test_the_order_makes_no_difference(values: list[object], chance: random.Random) -> None:
    shuffled = values.copy()
    chance.shuffle(shuffled)
    assert outlined(shuffled) == outlined(values)


@pytest.mark.parametrize(
    ("values", "schema"),
    [
        ([1, 2], {"type": "integer"}),
        ([1, 2.5, None], {"type": ["null", "number"]}),
        ([True, "x"], {"type": ["boolean", "string"]}),
        (["a", "b"] * 10, {"type": "string", "enum": ["a", "b"]}),
        (["a", None] * 10, {"type": ["null", "string"], "enum": ["a", None]}),
        (["a", "b"] * 9, {"type": "string"}),
        ([f"name {number}" for number in range(200)], {"type": "string"}),
        (["x" * 50] * 50, {"type": "string"}),
        (["2026-01-02T03:04:05.6+01:00"], {"type": "string", "format": "date-time"}),
        (["2026-01-02"], {"type": "string", "format": "date"}),
        (["2026-02-30"], {"type": "string"}),
        (["https://host/a.webp?sig=%20"], {"type": "string", "format": "uri"}),
        (["https://host/%zz"], {"type": "string"}),
        (["0b0f9d04-7c1f-4d6e-9a57-6f2f0f7ad5a1"], {"type": "string", "format": "uuid"}),
        ([[], [1], ["a"]], {"type": "array", "items": {"type": ["integer", "string"]}}),
        ([{"a": 1, "b": 1}, {"a": 2}],
         {"type": "object", "required": ["a"],
          "properties": {"a": {"type": "integer"}, "b": {"type": "integer"}}}),
        ([{}], {"type": "object"}),
        ([], {}),
    ],
)  # fmt: skip
def test_what_values_have_in_common(values: list[object], schema: dict[str, object]) -> None:
    assert outlined(values) == schema


def test_an_object_of_very_many_members_is_a_table() -> None:
    table: dict[str, object] = {f"id {number}": {"size": number} for number in range(MOST_MEMBERS)}
    within = {"type": "object", "properties": {"size": {"type": "integer"}}, "required": ["size"]}
    expected = {"type": "object", "additionalProperties": within}
    assert "properties" in outlined([table])
    assert outlined([table, {"one": {"size": 1}}]) == expected
    assert outlined([{"one": {"size": 1}}, table]) == expected


def test_a_bottomless_value_is_described_so_far() -> None:
    value: object = 1
    for _ in range(DEEPEST * 3):
        value = [value]
    assert jsonschema_rs.validator_for(outlined([value])).is_valid(value)
