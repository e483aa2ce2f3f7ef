"""Members of a frame or a query name channels by ordered templates."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.errors import InvalidChannel
from bridge.wire.members import Members


def texts(found: dict[str, object], *templates: str) -> list[str]:
    members = Members(templates) if templates else Members()
    return [name.text for name in members.names(found)]


@pytest.mark.parametrize(
    ("found", "names"),
    [
        ({"channel": "test"}, ["test"]),
        ({"channel": "files"}, ["files"]),
        ({"fileId": "f1"}, ["file.f1"]),
        ({"projectId": "p1"}, ["project.p1"]),
        ({"projectId": 42}, ["project.42"]),
        ({"userId": "7"}, ["user.7"]),
        ({"projectId": "project.42"}, ["project.42"]),
        ({"projectId": "file.f1"}, ["file.f1"]),
        ({"projectId": "a.b"}, ["project.a.b"]),
        ({"projectId": "p1", "fileId": "f1"}, ["file.f1"]),
        ({"projectId": "p1", "fileId": None}, ["project.p1"]),
        ({"projectId": "p1", "fileId": ""}, ["project.p1"]),
        ({"projectId": "p1", "channel": "test"}, ["test"]),
        ({"channel": ["a", "b", "a", None, 1]}, ["a", "b", "1"]),
        ({"fileId": ["f1", "file.f2"]}, ["file.f1", "file.f2"]),
        ({"channel": []}, []),
        ({"imageGenerationId": "g1"}, []),
        ({}, []),
    ],
)
def test_the_first_template_that_can_be_filled_wins(
    found: dict[str, object], names: list[str]
) -> None:
    assert texts(found) == names


def test_a_template_may_take_several_members() -> None:
    templates = ("{kind}.{namespace}", "{kind}")
    assert texts({"kind": "pods", "namespace": "n"}, *templates) == ["pods.n"]
    assert texts({"kind": "pods"}, *templates) == ["pods"]


@pytest.mark.parametrize(
    "value", ["a/b", "..", "file.", "project.../x", "a\r\nb", "%2e", True, 1.5, {"a": 1}, [False]]
)
def test_a_value_that_makes_no_name_is_refused(value: object) -> None:
    with pytest.raises(InvalidChannel):
        texts({"projectId": value})


@given(st.dictionaries(st.sampled_from(["channel", "fileId", "projectId"]), st.text()))
def test_whatever_comes_the_names_are_sound_or_refused(found: dict[str, object]) -> None:
    try:
        names = Members().names(found)
    except InvalidChannel:
        return
    assert all(name.parse(name.text) == name for name in names)


@pytest.mark.parametrize("template", ["project.{a b}", "", "test"])
def test_a_template_without_a_usable_field_is_refused(template: str) -> None:
    with pytest.raises(ValueError, match=r"no channel template|no field"):
        Members((template,))
