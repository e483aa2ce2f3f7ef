"""Connections that dribble, swell or lie before they are clients, on real sockets."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import Any

import anyio
import pytest

from bridge.endpoint.door import Door
from bridge.endpoint.limits import LimitOptions
from bridge.endpoint.takeover import protocols
from bridge.endpoint.wheel import Wheel
from bridge.ops.metrics import Metrics
from tests.endpoint.parts import EVENTS, Running, ask, bridging, said, streaming, talking
from tests.endpoint.raw import get, upgrade
from tests.support.waiting import until

REQUEST = b"GET /healthz HTTP/1.1\r\nHost: b\r\n"
SHORT: dict[str, Any] = {"head_timeout": 0.1, "body_timeout": 0.1}


@dataclass
class Guarded:
    """A bridge behind a door."""

    running: Running
    metrics: Metrics

    @property
    def authority(self) -> str:
        return self.running.authority

    def refused(self, reason: str) -> float:
        return self.metrics.value("clients_refused", reason=reason)


@asynccontextmanager
async def guarded(*, offer: bool = True, **limits: Any) -> AsyncIterator[Guarded]:
    loop, metrics = asyncio.get_running_loop(), Metrics()
    wheel = Wheel(loop.call_later, loop.time, tick=0.02)
    door = Door(LimitOptions(**limits), wheel, metrics)
    async with bridging(server=protocols(door, offer=offer)) as running:
        yield Guarded(running, metrics)
    wheel.close()


@asynccontextmanager
async def connected(
    guarded: Guarded,
) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    host, _, port = guarded.authority.rpartition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    try:
        with anyio.fail_after(10):
            yield reader, writer
    finally:
        writer.transport.abort()


async def rest(reader: asyncio.StreamReader) -> bytes:
    """Everything until the bridge closes, however it does."""
    try:
        return await reader.read()
    except ConnectionError:
        return b""


async def dribble(writer: asyncio.StreamWriter, piece: bytes) -> None:
    """Send a piece again and again, for as long as anyone takes it."""
    while not writer.transport.is_closing():
        writer.write(piece)
        await asyncio.sleep(0.01)


@asynccontextmanager
async def dribbling(writer: asyncio.StreamWriter, piece: bytes) -> AsyncIterator[None]:
    task = asyncio.create_task(dribble(writer, piece))
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait([task])


@pytest.mark.parametrize("offer", [True, False])
@pytest.mark.parametrize("start", [b"", REQUEST, b"GET /api/v1/ws/project.1 HTTP/1.1\r\n"])
async def test_a_head_that_dribbles_is_given_up(offer: bool, start: bytes) -> None:
    async with guarded(offer=offer, **SHORT) as door, connected(door) as (reader, writer):
        writer.write(start)
        async with dribbling(writer, b"X: y\r\n" if start else b"G"[:0] or b"\r\n"):
            assert (await rest(reader))[:12] in (b"HTTP/1.1 408", b"")
        await until(lambda: door.refused("head-timeout") == 1)


async def test_a_connection_that_says_nothing_is_closed() -> None:
    async with guarded(**SHORT) as door, connected(door) as (reader, _):
        assert await rest(reader) == b""


async def test_line_ends_between_two_requests_keep_nobody() -> None:
    async with guarded(**SHORT) as door, connected(door) as (reader, writer):
        writer.write(REQUEST + b"\r\n")
        assert b"200 OK" in await reader.readuntil(b"\r\n\r\n")
        async with dribbling(writer, b"\r\n"):
            await rest(reader)
        assert door.refused("head-timeout") == 1


@pytest.mark.parametrize("path", [EVENTS, "/nowhere"])
async def test_a_body_that_dribbles_is_given_up_whoever_it_is_for(path: str) -> None:
    async with guarded(**SHORT) as door, connected(door) as (reader, writer):
        head = f"POST {path} HTTP/1.1\r\nHost: b\r\nContent-Length: 100000\r\n\r\n"
        writer.write(head.encode())
        async with dribbling(writer, b"x"):
            await rest(reader)
        assert door.refused("body-timeout") == 1


@pytest.mark.parametrize("size", [3, 100, 5000])
async def test_a_head_that_swells_is_told_so(size: int) -> None:
    async with guarded(head_bytes=200) as door, connected(door) as (reader, writer):
        writer.write(REQUEST)
        async with dribbling(writer, b"X" * size):
            assert (await rest(reader)).startswith(b"HTTP/1.1 431")
        assert door.refused("head-bytes") == 1


async def test_a_long_body_is_no_long_head() -> None:
    async with guarded(head_bytes=1000) as door:
        for _ in range(2):
            answer = await ask(door.authority, "POST", "/nowhere", data=b"x" * 50_000)
            assert answer.status == 404
        assert door.refused("head-bytes") == 0


async def test_clients_outlive_every_deadline_of_the_door() -> None:
    async with (
        guarded(**SHORT) as door,
        streaming(door.authority) as stream,
        talking(door.authority) as socket,
    ):
        await stream.block()
        async with connected(door) as (reader, _):  # as long as the deadlines are
            await rest(reader)
        await until(lambda: door.running.readers == 2)
        door.running.publish("x")
        assert (await stream.event()).data == await said(socket) == "x"


async def test_a_crowd_at_the_door_is_cut_off() -> None:
    async with guarded(connections=1) as door, anyio.create_task_group() as tasks:
        for _ in range(103):
            tasks.start_soon(_stand, door)
        await until(lambda: door.refused("sockets") >= 1)
        tasks.cancel_scope.cancel()


async def _stand(door: Guarded) -> None:
    async with connected(door) as (reader, _):
        await rest(reader)
        await anyio.sleep_forever()


PROXIED: dict[str, Any] = {"proxy_protocol": True, "trusted_proxies": ("127.0.0.0/8",)}


@contextmanager
def addresses(running: Running) -> Iterator[list[str]]:
    """Notes whose seats are taken."""
    budget, seen = running.bridge.gateway.budget, list[str]()
    enter = budget.enter

    def noting(address: str, *rest: Any, **more: Any) -> Any:
        seen.append(address)
        return enter(address, *rest, **more)

    budget.enter = noting  # type: ignore[method-assign]
    yield seen


PREFACE = b"PROXY TCP4 192.0.2.7 10.0.0.1 5 80\r\n"


@pytest.mark.parametrize("request_", [get(), upgrade()], ids=["stream", "socket"])
@pytest.mark.parametrize("cut", [0, 9, len(PREFACE), len(PREFACE) + 9, 1])
@pytest.mark.parametrize("offer", [True, False])
async def test_a_trusted_proxy_says_whose_connection_it_is(
    request_: bytes, cut: int, offer: bool
) -> None:
    async with guarded(offer=offer, **PROXIED) as door, connected(door) as (reader, writer):
        with addresses(door.running) as seen:
            said = PREFACE + request_
            pieces = [bytes([each]) for each in said] if cut == 1 else [said[:cut], said[cut:]]
            for piece in pieces:
                writer.write(piece)
                await asyncio.sleep(0)
            assert (await reader.readuntil(b"\r\n\r\n"))[9:12] in (b"200", b"101")
        assert seen == ["192.0.2.7"]


@pytest.mark.parametrize("request_", [get(), upgrade()], ids=["stream", "socket"])
async def test_an_ordinary_head_has_the_limit_of_every_head(request_: bytes) -> None:
    async with guarded(head_bytes=50) as door, connected(door) as (reader, writer):
        writer.write(request_)
        assert (await rest(reader)).startswith(b"HTTP/1.1 431")
        assert door.refused("head-bytes") == 1


async def test_a_proxy_that_does_not_say_so_is_refused() -> None:
    async with guarded(**PROXIED) as door, connected(door) as (reader, writer):
        writer.write(REQUEST + b"\r\n")
        assert await rest(reader) == b""
        assert door.refused("preface") == 1


async def test_nobody_else_is_believed() -> None:
    options = PROXIED | {"trusted_proxies": ("10.0.0.0/8",)}
    async with guarded(**options) as door, connected(door) as (reader, writer):
        writer.write(b"PROXY TCP4 192.0.2.7 10.0.0.1 5 80\r\n" + REQUEST + b"\r\n")
        assert (await rest(reader)).startswith(b"HTTP/1.1 400")
