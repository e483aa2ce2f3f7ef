"""Pings to all taken-over WebSockets, spread over the interval.

Decides when a socket is pinged; that silence from one ping to the next means death is the
socket's own to say. One timer serves all.
"""

from __future__ import annotations

from typing import Protocol

from bridge.endpoint.wheel import Wheel

PARTS = 20
"""Into how many groups sockets are spread at most, so that they are not all pinged at once."""


class Pulsed(Protocol):
    """A socket that can be pinged."""

    def pulse(self) -> None:
        """Ping, or give up."""


class Pulse:
    """Pings each socket once an interval.

    Args:
        wheel: the timer.
        interval: seconds; 0 pings nobody.
    """

    def __init__(self, wheel: Wheel, interval: float) -> None:
        self._wheel, self._interval = wheel, interval
        parts = max(1, min(PARTS, int(interval / wheel.tick)))
        self._parts: list[dict[Pulsed, None]] = [{} for _ in range(parts)]
        self._step = interval / parts
        self._turn = 0
        self._at: float | None = None  # when the next part is to be pinged

    def add(self, socket: Pulsed) -> None:
        """Ping a socket from now on; its first ping is at most one interval away."""
        if self._interval:
            self._parts[self._turn - 1][socket] = None
            if self._at is None:
                self._arm(self._wheel.clock() + self._step)

    def discard(self, socket: Pulsed) -> None:
        """Ping a socket no more."""
        for part in self._parts:
            part.pop(socket, None)

    def _arm(self, at: float) -> None:
        self._at = at
        self._wheel.after(max(at - self._wheel.clock(), 0.0), self._beat)

    def _beat(self) -> None:
        part, at, now = self._parts[self._turn], self._at or 0.0, self._wheel.clock()
        self._turn = (self._turn + 1) % len(self._parts)
        self._at = None
        for socket in tuple(part):
            socket.pulse()
        if any(self._parts):
            # By the plan, so that lateness does not add up; a late turn is not hurried after.
            following = at + self._step
            self._arm(following if following > now else now + self._step)
