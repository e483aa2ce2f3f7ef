"""When a connection can be taken over and when it cannot."""

import asyncio
import gc
import ssl
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from weakref import ref

import pytest
from starlette.types import Scope
from structlog.testing import capture_logs
from websockets.asyncio.client import connect

from bridge.endpoint.fallback import NOT_OFFERED
from bridge.endpoint.snapshot import Joining
from bridge.endpoint.takeover import Entrance, SocketProtocol, StreamProtocol
from bridge.endpoint.ws import SocketEndpoint
from bridge.wire.event import Event
from tests.endpoint.parts import SOCKET, Running, bridging
from tests.endpoint.raw import get, line, socket_line, text, upgrade
from tests.support import peers
from tests.support.servers import ways
from tests.support.waiting import until

CHUNKED = b"transfer-encoding: chunked\r\n"


@asynccontextmanager
async def offering(**server: object) -> AsyncIterator[Running]:
    """A bridge whose server offers its connections."""
    async with bridging(server=ways(fast=True) | server) as bridge:
        yield bridge


def was_taken(bridge: Running, wire: str) -> bool:
    return bridge.count("clients_stepped", wire=wire) == 0


async def test_a_stream_is_taken_over_with_its_bytes_unchanged() -> None:
    async with offering() as bridge, line(bridge.authority) as client:
        client.send(get())
        head = await client.until(b"\r\n\r\n")
        assert CHUNKED in head
        await client.until(b"\n\n\r\n")
        await until(lambda: bridge.readers == 1)
        bridge.publish("a")
        assert b"data: a\n" in await client.until(b"\n\n\r\n")
        assert was_taken(bridge, "sse")
        assert bridge.count("clients", wire="sse") == 1
    assert bridge.count("clients", wire="sse") == 0
    assert bridge.readers == 0


async def test_a_kept_connection_is_taken_over_by_its_second_request() -> None:
    async with offering() as bridge, line(bridge.authority) as client:
        client.send(get("/healthz"))
        await client.until(b"}")
        client.send(get())
        await client.until(b"\n\n\r\n")
        await until(lambda: bridge.readers == 1)
        assert was_taken(bridge, "sse")
        bridge.publish("a")
        await client.until(b"data: a\n")


async def test_a_head_request_is_answered_and_the_connection_kept() -> None:
    async with offering() as bridge, line(bridge.authority) as client:
        client.send(get(method="HEAD"))
        assert b"200 OK" in await client.until(b"\r\n\r\n")
        client.send(get("/healthz"))
        assert b"200 OK" in await client.until(b"}")
        assert bridge.readers == 0


async def test_connection_close_is_said_and_kept() -> None:
    async with offering() as bridge, line(bridge.authority) as client:
        client.send(get(extra="Connection: close\r\n"))
        assert b"connection: close\r\n" in await client.until(b"\r\n\r\n")
        await until(lambda: bridge.readers == 1)
        assert was_taken(bridge, "sse")
        bridge.bridge.hub.drain()
        assert (await client.rest()).endswith(b"0\r\n\r\n")


@pytest.mark.parametrize("version", ["1.0", "1.1"])
async def test_old_clients_get_the_same_bytes_either_way(version: str) -> None:
    got = []
    for fast in (True, False):
        async with bridging(server=ways(fast=fast)) as bridge, line(bridge.authority) as client:
            client.send(get(version=version))
            await until(lambda: bridge.readers == 1)
            bridge.publish("a")
            raw = await client.until(b"data: a\n") + await client.until(b"\n\r\n")
            epoch = bridge.channel().log.epoch.encode()
            head, _, body = raw.partition(b"\r\n\r\n")
            lines = [each for each in head.split(b"\r\n") if not each.startswith(b"date:")]
            got.append((lines, body.replace(epoch, b"EPOCH")))
    assert got[0] == got[1]


