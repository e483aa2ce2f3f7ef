"""The server process: how it binds, and how it stops without cutting anyone off unannounced."""

import asyncio
import gc
import json
import logging
import signal
import socket
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import anyio
import pytest
from anyio.abc import Process
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route
from websockets.exceptions import InvalidStatus

from bridge.assembly import Bridge
from bridge.config import Config
from bridge.endpoint.options import ClientOptions
from bridge.errors import ConfigError
from bridge.server import BridgeServer, bind, is_news, uvicorn_config
from bridge.wire.event import END, Event
from tests.endpoint.parts import (
    EVENTS,
    NAME,
    NOWHERE,
    QUICK,
    ask,
    closing,
    said,
    streaming,
    talking,
)
from tests.support.backends import SseBackend
from tests.support.servers import free_port, serving
from tests.support.waiting import until

SIGNALS = [signal.SIGTERM, signal.SIGINT]


@dataclass
class Served:
    """A running `ws2sse serve`."""

    process: Process
    authority: str
    said: bytearray

    @property
    def text(self) -> str:
        """What it wrote to standard error and output so far."""
        return self.said.decode()

    async def status(self) -> int:
        with anyio.fail_after(30):
            return await self.process.wait()


@asynccontextmanager
async def served(tmp_path: Path, settings: str = "", *flags: str) -> AsyncIterator[Served]:
    """Run it on a free port; killed at the end of the block if it still runs."""
    config = tmp_path / "bridge.toml"
    config.write_text(settings)
    port = free_port()
    if "--sse-upstream" not in flags:
        flags = ("--sse-upstream", "http://127.0.0.1:9/{channel}", *flags)
    command = [sys.executable, "-m", "bridge.cli", "serve", "--config", str(config)]
    process = await anyio.open_process([*command, "--port", str(port), *flags])
    found = Served(process, f"127.0.0.1:{port}", bytearray())
    async with anyio.create_task_group() as tasks:
        for stream in (process.stdout, process.stderr):
            assert stream
            tasks.start_soon(_gather, stream, found.said)
        try:
            await until(lambda: "listening" in found.text or process.returncode is not None)
            yield found
        finally:
            if process.returncode is None:
                process.kill()
            await process.wait()
    await process.aclose()


async def _gather(stream: AsyncIterator[bytes], into: bytearray) -> None:
    async for piece in stream:
        into += piece


# Stopping a process.


@pytest.mark.parametrize("stop", SIGNALS, ids=lambda stop: stop.name)
@pytest.mark.parametrize("fast_path", ["true", "false"])
async def test_a_stop_tells_every_client_and_is_a_success(
    tmp_path: Path, stop: signal.Signals, fast_path: str
) -> None:
    async with served(tmp_path, f"[client]\nfast_path = {fast_path}") as bridge:
        async with (
            streaming(bridge.authority) as stream,
            talking(bridge.authority) as socket,
            talking(bridge.authority, "/api/v1/ws") as bare,
        ):
            await stream.block()
            await socket.send('{"type":"subscribe"}')
            await said(socket)
            bridge.process.send_signal(stop)
            event = await stream.event()
            assert (event.event, json.loads(event.data)["code"]) == (END, "restart")
            assert event.retry == json.loads(event.data)["delay"]
            assert await stream.rest() == b""
            assert (await closing(socket))[0] == 1012
            assert (await closing(bare))[0] == 1012
        assert await bridge.status() == 0
    assert "Traceback" not in bridge.text
    assert "error" not in bridge.text.lower()


async def test_a_stop_without_clients_is_quiet(tmp_path: Path) -> None:
    async with served(tmp_path) as bridge:
        bridge.process.terminate()
        assert await bridge.status() == 0
    assert "Traceback" not in bridge.text


async def test_the_backend_is_left_too(tmp_path: Path) -> None:
    async with SseBackend() as backend:
        async with served(tmp_path, "", "--sse-upstream", backend.url) as bridge:
            async with streaming(bridge.authority):
                await until(lambda: backend.subscribers(NAME))
            bridge.process.terminate()
            assert await bridge.status() == 0
        await until(lambda: not backend.subscribers(NAME))


