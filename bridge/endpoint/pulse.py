"""Pings to all taken-over WebSockets, spread over the interval.

Decides when a socket is pinged; that silence from one ping to the next means death is the
socket's own to say. One timer serves all.
"""

from __future__ import annotations

from typing import Protocol

from bridge.endpoint.wheel import Wheel

PARTS = 20
"""Into how many groups, at most, sockets are spread, so that they are not pinged all at once."""


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
        # No finer than the timer can tell apart, or lateness would add up.
        parts = max(1, min(PARTS, int(interval / (2 * wheel.tick))))
        self._parts: list[dict[Pulsed, None]] = [{} for _ in range(parts)]
        self._turn = 0
        self._beating = False
        self._next = 0.0  # when: beats are counted from the first, so that lateness never adds up

    def add(self, socket: Pulsed) -> None:
        """Ping a socket from now on; its first ping is one interval away."""
        if self._interval:
            self._parts[self._turn - 1][socket] = None
            if not self._beating:
                self._next = self._wheel.now()
                self._arm()

    def discard(self, socket: Pulsed) -> None:
        """Ping a socket no more."""
        for part in self._parts:
            part.pop(socket, None)

    def _arm(self) -> None:
        step, now = self._interval / len(self._parts), self._wheel.now()
        # After a long halt of the event loop beats are left out: clients need time to answer.
        self._next = max(self._next, now - step) + step
        self._beating = True
        self._wheel.after(self._next - now, self._beat)

    def _beat(self) -> None:
        part = self._parts[self._turn]
        self._turn = (self._turn + 1) % len(self._parts)
        self._beating = any(self._parts)
        if self._beating:
            self._arm()
        for socket in tuple(part):
            socket.pulse()
