"""Hand-written rules: which places they mean, and what they make alike."""

import json

import pytest
from hypothesis import given

from bridge.parity.canonical import canonical
from bridge.parity.rules import (
    DROP,
    NORMALISERS,
    Normalise,
    Pattern,
    Rules,
    element,
    member,
)
from bridge.parity.walk import leaves
from tests.parity.talk import JSON

TREE = {"a": {"url": "u", "b": [{"url": "v", "n": 1}, {"n": 2}]}, "url": "w"}


def dropped(path: str, value: object = TREE) -> object:
    return Pattern.parse(path).changed(value, lambda _: DROP)


@pytest.mark.parametrize(
    ("path", "rest"),
    [
        ("$.url", {"a": TREE["a"]}),
        ("$.a.b[*].n", {"a": {"url": "u", "b": [{"url": "v"}, {}]}, "url": "w"}),
        ("$.a.b[0].n", {"a": {"url": "u", "b": [{"url": "v"}, {}]}, "url": "w"}),
        ("$..url", {"a": {"b": [{"n": 1}, {"n": 2}]}}),
        ("$.a.*", {"a": {}, "url": "w"}),
        ("$.a..*", {"a": {}, "url": "w"}),
        ("$['url']", {"a": TREE["a"]}),
        ("$.a.b[*]", {"a": {"url": "u", "b": []}, "url": "w"}),
        ("$.nothing.here", TREE),
        ("$.url.deeper", TREE),
        ("$.a[*]", TREE),
        ("$", None),
    ],
)
def test_a_path_means_these_places(path: str, rest: object) -> None:
    before = json.dumps(TREE)
    assert dropped(path) == rest
    assert json.dumps(TREE) == before


@pytest.mark.parametrize(
    ("path", "place", "means"),
    [
        ("$.a", "$.a", True),
        ("$.a", "$.a.b", True),
        ("$.a", "$.a[*].b", True),
        ("$.a", "$.ab", False),
        ("$.a.b", "$.a", False),
        ("$..b", "$.x.y[*].b", True),
        ("$..b", "$.b", True),
        ("$.*.b", "$.x.b", True),
        ("$.*.b", "$.b", False),
        ("$.a[*].b", "$.a[*].b", True),
        ("$.a[3]", "$.a[*]", True),
        ("$['a b']", "$['a b'].c", True),
        ("$", "$.any", True),
    ],
)
def test_a_path_matches_what_lies_in_it(path: str, place: str, means: bool) -> None:
    assert Pattern.parse(path).matches("file", place) is means


def test_names_may_hold_a_dollar() -> None:
    assert Pattern.parse("file:$.$ref.a$b").parts == (("name", "$ref"), ("name", "a$b"))
    assert Pattern.parse("$.$ref").matches("any", "$.$ref")


def test_a_type_before_the_path_narrows_it() -> None:
    pattern = Pattern.parse(" file:$.a ")
    assert pattern.matches("file", "$.a")
    assert not pattern.matches("task", "$.a")
    assert (pattern.text, pattern.message) == ("file:$.a", "file")


@pytest.mark.parametrize("text", ["a.b", "file$.a", "$a", "$.", "$..", "$.a[x]", "$.a=b", ""])
def test_what_is_no_path_is_refused_in_one_line(text: str) -> None:
    with pytest.raises(ValueError, match=r"is no path|cannot be read|lacks a name") as refusal:
        Pattern.parse(text)
    assert "\n" not in str(refusal.value)


@given(JSON)
def test_every_place_that_a_walk_names_can_be_ruled_out(value: object) -> None:
    for path, _ in leaves(value):
        if "'" not in path.replace("['", "").replace("']", ""):
            assert Pattern.parse(path).matches("", path)


@pytest.mark.parametrize(
    ("name", "one", "other", "alike"),
    [
        ("lower", "ABC", "abc", True),
        ("lower", 1, "1", False),
        ("trim", " a\n", "a", True),
        ("number", "1.50", 1.5, True),
        ("number", "2.0", 2, True),
        ("number", "two", 2, False),
        ("sorted", [2, 1], [1, 2], True),
        ("sorted", "ba", "ab", False),
        ("url", "https://a/b?sig=1#x", "https://a/b?sig=2", True),
        ("url", "https://a/b", "https://a/c", False),
        ("url", "http://[", "http://[", True),
        ("url", 1, 2, False),
        ("null", None, DROP, True),
        ("null", None, 0, False),
        ("lower", DROP, "a", False),
    ],
)
def test_normalisers_make_alike(name: str, one: object, other: object, alike: bool) -> None:
    rules = Rules(normalise=(f"$.v={name}",))
    assert (rules.excuse("", "$.v", one, other) == f"alike by $.v={name}") is alike


@given(JSON)
def test_a_normaliser_changes_nothing_twice(value: object) -> None:
    for change in NORMALISERS.values():
        once = change(value)
        if once is not DROP:
            assert canonical(change(once)) == canonical(once)


def test_what_is_left_to_compare() -> None:
    rules = Rules(("$.a",), ("file:$.b=lower", "$.c=null"))
    assert rules.reduced("file", {"a": 1, "b": "X", "c": None}) == {"b": "x"}
    assert rules.reduced("task", {"a": 1, "b": "X", "c": 1}) == {"b": "X", "c": 1}
    assert rules
    assert not Rules()


def test_an_ignored_place_excuses_anything() -> None:
    rules = Rules(("$.a", "file:$.b"))
    assert rules.excuse("task", "$.a.x", 1, DROP) == "ignored by $.a"
    assert rules.excuse("task", "$.b", 1, 2) is None
    assert rules.ignored("file", "$.b") == "ignored by file:$.b"
    assert rules.ignored("task", "$.b") is None


@pytest.mark.parametrize("text", ["$.a", "$.a=upper", "=lower", "a=lower"])
def test_what_is_no_rule_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is no"):
        Normalise.parse(text)


def test_paths_quote_unwieldy_names() -> None:
    assert member("$", "a") == "$.a"
    assert member("$.a", "b c") == "$.a['b c']"
    assert member("$", "") == "$['']"
    assert element("$.a") == "$.a[*]"


@pytest.mark.parametrize("path", ["$..url", "$..*", "$..a..url"])
def test_however_deep_a_payload_nests_its_places_are_found(path: str) -> None:
    value: dict[str, object] = {"url": 1}
    for _ in range(400):
        value = {"a": [value], "url": 2}
    kept = json.dumps(value)
    assert '"url": 1' not in json.dumps(dropped(path, value))
    assert json.dumps(value) == kept
