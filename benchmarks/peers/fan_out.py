"""Python as people use it: a task and a queue for each client, or `websockets.broadcast`.

usage: python -m benchmarks.peers.fan_out naive-sse|naive-ws|broadcast PORT FEED

Events are lines on the feed port. Compression and protocol pings are off, so that only deliveries
cost.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import contextmanager

import uvicorn
import uvloop
from sse_starlette import EventSourceResponse
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route, WebSocketRoute
from starlette.websockets import WebSocket
from websockets.asyncio.server import ServerConnection, broadcast, serve

HOST = "127.0.0.1"
BACKLOG = 4096
NEVER = 3600
Publish = Callable[[str], None]


class Feed(asyncio.Protocol):
    """Cuts what arrives into lines and publishes each."""

    def __init__(self, publish: Publish) -> None:
        self._publish, self._rest = publish, b""

    def data_received(self, data: bytes) -> None:
        """See `asyncio.Protocol`."""
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            self._publish(line.decode())


class Queues:
    """One queue for each client: the ordinary way."""

    def __init__(self) -> None:
        self._queues: set[asyncio.Queue[str]] = set()

    def publish(self, text: str) -> None:
        """Put into every queue."""
        for queue in self._queues:
            queue.put_nowait(text)

    @contextmanager
    def subscribed(self) -> Iterator[asyncio.Queue[str]]:
        """A queue that gets what is published from now on."""
        queue: asyncio.Queue[str] = asyncio.Queue()
        self._queues.add(queue)
        try:
            yield queue
        finally:
            self._queues.discard(queue)


def naive_sse(queues: Queues) -> BaseRoute:
    """An `EventSourceResponse` over a queue."""

    async def blocks() -> AsyncIterator[dict[str, str]]:
        with queues.subscribed() as queue:
            while True:
                yield {"data": await queue.get()}

    async def endpoint(_: Request) -> Response:
        return EventSourceResponse(blocks(), ping=NEVER)

    return Route("/", endpoint)


def naive_ws(queues: Queues) -> BaseRoute:
    """A sending task over a queue, and a loop that receives."""

    async def endpoint(socket: WebSocket) -> None:
        await socket.accept()
        with queues.subscribed() as queue:
            sender = asyncio.create_task(_send_all(socket, queue))
            try:
                while (await socket.receive())["type"] != "websocket.disconnect":
                    pass
            finally:
                sender.cancel()

    return WebSocketRoute("/", endpoint)


async def _send_all(socket: WebSocket, queue: asyncio.Queue[str]) -> None:
    while True:
        await socket.send_text(await queue.get())


async def run_uvicorn(routes: Sequence[BaseRoute], port: int) -> None:
    """Serve until killed."""
    config = uvicorn.Config(
        Starlette(routes=routes),
        host=HOST,
        port=port,
        http="httptools",
        ws_ping_interval=None,
        ws_per_message_deflate=False,
        log_level="warning",
        access_log=False,
        backlog=BACKLOG,
        lifespan="off",
    )
    await uvicorn.Server(config).serve()


async def run_naive(make: Callable[[Queues], BaseRoute], port: int, feed: int) -> None:
    """Uvicorn and Starlette with queues."""
    queues = Queues()
    await _listen(feed, queues.publish)
    await run_uvicorn([make(queues)], port)


async def run_broadcast(port: int, feed: int) -> None:
    """The `websockets` package's own server and its `broadcast`."""
    sockets: set[ServerConnection] = set()

    async def stay(socket: ServerConnection) -> None:
        sockets.add(socket)
        try:
            await socket.wait_closed()
        finally:
            sockets.discard(socket)

    await _listen(feed, lambda text: broadcast(sockets, text))
    async with serve(
        stay, HOST, port, compression=None, ping_interval=None, backlog=BACKLOG
    ) as server:
        await server.serve_forever()


async def _listen(feed: int, publish: Publish) -> None:
    await asyncio.get_running_loop().create_server(lambda: Feed(publish), HOST, feed)


async def main(kind: str, port: int, feed: int) -> None:
    """Serve a kind until killed."""
    if kind == "broadcast":
        await run_broadcast(port, feed)
    else:
        await run_naive(naive_sse if kind == "naive-sse" else naive_ws, port, feed)


if __name__ == "__main__":
    uvloop.run(main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3])))
