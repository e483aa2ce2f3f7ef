"""The dialect's own ping to a WebSocket client, again and again.

Decides when the next one is due; whether the client is to have it is the caller's business.
"""

from __future__ import annotations

from collections.abc import Callable

from bridge.endpoint.wheel import Due, Wheel, cancel


class ServerPing:
    """Pings one client until it is stopped.

    Args:
        wheel: tells the time.
        interval: seconds from one to the next.
        ping: says it.
    """

    __slots__ = ("_due", "_interval", "_ping", "_wheel")

    def __init__(self, wheel: Wheel, interval: float, ping: Callable[[], None]) -> None:
        self._wheel, self._interval, self._ping = wheel, interval, ping
        self._due: Due | None = None
        self._later()

    def stop(self) -> None:
        """Ping no more."""
        cancel(self._due)

    def _later(self) -> None:
        self._due = self._wheel.after(self._interval, self._turn)

    def _turn(self) -> None:
        self._later()
        self._ping()
