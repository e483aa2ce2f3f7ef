"""Live subscriptions to the configured backends, all on one clock.

Decides which sides there are and what each reads; the listening itself is `bridge.upstream.tap`'s.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager

import aiohttp
import anyio

from bridge.config import Config
from bridge.errors import ConfigError
from bridge.parity.observation import Side, Wire
from bridge.seams import Unmetered, Upstream
from bridge.upstream.backoff import Backoff
from bridge.upstream.sse import SseUpstream
from bridge.upstream.tap import Sink, Tap
from bridge.upstream.ws import WsUpstream
from bridge.wire.names import ChannelName


def sides_of(config: Config) -> dict[Side, Wire]:
    """The sides that a configuration has: the WebSocket backend is the legacy one.

    Raises:
        ConfigError: it has none.
    """
    sides: dict[Side, Wire] = {}
    if config.upstream.ws:
        sides[Side.LEGACY] = "ws"
    if config.upstream.sse:
        sides[Side.CANDIDATE] = "sse"
    if not sides:
        remedy = "use --sse-upstream URL or --ws-upstream URL"
        raise ConfigError("upstream", "there is no backend to listen to", remedy)
    return sides


class Taps:
    """A subscription for each side of each channel.

    Args:
        config: the backends, and when to try them again.
        session: makes the requests to SSE backends.
        sink: takes what is seen.
        clock: seconds, monotonic; for all taps.

    Attributes:
        taps: all of them, in the order of `add`.
    """

    def __init__(
        self,
        config: Config,
        session: aiohttp.ClientSession,
        sink: Sink,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._config, self._session, self._sink, self._clock = config, session, sink, clock
        self.taps: list[Tap] = []

    def add(self, side: Side, channel: ChannelName) -> None:
        """Subscribe to one channel of one side, once it runs.

        Raises:
            ConfigError: there is no such backend.
        """
        backoff = Backoff(self._config.reconnect)
        upstream = self._upstream(side, channel)
        tap = Tap(side, channel.text, upstream, self._sink, clock=self._clock, backoff=backoff)
        self.taps.append(tap)

    async def run(self) -> None:
        """Listen until every backend has ended every channel, or until cancelled."""
        async with anyio.create_task_group() as tasks:
            for tap in self.taps:
                tasks.start_soon(tap.run)

    def troubles(self) -> tuple[str, ...]:
        """A line for each subscription that is not open and has something to say about it."""
        return tuple(
            f"{tap.side.value} {tap.channel}: {tap.reason}"
            for tap in self.taps
            if tap.reason and not tap.is_open
        )

    def _upstream(self, side: Side, channel: ChannelName) -> Upstream:
        options, meter = self._config.upstream, Unmetered()
        if side is Side.CANDIDATE and options.sse:
            return SseUpstream(options.sse, channel, self._session, self._clock, meter)
        if side is not Side.CANDIDATE and options.ws:
            return WsUpstream(options.ws, channel, self._clock, meter)
        raise ConfigError("upstream", f"there is no {side.value} backend to listen to")


@asynccontextmanager
async def tapping(
    config: Config,
    channels: Sequence[ChannelName],
    sides: Iterable[Side],
    sink: Sink,
    clock: Callable[[], float] = time.monotonic,
) -> AsyncIterator[Taps]:
    """Subscribe to all of these, and hold their HTTP session for the length of the block."""
    timeout = aiohttp.ClientTimeout(total=None)
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(
        connector=connector, timeout=timeout, cookie_jar=aiohttp.DummyCookieJar()
    ) as session:
        taps = Taps(config, session, sink, clock)
        for side in sides:
            for channel in channels:
                taps.add(side, channel)
        yield taps
