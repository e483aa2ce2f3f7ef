"""One reader of a backend, and what it costs: run in a process of its own.

usage: python -m benchmarks.readers KIND PORT COUNT      prints microseconds of CPU an event

The readers other than the bridge's own are libraries with the bridge's SSE decoder behind them and
nothing else: no timeouts, no resuming, no mapping. They say what the choice of a library costs.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import AsyncIterator, Callable, Mapping

import aiohttp
import httptools
import uvloop

from bridge.seams import Got, Opened, Pushing, Unmetered
from bridge.upstream.sse import SseOptions, SseUpstream
from bridge.upstream.ws import WsOptions, WsUpstream
from bridge.wire.names import ChannelName
from bridge.wire.sse import Decoder

HOST = "127.0.0.1"
CHANNEL = ChannelName("project.1")
Counts = AsyncIterator[int]
Reader = Callable[[int], Counts]
"""Yields how many events each read brought."""


class _Count:
    """A `bridge.seams.Sink` that only counts."""

    has_room = True

    def __init__(self) -> None:
        self.seen = 0

    def take(self, signal: Opened | Got) -> None:
        if isinstance(signal, Got):
            self.seen += len(signal.events)


async def _count(upstream: Pushing) -> int:
    """How many events came until the source ended."""
    sink = _Count()
    await upstream.read(None, sink)
    return sink.seen


async def bridge_sse(port: int) -> Counts:
    """The bridge's own."""
    options = SseOptions(f"http://{HOST}:{port}/{{channel}}")
    async with aiohttp.ClientSession() as session:
        upstream = SseUpstream(options, CHANNEL, session, time.monotonic, Unmetered())
        yield await _count(upstream)


async def bridge_ws(port: int) -> Counts:
    """The bridge's own."""
    options = WsOptions(f"ws://{HOST}:{port}/{{channel}}", subscribe="")
    yield await _count(WsUpstream(options, CHANNEL, time.monotonic, Unmetered()))


async def aiohttp_sse(port: int) -> Counts:
    """Aiohttp's client."""
    decoder = Decoder()
    async with aiohttp.ClientSession() as session, session.get(f"http://{HOST}:{port}/") as answer:
        async for chunk in answer.content.iter_any():
            yield len(decoder.feed(chunk))


async def httpx_sse(port: int) -> Counts:
    """Httpx's client."""
    import httpx  # noqa: PLC0415 - the other readers run without it

    decoder = Decoder()
    url, client = f"http://{HOST}:{port}/", httpx.AsyncClient(timeout=httpx.Timeout(None))
    async with client, client.stream("GET", url) as answer:
        async for chunk in answer.aiter_raw():
            yield len(decoder.feed(chunk))


class _Body(asyncio.Protocol):
    """Decodes where the bytes arrive: no task, no queue and no timer between."""

    def __init__(self) -> None:
        self.seen = 0
        self.complete: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._parser, self._decoder = httptools.HttpResponseParser(self), Decoder()

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_body(self, part: bytes) -> None:
        self.seen += len(self._decoder.feed(part))

    def on_message_complete(self) -> None:
        self.complete.set_result(None)


async def httptools_sse(port: int) -> Counts:
    """A Protocol of asyncio over httptools, the parser that uvicorn uses."""
    loop = asyncio.get_running_loop()
    transport, body = await loop.create_connection(_Body, HOST, port)
    transport.write(b"GET / HTTP/1.1\r\nHost: x\r\nAccept: text/event-stream\r\n\r\n")
    await body.complete
    yield body.seen


async def websockets_ws(port: int) -> Counts:
    """The `websockets` client, one message at a time."""
    from websockets.asyncio.client import connect  # noqa: PLC0415 - beside its one use

    url = f"ws://{HOST}:{port}/"
    async with connect(url, compression=None, ping_interval=None, proxy=None) as socket:
        async for _ in socket:
            yield 1


async def aiohttp_ws(port: int) -> Counts:
    """Aiohttp's client, one message at a time."""
    url = f"http://{HOST}:{port}/"
    async with aiohttp.ClientSession() as session, session.ws_connect(url) as socket:
        async for _ in socket:
            yield 1


READERS: Mapping[str, Reader] = {
    "bridge-sse": bridge_sse,
    "httptools-sse": httptools_sse,
    "aiohttp-sse": aiohttp_sse,
    "httpx-sse": httpx_sse,
    "bridge-ws": bridge_ws,
    "websockets-ws": websockets_ws,
    "aiohttp-ws": aiohttp_ws,
}


async def cost(kind: str, port: int, count: int) -> float:
    """Microseconds of this process for each of so many events."""
    started, seen = time.process_time(), 0
    async for events in READERS[kind](port):
        seen += events
        if seen >= count:
            break
    return (time.process_time() - started) / count * 1e6


if __name__ == "__main__":
    print(uvloop.run(cost(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))))
