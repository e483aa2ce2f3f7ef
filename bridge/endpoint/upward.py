"""The way of clients' frames to the backend, from either wire.

Decides through which channel a frame goes, how long it waits and what its outcome is; how it is
carried is the upstream's business. A frame goes through the channel's own upstream, which is
opened for it where nobody reads the channel. So it reaches the name under which the backend knows
the channel, and a backend that ended the channel for good refuses its frames in the same words.
"""

from __future__ import annotations

import asyncio

import anyio

from bridge.endpoint.gateway import Gateway, label
from bridge.hub.channel import Channel, ChannelKey
from bridge.wire.endings import TRY_LATER, UNSUPPORTED, Ending
from bridge.wire.frame import Frame

PATIENCE = 10.0
"""Seconds for a backend to answer that was not connected when the frame came."""

NO_WAY_UP = Ending("no-way-up", UNSUPPORTED.ws, 501, reconnect=False)
"""The backend takes no frames at all, which is nobody's fault; unlike a backend's own 415."""


class AsyncBell:
    """A channel's bell that one waiter waits for. Never shared: each waiter owns its own."""

    __slots__ = ("_event",)

    def __init__(self) -> None:
        self._event = asyncio.Event()

    def __call__(self) -> None:
        """Ring; callable from the publisher's turn."""
        self._event.set()

    async def wait(self) -> None:
        """Return once it has rung since the last wait."""
        await self._event.wait()
        self._event.clear()


async def carry(gateway: Gateway, key: ChannelKey, frame: Frame) -> Ending | None:
    """Take one frame to the backend: None once it is accepted, else why it is not.

    `NO_WAY_UP` where no way to the backend is configured, `TRY_LATER` where the channel is not open
    and too many others are.
    """
    bell = AsyncBell()
    if not gateway.hub.make_room(key):
        gateway.meter.count("clients_refused", reason="channels")
        return TRY_LATER
    channel = gateway.hub.join(key, bell)
    try:
        ending = await _carry(channel, bell, frame)
    finally:
        gateway.hub.leave(channel, bell)
    gateway.meter.count("frames_up", outcome=label(ending) if ending else "accepted")
    return ending


async def _carry(channel: Channel, bell: AsyncBell, frame: Frame) -> Ending | None:
    if not getattr(channel.lead, "can_send", True):
        return NO_WAY_UP
    with anyio.move_on_after(PATIENCE):
        while not channel.ready:
            await bell.wait()
    if channel.ending:
        return channel.ending
    ending = await channel.lead.send(frame)
    # A final word that came meanwhile says more than that no connection was to be had.
    return ending and (channel.ending or ending)
