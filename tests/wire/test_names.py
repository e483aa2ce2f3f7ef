"""The grammar of channel names, against hostile input above all."""

import posixpath
import string
from urllib.parse import unquote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.errors import InvalidChannel
from bridge.wire.names import (
    MAX_LENGTH,
    ChannelName,
    check_template,
    compose,
    expand,
    fields,
    served,
)

PARTS = st.text(alphabet=string.ascii_letters + string.digits + "_~@:+=,-", min_size=1, max_size=20)
NAMES = st.lists(PARTS, min_size=1, max_size=5).map(".".join)


@pytest.mark.parametrize(
    "text",
    ["test", "project.42", "file.f1", "user.7", "a.b.c", "project.a@b:c+d=e,f", "~", "x" * 200],
)
def test_a_name_is_dotted_words(text: str) -> None:
    assert str(ChannelName.parse(text)) == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        ".",
        "..",
        "...",
        "../etc/passwd",
        "project..42",
        ".project",
        "project.",
        "project/42",
        "project\\42",
        "project.%2e%2e",
        "project.1%2F..%2Fadmin",
        "project.1%00",
        "project.1\x00",
        "project.1\r\nX-Evil: 1",
        "project.1\n",
        "\nproject.1",
        "project.1\u2028",
        "project.1\x85",
        "project 1",
        "project.1?x=1",
        "project.1#x",
        "project.1;x",
        "project.1&x=1",
        "project.*",
        "project.{id}",
        "project.é",
        "проект.1",
        "project.\u0661",  # an Arabic digit one
        "project\uff0e1",  # a fullwidth full stop
        "project.1\u200b",
        "project.\ud800",
        "x" * (MAX_LENGTH + 1),
        "x" * 1_000_000,
        "a." * 500_000,
    ],
)
def test_a_hostile_name_is_refused_and_not_repeated(text: str) -> None:
    with pytest.raises(InvalidChannel) as caught:
        ChannelName.parse(text)
    assert len(text) < 9 or text not in str(caught.value)


@given(NAMES)
def test_a_name_has_a_kind_and_an_id(text: str) -> None:
    name = ChannelName.parse(text)
    assert text == (f"{name.kind}.{name.id}" if "." in text else name.kind == name.id and name.id)


@given(st.text() | NAMES)
def test_no_accepted_name_changes_the_structure_of_a_url(text: str) -> None:
    try:
        name = ChannelName.parse(text)
    except InvalidChannel:
        return
    template = "http://h:1/api/v1/events/{channel}/{kind}/x/{id}?c={channel}#f"
    url = urlsplit(expand(template, name))
    assert (url.scheme, url.netloc, url.fragment) == ("http", "h:1", "f")
    assert [unquote(each) for each in url.path.split("/")] == (
        ["", "api", "v1", "events", name.text, name.kind, "x", name.id]
    )
    assert posixpath.normpath(url.path) == url.path
    assert unquote(url.query) == f"c={name.text}"
    assert url.query.count("=") == 1


def test_a_template_field_that_is_none_is_an_error_of_ours() -> None:
    with pytest.raises(KeyError):
        expand("http://h/{secret}", ChannelName("a"))


@pytest.mark.parametrize(
    ("pattern", "is_served"),
    [("project.*", True), ("*", True), ("project.42", True), ("file.*", False), ("project", False)],
)
def test_patterns_say_which_channels_are_served(pattern: str, is_served: bool) -> None:
    assert served(ChannelName("project.42"), ["other", pattern]) is is_served


def test_nothing_is_served_without_a_pattern() -> None:
    assert not served(ChannelName("project.42"), [])


def test_the_fields_of_a_template_are_listed_once() -> None:
    assert fields("/a/{id}/{kind}/{id}") == {"id", "kind"}


@given(NAMES)
def test_composing_is_the_inverse_of_taking_apart(text: str) -> None:
    name = ChannelName.parse(f"project.{text}"[:MAX_LENGTH].rstrip("."))
    assert compose("{kind}.{id}", {"kind": name.kind, "id": name.id}) == name


def test_a_number_composes_as_its_digits() -> None:
    assert compose("project.{id}", {"id": 42}).text == "project.42"


@pytest.mark.parametrize("value", ["", "a/b", "..", "a\n", "a%2F", "{id}", "x" * MAX_LENGTH])
def test_a_hostile_value_composes_no_name(value: str) -> None:
    with pytest.raises(InvalidChannel):
        compose("project.{id}", {"id": value})


@pytest.mark.parametrize("template", ["test", "{channel}", "project.{id}", "{kind}.{namespace}"])
def test_a_channel_template_makes_a_name(template: str) -> None:
    check_template(template)


@pytest.mark.parametrize("template", ["", "project/{id}", "project.{id", "{}", "a b.{id}", "{id}."])
def test_a_template_that_never_makes_a_name_is_refused_with_advice(template: str) -> None:
    with pytest.raises(ValueError, match=r"is no channel template: .* project\.\{id\}"):
        check_template(template)
