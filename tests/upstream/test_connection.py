"""One request on one connection: floods, faults, deadlines and redirects."""

from __future__ import annotations

import asyncio
from contextlib import aclosing

import pytest
from multidict import CIMultiDict
from websockets.utils import accept_key
from yarl import URL

from bridge.seams import Got, Lost, Opened
from bridge.upstream.connection import PART, Terms, connected
from bridge.upstream.dial import Dialer
from bridge.upstream.event_stream import EventStream
from bridge.upstream.reading import Reading
from bridge.upstream.request import get_request
from bridge.upstream.signals import signals
from bridge.upstream.sse import SseOptions, SseUpstream
from bridge.upstream.ws import WsOptions, WsUpstream
from bridge.wire.names import ChannelName
from tests.support.waiting import until
from tests.upstream.record import STREAM, Talk, Tally, raw_server, saying

NAME = ChannelName.parse("project.42")
BLOCK = b"data: " + b"x" * 1000 + b"\n\n"


@pytest.fixture(params=["asyncio", "uvloop"])
def anyio_backend(request: pytest.FixtureRequest) -> tuple[str, dict[str, bool]]:
    """The bridge runs on either."""
    return "asyncio", {"use_uvloop": request.param == "uvloop"}


class Basin:
    """A sink that counts, and has room when the test says so."""

    def __init__(self, *, room: bool = True) -> None:
        self.has_room = room
        self.size = 0
        self.openings = 0
        self.fault: Exception | None = None

    def take(self, signal: Opened | Got) -> None:
        if self.fault:
            raise self.fault
        if isinstance(signal, Opened):
            self.openings += 1
        else:
            self.size += sum(len(event.data) for event in signal.events)


class Flood:
    """A backend that sends as fast as TCP lets it."""

    def __init__(self, head: bytes, block: bytes) -> None:
        self._head, self._block = head, block * 64
        self.sent = 0
        self.waiting = False

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        request = await reader.readuntil(b"\r\n\r\n")
        writer.write(self._head or _switched(request))
        while True:
            writer.write(self._block)
            self.sent += len(self._block)
            self.waiting = True
            await writer.drain()
            self.waiting = False


def _switched(request: bytes) -> bytes:
    key = request.split(b"Sec-WebSocket-Key: ")[1].split(b"\r\n")[0].decode()
    return (
        "HTTP/1.1 101 Switching\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        f"Sec-WebSocket-Accept: {accept_key(key)}\r\n\r\n"
    ).encode()


async def read_on(kind: str, address: str, sink: Basin) -> Lost:
    """Read a backend of either kind into the sink."""
    if kind == "sse":
        sse = SseOptions(f"http://{address}/{{channel}}")
        return await SseUpstream(sse, NAME, None, lambda: 0.0, Tally()).read(None, sink)  # type: ignore[arg-type]
    ws = WsOptions(f"ws://{address}/{{channel}}", subscribe="")
    return await WsUpstream(ws, NAME, lambda: 0.0, Tally()).read(None, sink)


@pytest.mark.parametrize("kind", ["sse", "ws"])
async def test_a_backend_that_floods_waits_until_there_is_room(kind: str) -> None:
    flood = Flood(STREAM, BLOCK) if kind == "sse" else Flood(b"", b"\x82\x7e\x03\xe8" + b"x" * 1000)
    sink = Basin(room=False)
    async with raw_server(flood) as address:
        reading = asyncio.create_task(read_on(kind, address, sink))
        await until(lambda: sink.size >= PART // 2 and flood.waiting)
        for _ in range(100):  # turns in which it would go on reading
            await asyncio.sleep(0.001)
        held, sent = sink.size, flood.sent
        assert held < 3 * PART  # a part, and the read that went past it
        assert flood.waiting
        sink.has_room = True
        await until(lambda: sink.size > sent + 10 * PART)
        sink.has_room = False
        reading.cancel()
        await asyncio.wait({reading})


async def test_while_we_do_not_listen_a_backend_is_not_silent() -> None:
    sink = Basin(room=False)
    async with raw_server(Flood(STREAM, BLOCK)) as address:
        options = SseOptions(f"http://{address}/", silence=0.05)
        upstream = SseUpstream(options, NAME, None, lambda: 0.0, Tally())  # type: ignore[arg-type]
        reading = asyncio.create_task(upstream.read(None, sink))
        await asyncio.wait({reading}, timeout=0.3)
        assert not reading.done()
        assert sink.size
        reading.cancel()
        await asyncio.wait({reading})


async def test_a_slow_asker_slows_the_backend() -> None:
    flood = Flood(STREAM, BLOCK)
    async with raw_server(flood) as address:
        options = SseOptions(f"http://{address}/")
        upstream = SseUpstream(options, NAME, None, lambda: 0.0, Tally())  # type: ignore[arg-type]
        async with aclosing(signals(upstream.read, None)) as asked:
            assert await anext(asked) == Opened()
            await until(lambda: flood.waiting and flood.sent > PART)
            assert flood.sent < 100 * PART


@pytest.mark.parametrize("kind", ["sse", "ws"])
async def test_what_a_sink_raises_ends_the_connection(kind: str) -> None:
    gone = asyncio.Event()
    flood = Flood(STREAM, BLOCK) if kind == "sse" else Flood(b"", b"\x82\x01x")

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await flood(reader, writer)
        finally:
            gone.set()

    sink = Basin()
    sink.fault = RuntimeError("a bug")
    async with raw_server(talk) as address:
        with pytest.raises(RuntimeError, match="a bug"):
            await read_on(kind, address, sink)
        await until(gone.is_set)


def stream(url: URL, sink: Basin) -> EventStream:
    reading = Reading(None, lambda: 0.0, max_event_bytes=1000)
    return EventStream(url, get_request(url, CIMultiDict()), sink, reading, silence=60)


async def outcome(talk: Talk, terms: Terms) -> EventStream | Lost:
    """What comes of one request."""
    async with raw_server(talk) as address:
        url, sink = URL(f"http://{address}/"), Basin()
        async with connected(Dialer(), url, lambda at: stream(at, sink), terms) as found:
            return found


async def test_an_answer_has_a_deadline_of_its_own_where_one_is_given() -> None:
    lost = await outcome(saying(stay=True), Terms(connect=5, answer=0.05))
    assert lost == Lost(lost.ending, "cannot reach the backend: no answer in 0.05 s")  # type: ignore[union-attr]


async def test_a_peer_that_hangs_up_unasked_is_told_as_such() -> None:
    lost = await outcome(saying(), Terms(connect=5))
    assert isinstance(lost, Lost)
    assert lost.reason == "cannot reach the backend: it closed the connection before it answered"


async def test_a_head_without_end_is_refused() -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nX: ")
        while True:
            writer.write(b"x" * 1000)
            await writer.drain()

    lost = await outcome(talk, Terms(connect=5))
    assert isinstance(lost, Lost)
    assert lost.reason == "cannot reach the backend: a head exceeds 65536 bytes"


async def test_redirects_in_a_circle_end() -> None:
    asked: list[bytes] = []

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(b"HTTP/1.1 302 Found\r\nLocation: /\r\nContent-Length: 0\r\n\r\n")

    lost = await outcome(talk, Terms(connect=5))
    assert isinstance(lost, Lost)
    assert lost.reason == "cannot reach the backend: it redirects more than 3 times"
    assert len(asked) == 4
