"""An SSE backend as an upstream: one GET that stays open, and a POST for what clients say.

Decides which responses are a stream and what its blocks mean to the channel; never reconnects,
which is `bridge.upstream.supervise`'s business. By HTML Standard 9.2.2 (processing model), 204 is
the end for good and only 200 with `text/event-stream` is a stream; unlike a browser, other trouble
is given up for good only where its status says so.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass, field, replace

import aiohttp
import orjson
from multidict import CIMultiDict
from yarl import URL

from bridge.seams import Lost, Meter, Opened, Signal
from bridge.upstream.answer import check_positive
from bridge.upstream.failure import brief, refused, silent, unreachable
from bridge.upstream.reading import Reading
from bridge.upstream.target import (
    Replay,
    check_headers,
    check_replay,
    check_seconds,
    check_url,
)
from bridge.wire import endings
from bridge.wire.endings import Ending
from bridge.wire.frame import Frame
from bridge.wire.names import ChannelName, expand
from bridge.wire.sse import DEFAULT_MAX_EVENT_BYTES

_REDIRECTS = 3
_READ_BUFFER = 256 * 1024
_REDIRECTING = frozenset({301, 302, 303, 307, 308})


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
        session: makes the requests; its cookies, if it keeps any, are shared by all channels.
        clock: monotonic, in seconds.
        meter: counts what is too large.
    """

    def __init__(
        self,
        options: SseOptions,
        name: ChannelName,
        session: aiohttp.ClientSession,
        clock: Callable[[], float],
        meter: Meter,
    ) -> None:
        self._options, self._session, self._clock, self._meter = options, session, clock, meter
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

    async def open(self, resume: str | None) -> AsyncGenerator[Signal, None]:
        """See `bridge.seams.Upstream.open`."""
        response = await self._connect(resume)
        if isinstance(response, Lost):
            yield self._with_retry(response)
            return
        try:
            yield Opened()
            reading = self._reading(resume)
            while True:
                for signal in await self._read(response, reading):
                    yield signal
                    if isinstance(signal, Lost):
                        return
        finally:
            response.close()

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
                timeout=self._timeout(total=self._options.send_timeout),
            ) as response:
                accepted = 200 <= response.status < 300
                return None if accepted else refused(response.status, response.headers).ending
        except (aiohttp.ClientError, OSError):
            return endings.BAD_GATEWAY

    def _reading(self, resume: str | None) -> Reading:
        limit, heartbeats = self._options.max_event_bytes, self._options.heartbeats
        return Reading(resume, self._clock, max_event_bytes=limit, heartbeats=heartbeats)

    async def _connect(self, resume: str | None) -> aiohttp.ClientResponse | Lost:
        """A response that is a stream, or why there is none."""
        try:
            async with asyncio.timeout(self._options.silence or None):
                response = await self._get(resume)
        except (aiohttp.ClientError, OSError) as error:
            late = isinstance(error, TimeoutError) and not isinstance(error, aiohttp.ClientError)
            return silent(self._options.silence) if late else unreachable(error)
        refusal = _refusal(response)
        if refusal is None:
            return response
        response.close()
        return refusal

    async def _get(self, resume: str | None) -> aiohttp.ClientResponse:
        """The response, after a few redirects that stay with the configured origin.

        Elsewhere the configured headers, credentials among them, are nobody's business.
        """
        url, headers = self._url, self._headers(resume)
        for left in reversed(range(_REDIRECTS + 1)):
            response = await self._session.get(
                url,
                headers=headers,
                allow_redirects=False,
                timeout=self._timeout(),
                read_bufsize=_READ_BUFFER,
            )
            target = _location(response)
            if not left or target is None or target.origin() != url.origin():
                break
            response.close()
            url = target
        return response

    def _headers(self, resume: str | None) -> CIMultiDict[str]:
        headers = CIMultiDict(self._options.headers)
        headers["Accept"] = "text/event-stream"
        headers["Cache-Control"] = "no-cache"
        headers["Accept-Encoding"] = "identity"  # compressors hold events back
        if resume:
            headers["Last-Event-ID"] = resume
        return headers

    def _timeout(self, total: float = 0) -> aiohttp.ClientTimeout:
        connect = self._options.connect_timeout or None
        return aiohttp.ClientTimeout(total=total or None, sock_connect=connect)

    async def _read(self, response: aiohttp.ClientResponse, reading: Reading) -> list[Signal]:
        """What the next bytes bring, once there are some."""
        lost: Lost | None = None
        chunk = b""
        try:
            async with asyncio.timeout(self._options.silence or None):
                chunk = await response.content.readany()
        except TimeoutError:
            lost = silent(self._options.silence)
        except (aiohttp.ClientError, OSError) as error:
            lost = Lost(endings.ABNORMAL, f"the stream broke off: {type(error).__name__}")
        if not chunk:
            lost = lost or Lost(endings.NO_STATUS, "the backend ended the stream")
            return [self._with_retry(lost)]
        signals = reading.take(chunk)
        self._retry = reading.retry if reading.retry is not None else self._retry
        return [self._settled(signal) for signal in signals]

    def _settled(self, signal: Signal) -> Signal:
        if not isinstance(signal, Lost):
            return signal
        if signal.ending.name == endings.TOO_BIG.name:
            self._meter.count("upstream_oversized", kind=self.kind)
        return self._with_retry(signal)

    def _with_retry(self, lost: Lost) -> Lost:
        return lost if lost.retry is not None else replace(lost, retry=self._retry)


def _refusal(response: aiohttp.ClientResponse) -> Lost | None:
    """Why a response is no stream; None where it is one."""
    if response.status == 204:
        return Lost(endings.COMPLETE, "the backend has nothing more (204)")
    if response.status != 200:
        return refused(response.status, response.headers)
    if response.content_type != "text/event-stream":
        kind = brief(response.content_type)
        return Lost(endings.BAD_GATEWAY, f"the backend answered {kind}, not text/event-stream")
    return None


def _location(response: aiohttp.ClientResponse) -> URL | None:
    """Where a redirect leads, None where the response is none or leads nowhere usable."""
    location = response.headers.get("Location", "")
    if response.status not in _REDIRECTING or not location:
        return None
    try:
        target = response.url.join(URL(location))
        target.origin()
    except ValueError:
        return None
    return target


def _content_type(frame: Frame) -> str:
    if not frame.is_text:
        return "application/octet-stream"
    try:
        orjson.loads(frame.raw)
    except orjson.JSONDecodeError:
        return "text/plain; charset=utf-8"
    return "application/json"
