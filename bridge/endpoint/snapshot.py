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
from bridge.hub.channel import Channel, Incoming, unchanged
from bridge.wire.credential import OwnCredential
from bridge.wire.event import Event
from bridge.wire.names import ChannelName


class Snapshots(Protocol):
    """Fetches the state of a channel."""

    def wanted(self, name: ChannelName) -> bool:
        """Whether this channel has a snapshot at all."""

    async def fetch(
        self, name: ChannelName, *, scope: str, own: OwnCredential | None = None
    ) -> Event | None:
        """The state as an event, shared within a scope; None where it cannot be had in time."""


class Joining:
    """Gives a joining client its snapshot.

    Args:
        snapshots: fetches; None where no channel has one.
        incoming: what the channel makes of an event before it gets its place.
        patience: seconds to wait for the backend to be connected first.
    """

    def __init__(
        self,
        snapshots: Snapshots | None,
        incoming: Incoming = unchanged,
        patience: float = 2.0,
    ) -> None:
        self._snapshots, self._incoming, self._patience = snapshots, incoming, patience

    def wanted(self, name: ChannelName) -> bool:
        """Whether joiners of this channel are shown a state."""
        return self._snapshots is not None and self._snapshots.wanted(name)

    async def snapshot(self, fanout: Fanout, cursor: Cursor) -> tuple[Event, ...]:
        """What this client alone is to get now, as the channel itself would have told it."""
        channel = fanout.channel
        name, scope = channel.key.name, channel.key.scope
        own = channel.key.credential
        if self._snapshots is None or not self._snapshots.wanted(name):
            return ()
        await self._wait_ready(fanout)
        event = await self._snapshots.fetch(name, scope=scope, own=own)
        return self._placed(channel, event, cursor) if event else ()

    def _placed(self, channel: Channel, event: Event, cursor: Cursor) -> tuple[Event, ...]:
        """A new completion goes into the log, for all; one that is there already is not doubled."""
        made, latch = self._incoming(event, channel.key.name), channel.latch
        if latch is None:
            return made
        places = [latch.told(each) for each in made if latch.tells(each)]
        if None in places:
            channel.publish([event])
            return ()
        # What was trimmed meanwhile is in the log no more, so it does not follow by itself.
        behind = max(cursor.seq, channel.log.base)
        follows = any(place is not None and place > behind for place in places)
        return () if follows else made

    async def _wait_ready(self, fanout: Fanout) -> None:
        ready = asyncio.Event()
        fanout.when_ready(ready.set)
        with anyio.move_on_after(self._patience):
            await ready.wait()
