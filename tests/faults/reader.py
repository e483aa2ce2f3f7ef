"""Clients that come back by themselves, with their cursor, and write down all that they were told.

They count nothing twice: a WebSocket client that was cut off between payloads and the cursor that
follows them is sent those again, and knows how many (`docs/protocol.md`, Cursors and gaps).
"""

import asyncio
import json
from abc import ABC, abstractmethod
from contextlib import suppress
from typing import Any, Self

import aiohttp

from bridge.wire.event import END, GAP, PING
from bridge.wire.sse import Decoder
from tests.support.clients import Hole

_REST = 0.01
HOLE = "test.hole"
"""The type of the frame by which the matrix' legacy dialect tells of a hole."""

OWN = "own"
"""Reason of the hole that a client without a cursor knows of by itself: it was away."""


class Reader(ABC):
    """What all share.

    Args:
        session: makes the connections.
        authority: of the bridge or the proxy before it.
        channel: what to read.
        patience: seconds without a byte after which a connection is given up; None never.

    Attributes:
        told: payloads and holes in the order of their coming.
        connected: how often a connection was open.
    """

    def __init__(
        self,
        session: aiohttp.ClientSession,
        authority: str,
        channel: str,
        patience: float | None = None,
    ) -> None:
        self._session, self._authority, self._channel = session, authority, channel
        self._patience = patience
        self._place = ""
        self._free = asyncio.Event()
        self._free.set()
        self.told: list[str | Hole] = []
        self.connected = 0

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._run())
        return self

    async def __aexit__(self, *_: object) -> None:
        self._task.cancel()
        with suppress(asyncio.CancelledError):
            await self._task

    @property
    def failed(self) -> BaseException | None:
        """What went wrong in the reader itself, such as a refusal that no client should get."""
        return self._task.exception() if self._task.done() else None

    def hold(self) -> None:
        """Do not come back until `release`."""
        self._free.clear()

    def release(self) -> None:
        """Come back."""
        self._free.set()

    async def _run(self) -> None:
        while True:
            await self._free.wait()
            with suppress(aiohttp.ClientError, OSError):  # TimeoutError is an OSError
                await self._read()
            await asyncio.sleep(_REST)

    @abstractmethod
    async def _read(self) -> None:
        """One connection, from its opening to its end."""


class SseReader(Reader):
    """Reads by SSE as a browser does: resumes by `Last-Event-ID`."""

    async def _read(self) -> None:
        headers = {"Accept": "text/event-stream"}
        if self._place:
            headers["Last-Event-ID"] = self._place
        url = f"http://{self._authority}/api/v1/events/{self._channel}"
        timeout = aiohttp.ClientTimeout(total=None, sock_read=self._patience)
        async with self._session.get(url, headers=headers, timeout=timeout) as answer:
            assert answer.status == 200, answer.status
            self.connected += 1
            decoder = Decoder()
            while chunk := await answer.content.readany():
                for event in decoder.feed(chunk):
                    self._take(event.event, event.data)
                self._place = decoder.last_event_id or self._place

    def _take(self, name: str, data: str) -> None:
        if name == GAP:
            self.told.append(Hole.read(json.loads(data)))
        elif name not in {PING, END}:
            self.told.append(data)


class _Socket(Reader):
    """What both clients by WebSocket share."""

    _notices = "false"

    async def _read(self) -> None:
        query = f"notices={self._notices}" + (f"&last_event_id={self._place}" * bool(self._place))
        url = f"ws://{self._authority}/api/v1/ws/{self._channel}?{query}"
        timeout = aiohttp.ClientWSTimeout(ws_receive=self._patience, ws_close=0.2)
        async with asyncio.timeout(self._patience):
            connected = await self._session.ws_connect(url, timeout=timeout, max_msg_size=0)
        async with connected as socket:
            self.connected += 1
            self._opened()
            async for message in socket:
                assert message.type is aiohttp.WSMsgType.TEXT, message
                self._take(message.data)

    def _opened(self) -> None: ...

    @abstractmethod
    def _take(self, text: str) -> None: ...


class WsReader(_Socket):
    """Reads by WebSocket with notices, and resumes by `last_event_id`."""

    _notices = "true"

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        # What came since the cursor, and how much of that is still to come again.
        self._since: list[str] = []
        self._again = 0

    def _opened(self) -> None:
        self._again = len(self._since)

    def _take(self, text: str) -> None:
        if not text.startswith('{"type":"bridge.'):
            if f'"{HOLE}"' not in text:  # the dialect says so to everyone
                self._take_payload(text)
            return
        said = json.loads(text)
        if said["type"] == GAP:
            self.told.append(Hole.read(said))
            self._place, self._since, self._again = said["new"], [], 0
        elif said["type"] == "bridge.cursor":
            self._place = said["id"]
            self._since = self._since[len(self._since) - self._again :]

    def _take_payload(self, text: str) -> None:
        if self._again:
            assert text == self._since[-self._again], "what follows a cursor is always the same"
            self._again -= 1
            return
        self._since.append(text)
        self.told.append(text)


class LegacyReader(_Socket):
    """Knows no cursor: what comes while it is away it never gets, and it knows that."""

    def _opened(self) -> None:
        if self.connected > 1:
            self.told.append(Hole(OWN, None))

    def _take(self, text: str) -> None:
        if json.loads(text).get("type") == HOLE:
            self.told.append(Hole("told", None))
        else:
            self.told.append(text)
