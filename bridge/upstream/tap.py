"""Listens to one channel of one backend and tells all that it hears, raw, for comparison.

Decides when to connect again and how connections are numbered. Unlike `bridge.upstream.supervise`
it drops no repetition and judges no hole: those are what a comparison is about. It never serves a
client and never writes a log.
"""

from __future__ import annotations

import asyncio
import random as randomness
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from typing import cast

from bridge.parity.observation import Mark, Observation, Side, Sight, Turn, Wire
from bridge.seams import Got, Lost, Opened, Signal, Upstream
from bridge.upstream.backoff import Backoff
from bridge.wire.event import Event

Sink = Callable[[Sight], object]
"""Takes each sight at once; what it raises ends the tap."""


class Tap:
    """One side's subscription to one channel.

    Args:
        side: whom it listens to.
        channel: the channel's name.
        upstream: the backend's stream, read with a clock that counts as `clock` does.
        sink: takes what was seen.
        clock: seconds, the same for all taps that are compared.
        backoff: the delays.
        random: uniform in [0, 1).
        sleep: waits for some seconds.

    Attributes:
        messages: how many it heard.
        opened: how many connections the backend accepted.
        is_open: whether one is open now.
        reason: why the last connection ended or was refused; empty where none was.
    """

    def __init__(
        self,
        side: Side,
        channel: str,
        upstream: Upstream,
        sink: Sink,
        *,
        clock: Callable[[], float],
        backoff: Backoff,
        random: Callable[[], float] = randomness.random,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        self.side, self.channel = side, channel
        self._upstream, self._sink, self._clock = upstream, sink, clock
        self._backoff, self._random, self._sleep = backoff, random, sleep
        self._wire: Wire = "ws" if upstream.kind == "ws" else "sse"
        self._last_id: str | None = None
        self.messages = self.opened = 0
        self.is_open = False
        self.reason = ""

    async def run(self) -> None:
        """Listen until the backend ends the channel for good; cancelling closes the connection."""
        while True:
            began, heard, opened = self._clock(), self.messages, self.opened
            lost = await self._connection()
            self._lose(lost)
            if not lost.ending.reconnect:
                return
            if self.opened > opened:
                lived = self._clock() - began
                self._backoff.closed(delivered=self.messages > heard, lived=lived)
            await self._sleep(self._backoff.next(lost.retry, self._random()))

    async def _connection(self) -> Lost:
        """One connection, from its opening to its loss."""
        signals = cast("AsyncGenerator[Signal, None]", self._upstream.open(self._last_id))
        async with aclosing(signals):
            async for signal in signals:
                match signal:
                    case Lost():
                        return signal
                    case Opened():
                        self._open()
                    case Got():
                        self._take(signal)
        raise AssertionError("an upstream ended without saying how")

    def _open(self) -> None:
        self.opened += 1
        self.is_open = True
        self._mark(Turn.OPENED)

    def _take(self, got: Got) -> None:
        if got.missed is not None:
            lost = f"{got.missed} events" if got.missed >= 0 else "an unknown number of events"
            self._mark(Turn.GAP, f"the backend tells of {lost} lost")
        for event in got.events:
            self.messages += 1
            self._sink(self._seen(event))
        if got.last_id is not None:
            self._last_id = got.last_id or None

    def _lose(self, lost: Lost) -> None:
        self.reason = lost.reason or lost.ending.name
        if self.is_open:
            self.is_open = False
            self._mark(Turn.LOST, self.reason)

    def _seen(self, event: Event) -> Observation:
        return Observation(
            self.side,
            self.channel,
            event.data,
            event.at,
            self._wire,
            event.type,
            event.id,
            self._number,
        )

    def _mark(self, turn: Turn, reason: str = "") -> None:
        self._sink(Mark(self.side, self.channel, self._clock(), turn, self._number, reason))

    @property
    def _number(self) -> int:
        """Of the connection that is open or was last: the first is 0."""
        return max(self.opened - 1, 0)