async def test_a_request_that_another_one_follows_already_stays_with_the_server() -> None:
    async with offering() as bridge, line(bridge.authority) as client:
        client.send(get() + get("/healthz"))
        await until(lambda: bridge.readers == 1)
        assert not was_taken(bridge, "sse")
        bridge.publish("a")
        await client.until(b"data: a\n")
        bridge.bridge.hub.drain()
        assert (await client.until(b"0\r\n\r\n")).count(b"HTTP/1.1 ") == 0
        assert (await client.until(b"}")).startswith(b"HTTP/1.1 200 OK")


async def test_what_a_client_sends_after_its_request_is_passed_over() -> None:
    async with offering() as bridge, line(bridge.authority) as client:
        client.send(get())
        await until(lambda: bridge.readers == 1)
        client.send(get("/healthz"), b"\x00" * 100)
        bridge.publish("a")
        await client.until(b"data: a\n")


async def test_a_request_with_a_body_still_under_way_is_served(errors: list[str]) -> None:
    async with offering() as bridge, line(bridge.authority) as client:
        client.send(get(extra="Content-Length: 10\r\n") + b"12345")
        await until(lambda: bridge.readers == 1)
        client.send(b"67890")
        bridge.publish("a")
        await client.until(b"data: a\n")


async def test_a_client_that_leaves_before_it_can_be_taken_leaves_nothing(
    monkeypatch: pytest.MonkeyPatch, errors: list[str]
) -> None:
    left: list[bool] = []

    async def snapshot(*_: object) -> tuple[Event, ...]:
        await until(lambda: left)
        return (Event("state"),)

    monkeypatch.setattr(Joining, "snapshot", snapshot)
    async with offering() as bridge:
        async with line(bridge.authority) as client:
            client.send(get())
            await client.until(b"\n\n\r\n")
        left.append(True)
        await until(lambda: bridge.readers == 0)
        await until(lambda: bridge.count("clients", wire="sse") == 0)


