"""Channels out of claims, hostile values included."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.endpoint.claims import MOST, allowed, check_template, filled, listed, text_at
from bridge.wire.names import ChannelName


@pytest.mark.parametrize(
    ("template", "claims", "names"),
    [
        ("user.{sub}", {"sub": "7"}, ["user.7"]),
        ("user.{sub}", {"sub": 7}, ["user.7"]),
        ("{kind}.{ids}", {"kind": "file", "ids": ["a", "b"]}, ["file.a", "file.b"]),
        ("user.{realm.id}", {"realm": {"id": "x"}}, ["user.x"]),
        ("user.{https://a.example/id}", {"https://a.example/id": "x"}, ["user.x"]),
        ("test", {}, ["test"]),
        ("user.{sub}", {}, []),
        ("user.{sub}", {"sub": True}, []),
        ("user.{sub}", {"sub": None}, []),
        ("user.{sub}", {"sub": {"a": 1}}, []),
    ],
)
def test_templates_are_filled_from_claims(
    template: str, claims: dict[str, Any], names: list[str]
) -> None:
    assert list(filled(template, claims)) == names


@pytest.mark.parametrize(
    "value", ["*", "?", "[a-z]", "", ".", "a..b", "a/b", "{sub}", "a b", "a\n"]
)
def test_no_claim_becomes_a_wildcard(value: str) -> None:
    assert list(filled("user.{sub}", {"sub": value})) == []


@given(st.text())
def test_a_template_with_one_claim_never_means_more_than_one_channel(value: str) -> None:
    channels = allowed({"sub": value}, ("user.{sub}",), "")
    assert channels.patterns == ()
    assert len(channels.names) <= 1


def test_a_list_of_patterns_is_taken_from_an_array_or_a_text() -> None:
    assert listed({"channels": ["project.*", 7, "a b", "x/y"]}, "channels") == ["project.*"]
    assert listed({"scope": "file.1 user.2"}, "scope") == ["file.1", "user.2"]
    assert listed({"channels": {"a": 1}}, "channels") == []


def test_a_token_names_a_bounded_number_of_channels() -> None:
    many = [str(number) for number in range(100)]
    channels = allowed({"a": many, "b": many, "c": many}, ("{a}.{b}.{c}",), "")
    assert len(channels.names) == MOST


def test_both_sources_count() -> None:
    channels = allowed({"sub": "7", "channels": ["project.1"]}, ("user.{sub}",), "channels")
    assert ChannelName("user.7") in channels
    assert ChannelName("project.1") in channels
    assert ChannelName("user.8") not in channels


def test_only_text_and_whole_numbers_are_text() -> None:
    values = {"a": "x", "b": 1, "c": True, "d": 1.5, "e": 10**400}
    assert [text_at(values, name) for name in "abcdef"] == ["x", "1", "", "", "", ""]


@pytest.mark.parametrize("template", ["", "user/{sub}", "user.{}", "{", "a b"])
def test_a_template_that_names_no_channel_is_refused(template: str) -> None:
    with pytest.raises(ValueError, match="channels holds"):
        check_template("channels", template)
