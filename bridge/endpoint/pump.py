"""The read loop of one session: replay, live events, heartbeats and the end are all this loop.

Decides what a session is sent next and when it is too slow; never encodes (the log's entries do)
and never touches a socket (the sink does). There is no splice of history and live, hence no race:
a session reads its log after its cursor, and waits when there is nothing.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Awaitable, Sequence
from typing import Protocol

import anyio

from bridge.endpoint.gateway import Gateway
from bridge.endpoint.session import Session, Signal
from bridge.endpoint.snapshot import Joining
from bridge.history.cursor import Cursor
from bridge.history.log import Entry, Gap
from bridge.hub.channel import Channel
from bridge.wire.endings import TRY_LATER, Ending

SLOW = "too slow: the client stopped reading"
RESTARTS = "the bridge restarts"


class Sink(Protocol):
    """One client's wire. Each call returns once the bytes are handed to the transport."""

    async def begin(self, place: Cursor | Gap) -> None:
        """Say where delivery goes on: at the start, and behind each hole."""

    async def send(self, entries: Sequence[Entry], cursor: Cursor) -> None:
        """Deliver entries, in order; `cursor` is the place after the last."""

    async def heartbeat(self, cursor: Cursor) -> None:
        """Show that the connection lives."""

    async def end(self, ending: Ending, reason: str) -> None:
        """Say the end and close."""


class AsyncBell:
    """Rung by a channel, waited for by one session. Never shared: a waiter owns its own."""

    __slots__ = ("_event",)

    def __init__(self) -> None:
        self._event = asyncio.Event()

    def __call__(self) -> None:
        """Ring; callable from the publisher's turn."""
        self._event.set()

    async def wait(self, seconds: float) -> bool:
        """Whether it rang within `seconds`; silent again afterwards."""
        with anyio.move_on_after(seconds):
            await self._event.wait()
        rang = self._event.is_set()
        self._event.clear()
        return rang


class Pump:
    """Carries one channel to one client until either ends.

    Args:
        gateway: options, counts, and whether the hub drains.
        channel: the channel that the session has joined.
        session: the client's state and cursor.
        sink: the client's wire.
        bell: the bell with which the channel was joined.
        joining: fetches what a joiner is shown first; None for a client that continues.
    """

    def __init__(
        self,
        gateway: Gateway,
        channel: Channel,
        session: Session,
        sink: Sink,
        bell: AsyncBell,
        joining: Joining | None = None,
    ) -> None:
        self._gateway, self._options, self._meter = gateway, gateway.options, gateway.meter
        self._channel, self._session = channel, session
        self._sink, self._bell, self._joining = sink, bell, joining
        # One scope for all sends, whose deadline moves: a scope for each would cost more than it.
        self._deadline = anyio.CancelScope()
        self._sent_at = 0.0

    async def run(self, place: Cursor | Gap) -> None:
        """Send until an ending is due or a send misses its deadline, then end the session.

        Args:
            place: where the client begins, as the log answered.
        """
        self._session.apply(Signal.ACCEPTED)
        # Stays if the scope is cancelled, and nothing but its deadline does that.
        due = TRY_LATER, SLOW
        with self._deadline:
            due = await self._deliver(place)
        if self._deadline.cancelled_caught:
            self._meter.count("slow_clients", wire=self._session.wire)
        ending, reason = due
        self._session.apply(Signal.END)
        with anyio.move_on_after(self._options.send_timeout):
            await self._sink.end(self._gateway.delayed(ending), reason)
        self._session.apply(Signal.SENT)

    async def _deliver(self, place: Cursor | Gap) -> tuple[Ending, str]:
        await self._begin(place)
        if self._joining:
            await self._show(self._joining)
        while True:
            if await self._step():
                continue
            if self._gateway.hub.draining:
                return self._gateway.hub.draining, RESTARTS
            if self._channel.ending:
                return self._channel.ending, self._channel.reason
            silence = self._sent_at + self._options.heartbeat - anyio.current_time()
            # Asked first, for a bell may ring all the time without news.
            if silence <= 0 or not await self._bell.wait(silence):
                await self._sending(self._sink.heartbeat(self._session.cursor))

    async def _begin(self, place: Cursor | Gap) -> None:
        if isinstance(place, Gap):
            self._meter.count("gaps_told", wire=self._session.wire)
        await self._sending(self._sink.begin(place))

    async def _show(self, joining: Joining) -> None:
        """Give this client alone what was published before it came; its place stays."""
        cursor = self._session.cursor
        events = await joining.snapshot(self._channel, self._bell, cursor)
        if events:
            now = anyio.current_time()
            entries = [Entry(cursor.epoch, cursor.seq, event, now) for event in events]
            await self._sending(self._sink.send(entries, cursor))

    async def _step(self) -> bool:
        """Send what is after the cursor; False once there is nothing."""
        session = self._session
        found = self._channel.log.read(session.cursor, self._options.batch)
        if isinstance(found, Gap):
            await self._begin(found)
            session.move(found.new)
            return True
        if not found.entries:
            return False
        await self._sending(self._sink.send(found.entries, found.cursor))
        self._meter.count("events_delivered", len(found.entries), wire=session.wire)
        session.move(found.cursor)
        return True

    async def _sending(self, sent: Awaitable[None]) -> None:
        """Wait for one send, no longer than it may take."""
        self._session.apply(Signal.WOKEN)
        self._deadline.deadline = anyio.current_time() + self._options.send_timeout
        await sent
        self._deadline.deadline = math.inf
        self._sent_at = anyio.current_time()
        self._session.apply(Signal.SENT)