async def test_a_client_that_is_full_at_once_is_passed_over_until_it_reads(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    huge = b":" + b"x" * 8_000_000 + b"\n\n"
    monkeypatch.setattr("bridge.endpoint.sse.encode_id", lambda _: huge)
    async with offering() as bridge, line(bridge.authority, receive_buffer=4096) as client:
        client.send(get())
        await until(lambda: bridge.count("clients", wire="sse") == 1)
        assert was_taken(bridge, "sse")
        bridge.publish("a")
        await client.until(b"\r\n\r\n")
        await client.reader.readexactly(len(b"7a1203\r\n") + len(huge) + 2)
        assert b"data: a\n" in await client.until(b"\n\n\r\n")


async def test_a_socket_is_taken_over() -> None:
    async with offering() as bridge, socket_line(bridge.authority) as client:
        await until(lambda: bridge.readers == 1)
        bridge.publish("a")
        assert await client.said() == "a"
        assert was_taken(bridge, "ws")


async def test_compression_is_declined() -> None:
    async with offering() as bridge:
        url = f"ws://{bridge.authority}{SOCKET}"
        async with connect(url, compression="deflate", proxy=None) as socket:
            assert not socket.protocol.extensions
            await until(lambda: bridge.readers == 1)
            bridge.publish("a")
            assert await socket.recv() == "a"
        assert was_taken(bridge, "ws")


async def test_one_that_speaks_before_it_is_answered_stays_with_the_server_and_is_heard(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    kept: list[SocketProtocol] = []
    waiting: list[bool] = []
    spoken = asyncio.Event()
    serve = SocketEndpoint.__call__

    class Kept(SocketProtocol):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            kept.append(self)
            super().connection_made(transport)

    async def serve_late(self: SocketEndpoint, scope: Scope, *ways: Any) -> None:
        waiting.append(True)
        await spoken.wait()
        await serve(self, scope, *ways)

    monkeypatch.setattr(SocketEndpoint, "__call__", serve_late)
    ping = text('{"type":"ping"}')
    async with offering(ws=Kept) as bridge, line(bridge.authority) as client:
        client.send(upgrade())
        await until(lambda: waiting)
        client.send(ping[:2])  # a header, which uvicorn's parser takes out of its buffer
        await until(lambda: kept and kept[0]._reads == 2)
        spoken.set()
        await client.until(b"\r\n\r\n")
        client.send(ping[2:])
        assert "pong" in await client.said()
        assert not was_taken(bridge, "ws")


@pytest.mark.parametrize("at_once", [True, False])
async def test_nothing_of_the_server_is_kept_for_a_taken_connection(at_once: bool) -> None:
    made: list[ref[asyncio.Protocol]] = []

    class Stream(StreamProtocol):
        def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
            made.append(ref(self))
            super().connection_made(transport)

    class Socket(SocketProtocol):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            made.append(ref(self))
            super().connection_made(transport)

    def front(**server: Any) -> asyncio.Protocol:
        whole = Entrance()(**server)
        made.append(ref(whole))
        return whole

    expected = 2 if at_once else 3
    http = front if at_once else Stream
    gc.disable()  # memory is to be free without waiting for a collection
    try:
        async with (
            offering(http=http, ws=Socket) as bridge,
            line(bridge.authority) as stream,
            socket_line(bridge.authority),
        ):
            stream.send(get())
            await until(lambda: bridge.readers == 2)
            await until(lambda: len(made) == expected and not any(each() for each in made))
    finally:
        gc.enable()


async def test_the_portable_way_is_said_once_and_counted_for_each() -> None:
    with capture_logs() as lines:
        await step_three()
    assert [each["reason"] for each in lines if "reason" in each].count(NOT_OFFERED) == 1


async def step_three() -> None:
    """Two sockets and a stream that are not taken over."""
    async with bridging(server=ways(fast=False)) as bridge:
        async with (
            line(bridge.authority) as stream,
            socket_line(bridge.authority),
            socket_line(bridge.authority),
        ):
            stream.send(get())
            await until(lambda: bridge.readers == 3)
        assert bridge.count("clients_stepped", wire="ws") == 2
        assert bridge.count("clients_stepped", wire="sse") == 1


@pytest.fixture
def certificate(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Path, Path]:
    """A self-signed certificate for localhost, and its key."""
    program = peers.needed(request.config.stash, "openssl", peers.find_program("openssl"))
    made = tmp_path / "certificate.pem", tmp_path / "key.pem"
    subject = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"]
    files = ["-out", str(made[0]), "-keyout", str(made[1])]
    kind = ["-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    command = [program, "req", *kind, "-days", "2", *subject, *files]
    subprocess.run(command, check=True, capture_output=True)
    return made


@pytest.mark.parametrize("fast", [True, False])
async def test_over_tls_all_is_the_same(fast: bool, certificate: tuple[Path, Path]) -> None:
    found, key = certificate
    server = ways(fast=fast) | {"ssl_certfile": str(found), "ssl_keyfile": str(key)}
    trusting = ssl.create_default_context(cafile=str(found))
    async with bridging(server=server) as bridge, line(bridge.authority, tls=trusting) as client:
        client.send(get())
        await until(lambda: bridge.readers == 1)
        port = bridge.authority.rpartition(":")[2]
        url = f"wss://localhost:{port}{SOCKET}"
        async with connect(url, ssl=trusting, proxy=None) as socket:
            await until(lambda: bridge.readers == 2)
            payloads = ["x" * size for size in (1, 70_000, 500_000)]
            bridge.publish(*payloads)
            for payload in payloads:
                assert await socket.recv() == payload
                await client.until(b"\n\n")
            assert was_taken(bridge, "ws") is was_taken(bridge, "sse") is fast
            await socket.send('{"type":"ping"}')
            assert "pong" in str(await socket.recv())
        bridge.bridge.hub.drain()
        assert (await client.rest()).endswith(b"0\r\n\r\n")
