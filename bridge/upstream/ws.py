"""A WebSocket backend as an upstream: one socket that is subscribed on each opening.

Decides what is asked for; how one socket is spoken on is `bridge.upstream.client_socket`'s
business, what its frames mean `bridge.upstream.frames`', and reconnecting
`bridge.upstream.supervise`'s.
"""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass, field

from yarl import URL

from bridge.seams import Lost, Meter, Signal, Sink
from bridge.upstream.answer import check_positive
from bridge.upstream.client_socket import ClientSocket, Manners
from bridge.upstream.connection import Terms, connected
from bridge.upstream.dial import Dialer
from bridge.upstream.frames import FrameReading
from bridge.upstream.request import credentials
from bridge.upstream.signals import signals
from bridge.upstream.target import Replay, check_headers, check_replay, check_seconds, check_url
from bridge.upstream.tls import SYSTEM, TlsOptions
from bridge.wire import endings, template
from bridge.wire.endings import Ending
from bridge.wire.frame import Frame
from bridge.wire.names import ChannelName, expand

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
        silence: after this many seconds without a byte it counts as dead; 0 = never.
        connect_timeout: seconds for the connection, and again for the handshake; 0 = no limit.
        send_timeout: seconds for passing one frame on, 0 = no limit.
        max_frame_bytes: the largest message.
        final_closes: close codes after which the backend is done for good, besides those whose
            ending says so anyway.
        tls: whom `wss` trusts, and what it proves of the bridge.
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
    tls: TlsOptions = SYSTEM

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
        dialer: makes the connections; one of its own where none is given.
    """

    def __init__(
        self,
        options: WsOptions,
        name: ChannelName,
        clock: Callable[[], float],
        meter: Meter,
        dialer: Dialer | None = None,
    ) -> None:
        self._options, self._name, self._clock, self._meter = options, name, clock, meter
        scheme, rest = expand(options.url, name).split(":", 1)
        self._url = URL(f"{_SCHEMES.get(scheme, scheme)}:{rest}", encoded=True)
        limit = options.connect_timeout
        self._terms = Terms(connect=limit, answer=limit, tls=options.tls)
        self._dialer = dialer or Dialer()
        self._connection: ClientSocket | None = None

    @property
    def kind(self) -> str:
        """`ws`."""
        return "ws"

    @property
    def can_send(self) -> bool:
        """A socket goes both ways."""
        return True

    def open(self, resume: str | None) -> AsyncGenerator[Signal, None]:
        """See `bridge.seams.Upstream.open`."""
        return signals(self.read, resume)

    async def read(self, resume: str | None, sink: Sink) -> Lost:
        """See `bridge.seams.Pushing.read`."""

        def make(url: URL) -> ClientSocket:
            reading = self._reading(resume)
            return ClientSocket(url, sink, reading, self._manners(resume), self._opened)

        try:
            async with connected(self._dialer, self._url, make, self._terms) as socket:
                lost = socket if isinstance(socket, Lost) else await socket.over
                if not isinstance(socket, Lost) and socket.oversized:
                    self._meter.count("upstream_oversized", kind=self.kind)
        finally:
            self._connection = None
        return lost

    async def send(self, frame: Frame) -> Ending | None:
        """Pass a frame on, text as text and binary as binary; at most once.

        `TRY_LATER` while no socket is open, `BAD_GATEWAY` where it may or may not have arrived.
        """
        if self._connection is None:
            return endings.TRY_LATER
        sent = await self._connection.say(frame.raw)
        return None if sent else endings.BAD_GATEWAY

    def _opened(self, connection: ClientSocket) -> None:
        self._connection = connection

    def _manners(self, resume: str | None) -> Manners:
        options, name = self._options, self._name
        values = {"channel": name.text, "kind": name.kind, "id": name.id, "resume": resume or ""}
        return Manners(
            headers=credentials(self._url) | options.headers,
            subprotocols=options.subprotocols,
            first=template.fill(options.subscribe, values) if options.subscribe else "",
            max_bytes=options.max_frame_bytes,
            ping_interval=options.ping_interval,
            silence=options.silence,
            send_timeout=options.send_timeout,
            final_closes=options.final_closes,
        )

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
