"""The short way leads where the table of routes would."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.routing import BaseRoute, Match, Mount, Route, WebSocketRoute
from starlette.types import Receive, Scope, Send

from bridge.endpoint.shortcut import Shortcut


class Named:
    """An endpoint that is never called."""

    def __init__(self, name: str) -> None:
        self.name = name

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        raise NotImplementedError


TEMPLATES = ["/a/{x}", "/a/b", "/a/{y}", "/{z}/b", "/a/{x}/c", "/a", "/a/{x:path}", "/b/{x}"]
PATHS = ["/a/b", "/a/c", "/a/", "/a", "/a/b/c", "/b/a\n", "/b/%20", "//", "/b/b", "b"]


def table(templates: list[tuple[str, bool]]) -> list[BaseRoute]:
    return [
        WebSocketRoute(path, Named(f"{at}")) if socket else Route(path, Named(f"{at}"))
        for at, (path, socket) in enumerate(templates)
    ]


def scope(path: str, kind: str) -> Scope:
    return {"type": kind, "path": path, "method": "GET", "root_path": "", "headers": []}


@given(
    st.lists(st.tuples(st.sampled_from(TEMPLATES), st.booleans()), max_size=6),
    st.sampled_from(PATHS),
    st.sampled_from(["http", "websocket"]),
)
def test_it_never_decides_otherwise(
    templates: list[tuple[str, bool]], path: str, kind: str
) -> None:
    routes, asked = table(templates), scope(path, kind)
    found = Shortcut(routes).find(asked)
    if found is None:
        return
    match, child = next(
        (match, child)
        for match, child in (each.matches(dict(asked)) for each in routes)
        if match is Match.FULL
    )
    assert match is Match.FULL
    assert child["endpoint"] is found
    assert child["path_params"] == asked["path_params"]


@pytest.mark.parametrize("kind", ["http", "websocket"])
def test_it_is_taken_for_the_routes_of_streams(kind: str) -> None:
    asked = scope("/a/b", kind)
    assert Shortcut(table([("/a/{x}", False), ("/a/{x}", True)])).find(asked)
    assert asked["path_params"] == {"x": "b"}


def test_what_may_hide_a_route_leaves_it_to_the_table() -> None:
    endpoint = Route("/a/{x}", Named("a"))
    for earlier in (
        Mount("/a", Named("m")),
        Route("/{y:path}", Named("p")),
        Route("/a/b", Named("b")),
    ):
        assert Shortcut([earlier, endpoint]).find(scope("/a/b", "http")) is None


def test_a_route_of_some_methods_is_left_to_the_table() -> None:
    routes = [Route("/a/{x}", Named("a"), methods=["POST"])]
    assert Shortcut(routes).find(scope("/a/b", "http")) is None


def test_an_application_that_is_mounted_is_left_to_the_table() -> None:
    asked = {**scope("/a/b", "http"), "root_path": "/a"}
    assert Shortcut(table([("/a/{x}", False)])).find(asked) is None


def test_no_connection_has_no_path() -> None:
    assert Shortcut(()).find({"type": "lifespan"}) is None
