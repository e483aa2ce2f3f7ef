"""Which wire a client should use, and where it finds both."""

import pytest

from bridge.endpoint.hint import TTL
from bridge.wire.routes import DEFAULT_ROUTES, RouteOptions
from tests.endpoint.parts import ask, bridging

BY_ID = RouteOptions("/ws/projects/{id:int}", "/events/projects/{id:int}", channel="project.{id}")
TENANTS = RouteOptions(sse="/of/{tenant}/{channel}")


async def test_every_client_stays_on_websocket(errors: list[str]) -> None:
    async with bridging() as running:
        hint = await ask(running.authority, "GET", "/api/v1/transport/project.1")
    assert hint.status == 200
    assert hint.headers["Cache-Control"] == "no-store"
    assert hint.json == {
        "channel": "project.1",
        "wire": "ws",
        "ws": "/api/v1/ws/project.1",
        "sse": "/api/v1/events/project.1",
        "ttl": TTL,
        "reason": "every client stays on WebSocket",
    }


async def test_an_alias_is_answered_with_the_name_that_is_meant(errors: list[str]) -> None:
    async with bridging() as running:
        hint = await ask(running.authority, "GET", "/api/v1/transport/project.file.f1")
    assert hint.json["sse"] == "/api/v1/events/file.f1"


@pytest.mark.parametrize("name", ["nobody.1", "project..1", "a%0Ab"])
async def test_a_channel_that_is_not_served_has_no_hint(name: str, errors: list[str]) -> None:
    async with bridging() as running:
        assert (await ask(running.authority, "GET", f"/api/v1/transport/{name}")).status == 404


@pytest.mark.parametrize(
    ("name", "ws", "sse"),
    [
        ("project.7", "/ws/projects/7", "/events/projects/7"),
        ("project.abc", None, None),
        ("file.7", None, None),
    ],
)
async def test_paths_are_those_of_the_configured_routes(
    name: str, ws: str | None, sse: str | None, errors: list[str]
) -> None:
    async with bridging(routes=(BY_ID, TENANTS)) as running:
        hint = await ask(running.authority, "GET", f"/api/v1/transport/{name}")
    assert (hint.json["ws"], hint.json["sse"]) == (ws, sse)


async def test_the_first_route_that_means_the_channel_is_told(errors: list[str]) -> None:
    async with bridging(routes=(BY_ID, *DEFAULT_ROUTES)) as running:
        hint = await ask(running.authority, "GET", "/api/v1/transport/file.7")
    assert hint.json["ws"] == "/api/v1/ws/file.7"
