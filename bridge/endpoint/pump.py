"""The read loop of one session: replay, live events, heartbeats and the end are all this loop.

Decides what a session is sent next and when it is too slow; never encodes (the log's entries do)
and never touches a socket (the sink does). There is no splice of history and live, hence no race:
a session reads its log after its cursor, and waits when there is nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Protocol

import anyio

from bridge.endpoint.gateway import Gateway
from bridge.endpoint.session import Session, Signal
from bridge.history.cursor import Cursor
from bridge.history.log import Entry, Gap
from bridge.hub.channel import Channel
from bridge.wire.endings import TRY_LATER, Ending


class Sink(Protocol):
    """One client's wire. Each call returns once the bytes are handed to the transport."""

    async def send(self, entries: Sequence[Entry], cursor: Cursor) -> None:
        """Deliver entries, in order; `cursor` is the place after the last."""

    async def gap(self, gap: Gap) -> None:
        """Tell of a hole."""

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
    """

    def __init__(
        self, gateway: Gateway, channel: Channel, session: Session, sink: Sink, bell: AsyncBell
    ) -> None:
        self._gateway, self._options, self._meter = gateway, gateway.options, gateway.meter
        self._channel, self._session = channel, session
        self._sink, self._bell = sink, bell

    async def run(self) -> None:
        """Send until an ending is due or a send misses its deadline, then end the session."""
        try:
            with anyio.fail_after(None) as deadline:
                ending, reason = await self._deliver(deadline)
        except TimeoutError:
            self._meter.count("slow_clients", wire=self._session.wire)
            ending, reason = TRY_LATER, "too slow: the client stopped reading"
            self._session.apply(Signal.SENT)
        self._session.apply(Signal.END)
        with anyio.move_on_after(self._options.send_timeout):
            await self._sink.end(self._gateway.delayed(ending), reason)
        self._session.apply(Signal.SENT)

    async def _deliver(self, deadline: anyio.CancelScope) -> tuple[Ending, str]:
        while True:
            if await self._step(deadline):
                continue
            if self._gateway.hub.draining:
                return self._gateway.hub.draining, "the bridge restarts"
            if self._channel.ending:
                return self._channel.ending, self._channel.reason
            if not await self._bell.wait(self._options.heartbeat):
                await self._beat(deadline)

    async def _step(self, deadline: anyio.CancelScope) -> bool:
        """Send what is after the cursor; False once there is nothing."""
        session = self._session
        found = self._channel.log.read(session.cursor, self._options.batch)
        if not isinstance(found, Gap) and not found.entries:
            return False
        session.apply(Signal.WOKEN)
        self._arm(deadline)
        if isinstance(found, Gap):
            self._meter.count("gaps_told", wire=session.wire)
            await self._sink.gap(found)
            session.move(found.new)
        else:
            await self._sink.send(found.entries, found.cursor)
            self._meter.count("events_delivered", len(found.entries), wire=session.wire)
            session.move(found.cursor)
        deadline.deadline = float("inf")
        session.apply(Signal.SENT)
        return True

    async def _beat(self, deadline: anyio.CancelScope) -> None:
        self._session.apply(Signal.WOKEN)
        self._arm(deadline)
        await self._sink.heartbeat(self._session.cursor)
        deadline.deadline = float("inf")
        self._session.apply(Signal.SENT)

    def _arm(self, deadline: anyio.CancelScope) -> None:
        deadline.deadline = anyio.current_time() + self._options.send_timeout
