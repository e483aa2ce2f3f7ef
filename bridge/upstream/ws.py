"""A WebSocket backend as an upstream: one socket that is subscribed on each opening.

Decides how a backend's close is to be taken and whether it is still alive; what its frames mean
is `bridge.upstream.frames`' business, and reconnecting `bridge.upstream.supervise`'s.

Only what the backend itself says ends a channel for good: a handshake's status or a close frame.
Where this side had to fail the connection, another attempt is made.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from urllib.parse import urlsplit

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus, WebSocketException
from websockets.typing import Subprotocol

from bridge.seams import Got, Lost, Meter, Opened, Signal
from bridge.upstream.answer import check_positive
from bridge.upstream.failure import brief, closed, oversized, refused, silent, unreachable
from bridge.upstream.frames import FrameReading
from bridge.upstream.target import Replay, check_headers, check_replay, check_seconds, check_url
from bridge.wire import endings, template
from bridge.wire.endings import Ending
from bridge.wire.frame import Frame
from bridge.wire.names import ChannelName, expand

_BATCH = 256
_CLOSE_TIMEOUT = 1.0
_SUBPROTOCOL = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+", re.ASCII)
_SAMPLES = {"channel": "project.1", "kind": "project", "id": "1", "resume": "1"}
_SCHEMES = {"http": "ws", "https": "wss"}


@dataclass(frozen=True, slots=True)
class WsOptions:
    """A WebSocket backend (`[upstream.ws]`).

    Attributes:
        url: the socket; `{channel}`, `{kind}` and `{id}` may stand in its path and query.
            http and https are taken for ws and wss.
        headers: sent with the handshake, such as an Authorization; never shown.
        subprotocols: offered in this order.
        subscribe: the text frame sent on each opening, empty for none. `{channel}`, `{kind}`,
            `{id}` and `{resume}` (the last place, empty at first) are filled in, escaped as in a
            JSON string.
        acknowledgement: the members of the JSON frame that answers it; the first such frame of
            each opening is consumed. Empty: none is.
        pings: the members of a JSON frame by which the backend asks for a sign of life; such a
            frame, or the text `ping`, is answered and not published, and pongs are ignored.
            Empty: they are events like others.
        pong: the answer to a JSON ping; the text `ping` gets the text `pong`.
        resume_field: dotted path to an event's place in its payload, such as `timestamp` or
            `payload.seq`; empty for none.
        replay: what the backend does after a reconnect: `auto`, `trusted` or `none`.
        ping_interval: after this many quiet seconds the backend gets a protocol ping; 0 = never.
        silence: after this many seconds without a frame or a protocol pong it counts as dead;
            0 = never.
        connect_timeout: seconds for connection and handshake, 0 = no limit.
        send_timeout: seconds for passing one frame on, 0 = no limit.
        max_frame_bytes: the largest message.
        final_closes: close codes after which the backend is done for good, besides those whose
            ending says so anyway.
    """

    url: str = field(repr=False)
    headers: dict[str, str] = field(default_factory=dict, repr=False)
    subprotocols: tuple[str, ...] = field(default=(), repr=False)
    subscribe: str = field(default='{"type":"subscribe","projectId":"{channel}"}', repr=False)
    acknowledgement: dict[str, str] = field(default_factory=lambda: {"type": "subscribe"})
    pings: dict[str, str] = field(default_factory=lambda: {"type": "ping"})
    pong: str = '{"type":"pong"}'
    resume_field: str = ""
    replay: Replay = "auto"
    ping_interval: float = 20.0
    silence: float = 60.0
    connect_timeout: float = 10.0
    send_timeout: float = 30.0
    max_frame_bytes: int = 16 * 1024 * 1024
    final_closes: tuple[int, ...] = (1000,)

    def __post_init__(self) -> None:
        check_url("url", self.url, ("ws", "wss", "http", "https"))
        check_headers("headers", self.headers, self.url)
        check_replay(self.replay)
        check_positive(max_frame_bytes=self.max_frame_bytes)
        check_seconds(
            ping_interval=self.ping_interval,
            silence=self.silence,
            connect_timeout=self.connect_timeout,
            send_timeout=self.send_timeout,
        )
        template.check(self.subscribe, _SAMPLES)
        if not all(_SUBPROTOCOL.fullmatch(name) for name in self.subprotocols):
            raise ValueError("subprotocols holds one that is no token; use letters, digits and .-_")
        if not all(1000 <= code < 5000 for code in self.final_closes):
            raise ValueError("final_closes holds no close code; they range from 1000 to 4999")


class WsUpstream:
    """One channel's socket to a WebSocket backend (`bridge.seams.Upstream`).

    Args:
        options: the backend.
        name: the channel.
        clock: monotonic, in seconds.
        meter: counts what is too large.
    """

    def __init__(
        self, options: WsOptions, name: ChannelName, clock: Callable[[], float], meter: Meter
    ) -> None:
        self._options, self._name, self._clock, self._meter = options, name, clock, meter
        scheme, rest = expand(options.url, name).split(":", 1)
        self._url = f"{_SCHEMES.get(scheme, scheme)}:{rest}"
        self._connection: ClientConnection | None = None

    @property
    def kind(self) -> str:
        """`ws`."""
        return "ws"

    @property
    def can_send(self) -> bool:
        """A socket goes both ways."""
        return True

    async def open(self, resume: str | None) -> AsyncGenerator[Signal, None]:
        """See `bridge.seams.Upstream.open`."""
        connection = await self._connect()
        if isinstance(connection, Lost):
            yield connection
            return
        try:
            await self._subscribe(connection, resume)
            self._connection = connection
            yield Opened()
            reading = self._reading(resume)
            while True:
                for signal in await self._read(connection, reading):
                    yield signal
                    if isinstance(signal, Lost):
                        return
        finally:
            self._connection = None
            await _close(connection)

    async def send(self, frame: Frame) -> Ending | None:
        """Pass a frame on, text as text and binary as binary; at most once.

        `TRY_LATER` while no socket is open, `BAD_GATEWAY` where it may or may not have arrived.
        """
        if self._connection is None:
            return endings.TRY_LATER
        sent = await self._say(self._connection, frame.raw)
        return None if sent else endings.BAD_GATEWAY

    async def _connect(self) -> ClientConnection | Lost:
        """An open connection, or why there is none."""
        place = urlsplit(self._url)
        try:
            return await connect(
                self._url,
                additional_headers=self._options.headers,
                subprotocols=[Subprotocol(name) for name in self._options.subprotocols] or None,
                user_agent_header="ws2sse",
                compression=None,
                proxy=None,
                open_timeout=self._options.connect_timeout or None,
                ping_interval=None,
                close_timeout=_CLOSE_TIMEOUT,
                max_size=self._options.max_frame_bytes,
                # Named again, so that a redirect to another origin, where the configured headers
                # are nobody's business, is an error (websockets then raises ValueError).
                host=place.hostname,
                port=place.port or (443 if place.scheme == "wss" else 80),
            )
        except InvalidStatus as error:
            return refused(error.response.status_code, error.response.headers)
        except (WebSocketException, OSError, ValueError) as error:
            return unreachable(error)

    async def _subscribe(self, connection: ClientConnection, resume: str | None) -> None:
        if not self._options.subscribe:
            return
        name = self._name
        values = {"channel": name.text, "kind": name.kind, "id": name.id, "resume": resume or ""}
        await self._say(connection, template.fill(self._options.subscribe, values))

    def _reading(self, resume: str | None) -> FrameReading:
        options = self._options
        return FrameReading(
            resume,
            self._clock,
            acknowledgement=options.acknowledgement if options.subscribe else {},
            pings=options.pings,
            pong=options.pong,
            resume_field=options.resume_field,
        )

    async def _say(self, connection: ClientConnection, raw: str | bytes) -> bool:
        """Send a message; whether it was passed on. A closed connection is told by the reading."""
        try:
            async with asyncio.timeout(self._options.send_timeout or None):
                await connection.send(raw)
        except (ConnectionClosed, TimeoutError):
            return False
        return True

    async def _read(self, connection: ClientConnection, reading: FrameReading) -> list[Signal]:
        """What the next messages bring, once there are some."""
        try:
            messages = await self._receive(connection)
        except TimeoutError:
            return [silent(self._options.silence)]
        except ConnectionClosed as over:
            return self._closed(over)
        got, pings = reading.take(messages)
        for pong in pings:
            await self._say(connection, pong)
        return [got]

    async def _receive(self, connection: ClientConnection) -> list[str | bytes]:
        """All messages that are there, at least one."""
        batch = [await self._next(connection)]
        # `recv` waits only where nothing is there, and cancelling it loses nothing: so a timeout
        # of nothing takes what is there. A close comes again with the next call.
        with suppress(TimeoutError, ConnectionClosed):
            async with asyncio.timeout(0):
                while len(batch) < _BATCH:
                    batch.append(await connection.recv())
        return batch

    async def _next(self, connection: ClientConnection) -> str | bytes:
        """The next message, with protocol pings while none comes (RFC 6455, 5.5.2).

        Raises:
            TimeoutError: there was no sign of life for `silence` seconds.
            ConnectionClosed: the connection is over.
        """
        quiet = 0.0
        pong: Awaitable[float] | None = None
        while True:
            step = self._step(quiet)
            with suppress(TimeoutError):
                async with asyncio.timeout(step):
                    return await connection.recv()
            answered = isinstance(pong, asyncio.Future) and pong.done()
            quiet = 0.0 if answered else quiet + (step or 0)
            if self._options.silence and quiet >= self._options.silence:
                raise TimeoutError
            pong = await self._ping(connection, step) if self._options.ping_interval else None

    def _step(self, quiet: float) -> float | None:
        """For how many seconds to wait until there is something to do; None = for ever."""
        interval, silence = self._options.ping_interval, self._options.silence
        waits = [interval] if interval else []
        return min([*waits, silence - quiet] if silence else waits, default=None)

    async def _ping(
        self, connection: ClientConnection, within: float | None
    ) -> Awaitable[float] | None:
        with suppress(TimeoutError, ConnectionClosed):
            async with asyncio.timeout(within):
                return await connection.ping()
        return None

    def _closed(self, over: ConnectionClosed) -> list[Signal]:
        """What a close means, by who began it."""
        received, sent = over.rcvd, over.sent
        if received:
            return [closed(received.code, received.reason, self._options.final_closes)]
        if sent is None:
            return [Lost(endings.ABNORMAL, "the connection broke off")]
        reason = f"this side had to close with {sent.code}: {brief(sent.reason)}"
        if sent.code != endings.TOO_BIG.ws:
            return [Lost(replace(endings.for_close(sent.code), reconnect=True), reason)]
        self._meter.count("upstream_oversized", kind=self.kind)
        # With its place kept, the backend would send the same message again, for ever.
        return [Got(last_id=""), oversized(reason)]


async def _close(connection: ClientConnection) -> None:
    """Close politely if that is possible soon. A peer that reads nothing would hold `close`."""
    try:
        with suppress(TimeoutError):
            async with asyncio.timeout(_CLOSE_TIMEOUT):
                await connection.close()
    finally:
        connection.transport.abort()  # nothing is left to abort after a closing handshake
