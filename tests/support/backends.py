"""Real backends to put behind the bridge: sse-starlette and websockets, killable in mid-stream.

Each listens on a loopback port that it keeps while it is down. `kill` drops every connection as a
crash would, without a farewell; `start` opens the same port again with the history kept.
"""

import asyncio
import json
from abc import ABC, abstractmethod
from collections import defaultdict
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Self
from urllib.parse import unquote, urlsplit

import uvicorn
from sse_starlette import EventSourceResponse, ServerSentEvent
from sse_starlette.sse import AppStatus
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from websockets.asyncio.server import Server, ServerConnection, broadcast, serve
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request as Handshake
from websockets.http11 import Response as Refusal

from tests.support.ports import reserved_port
from tests.support.waiting import until

# sse-starlette ends every stream of the process once any uvicorn in it is told to exit, and never
# forgets. Here that would be the bridge under test; the backends' streams end by `kill` alone.
AppStatus.enable_automatic_graceful_drain = False


@dataclass(frozen=True, slots=True)
class Opening:
    """A request for a stream: its channel, its headers (names in lower case) and its query."""

    channel: str
    headers: Mapping[str, str]
    query: str = ""


@dataclass(frozen=True, slots=True)
class Received:
    """A client's frame as the backend got it: `bytes` of a POST or of a binary WS message."""

    channel: str
    raw: str | bytes


class Backend(ABC):
    """What both backends share: a port of their own, and a record of what came.

    Attributes:
        openings: every request for a stream, in order, refused ones too.
        received: every frame from the other side, in order.
        refusal: answer further requests for a stream with this HTTP status; None serves them.
    """

    def __init__(self, *, running: bool = True) -> None:
        self.openings: list[Opening] = []
        self.received: list[Received] = []
        self.refusal: int | None = None
        self._running = running
        self._owned = ExitStack()
        self._port = 0

    @property
    def authority(self) -> str:
        """`127.0.0.1:PORT`; the same for the whole life, running or not."""
        return f"127.0.0.1:{self._port}"

    async def __aenter__(self) -> Self:
        self._port = self._owned.enter_context(reserved_port())
        if self._running:
            await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        with self._owned:
            await self.kill()

    async def restart(self) -> None:
        """Crash and come back."""
        await self.kill()
        await self.start()

    @abstractmethod
    async def start(self) -> None:
        """Listen on the port."""

    @abstractmethod
    async def kill(self) -> None:
        """Stop listening and abort every connection. Does nothing where it is down already."""

    @abstractmethod
    def subscribers(self, channel: str) -> int:
        """How many streams of this channel are open."""


class SseBackend(Backend):
    """`GET /api/v1/events/{channel}` by sse-starlette: CRLF, data-only, comment pings.

    `POST` to the same path records the body and answers `post_status`.

    Args:
        replay: number the events of each channel 1, 2, 3 ... and replay after `Last-Event-ID`.
            Without it events have no id, and what nobody reads is lost, as legacy backends do.
        numbered: number the events also where they are not replayed.
        ping: seconds between comment pings.
        running: listen at once.
    """

    def __init__(
        self,
        *,
        replay: bool = False,
        numbered: bool = False,
        ping: float = 15,
        running: bool = True,
    ) -> None:
        super().__init__(running=running)
        self.post_status = 202
        self._replay, self._numbered = replay, replay or numbered
        self._ping = ping
        self._history: defaultdict[str, list[ServerSentEvent]] = defaultdict(list)
        self._streams: defaultdict[str, set[asyncio.Queue[ServerSentEvent | None]]]
        self._streams = defaultdict(set)
        self._server: uvicorn.Server | None = None
        self._served: asyncio.Task[None] | None = None
        path = "/api/v1/events/{channel}"
        self.app = Starlette(
            routes=[
                Route(path, self._subscribe, methods=["GET"]),
                Route(path, self._post, methods=["POST"]),
            ]
        )

    @property
    def url(self) -> str:
        """The template of the event streams' URLs; frames are posted there as well."""
        return f"http://{self.authority}/api/v1/events/{{channel}}"

    def subscribers(self, channel: str) -> int:
        return len(self._streams[channel])

    def publish(self, channel: str, payload: str, *, event: str | None = None) -> None:
        """Send to all open streams of the channel; works while the backend is down, too."""
        number = str(len(self._history[channel]) + 1) if self._numbered else None
        block = ServerSentEvent(payload, event=event, id=number)
        self._history[channel].append(block)
        self._put(channel, block)

    def comment(self, channel: str, text: str) -> None:
        """Send a comment block to all open streams of the channel."""
        self._put(channel, ServerSentEvent(comment=text))

    def end(self, channel: str) -> None:
        """End all open streams of the channel in good order."""
        self._put(channel, None)

    async def start(self) -> None:
        config = uvicorn.Config(
            self.app, host="127.0.0.1", port=self._port, log_level="error", lifespan="off"
        )
        self._server = server = uvicorn.Server(config)
        # Not `serve`: that takes over the signals of the process.
        self._served = asyncio.create_task(server._serve())
        await until(lambda: server.started)

    async def kill(self) -> None:
        if self._server is None or self._served is None:
            return
        for listener in self._server.servers:
            listener.close()
        for connection in list(self._server.server_state.connections):
            connection.transport.abort()
        state = self._server.server_state
        await until(lambda: not (state.tasks or state.connections or any(self._streams.values())))
        # With nothing left to end, the server's own stop would only wait out its ticks.
        self._served.cancel()
        await asyncio.wait([self._served])
        self._server = self._served = None

    def _put(self, channel: str, block: ServerSentEvent | None) -> None:
        for stream in self._streams[channel]:
            stream.put_nowait(block)

    async def _subscribe(self, request: Request) -> Response:
        channel = request.path_params["channel"]
        self.openings.append(Opening(channel, dict(request.headers), request.url.query))
        if self.refusal:
            return Response(status_code=self.refusal)
        after = request.headers.get("last-event-id", "")
        return EventSourceResponse(self._blocks(channel, after), ping=self._ping)

    async def _blocks(self, channel: str, after: str) -> AsyncIterator[ServerSentEvent]:
        with self._stream(channel) as stream:
            if self._replay and after.isdigit():
                for missed in self._history[channel][int(after) :]:
                    stream.put_nowait(missed)
            while (block := await stream.get()) is not None:
                yield block

    @contextmanager
    def _stream(self, channel: str) -> Iterator[asyncio.Queue[ServerSentEvent | None]]:
        stream: asyncio.Queue[ServerSentEvent | None] = asyncio.Queue()
        self._streams[channel].add(stream)
        try:
            yield stream
        finally:
            self._streams[channel].discard(stream)

    async def _post(self, request: Request) -> Response:
        self.received.append(Received(request.path_params["channel"], await request.body()))
        return Response(status_code=self.post_status)


