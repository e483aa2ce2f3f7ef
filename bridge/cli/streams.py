"""Reads one stream, SSE or WebSocket, as it comes, for people to look at.

Decides how each end of a stream is told; never reconnects (the command does) and prints nothing.
Unlike an upstream of the bridge it passes on everything: ids and sizes, and nothing is mapped.
"""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import aiohttp
import websockets
from websockets.asyncio.client import ClientConnection

from bridge.cli.arrivals import Arrival, Remark
from bridge.errors import EventTooLarge
from bridge.seams import Lost, Opened
from bridge.upstream.failure import meaning, refused
from bridge.wire import endings
from bridge.wire.sse import Decoder, ServerSentEvent

CONNECT_SECONDS = 10.0
MAX_EVENT_BYTES = 256 * 1024 * 1024

Sight = Opened | Arrival | Remark | Lost


@dataclass(frozen=True, slots=True)
class Target:
    """What to look at.

    Attributes:
        url: `ws://`, `wss://`, `http://` or `https://`.
        headers: sent with the request.
        frames: WebSocket text frames to send once it is open.
        clock: seconds since the start.
    """

    url: str
    headers: Mapping[str, str]
    frames: Sequence[str]
    clock: Callable[[], float]

    @property
    def is_websocket(self) -> bool:
        """Whether the URL is a WebSocket's."""
        return self.url.lower().startswith(("ws:", "wss:"))

    def look(self, last_event_id: str) -> AsyncIterator[Sight]:
        """Connect and read: `Opened` unless refused, what arrives, and one `Lost`."""
        return (_websocket if self.is_websocket else _sse)(self, self._asking(last_event_id))

    def _asking(self, last_event_id: str) -> dict[str, str]:
        resume = {"Last-Event-ID": last_event_id} if last_event_id else {}
        return {**self.headers, **resume}


async def _sse(target: Target, headers: Mapping[str, str]) -> AsyncIterator[Sight]:
    accepting = {"Accept": "text/event-stream", "Cache-Control": "no-cache", **headers}
    timeout = aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_SECONDS)
    try:
        async with (
            aiohttp.ClientSession(timeout=timeout, headers=accepting) as session,
            session.get(target.url) as response,
        ):
            refusal = _refusal(response)
            if refusal:
                yield refusal
                return
            yield Opened()
            async for sight in _decoded(response.content, target.clock):
                yield sight
    except EventTooLarge as error:
        yield Lost(endings.TOO_BIG, str(error))
    except aiohttp.ClientPayloadError:
        yield Lost(endings.ABNORMAL, "the connection broke off")
    except (aiohttp.ClientError, OSError, ValueError) as error:
        yield Lost(endings.ABNORMAL, f"cannot connect: {why(error)}")
    else:
        yield Lost(endings.NO_STATUS, "the server ended the stream")


def _refusal(response: aiohttp.ClientResponse) -> Lost | None:
    status, kind = response.status, response.content_type
    if status == 204:
        return Lost(endings.COMPLETE, "the server has no more for us (204)")
    if status != 200:
        said = f"{status} {response.reason or ''}".rstrip()
        return replace(refused(status, response.headers), reason=said)
    if kind != "text/event-stream":
        return Lost(endings.UNSUPPORTED, f"not an event stream, but {kind}")
    return None


async def _decoded(
    content: aiohttp.StreamReader, clock: Callable[[], float]
) -> AsyncIterator[Arrival | Remark]:
    decoder = Decoder(MAX_EVENT_BYTES)
    last_id, last_retry = "", None
    async for chunk in content.iter_any():
        at = clock()
        for line in chunk.splitlines(keepends=True):  # for remarks in their order among events
            for event in decoder.feed(line):
                last_id = event.id
                yield _arrival(event, at)
            if decoder.last_event_id != last_id:
                last_id = decoder.last_event_id
                yield Remark(at, "id", last_id)
            if decoder.retry != last_retry:
                last_retry = decoder.retry
                yield Remark(at, "retry", str(last_retry))


def _arrival(event: ServerSentEvent, at: float) -> Arrival:
    return Arrival(at, event.event, event.data, event.id)


async def _websocket(target: Target, headers: Mapping[str, str]) -> AsyncIterator[Sight]:
    try:
        async with websockets.connect(
            target.url,
            additional_headers=headers,
            open_timeout=CONNECT_SECONDS,
            max_size=None,
            proxy=None,
        ) as connection:
            yield Opened()
            async for arrival in _messages(connection, target):
                yield arrival
            yield _closed(connection)
    except websockets.InvalidStatus as error:
        yield _no_socket(error.response)
    except websockets.InvalidHandshake as error:
        yield Lost(endings.PROTOCOL_ERROR, f"no WebSocket: {why(error)}")
    except (websockets.InvalidURI, OSError) as error:
        yield Lost(endings.ABNORMAL, f"cannot connect: {why(error)}")


def _no_socket(response: websockets.Response) -> Lost:
    said = f"{response.status_code} {response.reason_phrase}".rstrip()
    if response.status_code < 400:
        return Lost(endings.PROTOCOL_ERROR, f"no WebSocket, but {said}")
    return replace(refused(response.status_code, dict(response.headers)), reason=said)


async def _messages(connection: ClientConnection, target: Target) -> AsyncIterator[Arrival]:
    try:
        for frame in target.frames:
            await connection.send(frame)
        async for message in connection:
            kind = "message" if isinstance(message, str) else "binary"
            yield Arrival(target.clock(), kind, message)
    except websockets.ConnectionClosed:
        return  # told by its close code


def _closed(connection: ClientConnection) -> Lost:
    code, reason = connection.close_code, connection.close_reason
    ending = endings.for_close(code)
    return Lost(ending, f"closed {code} {reason or ending.name}")


def why(error: Exception) -> str:
    """An error in a few words without the URL."""
    cause = getattr(error, "os_error", error)
    if isinstance(cause, socket.gaierror):
        return "host not found"
    if isinstance(cause, TimeoutError):
        return "timed out"
    return meaning(cause) or " ".join(str(error).split()) or type(error).__name__
