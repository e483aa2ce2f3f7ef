"""The demonstration's own two clients: a legacy WebSocket and an event stream, side by side.

Decides only when they count as connected: the one once its subscription is acknowledged, the
other once its stream has begun. Neither reconnects: behind a bridge they need not.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import aiohttp
import anyio
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake

from bridge.demo.compare import Heard
from bridge.demo.script import SUBSCRIPTION
from bridge.wire.event import GAP
from bridge.wire.sse import Decoder, ServerSentEvent

_LOST = (OSError, aiohttp.ClientError, ConnectionClosed, InvalidHandshake)


class Clients:
    """Both clients.

    Args:
        ws_url: where the one connects.
        sse_url: where the other does.
        heard: called with each message.
        gap: called where the bridge tells of a hole.

    Attributes:
        connected: set once both are.
        lost: which of them lost its connection, and why; empty while neither has.
    """

    def __init__(
        self,
        ws_url: str,
        sse_url: str,
        heard: Callable[[Heard], None],
        gap: Callable[[], None],
    ) -> None:
        self._ws_url, self._sse_url = ws_url, sse_url
        self._heard, self._gap = heard, gap
        self._open = 0
        self.connected = anyio.Event()
        self.lost = ""

    async def run(self) -> None:
        """Listen until either client loses its connection."""
        async with anyio.create_task_group() as tasks:

            async def listen(name: str, client: Callable[[], Awaitable[None]]) -> None:
                reason = "it was closed"
                try:
                    await client()
                except _LOST as error:
                    reason = str(error) or type(error).__name__
                self.lost = f"the {name} client lost its connection: {reason}"
                tasks.cancel_scope.cancel()

            tasks.start_soon(listen, "WebSocket", self._socket)
            tasks.start_soon(listen, "EventSource", self._events)

    def _opened(self) -> None:
        self._open += 1
        if self._open == 2:
            self.connected.set()

    async def _socket(self) -> None:
        async with connect(self._ws_url, proxy=None, compression=None) as socket:
            await socket.send(SUBSCRIPTION)
            await socket.recv()  # the acknowledgement
            self._opened()
            async for message in socket:
                self._heard(Heard("ws", message if isinstance(message, str) else message.hex()))

    async def _events(self) -> None:
        timeout = aiohttp.ClientTimeout(total=None)
        headers = {"Accept": "text/event-stream"}
        async with (
            aiohttp.ClientSession(timeout=timeout, headers=headers) as session,
            session.get(self._sse_url, raise_for_status=True) as response,
        ):
            self._opened()
            decoder = Decoder()
            async for chunk in response.content.iter_any():
                for event in decoder.feed(chunk):
                    self._take(event)

    def _take(self, event: ServerSentEvent) -> None:
        if event.event == "message":
            self._heard(Heard("sse", event.data, event.id))
        elif event.event == GAP:
            self._gap()
