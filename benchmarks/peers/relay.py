"""One backend stream for each client, nothing shared: what people put in the middle.

usage: python -m benchmarks.peers.relay splice|naive-sse|naive-ws PORT BACKEND

splice copies bytes between two sockets: the least that a Python program in the middle can do.
naive-sse is Starlette over httpx, naive-ws is Starlette over the `websockets` client.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from typing import cast

import uvloop
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import BaseRoute, Route, WebSocketRoute
from starlette.websockets import WebSocket
from websockets.asyncio.client import ClientConnection, connect

from benchmarks.peers.fan_out import BACKLOG, HOST, run_uvicorn


class Towards(asyncio.Protocol):
    """The backend's side: whatever comes goes to the client."""

    def __init__(self, client: asyncio.WriteTransport, request: bytes) -> None:
        self._client, self._request = client, request

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Pass the client's request on."""
        cast(asyncio.WriteTransport, transport).write(self._request)

    def data_received(self, data: bytes) -> None:
        """Pass bytes back."""
        self._client.write(data)

    def connection_lost(self, error: Exception | None) -> None:  # noqa: ARG002 - either way
        """The client's stream ends with the backend's."""
        self._client.close()


class Splice(asyncio.Protocol):
    """The client's side: its first bytes open a connection to the backend."""

    def __init__(self, backend: int) -> None:
        self._backend = backend
        self._opening: asyncio.Task[tuple[asyncio.Transport, Towards]] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See `asyncio.Protocol`."""
        self._client = cast(asyncio.WriteTransport, transport)

    def data_received(self, data: bytes) -> None:
        """The request; a subscriber says nothing else."""
        if self._opening is None:
            loop = asyncio.get_running_loop()
            self._opening = loop.create_task(
                loop.create_connection(lambda: Towards(self._client, data), HOST, self._backend)
            )

    def connection_lost(self, error: Exception | None) -> None:  # noqa: ARG002 - either way
        """The backend's stream ends with the client's."""
        if self._opening and self._opening.done() and not self._opening.exception():
            self._opening.result()[0].abort()


async def run_splice(port: int, backend: int) -> None:
    """Serve until killed."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Splice(backend), HOST, port, backlog=BACKLOG)
    await server.serve_forever()


def naive_sse(backend: int) -> BaseRoute:
    """httpx, chunk by chunk."""
    import httpx  # noqa: PLC0415 - the other kinds run without it

    limits = httpx.Limits(max_connections=None)
    client = httpx.AsyncClient(timeout=httpx.Timeout(None), limits=limits)

    async def chunks() -> AsyncIterator[bytes]:
        async with client.stream("GET", f"http://{HOST}:{backend}/") as response:
            async for chunk in response.aiter_raw():
                yield chunk

    async def endpoint(_: Request) -> Response:
        return StreamingResponse(chunks(), media_type="text/event-stream")

    return Route("/{path:path}", endpoint)


def naive_ws(backend: int) -> BaseRoute:
    """A client of `websockets` and a task for each client."""

    async def endpoint(socket: WebSocket) -> None:
        await socket.accept()
        url = f"ws://{HOST}:{backend}/"
        async with connect(url, compression=None, ping_interval=None, proxy=None) as upstream:
            copying = asyncio.create_task(_copy(upstream, socket))
            while (await socket.receive())["type"] != "websocket.disconnect":
                pass
            copying.cancel()

    return WebSocketRoute("/{path:path}", endpoint)


async def _copy(upstream: ClientConnection, socket: WebSocket) -> None:
    async for message in upstream:
        await socket.send_text(str(message))


async def main(kind: str, port: int, backend: int) -> None:
    """Serve a kind until killed."""
    if kind == "splice":
        await run_splice(port, backend)
    else:
        make = naive_sse if kind == "naive-sse" else naive_ws
        await run_uvicorn([make(backend)], port)


if __name__ == "__main__":
    uvloop.run(main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3])))
