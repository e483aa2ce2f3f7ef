"""The way of clients' frames to the backend, from either wire.

Decides through which channel a frame goes, how long it waits and what its outcome is; how it is
carried is the upstream's business. A frame goes through the channel's own upstream, which is
opened for it where nobody reads the channel. So it reaches the name under which the backend knows
the channel, and a backend that ended the channel for good refuses its frames in the same words.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import anyio
from anyio.abc import TaskGroup

from bridge.endpoint.gateway import Gateway, label
from bridge.endpoint.pump import AsyncBell
from bridge.hub.channel import Channel, ChannelKey
from bridge.wire.endings import UNSUPPORTED, Ending
from bridge.wire.frame import Frame
from bridge.wire.names import ChannelName

PATIENCE = 10.0
"""Seconds for a backend to answer that was not connected when the frame came."""

NO_WAY_UP = Ending("no-way-up", UNSUPPORTED.ws, 501, reconnect=False)
"""The backend takes no frames at all, which is nobody's fault; unlike a backend's own 415."""


async def carry(gateway: Gateway, name: ChannelName, frame: Frame) -> Ending | None:
    """Take one frame to the backend: None once it is accepted, else why it is not.

    `NO_WAY_UP` where no way to the backend is configured.
    """
    bell = AsyncBell()
    channel = gateway.hub.join(ChannelKey(name), bell)
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
            await bell.wait(PATIENCE)
    if channel.ending:
        return channel.ending
    ending = await channel.lead.send(frame)
    # A final word that came meanwhile says more than that no connection was to be had.
    return ending and (channel.ending or ending)


class Carrier:
    """One socket's frames on their way up: one after the other, in order, in a bounded queue.

    Args:
        gateway: what the endpoints share; says how long the queue may be.
        refused: called with each refusal.
    """

    def __init__(self, gateway: Gateway, refused: Callable[[Ending, str], Awaitable[None]]) -> None:
        self._gateway, self._refused = gateway, refused
        self._into, self._out = anyio.create_memory_object_stream[tuple[ChannelName, Frame]](
            gateway.options.uplink_queue
        )
        self._begun = self._stopped = False

    async def put(self, tasks: TaskGroup, name: ChannelName, frame: Frame) -> None:
        """Queue a frame, waiting for room; `tasks` runs the carrying once there is something."""
        if not self._begun:
            self._begun = True
            tasks.start_soon(self._run)
        await self._into.send((name, frame))

    def finish(self) -> None:
        """Nothing more will come; what is queued is still carried."""
        self._into.close()

    def stop(self) -> None:
        """Carry nothing more: what follows a frame that was refused would come without it."""
        self._stopped = True

    def close(self) -> None:
        """Drop what is left."""
        self._into.close()
        self._out.close()

    async def _run(self) -> None:
        async for name, frame in self._out:
            if self._stopped:
                continue  # room for a reader that waits for it
            ending = await carry(self._gateway, name, frame)
            if ending:
                await self._refused(ending, "the backend refused a frame")
