"""A bridge with one relay, and backends whose every step a test decides."""

import asyncio
import io
import logging
import math
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import Any

import aiohttp
import anyio
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from bridge.endpoint.relay import RelayOptions, relay_routes
from tests.support.servers import serving

EVENT_STREAM = {"content-type": "text/event-stream; charset=utf-8"}


class Tally:
    """A meter that remembers: `tally["relay_streams", "left"]`."""

    def __init__(self) -> None:
        self.counts: Counter[tuple[str, str]] = Counter()

    def count(self, name: str, amount: float = 1, **labels: str) -> None:
        self.counts[name, labels.get("outcome", "")] += int(amount)

    def gauge(self, name: str, change: float, **labels: str) -> None:
        raise AssertionError("relays move no gauge")

    def outcomes(self) -> dict[str, int]:
        return {label: n for (name, label), n in self.counts.items() if name == "relay_streams"}


@dataclass(frozen=True, slots=True)
class Call:
    """A request as the backend got it; header names in lower case."""

    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes


class StepBackend:
    """Answers every request with what the test says, when it says so.

    Attributes:
        calls: every request, once its body is whole.
        left: how many requests were dropped before their answer's end.
    """

    def __init__(self, status: int = 200, headers: Mapping[str, str] = EVENT_STREAM) -> None:
        self.calls: list[Call] = []
        self.left = 0
        self.status, self.headers = status, headers
        self.answering = asyncio.Event()
        self.answering.set()
        self._say, self._said = anyio.create_memory_object_stream[bytes](math.inf)

    def say(self, piece: bytes) -> None:
        """Send `piece` next."""
        self._say.send_nowait(piece)

    def finish(self) -> None:
        """End the current answer."""
        self._say.send_nowait(b"")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        body = await request.body()
        headers = dict(request.headers)
        self.calls.append(Call(request.url.path, request.url.query, headers, body))
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self._watch, receive, tasks.cancel_scope)
            await self._answer(send)
            tasks.cancel_scope.cancel()
        # only now, for a server says "disconnected" after the end as well
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _watch(self, receive: Receive, scope: anyio.CancelScope) -> None:
        assert (await receive())["type"] == "http.disconnect"
        self.left += 1
        scope.cancel()

    async def _answer(self, send: Send) -> None:
        await self.answering.wait()
        raw = [(name.encode(), value.encode()) for name, value in self.headers.items()]
        await send({"type": "http.response.start", "status": self.status, "headers": raw})
        while piece := await self._said.receive():
            await send({"type": "http.response.body", "body": piece, "more_body": True})

    @asynccontextmanager
    async def running(self) -> AsyncIterator[str]:
        """Serve any POST; gives the base URL."""
        route = Route("/{rest:path}", self, methods=["POST"])
        async with serving(Starlette(routes=[route])) as address:
            yield f"http://{address}"
        self._say.close()
        self._said.close()


Speaker = Callable[[asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def raw_backend(speak: Speaker) -> AsyncIterator[str]:
    """A server that reads one request and then says whatever bytes `speak` writes."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        length = head.partition(b"content-length: ")[2].partition(b"\r\n")[0]
        await reader.readexactly(int(length or b"0"))
        await speak(writer)
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


def chunk(piece: bytes) -> bytes:
    """One chunk of the chunked coding; empty is the last."""
    return b"%x\r\n%b\r\n" % (len(piece), piece)


STREAM_HEAD = (
    b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
)


@asynccontextmanager
async def cookieless(
    connector: aiohttp.BaseConnector | None = None,
) -> AsyncIterator[aiohttp.ClientSession]:
    """An HTTP session such as the bridge has."""
    jar = aiohttp.DummyCookieJar()
    async with aiohttp.ClientSession(cookie_jar=jar, connector=connector) as session:
        yield session


@asynccontextmanager
async def relaying(options: RelayOptions, tally: Tally, **server: Any) -> AsyncIterator[str]:
    """Serve one relay; gives `127.0.0.1:PORT`."""
    async with cookieless() as session:
        app = Starlette(routes=relay_routes(options, session, tally))
        async with serving(app, **server) as address:
            yield address


@contextmanager
def logged(name: str) -> Iterator[io.StringIO]:
    """What a server's logger writes, servers of this process that were told to be quiet or not."""
    text = io.StringIO()
    handler, logger = logging.StreamHandler(text), logging.getLogger(name)
    logger.addHandler(handler)
    try:
        yield text
    finally:
        logger.removeHandler(handler)