@asynccontextmanager
async def deaf(authority: str) -> AsyncIterator[None]:
    """A client that opens a stream and never reads from it."""
    host, _, port = authority.rpartition(":")
    with socket.socket() as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.setblocking(False)
        loop = asyncio.get_running_loop()
        await loop.sock_connect(client, (host, int(port)))
        await loop.sock_sendall(client, f"GET {EVENTS} HTTP/1.1\r\nHost: b\r\n\r\n".encode())
        yield


@asynccontextmanager
async def stuck(tmp_path: Path, settings: str) -> AsyncIterator[Served]:
    """A bridge one of whose clients does not read what fills every buffer on its way."""
    async with (
        SseBackend() as backend,
        served(tmp_path, settings, "--sse-upstream", backend.url) as bridge,
        deaf(bridge.authority),
        streaming(bridge.authority) as stream,
    ):
        await stream.block()
        await until(lambda: backend.subscribers(NAME))
        for _ in range(30):
            backend.publish(NAME, "x" * 1_000_000)
            assert len((await stream.event()).data) == 1_000_000
        yield bridge


@pytest.mark.parametrize("fast_path", ["true", "false"])
async def test_a_client_that_does_not_read_cannot_keep_the_bridge_from_stopping(
    tmp_path: Path, fast_path: str
) -> None:
    settings = f"drain_timeout = 0.3\n[client]\nsend_timeout = 600\nfast_path = {fast_path}"
    async with stuck(tmp_path, settings) as bridge:
        bridge.process.terminate()
        assert await bridge.status() == 0
    assert "Traceback" not in bridge.text


@pytest.mark.parametrize("stop", SIGNALS, ids=lambda stop: stop.name)
async def test_a_second_signal_stops_at_once(tmp_path: Path, stop: signal.Signals) -> None:
    settings = "drain_timeout = 600\n[client]\nsend_timeout = 600"
    async with stuck(tmp_path, settings) as bridge:
        bridge.process.send_signal(stop)
        await until(lambda: "draining" in bridge.text)
        bridge.process.send_signal(stop)
        assert await bridge.status() == 0
    assert "Traceback" not in bridge.text


@pytest.mark.parametrize("fast_path", ["true", "false"])
async def test_sessions_end_by_and_by_and_are_served_until_then(
    tmp_path: Path, fast_path: str
) -> None:
    settings = f"drain_rate = 2\ndrain_timeout = 60\n[client]\nfast_path = {fast_path}"
    async with (
        SseBackend() as backend,
        served(tmp_path, settings, "--sse-upstream", backend.url) as bridge,
        streaming(bridge.authority) as first,
        streaming(bridge.authority) as second,
        talking(bridge.authority) as socket,
        talking(bridge.authority, "/api/v1/ws") as bare,
    ):
        await until(lambda: backend.subscribers(NAME))
        for stream in (first, second):
            await stream.block()
        await socket.send('{"type":"subscribe"}')
        await said(socket)
        bridge.process.terminate()
        ends = [await first.event()]
        backend.publish(NAME, "still here")
        assert (await second.event()).data == await said(socket) == "still here"
        ends.append(await second.event())
        assert [each.event for each in ends] == [END, END]
        delays = [each.retry or 0 for each in ends]
        assert all(1000 <= each < 1200 for each in delays)  # half a second apart as it is
        assert (await closing(socket))[0] == (await closing(bare))[0] == 1012
        assert await bridge.status() == 0


async def test_all_are_told_in_time_where_the_rate_is_too_low_for_that(tmp_path: Path) -> None:
    async with served(tmp_path, "drain_rate = 0.01\ndrain_timeout = 2") as bridge:
        async with AsyncExitStack() as stack:
            streams = [
                await stack.enter_async_context(streaming(bridge.authority)) for _ in range(9)
            ]
            for stream in streams:
                await stream.block()
            bridge.process.terminate()
            for stream in streams:
                assert (await stream.event()).event == END
                assert await stream.rest() == b""
        assert await bridge.status() == 0


