"""Aliases rename by rules, name fallbacks, and read channels from queries."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.errors import InvalidChannel
from bridge.wire.alias import Aliases, AliasOptions
from bridge.wire.members import Members
from bridge.wire.names import MAX_LENGTH, ChannelName

FILES = AliasOptions("file.{id}", fallbacks=("project.{id}",))


def texts(names: tuple[ChannelName, ...]) -> list[str]:
    return [name.text for name in names]


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("project.file.f1", "file.f1"),
        ("project.file.f1.x", "file.f1.x"),
        ("project.42", "project.42"),
        ("project.file", "project.file"),
        ("file.f1", "file.f1"),
        ("xproject.file.f1", "xproject.file.f1"),
    ],
)
def test_by_default_only_the_doubled_prefix_is_mended(text: str, meant: str) -> None:
    assert Aliases().canonical(ChannelName(text)).text == meant


def test_by_default_nothing_has_a_fallback() -> None:
    assert Aliases().fallbacks(ChannelName("file.f1")) == ()


def test_rules_apply_in_order_each_to_what_the_last_one_made() -> None:
    rules = [AliasOptions("a.{x}", to="b.{x}"), AliasOptions("b.{x}", to="c.{x}")]
    assert Aliases(rules).canonical(ChannelName("a.1")).text == "c.1"
    assert Aliases(rules[::-1]).canonical(ChannelName("a.1")).text == "b.1"


def test_rules_that_swap_two_names_come_to_an_end() -> None:
    rules = [AliasOptions("a.{x}", to="b.{x}"), AliasOptions("b.{x}", to="a.{x}")]
    assert Aliases(rules).canonical(ChannelName("a.1")).text == "a.1"


def test_a_field_is_one_part_and_the_last_one_all_the_rest() -> None:
    aliases = Aliases([AliasOptions("job.{id}.{step}", to="{id}.job.{step}")])
    assert aliases.canonical(ChannelName("job.1.a.b")).text == "1.job.a.b"


def test_a_template_may_end_in_a_word() -> None:
    aliases = Aliases([AliasOptions("job.{id}.logs", to="logs.{id}")])
    assert aliases.canonical(ChannelName("job.1.2.logs")).text == "logs.1.2"
    assert aliases.canonical(ChannelName("job.1.2.log")).text == "job.1.2.log"


def test_a_rule_without_fields_renames_one_channel() -> None:
    aliases = Aliases([AliasOptions("all", to="test")])
    assert aliases.canonical(ChannelName("all")).text == "test"
    assert aliases.canonical(ChannelName("all.1")).text == "all.1"


def test_the_dots_of_a_rule_are_dots() -> None:
    aliases = Aliases([AliasOptions("a.{x}", to="b.{x}")])
    assert aliases.canonical(ChannelName("aX1")).text == "aX1"


def test_a_rename_past_the_longest_name_is_refused() -> None:
    aliases = Aliases([AliasOptions("a.{x}", to="longer.{x}")])
    with pytest.raises(InvalidChannel):
        aliases.canonical(ChannelName("a." + "x" * (MAX_LENGTH - 2)))


def test_a_file_falls_back_to_the_project_of_that_id() -> None:
    aliases = Aliases([FILES])
    assert texts(aliases.fallbacks(ChannelName("file.x"))) == ["project.x"]
    assert aliases.fallbacks(ChannelName("project.x")) == ()
    assert aliases.canonical(ChannelName("file.x")).text == "file.x"


def test_fallbacks_of_all_rules_come_in_order_once_and_without_the_name_itself() -> None:
    rules = [
        AliasOptions("file.{id}", fallbacks=("project.{id}", "file.{id}")),
        AliasOptions("file.{any}", fallbacks=("{any}", "project.{any}")),
    ]
    assert texts(Aliases(rules).fallbacks(ChannelName("file.x"))) == ["project.x", "x"]


@pytest.mark.parametrize(
    ("query", "name"),
    [
        ({"fileId": "f1", "projectId": "p1"}, "file.f1"),
        ({"projectId": "p1"}, "project.p1"),
        ({"projectId": "project.p1"}, "project.p1"),
        ({"userId": "u1"}, "user.u1"),
        ({"channel": "test"}, "test"),
    ],
)
def test_a_query_names_a_channel(query: dict[str, str], name: str) -> None:
    assert Aliases().from_fields(query) == ChannelName(name)


def test_a_query_may_name_none() -> None:
    assert Aliases().from_fields({"last_event_id": "e-1"}) is None


def test_a_query_may_use_other_members() -> None:
    aliases = Aliases(members=Members(("job.{jobId}",)))
    assert aliases.from_fields({"jobId": "1", "fileId": "f1"}) == ChannelName("job.1")


def test_a_hostile_query_is_refused() -> None:
    with pytest.raises(InvalidChannel):
        Aliases().from_fields({"fileId": "../admin"})


@given(st.from_regex(r"\A[a-z.]{1,30}\Z"))
def test_every_name_that_comes_of_a_name_is_a_name(text: str) -> None:
    try:
        name = ChannelName.parse(text)
    except InvalidChannel:
        return
    aliases = Aliases([AliasOptions("{a}.{b}", to="{b}.{a}", fallbacks=("x.{b}",))])
    for each in (aliases.canonical(name), *aliases.fallbacks(name)):
        assert ChannelName.parse(each.text) == each


@pytest.mark.parametrize(
    ("match", "to", "fallbacks", "complaint"),
    [
        ("file.{id}", "", (), "does nothing"),
        ("file/{id}", "a", (), "no channel template"),
        ("file.{id}", "a b", (), "no channel template"),
        ("file.{id}", "project.{name}", (), "lacks"),
        ("file.{id}", "", ("project.{name}",), "lacks"),
        ("{id}.{id}", "a.{id}", (), "twice"),
        ("{a}{b}", "a.{b}", (), "where a field ends"),
    ],
)
def test_a_rule_that_cannot_work_is_refused(
    match: str, to: str, fallbacks: tuple[str, ...], complaint: str
) -> None:
    with pytest.raises(ValueError, match=complaint):
        AliasOptions(match, to, fallbacks)
