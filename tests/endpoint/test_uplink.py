"""`POST`: what a body becomes, how its outcome is told, and in which order bodies go up."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
import anyio
import pytest

from bridge.endpoint.options import ClientOptions
from bridge.endpoint.uplink import Uplink
from bridge.wire.routes import DEFAULT_ROUTES
from tests.endpoint.parts import (
    EVENTS,
    NAME,
    Running,
    ask,
    bridging,
    raw_exchange,
    upstream_of,
)
from tests.support.backends import SseBackend, WsBackend
from tests.support.waiting import until

BYTES = {"Content-Type": "application/octet-stream"}


@asynccontextmanager
async def taking(backend: SseBackend, **client: float) -> AsyncIterator[Running]:
    """A bridge in front of a backend that takes posts."""
    async with backend:
        upstream = upstream_of(backend, send_url=backend.url)
        options = ClientOptions(**client)  # type: ignore[arg-type]
        async with bridging(upstream, client=options) as running:
            yield running


async def test_an_accepted_body_is_202_and_reaches_the_backend_as_it_is(
    errors: list[str],
) -> None:
    backend = SseBackend()
    async with taking(backend) as running:
        body = '{"a": "\u00e9" }'.encode()
        accepted = await ask(running.authority, "POST", EVENTS, data=body)
        assert (accepted.status, accepted.json) == (202, {"accepted": True})
        binary = await ask(running.authority, "POST", EVENTS, data=b"\xff\x00", headers=BYTES)
        assert binary.status == 202
    assert [each.raw for each in backend.received] == [body, b"\xff\x00"]


async def test_a_websocket_backend_gets_a_frame_of_the_same_kind(errors: list[str]) -> None:
    async with WsBackend() as backend, bridging(upstream_of(backend)) as running:
        await ask(running.authority, "POST", EVENTS, data="text")
        await ask(running.authority, "POST", EVENTS, data=b"\xff", headers=BYTES)
        await ask(running.authority, "POST", "/api/v1/events?projectId=1", data="")
        await until(lambda: len(backend.received) == 4)
    assert [each.raw for each in backend.received][1:] == ["text", b"\xff", ""]


@pytest.mark.parametrize(
    ("status", "told", "code"),
    [
        (400, 400, "bad-request"),
        (401, 401, "unauthorized"),
        (403, 403, "forbidden"),
        (404, 404, "not-found"),
        (409, 400, "bad-request"),
        (413, 413, "too-big"),
        (415, 415, "unsupported"),
        (429, 429, "try-later"),
        (500, 500, "internal"),
        (503, 503, "restart"),
    ],
)
async def test_the_backends_refusal_is_told_by_the_endings_table(
    status: int, told: int, code: str, errors: list[str]
) -> None:
    backend = SseBackend()
    async with taking(backend) as running:
        backend.post_status = status
        refused = await ask(running.authority, "POST", EVENTS, data=b"x")
    assert (refused.status, refused.json["code"]) == (told, code)
    assert ("Retry-After" in refused.headers) == refused.json["reconnect"]


async def test_without_a_way_to_the_backend_it_is_501(errors: list[str]) -> None:
    async with SseBackend() as backend, bridging(upstream_of(backend)) as running:
        refused = await ask(running.authority, "POST", EVENTS, data=b"x")
    assert refused.status == 501
    assert "send_url" in refused.json["reason"]
    assert backend.received == []


async def test_a_stream_that_the_backend_does_not_know_takes_no_frames(errors: list[str]) -> None:
    backend = SseBackend()
    async with taking(backend) as running:
        backend.refusal = 404
        assert (await ask(running.authority, "POST", EVENTS, data=b"x")).status == 404


async def test_a_draining_bridge_takes_nothing(errors: list[str]) -> None:
    backend = SseBackend()
    async with taking(backend) as running:
        running.bridge.hub.drain()
        refused = await ask(running.authority, "POST", EVENTS, data=b"x")
    assert (refused.status, backend.received) == (503, [])
    assert int(refused.headers["Retry-After"]) >= 1


@pytest.mark.parametrize("chunked", [False, True])
async def test_a_body_over_the_limit_is_413_and_goes_nowhere(
    chunked: bool, errors: list[str]
) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(11):
            yield b"x" * 100

    backend = SseBackend()
    async with taking(backend, max_frame_bytes=1000) as running:
        body = pieces() if chunked else b"x" * 1001
        refused = await ask(running.authority, "POST", EVENTS, data=body)
        assert (refused.status, refused.json["code"]) == (413, "too-big")
        assert (await ask(running.authority, "POST", EVENTS, data=b"x" * 1000)).status == 202
    assert len(backend.received) == 1


async def test_text_that_is_no_utf8_is_422(errors: list[str]) -> None:
    backend = SseBackend()
    async with taking(backend) as running:
        text = {"Content-Type": "application/json"}
        refused = await ask(running.authority, "POST", EVENTS, data=b"\xff", headers=text)
    assert (refused.status, backend.received) == (422, [])
    assert "octet-stream" in refused.json["reason"]


async def test_one_clients_bodies_keep_the_order_of_their_requests(errors: list[str]) -> None:
    """Over connections of their own, the first of them the slowest to send its body."""
    backend = SseBackend()
    async with taking(backend) as running:
        host, _, port = running.authority.rpartition(":")
        head = f"POST {EVENTS} HTTP/1.1\r\nHost: b\r\nContent-Length: 5\r\n\r\n".encode()
        _, slow = await asyncio.open_connection(host, int(port))
        slow.write(head + b"f")
        uplink = await the_uplink(running)
        await until(lambda: uplink.waiting == 1)
        async with anyio.create_task_group() as tasks:
            for number in range(5):
                queued = number + 2
                tasks.start_soon(post, running, f"{number}".encode())
                await until(lambda queued=queued: lengths(uplink) == [queued])  # type: ignore[misc]
            assert backend.received == []
            slow.write(b"irst")
        assert [each.raw for each in backend.received] == [b"first", *b"0 1 2 3 4".split()]
        assert uplink.waiting == 0
        slow.close()
        await slow.wait_closed()


async def post(running: Running, body: bytes) -> None:
    assert (await ask(running.authority, "POST", EVENTS, data=body)).status == 202


async def the_uplink(running: Running) -> Uplink:
    for route in running.app.routes:
        by_method = getattr(getattr(route, "app", None), "_app", None)
        served = getattr(by_method, "_endpoints", {}).get("POST")
        if getattr(route, "path", "") == DEFAULT_ROUTES[0].sse:
            assert isinstance(served, Uplink)
            return served
    raise AssertionError


def lengths(uplink: Uplink) -> list[int]:
    return [queue.length for queue in uplink._queues.values()]


async def test_a_body_that_does_not_arrive_holds_nobody_up_for_ever(errors: list[str]) -> None:
    backend = SseBackend()
    head = f"POST {EVENTS} HTTP/1.1\r\nHost: b\r\nConnection: close\r\nContent-Length: 9\r\n\r\n"
    async with taking(backend, send_timeout=0.05) as running:
        answered = await raw_exchange(running.authority, head.encode() + b"part")
        assert answered.startswith(b"HTTP/1.1 408")
        await post(running, b"next")
        assert (await the_uplink(running)).waiting == 0
    assert [each.raw for each in backend.received] == [b"next"]


async def test_a_client_that_leaves_with_its_body_unsent_leaves_nothing_behind(
    errors: list[str],
) -> None:
    backend = SseBackend()
    async with taking(backend) as running:
        host, _, port = running.authority.rpartition(":")
        uplink = await the_uplink(running)
        for _ in range(3):
            _, writer = await asyncio.open_connection(host, int(port))
            writer.write(f"POST {EVENTS} HTTP/1.1\r\nHost: b\r\nContent-Length: 9\r\n\r\n".encode())
            await until(lambda: uplink.waiting == 1)
            writer.transport.abort()
            await until(lambda: uplink.waiting == 0)
        await post(running, b"next")
    assert [each.raw for each in backend.received] == [b"next"]


async def test_posting_opens_a_channel_that_is_closed_again(errors: list[str]) -> None:
    backend = SseBackend()
    async with taking(backend) as running:
        await post(running, b"x")
        assert running.readers == 0
        assert backend.openings[0].channel == NAME


async def test_bodies_of_several_channels_do_not_wait_for_each_other(errors: list[str]) -> None:
    backend = SseBackend()
    async with taking(backend) as running:
        host, _, port = running.authority.rpartition(":")
        _, slow = await asyncio.open_connection(host, int(port))
        slow.write(f"POST {EVENTS} HTTP/1.1\r\nHost: b\r\nContent-Length: 9\r\n\r\n".encode())
        async with aiohttp.ClientSession() as session:
            url = f"http://{running.authority}/api/v1/events/file.f1"
            async with session.post(url, data=b"x") as answered:
                assert answered.status == 202
        slow.close()
        await slow.wait_closed()
