"""A bridge in this process, and clients that show every byte or frame in its order."""

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, Literal

import aiohttp
import anyio
from starlette.applications import Starlette
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from yarl import URL

from bridge.app import create_app
from bridge.assembly import Bridge
from bridge.config import Config, UpstreamOptions
from bridge.hub.channel import Channel
from bridge.server import is_news
from bridge.upstream.backoff import ReconnectOptions
from bridge.upstream.sse import SseOptions
from bridge.upstream.ws import WsOptions
from bridge.wire.event import Event
from bridge.wire.sse import Decoder, ServerSentEvent
from tests.support.backends import Backend, SseBackend
from tests.support.servers import serving

NAME = "project.1"
EVENTS = "/api/v1/events/project.1"
SOCKET = "/api/v1/ws/project.1"
QUICK = ReconnectOptions(base=0.01, cap=0.05)
NOWHERE = UpstreamOptions(sse=SseOptions("http://127.0.0.1:9/api/v1/events/{channel}"))
"""A backend that is not there: port 9 discards, and nobody listens."""


@dataclass(frozen=True, slots=True)
class Running:
    """A bridge that serves."""

    authority: str
    app: Starlette

    @property
    def bridge(self) -> Bridge:
        parts = self.app.state.bridge
        assert isinstance(parts, Bridge)
        return parts

    @property
    def readers(self) -> int:
        return self.bridge.hub.statistics().readers

    def channel(self, name: str = NAME) -> Channel:
        return next(each for each in self.bridge.hub.channels() if each.key.name.text == name)

    def publish(self, *payloads: str, name: str = NAME) -> None:
        """As if the backend had said these, in one batch."""
        self.channel(name).publish([Event(payload, origin="sse") for payload in payloads])

    def count(self, metric: str, **labels: str) -> float:
        return self.bridge.metrics.value(metric, **labels)


def upstream_of(backend: Backend, **options: Any) -> UpstreamOptions:
    """The configuration with this backend alone."""
    if isinstance(backend, SseBackend):
        return UpstreamOptions(sse=SseOptions(backend.url, **options))
    return UpstreamOptions(ws=WsOptions(getattr(backend, "url"), **options))  # noqa: B009


PROTOCOLS: dict[str, Any] = {}
"""What the server is to serve connections with; the fixture `way` says so for a test. By default
the environment does."""


@asynccontextmanager
async def bridging(upstream: UpstreamOptions = NOWHERE, **settings: Any) -> AsyncIterator[Running]:
    """Serve a bridge for the length of the block.

    Args:
        upstream: the backend.
        settings: the rest of the configuration; `server` holds more options for uvicorn.
    """
    largest = settings.pop("ws_max_size", 16 * 1024 * 1024)
    options = {"ws_max_size": largest, "ws_per_message_deflate": False} | PROTOCOLS
    options |= settings.pop("server", {})
    app = create_app(Config(upstream=upstream, **({"reconnect": QUICK} | settings)))
    async with serving(app, **options) as authority:
        yield Running(authority, app)


@dataclass(slots=True)
class Stream:
    """One SSE client. Blocks and events come one by one, in order."""

    response: aiohttp.ClientResponse
    raw: bytearray = field(default_factory=bytearray)

    async def block(self) -> bytes:
        """The next block as it was written, with its empty line."""
        with anyio.fail_after(10):
            while b"\n\n" not in self.raw:
                piece = await self.response.content.readany()
                assert piece, f"the stream is over after {bytes(self.raw)!r}"
                self.raw += piece
        end = self.raw.index(b"\n\n") + 2
        block = bytes(self.raw[:end])
        del self.raw[:end]
        return block

    async def event(self) -> ServerSentEvent:
        """The next event, ids alone passed over."""
        while not (events := Decoder().feed(await self.block())):
            pass
        return events[0]

    async def rest(self) -> bytes:
        """Everything up to the end of the stream."""
        with anyio.fail_after(10):
            return bytes(self.raw) + await self.response.content.read()


@asynccontextmanager
async def streaming(
    authority: str,
    path: str = EVENTS,
    *,
    place: str = "",
    headers: Mapping[str, str] | None = None,
) -> AsyncIterator[Stream]:
    """An SSE client that was answered 200."""
    sent = {"Accept": "text/event-stream", **(headers or {})}
    if place:
        sent["Last-Event-ID"] = place
    timeout = aiohttp.ClientTimeout(total=None)
    async with (
        aiohttp.ClientSession(timeout=timeout) as session,
        session.get(f"http://{authority}{path}", headers=sent) as response,
    ):
        assert response.status == 200, await response.text()
        yield Stream(response)


@asynccontextmanager
async def talking(
    authority: str, path: str = SOCKET, **options: Any
) -> AsyncIterator[ClientConnection]:
    """A WebSocket client."""
    async with connect(f"ws://{authority}{path}", proxy=None, **options) as socket:
        yield socket


async def said(socket: ClientConnection) -> str | bytes:
    """The next message."""
    with anyio.fail_after(10):
        return await socket.recv()


async def notice(socket: ClientConnection) -> dict[str, Any]:
    """The next message, which is a JSON object."""
    found = json.loads(await said(socket))
    assert isinstance(found, dict)
    return found


async def closing(socket: ClientConnection) -> tuple[int, str]:
    """Code and reason by which the bridge closes; messages before it are passed over."""
    with anyio.fail_after(10), suppress(ConnectionClosed):
        while True:
            await socket.recv()
    assert socket.close_code is not None
    return socket.close_code, socket.close_reason or ""


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole HTTP answer."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


Method = Literal["GET", "HEAD", "OPTIONS", "POST", "DELETE", "PUT"]


async def ask(authority: str, method: Method, path: str, **options: Any) -> Answer:
    """One request, its path sent exactly as it is written."""
    url = URL(f"http://{authority}{path}", encoded=True)
    async with (
        aiohttp.ClientSession() as session,
        session.request(method, url, allow_redirects=False, **options) as response,
    ):
        return Answer(response.status, response.headers, await response.read())


async def raw_exchange(authority: str, request: bytes) -> bytes:
    """Send bytes, and read until the bridge closes."""
    host, _, port = authority.rpartition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    try:
        writer.write(request)
        with anyio.fail_after(10):
            return await reader.read()
    finally:
        writer.close()
        await writer.wait_closed()


class Lines(logging.Filter):
    """Keeps what servers and the event loop log as errors, as far as the bridge's own server would.

    A filter and no handler: each new server gives its loggers new handlers.
    """

    LOGGERS = ("uvicorn.error", "asyncio")

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []

    def filter(self, record: logging.LogRecord) -> bool:
        if is_news(record) and record.levelno >= logging.ERROR:
            self.lines.append(logging.Formatter().format(record))
        return True
