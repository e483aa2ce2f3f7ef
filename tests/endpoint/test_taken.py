"""A taken-over SSE connection, on a real transport."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import anyio

from bridge.endpoint.taken import TakenStream
from bridge.history.cursor import Cursor
from bridge.history.log import Gap
from bridge.wire.endings import RESTART
from bridge.wire.event import END, GAP
from bridge.wire.framing import LAST_CHUNK, chunk
from bridge.wire.sse import Decoder, ServerSentEvent
from tests.support.waiting import until


@dataclass
class Taken:
    """A stream on one end of a pair of sockets; the client reads the other."""

    stream: TakenStream
    client: asyncio.StreamReader
    connections: set[Any]
    told: list[str] = field(default_factory=list)

    def full(self) -> None:
        self.told.append("full")

    def room(self) -> None:
        self.told.append("room")

    def left(self) -> None:
        self.told.append("left")

    async def rest(self) -> bytes:
        with anyio.fail_after(10):
            return await self.client.read()


@asynccontextmanager
async def taken() -> AsyncIterator[Taken]:
    loop = asyncio.get_running_loop()
    ours, theirs = socket.socketpair()
    transport, _ = await loop.create_connection(asyncio.Protocol, sock=ours)
    client, writer = await asyncio.open_connection(sock=theirs)
    connections: set[Any] = set()
    stream = TakenStream(transport, connections, lambda _: found.told.append("closed"))
    found = Taken(stream, client, connections)
    connections.add(stream)
    stream.reader = found  # type: ignore[assignment]
    transport.set_protocol(stream)
    try:
        yield found
    finally:
        writer.close()
        transport.abort()
        await until(lambda: "closed" in found.told)


def events(raw: bytes) -> list[ServerSentEvent]:
    """What a chunked body says; one chunk after the other."""
    decoder, found = Decoder(), list[ServerSentEvent]()
    while raw:
        size, _, raw = raw.partition(b"\r\n")
        length = int(size, 16)
        found += decoder.feed(raw[:length])
        raw = raw[length + 2 :]
    return found


async def test_a_block_is_one_chunk() -> None:
    async with taken() as found:
        found.stream.say(b": x\n\n")
        with anyio.fail_after(10):
            assert await found.client.readexactly(10) == chunk(b": x\n\n")


async def test_the_end_is_said_and_then_the_connection_closes() -> None:
    async with taken() as found:
        found.stream.gap(Gap("e1-1", Cursor("e1", 3), 2, "trimmed"))
        found.stream.end(RESTART.after(1500), "the bridge restarts")
        raw = await found.rest()
        assert raw.endswith(LAST_CHUNK)
        hole, end = events(raw)
        assert (hole.event, hole.id) == (GAP, "e1-3")
        assert (end.event, json.loads(end.data)["delay"]) == (END, 1500)


async def test_a_client_that_does_not_read_holds_its_reader_until_it_does() -> None:
    async with taken() as found:
        while "full" not in found.told:
            found.stream.say(b"x" * 65_536)
        assert found.told == ["full"]
        with anyio.fail_after(10):
            while "room" not in found.told:
                await found.client.read(65_536)
        assert found.told == ["full", "room"]


async def test_a_client_that_leaves_is_let_go_once() -> None:
    async with taken() as found:
        found.stream.abort()
        found.stream.abort()
        await until(lambda: found.told)
        assert found.told == ["left", "closed"]
        assert found.connections == set()


async def test_dropping_a_connection_leaves_the_response_unfinished() -> None:
    async with taken() as found:
        while "full" not in found.told:
            found.stream.say(b"x" * 65_536)
        found.stream.abort()
        assert LAST_CHUNK not in await found.rest()
        assert found.told == ["full", "left", "closed"]


async def test_a_server_that_stops_closes_what_is_left() -> None:
    async with taken() as found:
        found.stream.say(b": last\n\n")
        found.stream.shutdown()
        assert await found.rest() == chunk(b": last\n\n")
        assert found.connections == set()
