"""An SSE backend as an upstream: one GET that stays open, and a POST for what clients say.

Decides what is asked and what outlives a connection; which responses are a stream is
`bridge.upstream.event_stream`'s business, and reconnecting `bridge.upstream.supervise`'s.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass, field, replace

import aiohttp
import orjson
from multidict import CIMultiDict
from yarl import URL

from bridge.seams import Lost, Meter, Signal, Sink
from bridge.upstream.answer import check_positive
from bridge.upstream.connection import Terms, connected
from bridge.upstream.dial import Dialer
from bridge.upstream.event_stream import EventStream
from bridge.upstream.failure import refused
from bridge.upstream.reading import Reading
from bridge.upstream.request import credentials, get_request
from bridge.upstream.signals import signals
from bridge.upstream.target import (
    Replay,
    check_headers,
    check_replay,
    check_seconds,
    check_url,
)
from bridge.upstream.tls import SYSTEM, TlsOptions
from bridge.wire import endings
from bridge.wire.endings import Ending
from bridge.wire.frame import Frame
from bridge.wire.names import ChannelName, expand
from bridge.wire.sse import DEFAULT_MAX_EVENT_BYTES


@dataclass(frozen=True, slots=True)
class SseOptions:
    """An SSE backend (`[upstream.sse]`).

    Attributes:
        url: the stream; `{channel}`, `{kind}` and `{id}` may stand in its path and query.
        send_url: where a client's frames are posted, with the same fields; empty where the
            backend takes none.
        headers: sent with each request, such as an Authorization; never shown.
        silence: after this many seconds without a byte the backend counts as dead; 0 = never.
        max_event_bytes: the largest event.
        replay: what the backend does after a reconnect: `auto`, `trusted` or `none`.
        heartbeats: names of events that are life signs only and are dropped.
        connect_timeout: seconds for reaching the backend, 0 = no limit.
        send_timeout: seconds for a whole POST, 0 = no limit.
        tls: whom `https` trusts, and what it proves of the bridge.
    """

    url: str = field(repr=False)
    send_url: str = field(default="", repr=False)
    headers: dict[str, str] = field(default_factory=dict, repr=False)
    silence: float = 60.0
    max_event_bytes: int = DEFAULT_MAX_EVENT_BYTES
    replay: Replay = "auto"
    heartbeats: tuple[str, ...] = ()
    connect_timeout: float = 10.0
    send_timeout: float = 30.0
    tls: TlsOptions = SYSTEM

    def __post_init__(self) -> None:
        check_url("url", self.url, ("http", "https"))
        if self.send_url:
            check_url("send_url", self.send_url, ("http", "https"))
        check_headers("headers", self.headers, self.url, self.send_url)
        check_replay(self.replay)
        check_positive(max_event_bytes=self.max_event_bytes)
        check_seconds(
            silence=self.silence,
            connect_timeout=self.connect_timeout,
            send_timeout=self.send_timeout,
        )


class SseUpstream:
    """One channel's stream from an SSE backend (`bridge.seams.Upstream`).

    Args:
        options: the backend.
        name: the channel.
        session: posts clients' frames.
        clock: monotonic, in seconds.
        meter: counts what is too large.
        dialer: makes the connections; one of its own where none is given.
    """

    def __init__(
        self,
        options: SseOptions,
        name: ChannelName,
        session: aiohttp.ClientSession,
        clock: Callable[[], float],
        meter: Meter,
        dialer: Dialer | None = None,
    ) -> None:
        self._options, self._session, self._clock, self._meter = options, session, clock, meter
        self._dialer = dialer or Dialer()
        self._terms = Terms(connect=options.connect_timeout or options.silence, tls=options.tls)
        self._url = URL(expand(options.url, name), encoded=True)
        self._send_url = URL(expand(options.send_url, name), encoded=True)
        # The standard's reconnection time outlives a connection (9.2.1).
        self._retry: int | None = None

    @property
    def kind(self) -> str:
        """`sse`."""
        return "sse"

    @property
    def can_send(self) -> bool:
        """Whether the backend takes clients' frames at all."""
        return bool(self._options.send_url)

    def open(self, resume: str | None) -> AsyncGenerator[Signal, None]:
        """See `bridge.seams.Upstream.open`."""
        return signals(self.read, resume)

    async def read(self, resume: str | None, sink: Sink) -> Lost:
        """See `bridge.seams.Pushing.read`."""
        reading = Reading(
            resume,
            self._clock,
            max_event_bytes=self._options.max_event_bytes,
            heartbeats=self._options.heartbeats,
        )
        headers, silence = self._headers(resume), self._options.silence

        def make(url: URL) -> EventStream:
            return EventStream(url, get_request(url, headers), sink, reading, silence=silence)

        async with connected(self._dialer, self._url, make, self._terms) as stream:
            lost = stream if isinstance(stream, Lost) else await stream.over
        self._retry = reading.retry if reading.retry is not None else self._retry
        if lost.ending.name == endings.TOO_BIG.name:
            self._meter.count("upstream_oversized", kind=self.kind)
        return lost if lost.retry is not None else replace(lost, retry=self._retry)

    async def send(self, frame: Frame) -> Ending | None:
        """POST a frame's payload as it is; at most once, for it may have arrived.

        `UNSUPPORTED` where no `send_url` is configured.
        """
        if not self.can_send:
            return endings.UNSUPPORTED
        headers = CIMultiDict(self._options.headers)
        headers["Content-Type"] = _content_type(frame)
        try:
            async with self._session.post(
                self._send_url,
                data=frame.raw if isinstance(frame.raw, bytes) else frame.raw.encode(),
                headers=headers,
                allow_redirects=False,
                timeout=self._send_limit,
                ssl=self._options.tls.context(),
            ) as response:
                accepted = 200 <= response.status < 300
                return None if accepted else refused(response.status, response.headers).ending
        except (aiohttp.ClientError, OSError):
            return endings.BAD_GATEWAY

    def _headers(self, resume: str | None) -> CIMultiDict[str]:
        headers = CIMultiDict(credentials(self._url))
        headers.update(self._options.headers)
        headers["Accept"] = "text/event-stream"
        headers["Cache-Control"] = "no-cache"
        headers["Accept-Encoding"] = "identity"  # compressors hold events back
        if resume:
            headers["Last-Event-ID"] = resume
        return headers

    @property
    def _send_limit(self) -> aiohttp.ClientTimeout:
        options = self._options
        return aiohttp.ClientTimeout(
            total=options.send_timeout or None, sock_connect=options.connect_timeout or None
        )


def _content_type(frame: Frame) -> str:
    if not frame.is_text:
        return "application/octet-stream"
    try:
        orjson.loads(frame.raw)
    except orjson.JSONDecodeError:
        return "text/plain; charset=utf-8"
    return "application/json"
