"""Clients of the bridge that write down, in one list, what they were told and in which order."""

import asyncio
import binascii
import json
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, Self

import aiohttp
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from bridge.wire.event import BINARY, CURSOR, END, GAP, PING
from bridge.wire.sse import Decoder, ServerSentEvent
from tests.support.bridges import CHANNEL
from tests.support.waiting import until


@dataclass(frozen=True, slots=True)
class Hole:
    """A gap that a client was told of.

    Attributes:
        reason: why.
        lost: how many events are missing, None where nobody knows.
    """

    reason: str
    lost: int | None

    @classmethod
    def read(cls, said: dict[str, Any]) -> "Hole":
        """From the members of a notice; fails the test where one is missing."""
        assert said["new"]
        return cls(said["reason"], said["lost"])


class Client(ABC):
    """What both wires' clients share.

    Attributes:
        told: payloads and holes, in the order of their coming.
        place: the last cursor that the bridge gave.
    """

    def __init__(self) -> None:
        self.told: list[str | bytes | Hole] = []
        self.place = ""
        self._reading: asyncio.Task[None] | None = None

    @property
    def payloads(self) -> list[str | bytes]:
        """What the backend said, without the holes."""
        return [each for each in self.told if not isinstance(each, Hole)]

    @property
    def holes(self) -> list[Hole]:
        """What the bridge said to be missing."""
        return [each for each in self.told if isinstance(each, Hole)]

    @property
    def closed(self) -> bool:
        """Whether the bridge ended the connection."""
        return self._reading is not None and self._reading.done()

    async def wait_payloads(self, count: int, within: float = 20) -> list[str | bytes]:
        """All payloads, once there are at least `count`."""
        await until(lambda: len(self.payloads) >= count, within=within)
        return self.payloads

    async def __aenter__(self) -> Self:
        await self._open()
        self._reading = asyncio.create_task(self._read())
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._reading is not None
        self._reading.cancel()
        await asyncio.wait([self._reading])
        await self._close()
        if not self._reading.cancelled():
            self._reading.result()

    @abstractmethod
    async def _open(self) -> None: ...

    @abstractmethod
    async def _read(self) -> None: ...

    @abstractmethod
    async def _close(self) -> None: ...


class SseClient(Client):
    """Reads `/api/v1/events/{channel}`.

    Args:
        authority: the bridge's.
        after: sent as `Last-Event-ID`.
        channel: what to read.

    Attributes:
        events: every event, those of the bridge's own included.
        ids: the id of each payload.
    """

    def __init__(self, authority: str, after: str = "", channel: str = CHANNEL) -> None:
        super().__init__()
        self._url = f"http://{authority}/api/v1/events/{channel}"
        self._headers = {"Accept": "text/event-stream"} | (
            {"Last-Event-ID": after} if after else {}
        )
        self._decoder = Decoder(max_event_bytes=64 * 1024 * 1024)
        self.events: list[ServerSentEvent] = []
        self.ids: list[str] = []

    async def _open(self) -> None:
        self._session = aiohttp.ClientSession(read_bufsize=1024 * 1024)
        try:
            await self._begin()
        except BaseException:
            await self._session.close()
            raise

    async def _begin(self) -> None:
        self._answer = await self._session.get(self._url, headers=self._headers)
        assert self._answer.status == 200
        assert self._answer.content_type == "text/event-stream"
        # the id-only block, or a gap, comes before anything else
        self._take(await self._answer.content.readany())
        assert self.place

    async def _read(self) -> None:
        try:
            while chunk := await self._answer.content.readany():
                self._take(chunk)
        except aiohttp.ClientError:
            pass

    async def _close(self) -> None:
        self._answer.close()
        await self._session.close()

    def _take(self, chunk: bytes) -> None:
        for event in self._decoder.feed(chunk):
            self.events.append(event)
            self._sort(event)
        self.place = self._decoder.last_event_id

    def _sort(self, event: ServerSentEvent) -> None:
        if event.event == GAP:
            self.told.append(Hole.read(json.loads(event.data)))
        elif event.event not in {PING, END}:
            binary = event.event == BINARY
            self.told.append(binascii.a2b_base64(event.data) if binary else event.data)
            self.ids.append(event.id)


class WsClient(Client):
    """Reads `/api/v1/ws/{channel}` and sends.

    Args:
        authority: the bridge's.
        after: sent as `?last_event_id=`.
        notices: whether to ask for the bridge's own frames; legacy clients do not.
        channel: what to read.

    Attributes:
        placed: how much of what was told lies before `place`; the rest comes again.
    """

    def __init__(
        self, authority: str, after: str = "", *, notices: bool = False, channel: str = CHANNEL
    ) -> None:
        super().__init__()
        query = f"notices={str(notices).lower()}" + (f"&last_event_id={after}" if after else "")
        self._url = f"ws://{authority}/api/v1/ws/{channel}?{query}"
        self._notices = notices
        self.placed = 0
        self._socket: ClientConnection | None = None

    @property
    def socket(self) -> ClientConnection:
        """The connection, to send by or to look at."""
        assert self._socket is not None
        return self._socket

    async def _open(self) -> None:
        self._socket = await connect(self._url, max_size=None, compression=None, proxy=None)

    async def _read(self) -> None:
        try:
            async for message in self.socket:
                self._take(message)
        except ConnectionClosed:
            pass

    async def _close(self) -> None:
        await self.socket.close()

    def _take(self, message: str | bytes) -> None:
        if self._notices and isinstance(message, str) and message.startswith('{"type":"bridge.'):
            said = json.loads(message)
            if said["type"] == GAP:
                self.told.append(Hole.read(said))
            elif said["type"] == CURSOR:
                self.place, self.placed = said["id"], len(self.told)
        else:
            self.told.append(message)
