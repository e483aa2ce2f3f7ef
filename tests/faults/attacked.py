"""A bridge under attack, and witnesses on both wires whose streams must not notice."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import anyio
from websockets.asyncio.client import ClientConnection

from bridge.endpoint.options import ClientOptions
from bridge.wire.event import PING
from tests.endpoint.parts import Running, Stream, bridging, said, streaming, talking
from tests.endpoint.raw import Line, line
from tests.support.backends import SseBackend
from tests.support.bridges import upstream_of
from tests.support.waiting import until

CHANNEL = "project.witness"
_STATUS = re.compile(rb"HTTP/1\.1 (\d{3}) ")


@dataclass
class Attacked:
    """The bridge, its backend, and the witnesses."""

    bridge: Running
    backend: SseBackend
    stream: Stream
    socket: ClientConnection
    published: int = 0

    async def still_serves(self) -> None:
        """What the backend says now, and nothing else, is what both witnesses are told next."""
        self.published += 1
        payload = f'{{"n":{self.published}}}'
        self.backend.publish(CHANNEL, payload)
        while (event := await self.stream.event()).event == PING:
            pass
        assert event.data == payload
        assert await said(self.socket) == payload

    async def exchange(self, *pieces: bytes, enough: int = 1) -> bytes:
        """What is answered until the bridge closes or so many heads have come, and a while more.

        The client says nothing after the pieces and keeps its side open.
        """
        async with line(self.bridge.authority) as attacker:
            attacker.send(*pieces)
            return await _answered(attacker, enough)


async def _answered(attacker: Line, enough: int) -> bytes:
    got = b""
    with anyio.move_on_after(10) as waiting:
        try:
            while piece := await attacker.reader.read(65536):
                got += piece
                if len(statuses(got)) >= enough:
                    # anything more that was wrongly understood would come at once
                    waiting.deadline = min(waiting.deadline, anyio.current_time() + 0.05)
        except ConnectionError:
            pass
    assert got, "the bridge says nothing and closes nothing"
    return got


def statuses(answer: bytes) -> list[int]:
    """The statuses of all answers in these bytes."""
    return [int(found) for found in _STATUS.findall(answer)]


@asynccontextmanager
async def attacked(**client: Any) -> AsyncIterator[Attacked]:
    """A bridge with its witnesses, who are asked once more at the end.

    Args:
        client: more of the bridge's `ClientOptions`.
    """
    async with (
        SseBackend() as backend,
        # A reader behind whose request another one waits is not read from until it is answered;
        # so that it has left is noticed by the next heartbeat.
        bridging(upstream_of(backend), client=ClientOptions(heartbeat=0.2, **client)) as bridge,
        streaming(bridge.authority, f"/api/v1/events/{CHANNEL}") as stream,
        talking(bridge.authority, f"/api/v1/ws/{CHANNEL}") as socket,
    ):
        await until(lambda: backend.subscribers(CHANNEL) and bridge.readers == 2)
        under = Attacked(bridge, backend, stream, socket)
        await under.still_serves()
        yield under
        await under.still_serves()
        await until(lambda: bridge.readers == 2)
