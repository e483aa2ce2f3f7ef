"""A small backend in Python, where there is no C compiler: lines in, one write to each client.

usage: python -m benchmarks.peers.backend sse|ws PORT FEED
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from typing import cast

import uvloop

from benchmarks.peers.fan_out import BACKLOG, HOST
from benchmarks.peers.source import frame_of, ws_head

_SSE_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n"


def block_of(line: bytes) -> bytes:
    """One event of a stream."""
    return b"data: %b\n\n" % line


class Stream(asyncio.Protocol):
    """One client: its handshake is answered, and nothing else that it says."""

    def __init__(self, mode: str, clients: set[asyncio.WriteTransport]) -> None:
        self._mode, self._clients = mode, clients

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See `asyncio.Protocol`."""
        self._transport = cast(asyncio.WriteTransport, transport)

    def data_received(self, data: bytes) -> None:
        """The request, or what a client says later."""
        if self._transport not in self._clients:
            self._transport.write(ws_head(data) if self._mode == "ws" else _SSE_HEAD)
            self._clients.add(self._transport)

    def connection_lost(self, error: Exception | None) -> None:  # noqa: ARG002 - either way
        """Forget it."""
        self._clients.discard(self._transport)


class Lines(asyncio.Protocol):
    """The feed: all whole lines of a read leave as one write."""

    def __init__(
        self, clients: set[asyncio.WriteTransport], frame: Callable[[bytes], bytes]
    ) -> None:
        self._clients, self._frame, self._rest = clients, frame, b""

    def data_received(self, data: bytes) -> None:
        """See `asyncio.Protocol`."""
        *lines, self._rest = (self._rest + data).split(b"\n")
        framed = b"".join(map(self._frame, lines))
        for client in self._clients if framed else ():
            client.write(framed)


async def main(mode: str, port: int, feed: int) -> None:
    """Serve until killed."""
    clients: set[asyncio.WriteTransport] = set()
    frame = frame_of if mode == "ws" else block_of
    loop = asyncio.get_running_loop()
    await loop.create_server(lambda: Lines(clients, frame), HOST, feed)
    server = await loop.create_server(lambda: Stream(mode, clients), HOST, port, backlog=BACKLOG)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3])))
