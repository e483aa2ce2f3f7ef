"""What a comparison of one living channel gets to see: the lead's log, and a tap on the other side.

Decides the pace: the log is read from a place of its own, as any client reads it, and the other
backend is read only while there is room. So neither needs a queue, and a comparison that falls
behind misses what the log no longer keeps, which it is told as a hole.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing
from dataclasses import replace
from typing import cast

from bridge.control.comparing import Comparing
from bridge.history.answers import Gap
from bridge.history.cursor import Cursor
from bridge.history.entry import Entry
from bridge.hub.channel import Channel, Incoming
from bridge.parity.observation import Mark, Observation, Side, Turn, Wire
from bridge.seams import Got, Signal, Upstream
from bridge.upstream.backoff import Backoff
from bridge.upstream.tap import Tap
from bridge.wire.endings import Ending
from bridge.wire.event import Event
from bridge.wire.frame import Frame
from bridge.wire.names import ChannelName

PAUSE = 0.05
"""Seconds for which whoever can wait does, where there is no room."""

TICK = 0.5

_WIRES: dict[Side, Wire] = {Side.LEGACY: "ws", Side.CANDIDATE: "sse"}
_OTHERS = {Side.LEGACY: Side.CANDIDATE, Side.CANDIDATE: Side.LEGACY}


class Watch:
    """One channel's eyes.

    Args:
        channel: what clients read.
        leading: which side that is.
        other: the other backend's stream, read with `clock`.
        comparing: takes what is seen.
        incoming: what an event becomes in the log.
        backoff: when to try the other backend again.
        clock: monotonic, in seconds; the one that the lead is read with.
    """

    def __init__(
        self,
        channel: Channel,
        leading: Side,
        other: Upstream,
        comparing: Comparing,
        *,
        incoming: Incoming,
        backoff: Backoff,
        clock: Callable[[], float],
    ) -> None:
        self._channel, self._leading, self._comparing = channel, leading, comparing
        self._clock, self._news = clock, asyncio.Event()
        self._place = Cursor(channel.log.epoch, channel.log.top)
        self._tap = Tap(
            _OTHERS[leading],
            channel.key.name.text,
            Paced(other, channel.key.name, incoming, lambda: comparing.has_room),
            comparing.take,
            clock=clock,
            backoff=backoff,
        )

    async def run(self) -> None:
        """Look until cancelled, or until the comparison is broken."""
        tap = asyncio.create_task(self._tap.run())
        log = asyncio.create_task(self._follow())
        self._channel.watch(self._news.set)
        try:
            while not self._comparing.is_broken:
                await asyncio.sleep(TICK)
                for task in (tap, log):
                    if task.done():
                        task.result()  # raises what ended it; a backend may end, too
                self._comparing.advance(self._clock())
        finally:
            self._channel.unwatch(self._news.set)
            for task in (tap, log):
                task.cancel()
            await asyncio.gather(tap, log, return_exceptions=True)

    async def _follow(self) -> None:
        log = self._channel.log
        self._mark(Turn.OPENED)
        place = self._place
        while True:
            self._news.clear()
            answer = log.read(place)
            if isinstance(answer, Gap):
                self._mark(Turn.GAP, "the comparison fell behind the log")
                place = answer.new
                continue
            for entry in answer.entries:
                self._see(entry)
            place = answer.cursor
            if not answer.entries:
                await self._news.wait()
            await asyncio.sleep(0 if self._comparing.has_room else PAUSE)

    def _see(self, entry: Entry) -> None:
        event = entry.event
        if event.is_notice:
            self._mark(Turn.GAP, "the leading backend left a hole")
        elif event.origin in ("ws", "sse"):  # what was fetched besides, the other side never says
            self._comparing.take(
                Observation(
                    self._leading,
                    self._channel.key.name.text,
                    event.data,
                    event.at,
                    _WIRES[self._leading],
                    event.type,
                    event.id,
                )
            )

    def _mark(self, turn: Turn, reason: str = "") -> None:
        name = self._channel.key.name.text
        self._comparing.take(Mark(self._leading, name, self._clock(), turn, 0, reason))


class Paced:
    """An upstream that is read only while there is room, and whose events are made as the log's.

    Args:
        upstream: the backend's stream.
        name: the channel.
        incoming: what an event becomes.
        has_room: whether to read on.
    """

    def __init__(
        self,
        upstream: Upstream,
        name: ChannelName,
        incoming: Incoming,
        has_room: Callable[[], bool],
    ) -> None:
        self._upstream, self._name = upstream, name
        self._incoming, self._has_room = incoming, has_room

    @property
    def kind(self) -> str:
        """As the stream itself."""
        return self._upstream.kind

    async def open(self, resume: str | None) -> AsyncIterator[Signal]:
        """See `bridge.seams.Upstream.open`."""
        signals = cast("AsyncGenerator[Signal, None]", self._upstream.open(resume))
        async with aclosing(signals):
            async for signal in signals:
                yield (
                    replace(signal, events=self._made(signal))
                    if isinstance(signal, Got)
                    else signal
                )
                while not self._has_room():  # noqa: ASYNC110 - room is made in another thread
                    await asyncio.sleep(PAUSE)

    async def send(self, frame: Frame) -> Ending | None:
        """By the stream's own way."""
        return await self._upstream.send(frame)

    def _made(self, got: Got) -> tuple[Event, ...]:
        return tuple(made for event in got.events for made in self._incoming(event, self._name))
