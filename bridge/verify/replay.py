"""A recording as a backend: a server that speaks both wires.

Decides which path is what, and when playing begins; what is said and when is
`bridge.verify.player`'s business. It is no server of the bridge's own make, so that what is
verified against it meets it by the wire alone.
"""

from __future__ import annotations

import errno
from base64 import b64encode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import anyio
from aiohttp import WSMsgType, web

from bridge.errors import ConfigError, InvalidField
from bridge.parity.observation import Wire
from bridge.verify.faults import Message
from bridge.verify.player import Player
from bridge.verify.track import Track
from bridge.wire.event import BINARY
from bridge.wire.frame import Frame
from bridge.wire.sse import comment, encode

WS_PATH = "/api/v1/ws/{channel}"
SSE_PATH = "/api/v1/events/{channel}"
_SSE_PATHS = (SSE_PATH, "/api/events/{channel}")
KEEP_ALIVE = 15.0
_GONE = (ConnectionError, RuntimeError)  # what aiohttp raises where the peer or the socket is gone


class ReplayBackend:
    """Serves a player.

    Args:
        player: what to say.
        clients: begin once so many streams are open; 0 begins at once.
        keep_open: leave streams open at the end; else a socket is closed with 1000, and who asks
            for an event stream again is answered 204.

    Attributes:
        is_over: set once everything was played.
    """

    def __init__(self, player: Player, *, clients: int = 1, keep_open: bool = False) -> None:
        self._player, self._wanted, self._keep_open = player, clients, keep_open
        self._streams = 0
        self._ready = anyio.Event()
        self.is_over = anyio.Event()

    @asynccontextmanager
    async def running(self, host: str, port: int) -> AsyncIterator[str]:
        """Listen and play; gives `HOST:PORT`.

        Raises:
            ConfigError: the port cannot be listened on.
        """
        app = web.Application()
        app.router.add_get(WS_PATH, self._socket)
        for path in _SSE_PATHS:
            app.router.add_get(path, self._events)
            app.router.add_post(path, _take)
        runner = web.AppRunner(app, access_log=None, handler_cancellation=True)
        await runner.setup()
        try:
            await _listen(runner, host, port)
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(self._play)
                name, number = runner.addresses[0][:2]
                yield f"[{name}]:{number}" if ":" in name else f"{name}:{number}"
                tasks.cancel_scope.cancel()
        finally:
            await runner.cleanup()

    async def _play(self) -> None:
        if self._wanted:
            await self._ready.wait()
        await self._player.play()
        self.is_over.set()

    async def _socket(self, request: web.Request) -> web.StreamResponse:
        """No replay; delivers from the start, acknowledges `subscribe`."""
        track = self._track(request, "ws")
        socket = web.WebSocketResponse(compress=False, max_msg_size=0)
        await socket.prepare(request)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self._tell, track, request, socket)
            with suppress(*_GONE):
                async for message in socket:
                    if message.type is WSMsgType.TEXT and _is_subscribe(message.data):
                        await socket.send_str(message.data)
            tasks.cancel_scope.cancel()
        return socket

    async def _tell(
        self, track: Track, request: web.Request, socket: web.WebSocketResponse
    ) -> None:
        with suppress(*_GONE):
            async for batch in self._following(track):
                for message in batch:
                    if isinstance(message.data, bytes):
                        await socket.send_bytes(message.data)
                    else:
                        await socket.send_str(message.data)
            if track.is_over:
                await socket.close()
            else:
                _abort(request)

    async def _events(self, request: web.Request) -> web.StreamResponse:
        """Numbered, and continued after `Last-Event-ID`."""
        track, last_id = self._track(request, "sse"), request.headers.get("Last-Event-ID", "")
        if not (self._keep_open or track.has_news_after(last_id)):
            return web.Response(status=204)
        response = web.StreamResponse(headers={"Cache-Control": "no-store"})
        response.content_type = "text/event-stream"
        await response.prepare(request)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(_keep_alive, response)
            with suppress(*_GONE):
                async for batch in self._following(track, last_id):
                    await response.write(b"".join(map(block, batch)))
            tasks.cancel_scope.cancel()
        if not track.is_over:
            _abort(request)
        return response

    def _track(self, request: web.Request, wire: Wire) -> Track:
        track = self._player.track(wire, request.match_info["channel"])
        if track is None:
            raise web.HTTPNotFound(text="the recording has no such channel\n")
        return track

    async def _following(self, track: Track, last_id: str = "") -> AsyncIterator[list[Message]]:
        self._streams += 1
        if self._streams >= self._wanted:
            self._ready.set()  # nothing is played before this task waits, so nothing is missed
        async for batch in track.follow(last_id):
            yield batch
        if track.is_over and self._keep_open:
            await anyio.sleep_forever()


def block(message: Message) -> bytes:
    """A message as SSE, binary ones in base64 under a name of their own."""
    if isinstance(message.data, bytes):
        return encode(b64encode(message.data).decode(), event=BINARY, id=message.id)
    try:
        return encode(message.data, event=message.type, id=message.id)
    except InvalidField:  # a recording that was written by hand
        return comment("a message that no event stream can carry")


async def _listen(runner: web.AppRunner, host: str, port: int) -> None:
    try:
        await web.TCPSite(runner, host, port).start()
    except OSError as error:
        why = (error.strerror or str(error)).lower()
        remedy = "see --host" if error.errno == errno.EADDRNOTAVAIL else "choose another --port"
        raise ConfigError(f"{host}:{port}", f"cannot listen: {why}", remedy) from None


def _is_subscribe(text: str) -> bool:
    said = Frame(text).parse()
    return isinstance(said, dict) and said.get("type") == "subscribe"


def _abort(request: web.Request) -> None:
    if request.transport:
        request.transport.abort()


async def _take(_: web.Request) -> web.StreamResponse:
    """A client's frame, which a recording has no answer to."""
    return web.json_response({"accepted": True}, status=202)


async def _keep_alive(response: web.StreamResponse) -> None:
    with suppress(*_GONE):
        while True:
            await anyio.sleep(KEEP_ALIVE)
            await response.write(comment("ping"))
