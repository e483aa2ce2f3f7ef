"""What a client that joins late is given first: the state that was published before it came.

Decides whether a fetched snapshot goes to that client alone, into the log, or nowhere, so that
exactly one completion arrives whichever source wins; fetching is `upstream.snapshot`'s business.

The order makes it whole: the cursor is taken, then the upstream is open, then the state is
fetched. What happens in between is in the log after the cursor and follows the snapshot.
"""

from __future__ import annotations

import asyncio
from typing import Protocol

import anyio

from bridge.endpoint.fanout import Fanout
from bridge.history.cursor import Cursor
from bridge.hub.channel import Channel
from bridge.wire.event import Event
from bridge.wire.names import ChannelName


class Snapshots(Protocol):
    """Fetches the state of a channel."""

    def wanted(self, name: ChannelName) -> bool:
        """Whether this channel has a snapshot at all."""

    async def fetch(self, name: ChannelName, *, scope: str) -> Event | None:
        """The state as an event, shared within a scope; None where it cannot be had in time."""


class Joining:
    """Gives a joining client its snapshot.

    Args:
        snapshots: fetches; None where no channel has one.
        patience: seconds to wait for the backend to be connected first.
    """

    def __init__(self, snapshots: Snapshots | None, patience: float = 2.0) -> None:
        self._snapshots, self._patience = snapshots, patience

    def wanted(self, name: ChannelName) -> bool:
        """Whether joiners of this channel are shown a state."""
        return self._snapshots is not None and self._snapshots.wanted(name)

    async def snapshot(self, fanout: Fanout, cursor: Cursor) -> Event | None:
        """The event that this client alone is to get now, if any."""
        channel = fanout.channel
        name, scope = channel.key.name, channel.key.scope
        if self._snapshots is None or not self._snapshots.wanted(name):
            return None
        await self._wait_ready(fanout)
        event = await self._snapshots.fetch(name, scope=scope)
        return event and self._place(channel, event, cursor)

    def _place(self, channel: Channel, event: Event, cursor: Cursor) -> Event | None:
        """A new completion goes into the log, for all; one that is there already is not doubled."""
        if channel.latch is None or not channel.latch.tells(event):
            return event
        seq = channel.latch.told(event)
        if seq is None:
            channel.publish([event])
            return None
        return event if seq <= cursor.seq else None

    async def _wait_ready(self, fanout: Fanout) -> None:
        ready = asyncio.Event()
        fanout.when_ready(ready.set)
        with anyio.move_on_after(self._patience):
            await ready.wait()
