"""Whether a WebSocket is let in, and how it is told where it is not."""

import json

import pytest
from websockets.exceptions import InvalidStatus

from bridge.endpoint.options import ClientOptions
from bridge.wire.dialect_options import DialectOptions
from bridge.wire.endings import FORBIDDEN
from tests.endpoint.parts import NAME, SOCKET, bridging, closing, notice, said, talking, upstream_of
from tests.support.backends import SseBackend, WsBackend
from tests.support.waiting import until

pytestmark = pytest.mark.usefixtures("way")

AFTER = DialectOptions(reject="after", close_codes={"not-found": 4004})

BAD_NAMES = {
    "traversal": "/api/v1/ws/..%2F..%2Fetc",
    "dots": "/api/v1/ws/project..1",
    "return": "/api/v1/ws/project.1%0D%0Ax",
    "newline at the end": "/api/v1/ws/project.1%0A",
    "nul": "/api/v1/ws/project.1%00",
    "too long": "/api/v1/ws/project." + "1" * 300,
    "beyond ASCII": "/api/v1/ws/project.%C3%A9",
    "unknown kind": "/api/v1/ws/secret.1",
    "in the query": "/api/v1/ws?fileId=a%0Ab",
}


@pytest.mark.parametrize("path", BAD_NAMES.values(), ids=BAD_NAMES.keys())
async def test_a_name_that_is_none_is_404_before_anything_goes_upstream(
    path: str, errors: list[str]
) -> None:
    async with WsBackend() as backend, bridging(upstream_of(backend)) as running:
        with pytest.raises(InvalidStatus) as refused:
            async with talking(running.authority, path):
                pass
        response = refused.value.response
        assert response.status_code == 404
        assert json.loads(response.body or b"")["code"] == "not-found"
        assert not list(running.bridge.hub.channels())
    assert backend.openings == []


@pytest.mark.parametrize("path", ["/api/v1/ws/project.1%00", "/api/v1/ws/secret.1"])
async def test_where_browsers_are_to_read_the_reason_it_is_a_close_code(
    path: str, errors: list[str]
) -> None:
    async with (
        WsBackend() as backend,
        bridging(upstream_of(backend), dialect=AFTER) as running,
        talking(running.authority, path) as socket,
    ):
        assert (await closing(socket))[0] == 4004
    assert backend.openings == []


async def test_a_draining_bridge_says_503_and_when_to_come_back(errors: list[str]) -> None:
    async with bridging() as running:
        running.bridge.hub.drain()
        with pytest.raises(InvalidStatus) as refused:
            async with talking(running.authority):
                pass
    assert refused.value.response.status_code == 503
    assert int(refused.value.response.headers["Retry-After"]) >= 1


async def test_a_draining_bridge_closes_1012_where_it_rejects_after_accepting(
    errors: list[str],
) -> None:
    async with bridging(dialect=AFTER) as running:
        running.bridge.hub.drain()
        async with talking(running.authority) as socket:
            assert (await closing(socket))[0] == 1012


async def test_a_client_is_counted_while_it_is_here(errors: list[str]) -> None:
    async with bridging() as running:
        async with talking(running.authority):
            await until(lambda: running.count("clients", wire="ws") == 1)
        await until(lambda: running.count("clients", wire="ws") == 0)
        assert running.count("clients_opened", wire="ws") == 1


@pytest.mark.parametrize("by_query", [False, True])
async def test_a_place_is_continued_behind_as_on_the_other_wire(
    by_query: bool, errors: list[str]
) -> None:
    async with bridging() as running:
        async with talking(running.authority, f"{SOCKET}?notices=true") as first:
            place = (await notice(first))["id"]
        running.publish("a", "b")
        path = f"{SOCKET}?last_event_id={place}" if by_query else SOCKET
        headers = {} if by_query else {"Last-Event-ID": place}
        async with talking(running.authority, path, additional_headers=headers) as again:
            assert [await said(again), await said(again)] == ["a", "b"]


async def test_the_query_names_the_channel_of_a_bare_socket(errors: list[str]) -> None:
    async with (
        WsBackend() as backend,
        bridging(upstream_of(backend)) as running,
        talking(running.authority, "/api/v1/ws?fileId=f1") as socket,
    ):
        await until(lambda: backend.subscribers("file.f1"))
        backend.publish("file.f1", "a")
        assert await said(socket) == "a"


async def test_an_offered_subprotocol_that_the_dialect_knows_is_echoed(errors: list[str]) -> None:
    async with (
        bridging() as running,
        talking(running.authority, subprotocols=["bearer", "secret"]) as socket,
    ):
        assert socket.subprotocol == "bearer"


@pytest.mark.parametrize("payload", ['{"a": 1 }', "", "\u00e9\u2028", b"", b"\x00\xff"])
async def test_a_payload_passes_as_it_is(payload: str | bytes, errors: list[str]) -> None:
    async with (
        WsBackend() as backend,
        bridging(upstream_of(backend)) as running,
        talking(running.authority) as socket,
    ):
        await until(lambda: backend.subscribers(NAME))
        backend.publish(NAME, payload)
        assert await said(socket) == payload


@pytest.mark.parametrize("server_limit", [1000, 16_000_000])
async def test_a_frame_over_the_limit_closes_1009_whoever_notices(
    server_limit: int, errors: list[str]
) -> None:
    client = ClientOptions(max_frame_bytes=1000)
    async with SseBackend() as backend:
        upstream = upstream_of(backend, send_url=backend.url)
        async with bridging(upstream, client=client, ws_max_size=server_limit) as running:
            async with talking(running.authority) as socket:
                await socket.send("\u00e9" * 500)
                await until(lambda: backend.received)
                await socket.send("\u00e9" * 500 + "x")
                assert (await closing(socket))[0] == 1009
            await until(lambda: running.readers == 0)
    assert len(backend.received) == 1


@pytest.mark.parametrize("code", [4403, 4404, 1008, 4999, 3000])
async def test_the_backends_final_close_code_reaches_the_client(
    code: int, errors: list[str]
) -> None:
    backend = WsBackend()
    async with (
        backend,
        bridging(upstream_of(backend, final_closes=(4999,))) as running,
        talking(running.authority) as socket,
    ):
        await until(lambda: backend.subscribers(NAME))
        await backend.end(NAME, code, "no longer")
        closed, reason = await closing(socket)
    assert closed == code
    assert "no longer" in reason


async def test_the_backends_refusal_reaches_the_client_as_its_close_code(
    errors: list[str],
) -> None:
    async with WsBackend() as backend, bridging(upstream_of(backend)) as running:
        backend.refusal = 403
        async with talking(running.authority) as socket:
            assert (await closing(socket))[0] == 4403


async def test_a_long_reason_is_cut_between_characters(errors: list[str]) -> None:
    async with bridging() as running, talking(running.authority) as socket:
        await until(lambda: running.readers)
        running.channel().ended(FORBIDDEN, "\u20ac" * 60)
        code, reason = await closing(socket)
    assert (code, reason) == (4403, "\u20ac" * 41)
