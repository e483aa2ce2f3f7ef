"""The canonical form: equal bytes exactly where two payloads say the same JSON."""

import json
import math
from hashlib import blake2b

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.parity.canonical import Opaque, canonical, digest, parse, text
from tests.parity.talk import JSON


def form(data: str | bytes) -> bytes:
    return canonical(parse(data))


@given(JSON, st.booleans(), st.sampled_from((None, 1, "\t")))
def test_spelling_does_not_matter(value: object, ascii_only: bool, indent: int | None) -> None:
    plain = json.dumps(value, separators=(",", ":"))
    spelled = json.dumps(value, ensure_ascii=ascii_only, indent=indent, sort_keys=True)
    assert form(plain) == form(spelled)
    assert digest(parse(plain)) == digest(parse(spelled))


@given(JSON, JSON)
def test_different_values_never_share_a_form(one: object, other: object) -> None:
    left, right = (parse(json.dumps(value)) for value in (one, other))
    same = json.dumps(left, sort_keys=True) == json.dumps(right, sort_keys=True)
    assert (canonical(left) == canonical(right)) is same


@given(JSON)
def test_the_form_reads_as_the_value(value: object) -> None:
    parsed = parse(json.dumps(value))
    assert parse(canonical(parsed).decode("utf-8", "surrogatepass")) == parsed


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("1", "1.0"),
        ("100", "1e2"),
        ("0", "-0"),
        ('{"a":[1,{"b":2.0}]}', '{"a":[1.0,{"b":2}]}'),
        ("[18446744073709551616]", "[1.8446744073709551616e19]"),
        ("0", "-0.0"),
        ("0.1", "1e-1"),
        ("12345678901234567890123", "12345678901234567890123.0"),
        ('"\\u00e9"', '"é"'),
        ('"\\/"', '"/"'),
        ('{"a":1,"b":2}', '{"b":2,"a":1}'),
        (" [1 , 2]\n", "[1,2]"),
    ],
)
def test_these_are_the_same(one: str, other: str) -> None:
    assert form(one) == form(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("1", '"1"'),
        ("1", "true"),
        ("[1,2]", "[2,1]"),
        ("null", "{}"),
        ("9007199254740993", "9007199254740992"),
        ("0.1", "0.10000000000000002"),
        ('{"a":null}', "{}"),
        ('"é"', '"e\\u0301"'),
        ("tick", '"tick"'),
        ('{"a":1,"a":2}', '{"a":2}'),
    ],
)
def test_these_are_not(one: str, other: str) -> None:
    assert form(one) != form(other)


@pytest.mark.parametrize(
    "data",
    ["", "tick", "NaN", "-Infinity", "1e400", '{"a":1,"a":1}', "[" * 100_000, "9" * 5000, b"{}"],
)
def test_what_readers_take_differently_stands_for_itself(data: str | bytes) -> None:
    assert parse(data) == Opaque(data)
    assert form(data) == form(data)


def test_text_and_binary_of_the_same_bytes_differ() -> None:
    assert form("tick") != form(b"tick")
    assert form(b"1") != form("1")


def test_lone_surrogates_and_large_numbers_have_a_form() -> None:
    assert form('"\\ud800"') == b'"\xed\xa0\x80"'
    assert form(str(2**80)) == str(2**80).encode()
    assert canonical([2**80, {"b": 1, "a": 2}]) == b'[%d,{"a":2,"b":1}]' % 2**80


def test_the_largest_double_is_whole() -> None:
    assert parse("1.7976931348623157e308") == 17976931348623157 * 10**292
    assert math.isclose(parse("5e-324"), 5e-324)


def test_people_read_a_value_as_json_and_the_rest_as_it_is() -> None:
    assert text({"b": [1, "é"], "a": None}) == '{"a":null,"b":[1,"é"]}'
    assert text(Opaque("tick")) == "tick"
    assert text(Opaque(b"\0\1\2")) == "3 bytes of binary"
    assert text("\ud800") == '"���"'


def test_a_digest_is_that_of_the_form() -> None:
    assert digest(parse('{"b":1.0,"a":2}')) == blake2b(b'{"a":2,"b":1}', digest_size=16).digest()


@pytest.mark.parametrize(
    ("data", "value"),
    [
        ("1e-99999999999999999999", 0.0),
        ("[0e99999999999999999999]", [0]),
        ("-0.0E-9999999999999999999", 0),
    ],
)
def test_an_exponent_beyond_all_bounds_is_read_as_every_reader_reads_it(
    data: str, value: object
) -> None:
    found = parse(data)
    assert (found, repr(found)) == (value, repr(value))


@pytest.mark.parametrize(("opened", "closed"), [("[", "]"), ('{"a":', "}")])
def test_what_nests_beyond_every_bound_stands_for_itself(opened: str, closed: str) -> None:
    for depth in (401, 900, 100_000):
        assert isinstance(parse(opened * depth + "1" + closed * depth), Opaque)
    assert form(opened * 400 + "1.0" + closed * 400) == (opened * 400 + "1" + closed * 400).encode()
    assert len(parse(f"[{'[[1]],' * 500}1]")) == 501
