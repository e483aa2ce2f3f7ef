"""Routes: path templates, their checks, and the channel that a path means."""

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.routing import compile_path

from bridge.errors import InvalidChannel
from bridge.wire.names import ChannelName
from bridge.wire.routes import DEFAULT_ROUTES, RouteOptions, channel_of, converters, plain

UUID_TEXT = "0b9a6f6e-3d0d-4b9c-8f4e-0c9a4d1e2f3a"
PROJECTS = RouteOptions(ws="/api/v1/ws/projects/{id}/stream", channel="project.{id}")


def named(channel: str, path: str, **values: object) -> str:
    return str(channel_of(RouteOptions(ws=path, channel=channel), values))


def test_by_default_the_paths_of_real_clients_are_served() -> None:
    assert [path for route in DEFAULT_ROUTES for path in route.paths] == [
        "/api/v1/ws/{channel}",
        "/api/v1/events/{channel}",
        "/api/events/{channel}",
        "/api/v1/ws",
        "/api/v1/events",
        "/api/events",
    ]


def test_by_default_a_path_holds_the_whole_name() -> None:
    name = channel_of(DEFAULT_ROUTES[0], {"channel": "project.42"})
    assert name == ChannelName("project.42")


def test_a_bare_path_names_no_channel() -> None:
    assert channel_of(DEFAULT_ROUTES[1], {}) is None


def test_a_template_makes_the_name_of_the_paths_fields() -> None:
    assert channel_of(PROJECTS, {"id": "42"}) == ChannelName("project.42")
    assert named("step.{step}.{id}", "/p/{id}/{step}", id="1", step="a") == "step.a.1"


def test_a_path_may_mean_one_fixed_channel() -> None:
    assert named("market.all", "/market") == "market.all"


def test_converted_values_are_written_out_again() -> None:
    assert named("p.{id}", "/p/{id:int}", id=42) == "p.42"
    assert named("p.{id}", "/p/{id:uuid}", id=UUID(UUID_TEXT)) == f"p.{UUID_TEXT}"
    assert named("p.{id}", "/p/{id:str}", id="x") == "p.x"


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("/p/{id:int}", "x"),
        ("/p/{id:int}", "-1"),
        ("/p/{id:int}", "٤٢"),
        ("/p/{id:int}", "9" * 5000),
        ("/p/{id:int}", ""),
        ("/p/{id:uuid}", "42"),
        ("/p/{id:uuid}", UUID_TEXT + "0"),
        ("/p/{id}", ""),
        ("/p/{id}", ".."),
        ("/p/{id}", "a/b"),
        ("/p/{id}", "a\r\nb"),
        ("/p/{id}", "a\x00"),
        ("/p/{id}", "a%2Fb"),
        ("/p/{id}", "x" * 300),
    ],
)
def test_a_value_that_does_not_fit_names_no_channel(path: str, value: str) -> None:
    with pytest.raises(InvalidChannel):
        named("p.{id}", path, id=value)


def test_a_missing_parameter_names_no_channel() -> None:
    with pytest.raises(InvalidChannel):
        channel_of(PROJECTS, {})


@given(st.text())
def test_any_value_makes_a_sound_name_or_none(value: str) -> None:
    try:
        name = channel_of(PROJECTS, {"id": value})
    except InvalidChannel:
        return
    assert name == ChannelName.parse(f"project.{value}")


@pytest.mark.parametrize("path", ["/a/{id:int}/{x:uuid}/{y}/{z:str}", "/a", "/"])
def test_a_plain_path_has_the_same_fields_without_converters(path: str) -> None:
    assert converters(plain(path)).keys() == converters(path).keys()
    assert ":" not in plain(path)


def test_the_web_framework_reads_the_paths_alike() -> None:
    for route in (*DEFAULT_ROUTES, PROJECTS, RouteOptions(sse="/p/{id:int}", channel="p.{id}")):
        for path in route.paths:
            assert compile_path(plain(path))[2].keys() == converters(path).keys()


@pytest.mark.parametrize("path", ["/{id}/", "/a.b/c~d/{id}", "/ws:v1/{id}"])
def test_a_path_of_plain_segments_and_fields_is_sound(path: str) -> None:
    assert converters(path) == {"id": "str"}


@pytest.mark.parametrize(
    ("path", "complaint"),
    [
        ("", "a route without a path"),
        ("ws/{id}", "begin with a slash"),
        ("//", "has the segment ''"),
        ("/ws//{id}", "has the segment ''"),
        ("/ws/../{id}", "has the segment '..'"),
        ("/ws/./{id}", "has the segment '.'"),
        ("/ws/x{id}", "has the segment 'x{id}'"),
        ("/ws/{id}{x}", "has the segment"),
        ("/ws/{id", "has the segment"),
        ("/ws?x={id}", "has the segment"),
        ("/ws#x/{id}", "has the segment"),
        ("/w s/{id}", "has the segment"),
        ("/w%73/{id}", "has the segment"),
        ("/ws/{id}/{id}", "has {id} twice"),
        ("/ws/{id:path}", "converter 'path'; use str, int, uuid"),
        ("/ws/{other}", "lacks the field {id} of the channel 'p.{id}'"),
    ],
)
def test_a_path_that_cannot_be_used_is_refused(path: str, complaint: str) -> None:
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - the text is compared below
        RouteOptions(ws=path, channel="p.{id}")
    assert complaint in str(caught.value)


def test_every_path_has_to_have_the_channels_fields() -> None:
    with pytest.raises(ValueError, match="'/b' lacks"):
        RouteOptions(ws="/a/{channel}", sse="/c/{channel}", aliases=("/b",))


def test_a_channel_template_has_to_make_names() -> None:
    with pytest.raises(ValueError, match="no channel template"):
        RouteOptions(ws="/a/{id}", channel="p/{id}")


def test_a_route_may_serve_one_wire_alone() -> None:
    assert RouteOptions(sse="/a/{channel}").paths == ("/a/{channel}",)
    assert RouteOptions(ws="/a/{channel}").sse_paths == ()
