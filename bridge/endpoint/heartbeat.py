"""When a channel has been silent for so long that its clients are to be shown that it lives.

Decides the time alone, by one wait for all clients of a channel; what they are shown is the
fan-out's business.
"""

from __future__ import annotations

from collections.abc import Callable

from bridge.endpoint.wheel import Due, Wheel


class Heartbeat:
    """Beats after each silence.

    Args:
        wheel: the timer.
        interval: seconds of silence before a beat.
        beat: called then, and after each further interval until `said` notes that it spoke.
    """

    __slots__ = ("_beat", "_due", "_interval", "_said_at", "_wheel")

    def __init__(self, wheel: Wheel, interval: float, beat: Callable[[], None]) -> None:
        self._wheel, self._interval, self._beat = wheel, interval, beat
        self._said_at = wheel.clock()
        self._due: Due | None = None

    def start(self) -> None:
        """Beat from now on; harmless if it does already."""
        if self._due is None:
            self._due = self._wheel.after(self._interval, self._look)

    def said(self) -> None:
        """Something was said just now."""
        self._said_at = self._wheel.clock()

    def close(self) -> None:
        """Beat no more."""
        if self._due:
            self._due.cancel()

    def _look(self) -> None:
        left = self._said_at + self._interval - self._wheel.clock()
        self._due = self._wheel.after(left if left > 0 else self._interval, self._look)
        if left <= 0:
            self._beat()