class WsBackend(Backend):
    """`/api/v1/ws/{channel}` by websockets; delivers from the moment of connecting.

    Args:
        ack: the answer to a `subscribe` frame; None leaves it unanswered.
        replay: deliver from the `subscribe` frame on instead, and first what follows the event
            whose number its `resume` member names; the first event of a channel is 1.
        running: listen at once.
    """

    def __init__(
        self,
        *,
        ack: str | None = '{"type":"subscribe"}',
        replay: bool = False,
        running: bool = True,
    ) -> None:
        super().__init__(running=running)
        self._ack, self._replay = ack, replay
        self._history: defaultdict[str, list[str | bytes]] = defaultdict(list)
        self._sockets: defaultdict[str, set[ServerConnection]] = defaultdict(set)
        self._server: Server | None = None

    @property
    def url(self) -> str:
        """The template of the sockets' URLs."""
        return f"ws://{self.authority}/api/v1/ws/{{channel}}"

    def subscribers(self, channel: str) -> int:
        return len(self._sockets[channel])

    def publish(self, channel: str, payload: str | bytes) -> None:
        """Send a text or a binary message to all open sockets of the channel."""
        if self._replay:
            self._history[channel].append(payload)
        broadcast(self._sockets[channel], payload)

    async def end(self, channel: str, code: int = 1000, reason: str = "") -> None:
        """Close all sockets of the channel with this close code."""
        for socket in list(self._sockets[channel]):
            await socket.close(code, reason)

    async def start(self) -> None:
        self._server = await serve(
            self._converse,
            "127.0.0.1",
            self._port,
            process_request=self._admit,
            compression=None,
            max_size=None,
        )

    async def kill(self) -> None:
        if self._server is None:
            return
        self._server.server.close()
        for socket in list(self._server.all_connections):
            socket.transport.abort()
        self._server.close(close_connections=False)
        await self._server.wait_closed()
        self._server = None

    def _admit(self, socket: ServerConnection, request: Handshake) -> Refusal | None:
        url = urlsplit(request.path)
        headers = {name.lower(): value for name, value in request.headers.raw_items()}
        self.openings.append(Opening(_channel(url.path), headers, url.query))
        if not url.path.startswith("/api/v1/ws/"):
            return socket.respond(404, "")
        return socket.respond(self.refusal, "") if self.refusal else None

    async def _converse(self, socket: ServerConnection) -> None:
        assert socket.request is not None
        channel = _channel(urlsplit(socket.request.path).path)
        if not self._replay:
            self._sockets[channel].add(socket)
        try:
            async for message in socket:
                self.received.append(Received(channel, message))
                frame = _subscription(message)
                if frame is not None:
                    await self._subscribed(socket, channel, frame)
        except ConnectionClosed:
            pass
        finally:
            self._sockets[channel].discard(socket)

    async def _subscribed(
        self, socket: ServerConnection, channel: str, frame: dict[str, object]
    ) -> None:
        if self._ack is not None:
            await socket.send(self._ack)
        if self._replay and socket not in self._sockets[channel]:
            after = str(frame.get("resume", ""))
            for missed in self._history[channel][int(after) :] if after.isdigit() else ():
                broadcast({socket}, missed)
            self._sockets[channel].add(socket)


def _channel(path: str) -> str:
    return unquote(path.rpartition("/")[2])


def _subscription(message: str | bytes) -> dict[str, object] | None:
    """The members of a `subscribe` frame; None where it is anything else."""
    try:
        frame = json.loads(message)
    except ValueError:
        return None
    return frame if isinstance(frame, dict) and frame.get("type") == "subscribe" else None