async def test_a_second_signal_ends_a_slow_drain(tmp_path: Path) -> None:
    async with (
        served(tmp_path, "drain_rate = 0.01\ndrain_timeout = 600") as bridge,
        streaming(bridge.authority) as stream,
    ):
        await stream.block()
        bridge.process.terminate()
        await until(lambda: "draining" in bridge.text)
        bridge.process.terminate()
        assert await bridge.status() == 0
    assert "Traceback" not in bridge.text


async def test_newcomers_are_refused_while_others_still_wait_for_their_turn(
    tmp_path: Path,
) -> None:
    async with (
        served(tmp_path, "drain_rate = 0.01\ndrain_timeout = 600") as bridge,
        streaming(bridge.authority) as stream,
    ):
        await stream.block()
        bridge.process.terminate()
        await until(lambda: "draining" in bridge.text)
        async with streaming(bridge.authority) as late:
            event = await late.event()
            assert (event.event, json.loads(event.data)["code"]) == (END, "restart")
        with pytest.raises(InvalidStatus) as caught:
            async with talking(bridge.authority):
                pass
        assert caught.value.response.status_code == 503
        assert (await ask(bridge.authority, "POST", EVENTS, data="x")).status == 503
        assert (await ask(bridge.authority, "GET", "/readyz")).status == 503


async def test_a_frame_that_the_backend_does_not_answer_cannot_keep_it_either(
    tmp_path: Path,
) -> None:
    asked, left = list[str](), anyio.Event()

    async def silence(request: Request) -> Response:
        async def pieces() -> AsyncIterator[bytes]:
            yield b": here I am\n\n"
            await left.wait()

        return StreamingResponse(pieces(), media_type="text/event-stream")

    async def keep(request: Request) -> Response:
        asked.append(request.method)
        await left.wait()
        return Response()

    routes = [Route("/{channel}", silence), Route("/{channel}", keep, methods=["POST"])]
    async with serving(Starlette(routes=routes)) as address:
        url = f"http://{address}/{{channel}}"
        settings = f'drain_timeout = 0.3\n[upstream.sse]\nurl = "{url}"\nsend_url = "{url}"'
        async with (
            served(tmp_path, settings, "--sse-upstream", url) as bridge,
            anyio.create_task_group() as tasks,
        ):
            tasks.start_soon(posting, bridge.authority)
            await until(lambda: asked)
            bridge.process.terminate()
            assert await bridge.status() == 0
        left.set()
    assert "Traceback" not in bridge.text


async def posting(authority: str) -> None:
    with pytest.raises(aiohttp.ClientConnectionError):
        await ask(authority, "POST", EVENTS, data="x")


# What is logged of clients.


async def test_what_clients_do_wrong_is_no_error_of_ours(tmp_path: Path) -> None:
    async with served(tmp_path) as bridge:
        for path in ("/api/v1/ws/nobody.1", "/api/v1/ws/project.1%0A", "/nowhere"):
            with pytest.raises(InvalidStatus):
                async with talking(bridge.authority, path):
                    pass
        async with talking(bridge.authority) as client:
            await client.send(b"\xff", text=True)
            assert (await closing(client))[0] == 1007
        async with talking(bridge.authority) as client:
            client.transport.write(b"\x81\x01x")  # a frame without a mask
            assert (await closing(client))[0] == 1002
        async with talking(bridge.authority) as client:
            client.transport.abort()
        async with streaming(bridge.authority) as stream:
            await stream.block()
        bridge.process.terminate()
        assert await bridge.status() == 0
    assert "Traceback" not in bridge.text
    assert "ASGI callable" not in bridge.text


