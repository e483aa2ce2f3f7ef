"""Payloads taken apart: which member names the type, and which holds the body."""

import pytest
from hypothesis import given

from bridge.parity.canonical import parse
from bridge.parity.envelope import EnvelopeRules, Form, Message, unwrap
from tests.parity.talk import JSON, new


def unwrapped(data: str, event: str = "message", rules: EnvelopeRules | None = None) -> Message:
    return unwrap(new(data, type=event), parse(data), rules or EnvelopeRules())


def test_the_legacy_envelope() -> None:
    found = unwrapped('{"type":"file","projectId":"p","object":{"id":1}}')
    assert (found.type, found.body, found.rest) == ("file", {"id": 1}, {"projectId": "p"})
    assert (found.form, found.base) == (Form("message", "type", "object"), "$.object")


def test_a_bare_body_in_a_named_event() -> None:
    found = unwrapped('{"id":1}', "file")
    assert (found.type, found.body, found.form) == ("file", {"id": 1}, Form("file"))
    assert found.base == "$"


def test_the_event_s_name_goes_before_a_member_that_looks_like_a_type() -> None:
    found = unwrapped('{"id":1,"type":"image"}', "file")
    assert (found.type, found.body) == ("file", {"id": 1, "type": "image"})


def test_an_event_named_as_the_type_is_an_envelope_all_the_same() -> None:
    found = unwrapped('{"type":"file","object":{}}', "file")
    assert found.form == Form("file", "type", "object")


def test_a_type_beside_its_members() -> None:
    found = unwrapped('{"type":"ping","n":1}')
    assert (found.type, found.body, found.base) == ("ping", {"type": "ping", "n": 1}, "$")


def test_a_body_without_a_type_is_no_envelope() -> None:
    assert unwrapped('{"object":{"id":1}}').body == {"object": {"id": 1}}


@pytest.mark.parametrize(("event", "kind"), [("message", ""), ("tick", "tick")])
def test_what_is_no_object_is_its_own_body(event: str, kind: str) -> None:
    assert (unwrapped("[1]", event).type, unwrapped("[1]", event).body) == (kind, [1])


def test_members_may_have_other_names() -> None:
    rules = EnvelopeRules(types=("t",), bodies=("my body",))
    found = unwrapped('{"t":"a","my body":2}', rules=rules)
    assert (found.type, found.body, found.base) == ("a", 2, "$['my body']")


@pytest.mark.parametrize("name", ["types", "bodies"])
def test_an_empty_name_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match=f"{name} holds an empty name"):
        EnvelopeRules(**{name: ("a", "")})  # type: ignore[arg-type]


def test_forms_in_words() -> None:
    assert str(Form("message", "type", "object")) == "type, object"
    assert str(Form("file")) == "the bare body in an event file"


@given(JSON)
def test_no_value_is_lost(value: object) -> None:
    found = unwrap(new("x"), value, EnvelopeRules())
    assert found.value is value
    if found.form.body_member:
        members = {found.form.type_member: found.type, found.form.body_member: found.body}
        assert {**members, **found.rest} == value
    else:
        assert found.body == value
