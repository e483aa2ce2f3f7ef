"""The application: which URL is served by what, from its start to its stop."""

import pytest
import structlog
from starlette.applications import Starlette
from starlette.routing import Route
from websockets.exceptions import InvalidStatus

from bridge.app import create_app, routes
from bridge.assembly import Bridge
from bridge.config import Config, UpstreamOptions
from bridge.control.admin import AdminOptions
from bridge.endpoint.auth_options import AuthOptions
from bridge.endpoint.jwt_options import JwtOptions
from bridge.endpoint.relay_request import RelayOptions
from bridge.settings.model import OWN_PATHS
from bridge.upstream.sse import SseOptions
from bridge.wire.routes import DEFAULT_ROUTES, RouteOptions
from tests.endpoint.parts import (
    NAME,
    NOWHERE,
    QUICK,
    ask,
    bridging,
    said,
    streaming,
    talking,
    upstream_of,
)
from tests.support.backends import SseBackend, WsBackend
from tests.support.servers import serving
from tests.support.waiting import until

BY_ID = RouteOptions("/ws/projects/{id:int}", "/sse/projects/{id:int}", channel="project.{id}")


@pytest.mark.parametrize("path", ["/api/v1/events/project.1", "/api/events/project.1"])
async def test_a_stream_is_served_on_every_path_of_its_route(path: str) -> None:
    async with bridging() as running, streaming(running.authority, path) as stream:
        assert (await stream.block()).startswith(b"id: ")


async def test_both_wires_share_one_upstream() -> None:
    async with (
        SseBackend() as backend,
        bridging(upstream_of(backend)) as running,
        talking(running.authority) as socket,
        streaming(running.authority) as stream,
    ):
        await stream.block()
        await until(lambda: backend.subscribers(NAME) and running.readers == 2)
        backend.publish(NAME, '{"a": 1 }')
        assert await said(socket) == (await stream.event()).data == '{"a": 1 }'
    assert len(backend.openings) == 1


async def test_routes_are_those_of_the_configuration() -> None:
    async with bridging(routes=(BY_ID,)) as running:
        async with streaming(running.authority, "/sse/projects/7") as stream:
            await stream.block()
            assert running.channel("project.7").readers == 1
        for path in ("/sse/projects/x", "/sse/projects/" + "9" * 5000, "/api/v1/events/project.7"):
            assert (await ask(running.authority, "GET", path)).status == 404
        with pytest.raises(InvalidStatus):
            async with talking(running.authority, "/ws/projects/x"):
                pass


async def test_no_route_of_the_configuration_may_hide_what_the_bridge_answers_itself() -> None:
    auth = AuthOptions(mode="jwt", jwt=JwtOptions(("HS256",), secret="s" * 64))
    async with bridging(admin=AdminOptions("t" * 16), auth=auth) as running:
        own = [route.path for route in routes(running.bridge) if isinstance(route, Route)]
    channels = [path for route in DEFAULT_ROUTES for path in route.sse_paths]
    mine = [path for path in own if path not in channels]
    assert [path for path in mine if not f"{path}/".startswith(OWN_PATHS)] == []
    assert [kept for kept in OWN_PATHS if not any(path.startswith(kept) for path in mine)] == []


async def test_a_bridge_of_relays_alone_serves_no_channels() -> None:
    relay = RelayOptions("/v2/echat", "http://127.0.0.1:9/v2/echat")
    async with bridging(UpstreamOptions(), relays=(relay,)) as running:
        assert (await ask(running.authority, "GET", "/api/v1/events/project.1")).status == 404
        assert (await ask(running.authority, "POST", "/v2/echat", data=b"{}")).status == 502
        assert (await ask(running.authority, "DELETE", "/v2/echat")).status == 405


async def test_the_parts_are_found_in_the_applications_state() -> None:
    config = Config(upstream=NOWHERE)
    parts = Bridge(config)
    assert create_app(config, parts).state.bridge is parts
    assert isinstance(create_app(config).state.bridge, Bridge)


async def test_a_bridge_starts_without_its_backend_says_so_and_serves_when_it_comes() -> None:
    backend = WsBackend(running=False)
    with structlog.testing.capture_logs() as lines:
        async with (
            backend,
            bridging(upstream_of(backend)) as running,
            talking(running.authority) as socket,
        ):
            await until(lambda: any("does not answer yet" in each["event"] for each in lines))
            await backend.start()
            await until(lambda: backend.subscribers(NAME))
            backend.publish(NAME, "at last")
            assert await said(socket) == "at last"
    warned = next(each for each in lines if "does not answer yet" in each["event"])
    assert warned["backend"] == backend.authority


async def test_an_application_can_be_started_again() -> None:
    app: Starlette = create_app(Config(upstream=NOWHERE, reconnect=QUICK))
    for _ in range(2):
        async with serving(app) as authority:
            assert (await ask(authority, "GET", "/healthz")).status == 200
            async with streaming(authority) as stream:
                assert (await stream.block()).startswith(b"id: ")
    assert sum(getattr(route, "path", "") == "/healthz" for route in app.routes) == 1


async def test_a_start_that_is_stopped_at_once_leaves_nothing_running() -> None:
    upstream = UpstreamOptions(sse=SseOptions("http://192.0.2.1/{channel}"))  # RFC 5737: nobody
    async with serving(create_app(Config(upstream=upstream))):
        pass