@pytest.mark.parametrize(
    ("message", "news"),
    [
        ("ASGI callable returned without completing response.", False),
        ("ASGI callable returned without completing handshake.", False),
        ("Exception in ASGI application\n", True),
    ],
)
def test_only_what_is_our_fault_is_news(message: str, news: bool) -> None:
    assert is_news(logging.makeLogRecord({"msg": message})) is news


def test_a_clients_broken_text_is_told_without_a_traceback() -> None:
    text = "Invalid UTF-8 sequence received from client."
    said = {"msg": text, "levelno": logging.ERROR, "exc_info": (None, None, None)}
    record = logging.makeLogRecord(said)
    assert is_news(record)
    assert (record.levelname, record.exc_info) == ("WARNING", None)


# Starting.


async def test_a_port_that_is_taken_is_one_line_and_status_2(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        async with served(tmp_path, "", "--port", str(port)) as bridge:
            assert await bridge.status() == 2
    (line,) = bridge.text.splitlines()
    assert f"127.0.0.1:{port}" in line
    assert "--port" in line


def test_port_0_is_the_kernels_choice() -> None:
    with bind("127.0.0.1", 0) as listener:
        assert listener.getsockname()[1]
        assert not listener.getblocking()


@pytest.mark.parametrize(
    ("host", "remedy"), [("no-such-host.invalid", "see --host"), ("192.0.2.1", "--host")]
)
def test_an_address_that_is_not_ours_is_a_mistake_in_the_configuration(
    host: str, remedy: str
) -> None:
    with pytest.raises(ConfigError, match=remedy) as fault:
        bind(host, 8080)
    assert fault.value.where == f"{host}:8080"


def test_an_ipv6_address_is_written_in_brackets() -> None:
    with pytest.raises(ConfigError) as fault:
        bind("2001:db8::1", 8080)
    assert fault.value.where == "[2001:db8::1]:8080"


def test_uvicorn_is_told_our_limits() -> None:
    config = Config(upstream=NOWHERE, drain_timeout=0, client=ClientOptions(max_frame_bytes=1000))
    settings = uvicorn_config(config, Bridge(config))
    assert settings.ws_max_size == 1000
    assert not settings.access_log
    assert settings.timeout_graceful_shutdown


# Connections that do not close.


@contextmanager
def thawed() -> Iterator[None]:
    """A server freezes the collector; the tests that follow want theirs as it was."""
    yield
    gc.unfreeze()


@asynccontextmanager
async def running(patience: float, client: ClientOptions) -> AsyncIterator[BridgeServer]:
    """The bridge's own server in this process."""
    config = Config(upstream=NOWHERE, reconnect=QUICK, client=client)
    bridge = Bridge(config)
    with thawed(), bind("127.0.0.1", 0) as listener:
        server = BridgeServer(uvicorn_config(config, bridge), bridge, 1, patience)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(server._serve, [listener])
            await until(lambda: server.started)
            yield server
            server.should_exit = True


@pytest.mark.parametrize("fast_path", [True, False])
async def test_a_peer_that_reads_nothing_any_more_is_dropped(fast_path: bool) -> None:
    client = ClientOptions(send_timeout=0.1, fast_path=fast_path)
    async with running(0.1, client) as server:
        listener = server.servers[0].sockets[0].getsockname()
        hub = server._bridge.hub
        async with deaf(f"127.0.0.1:{listener[1]}"):
            await until(lambda: list(hub.channels()))
            (channel,) = hub.channels()
            channel.publish([Event("x" * 1_000_000) for _ in range(30)])
            await until(lambda: not server.server_state.connections, within=20)


async def test_a_healthy_connection_is_not_touched() -> None:
    async with running(0.0, ClientOptions()) as server:
        port = server.servers[0].sockets[0].getsockname()[1]
        async with streaming(f"127.0.0.1:{port}") as stream:
            await stream.block()
            server._drop_stalled(0.0)
            server._drop_stalled(1e9)
            assert (await ask(f"127.0.0.1:{port}", "GET", "/readyz")).json["readers"] == 1
