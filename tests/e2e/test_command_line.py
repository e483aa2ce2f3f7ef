"""`ws2sse serve` as a process of its own, before the backends that it is meant for."""

from collections.abc import AsyncIterator

import aiohttp
import pytest

from tests.support.backends import SseBackend, WsBackend
from tests.support.bridges import CHANNEL, BridgeProcess, bridge_process, bridging, upstream_of
from tests.support.clients import SseClient, WsClient
from tests.support.ports import reserved_port
from tests.support.waiting import until
from tests.support.ways import FOUR_WAYS, Way, Wire, new_backend

FLAGS = {"sse": "--sse-upstream", "ws": "--ws-upstream"}
PAYLOADS = [
    '{"type":"file","object":{"name":"снег ❄ 🤖"}}',
    '{ "spaced" : 1 }',
    "",
    " leading",
    "id: 1\ndata: x",
    "\u2028\ufeff",
]


@pytest.fixture
async def port() -> AsyncIterator[int]:
    with reserved_port() as number:
        yield number


async def _both_wires(backend: SseBackend | WsBackend, bridge: BridgeProcess) -> None:
    async with WsClient(bridge.authority) as socket, SseClient(bridge.authority) as stream:
        await until(lambda: backend.subscribers(CHANNEL))
        for payload in PAYLOADS:
            backend.publish(CHANNEL, payload)
        for client in (socket, stream):
            await client.wait_payloads(len(PAYLOADS))
            assert client.told == PAYLOADS


@pytest.mark.parametrize("source", ["sse", "ws"])
async def test_one_flag_puts_the_bridge_before_a_backend(source: Wire, port: int) -> None:
    async with (
        new_backend(source) as backend,
        bridge_process(port, FLAGS[source], backend.url, "--log-level", "error") as bridge,
    ):
        await _both_wires(backend, bridge)
        assert len(backend.openings) == 1
        assert await bridge.stop() == 0


async def test_a_backend_may_come_after_the_bridge(port: int) -> None:
    async with (
        SseBackend(running=False) as backend,
        bridge_process(port, "--sse-upstream", backend.url, "--log-level", "error") as bridge,
        WsClient(bridge.authority) as client,
    ):
        await backend.start()
        await until(lambda: backend.subscribers(CHANNEL))
        backend.publish(CHANNEL, "{}")
        assert await client.wait_payloads(1) == ["{}"]


async def test_a_stop_ends_every_session_with_the_code_that_asks_it_back(port: int) -> None:
    async with (
        WsBackend() as backend,
        bridge_process(port, "--ws-upstream", backend.url, "--log-level", "error") as bridge,
        WsClient(bridge.authority) as socket,
        SseClient(bridge.authority) as stream,
    ):
        await until(lambda: backend.subscribers(CHANNEL))
        assert await bridge.stop() == 0
        await until(lambda: socket.closed and stream.closed)
        assert socket.socket.close_code == 1012
        assert stream.events[-1].event == "bridge.end"
        assert stream.events[-1].retry is not None


async def test_the_line_ends_of_sse_starlette_are_no_part_of_a_payload() -> None:
    """Its blocks end lines with CRLF, which the raw answer shows, and name no event."""
    async with SseBackend() as backend, aiohttp.ClientSession() as session:
        async with session.get(backend.url.format(channel=CHANNEL)) as answer:
            await until(lambda: backend.subscribers(CHANNEL))
            backend.publish(CHANNEL, "{}")
            assert await answer.content.readany() == b"data: {}\r\n\r\n"
        async with bridging(upstream_of(backend)) as bridge, SseClient(bridge.authority) as client:
            await until(lambda: backend.subscribers(CHANNEL))
            backend.publish(CHANNEL, "{}")
            await client.wait_payloads(1)
            (event,) = client.events
            assert (event.event, event.data, event.id) == ("message", "{}", client.place)


@pytest.mark.parametrize("way", [way for way in FOUR_WAYS if way.source == "sse"], ids=str)
async def test_the_comment_pings_of_sse_starlette_are_no_events(way: Way) -> None:
    async with SseBackend(ping=0.01) as backend, bridging(upstream_of(backend)) as bridge:
        wire = SseClient if way.wire == "sse" else WsClient
        async with wire(bridge.authority) as client:
            await until(lambda: backend.subscribers(CHANNEL))
            for number in range(20):
                backend.publish(CHANNEL, str(number))
                backend.comment(CHANNEL, "data: not data")
                await client.wait_payloads(number + 1)
            assert client.told == [str(number) for number in range(20)]
