"""Drafting a contract from observations."""

import json

from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.parity.breach import Checker
from bridge.parity.contract import DIALECT
from bridge.parity.learning import Draft, learn
from bridge.parity.observation import Mark, Observation, Side, Turn
from tests.parity.test_outline import JSON


def said(message: object, event: str = "message") -> Observation:
    return Observation(Side.LEGACY, "c", json.dumps(message), 0.0, type=event)


def test_each_type_gets_a_schema_that_names_it() -> None:
    contract = learn([said({"type": "b", "n": 1}), said({"type": "a"}), said([], "list")])
    assert list(contract.schemas) == ["a", "b", "list"]
    assert contract.schemas["b"] == {
        "$schema": DIALECT,
        "title": "b",
        "type": "object",
        "properties": {"n": {"type": "integer"}, "type": {"const": "b"}},
        "required": ["n", "type"],
    }
    assert contract.schemas["list"] == {"$schema": DIALECT, "title": "list", "type": "array"}


def test_a_member_that_looks_like_a_type_beside_an_event_name_is_none() -> None:
    messages = [said({"type": "text"}, "chunk"), said({"type": "image"}, "chunk")]
    assert learn(messages).schemas["chunk"]["properties"] == {"type": {"type": "string"}}


def test_what_is_no_message_or_no_json_is_passed_over() -> None:
    draft = Draft()
    draft.take(Mark(Side.LEGACY, "c", 0.0, Turn.LOST))
    draft.take(Observation(Side.LEGACY, "c", "[DONE]", 0.0))
    draft.take(said({}))
    assert (draft.skipped, dict(draft.counts)) == (1, {"message": 1})


@settings(max_examples=300, deadline=None)
@given(st.lists(st.fixed_dictionaries({"type": st.sampled_from("ab")}, optional={"v": JSON})))
def test_what_it_was_drafted_from_keeps_the_contract(messages: list[dict[str, object]]) -> None:
    seen = [said(message) for message in messages]
    checker = Checker(learn(seen))
    assert [checker.take(each) for each in seen] == [None] * len(seen)
