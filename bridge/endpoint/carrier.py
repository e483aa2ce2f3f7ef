"""One WebSocket client's frames on their way to the backend.

Decides that they go one after the other, in order, by a task that exists only while there are any,
and that a client which sends faster than its backend takes is slowed by TCP instead of buffered.
How one frame is carried is `upward`'s business, and whether it may be, whoever puts it.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Protocol

from bridge.endpoint.background import Background
from bridge.endpoint.gateway import Gateway
from bridge.endpoint.grant import Refusal
from bridge.endpoint.upward import carry
from bridge.endpoint.wheel import Wheel
from bridge.hub.channel import ChannelKey
from bridge.wire.endings import Ending
from bridge.wire.frame import Frame

REFUSED = "the backend did not accept a frame"

Permit = Callable[[], Awaitable[Refusal | None]]
"""Asks whether a frame may be carried, once its turn has come."""


class Listening(Protocol):
    """The wire that the frames come from."""

    def listen(self, *, wanted: bool) -> None:
        """Read on, or not."""


class Carrier:
    """Frames of one client.

    Args:
        gateway: the hub, the queue's length and the patience.
        background: owns the task.
        wire: where the frames come from.
        refused: told why a frame was not accepted.
    """

    __slots__ = ("_background", "_frames", "_gateway", "_refused", "_task", "_wire")

    def __init__(
        self,
        gateway: Gateway,
        background: Background,
        wire: Listening,
        refused: Callable[[Ending, str], None],
    ) -> None:
        self._gateway, self._background = gateway, background
        self._wire, self._refused = wire, refused
        self._frames: deque[tuple[ChannelKey, Frame, Permit | None]] = deque()
        self._task: asyncio.Task[None] | None = None

    def put(self, key: ChannelKey, frame: Frame, permit: Permit | None = None) -> None:
        """Carry a frame through a channel, after those before it, if `permit` allows it then."""
        self._frames.append((key, frame, permit))
        if len(self._frames) >= self._gateway.options.uplink_queue:
            self._wire.listen(wanted=False)
        if self._task is None:
            self._task = self._background.spawn(self._run())

    def drop(self) -> None:
        """Carry nothing more: what follows a frame that was refused would come without it."""
        self._frames.clear()

    def finish(self, wheel: Wheel) -> None:
        """The client is gone; what it said before still goes out, within `send_timeout`."""
        if self._task:
            wheel.after(self._gateway.options.send_timeout, self._cancel)

    def _cancel(self) -> None:
        if self._task:
            self._task.cancel()

    async def _run(self) -> None:
        try:
            while self._frames:
                key, frame, permit = self._frames[0]
                refusal = await permit() if permit else None
                if not self._frames:  # a close drops them all
                    return
                ending = None if refusal else await carry(self._gateway, key, frame)
                if self._frames:
                    self._frames.popleft()
                if refusal:
                    self._refused(refusal.ending, refusal.reason)
                elif ending:
                    self._refused(ending, REFUSED)
                if len(self._frames) < self._gateway.options.uplink_queue:
                    self._wire.listen(wanted=True)
        finally:
            self._task = None
