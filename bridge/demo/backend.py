"""An emulated generation backend that speaks both wires, and can crash on demand.

Decides how a legacy WebSocket and an SSE stream of a generation service look; what is said is
`bridge.demo.script`'s. It runs on a server of another make than the bridge's, so that nothing
but the wires connects the two.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime

import anyio
import orjson
from aiohttp import WSMsgType, web

from bridge.demo import script
from bridge.demo.journal import Journal, Numbered

PING_SECONDS = 5.0
_GONE = (ConnectionError, RuntimeError)  # what aiohttp raises where the peer or the socket is gone

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Backend:
    """One renderer, and those who listen to it.

    Args:
        speed: how many times faster than life it renders.
        ping: seconds between an event stream's comment pings.

    Attributes:
        journal: all that was said.
    """

    def __init__(self, speed: float = 1.0, *, ping: float = PING_SECONDS) -> None:
        self._speed, self._ping = speed, ping
        self.journal = Journal()
        self._wanted = anyio.Event()
        self._turn = anyio.Lock()
        self._down = False
        self._connections: set[asyncio.Transport] = set()

    @property
    def connections(self) -> int:
        """How many requests are being served, streams among them."""
        return len(self._connections)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[str]:
        """Listen on a loopback port; gives `127.0.0.1:PORT`. Says nothing until `render`."""

        @web.middleware
        async def admit(request: web.Request, handler: Handler) -> web.StreamResponse:
            return await self._admit(request, handler)

        app = web.Application(middlewares=[admit])
        app.router.add_get("/api/v1/ws/{channel}", self._socket)
        app.router.add_get("/api/v1/events/{channel}", self._events)
        app.router.add_post("/api/v1/events/{channel}", self._take)
        app.router.add_get("/api/v1/file/{id}", self._file)
        runner = web.AppRunner(app, access_log=None, handler_cancellation=True)
        await runner.setup()
        try:
            site = web.TCPSite(runner, "127.0.0.1", 0)
            await site.start()
            yield "{}:{}".format(*runner.addresses[0][:2])
        finally:
            self._abort()
            await runner.cleanup()

    async def render(self, count: int | None = None) -> None:
        """Render so many times, one after the other, or for ever."""
        for number in itertools.islice(itertools.count(1), count):
            finished = await self._render(number)
            if finished and number != count:
                await self._is_interrupted(script.PAUSE)

    async def restart(self, seconds: float) -> None:
        """Crash, stay away for so long, and come back.

        All connections are cut without a farewell, and so is every new one. The rendering goes on
        meanwhile: its messages are in the journal for whoever asks for a replay.
        """
        async with self._turn:
            self._down = True
            self._abort()
            try:
                await anyio.sleep(seconds)
            finally:
                self._down = False

    def hear(self, text: str) -> str | None:
        """Obey a client's frame; gives the answer that a WebSocket client gets, if any."""
        try:
            frame = orjson.loads(text)
        except orjson.JSONDecodeError:
            return None
        kind = frame.get("type") if isinstance(frame, dict) else None
        if kind == "render":
            self._wanted.set()
        return script.ACKNOWLEDGEMENT if kind == "subscribe" else None

    async def _render(self, number: int) -> bool:
        """One render; False where a newer one was wanted before it was finished."""
        for step in script.render(number):
            if await self._is_interrupted(step.delay):
                self.journal.append(script.superseded(number))
                return False
            self.journal.append(step.text)
        return True

    async def _is_interrupted(self, seconds: float) -> bool:
        """Wait; True, at once, where a client wants a new render."""
        if seconds:
            with anyio.move_on_after(seconds / self._speed):
                await self._wanted.wait()
        wanted = self._wanted.is_set() and seconds > 0
        if wanted:
            self._wanted = anyio.Event()
        return wanted

    def _abort(self) -> None:
        for connection in self._connections:
            connection.abort()

    async def _admit(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Remember each connection for as long as it is served; cut it at once while down."""
        connection = request.transport
        if connection is None:
            raise web.HTTPServiceUnavailable
        self._connections.add(connection)
        try:
            if self._down:
                connection.abort()
                raise web.HTTPServiceUnavailable  # which nobody will read
            if request.match_info.get("channel", script.CHANNEL) != script.CHANNEL:
                raise web.HTTPNotFound
            return await handler(request)
        finally:
            self._connections.discard(connection)

    async def _socket(self, request: web.Request) -> web.StreamResponse:
        """`/api/v1/ws/{channel}`: no replay; delivers from the start, acknowledges `subscribe`."""
        socket = web.WebSocketResponse(compress=False)
        await socket.prepare(request)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self._tell, socket)
            with suppress(*_GONE):
                async for message in socket:
                    answer = self.hear(message.data) if message.type is WSMsgType.TEXT else None
                    if answer:
                        await socket.send_str(answer)
            tasks.cancel_scope.cancel()
        return socket

    async def _tell(self, socket: web.WebSocketResponse) -> None:
        with suppress(*_GONE):
            async for message in self.journal.follow():
                await socket.send_str(message.text)

    async def _events(self, request: web.Request) -> web.StreamResponse:
        """`/api/v1/events/{channel}`: data-only, numbered, replayed after `Last-Event-ID`."""
        after = request.headers.get("Last-Event-ID", "")
        response = web.StreamResponse(headers={"Cache-Control": "no-store"})
        response.content_type = "text/event-stream"
        await response.prepare(request)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(_keep_alive, response, self._ping)
            with suppress(*_GONE):
                async for message in self.journal.follow(int(after) if after.isdecimal() else None):
                    await response.write(block(message))
            tasks.cancel_scope.cancel()
        return response

    async def _take(self, request: web.Request) -> web.StreamResponse:
        """`POST /api/v1/events/{channel}`: a client's frame."""
        self.hear(await request.text())
        return web.json_response({"accepted": True}, status=202)

    async def _file(self, request: web.Request) -> web.StreamResponse:
        """`GET /api/v1/file/{id}`: what is known of a file, for those who poll."""
        number = request.match_info["id"].removeprefix("f")
        if not (number.isascii() and number.isdecimal() and len(number) < 10):
            raise web.HTTPNotFound
        return web.json_response(script.file(int(number)))


def block(message: Numbered) -> bytes:
    """An SSE block as the usual servers write it, with CRLF."""
    return f"id: {message.number}\r\ndata: {message.text}\r\n\r\n".encode()


async def _keep_alive(response: web.StreamResponse, seconds: float) -> None:
    with suppress(*_GONE):
        while True:
            await anyio.sleep(seconds)
            await response.write(f": ping - {datetime.now(UTC)}\r\n\r\n".encode())
