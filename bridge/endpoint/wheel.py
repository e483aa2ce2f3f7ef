"""One timer for many waits: heartbeats, send deadlines and pings are due on the same ticks.

Decides only when a call is due, to within one tick and never early; an event loop's own timers
would cost each client a heap entry and each tick a wake-up a client.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable
from typing import Protocol

_ROUNDING = 1e-6
"""Part of a tick that floating point may lose: else a timer could fire for ever just before it."""

Callback = Callable[[], None]


class Cancellable(Protocol):
    """A call that is due later."""

    def cancel(self) -> object:
        """Do not call."""


CallLater = Callable[[float, Callback], Cancellable]


class Due:
    """A call that is due on some tick.

    Attributes:
        callback: None once it was made or cancelled.
    """

    __slots__ = ("callback",)

    def __init__(self, callback: Callback) -> None:
        self.callback: Callback | None = callback

    def cancel(self) -> None:
        """Do not call; harmless afterwards. What the call would have needed is let go at once."""
        self.callback = None

    def make(self) -> None:
        """Call, unless that was done or cancelled."""
        callback, self.callback = self.callback, None
        if callback:
            callback()


class Wheel:
    """Calls by ticks. Sleeps until the first that is due; with no timer at all while none is.

    Args:
        call_later: the event loop's timer.
        clock: the same loop's clock, in seconds.
        tick: seconds to which calls are rounded up, so that those of one time share a wake-up.

    Attributes:
        tick: as given.
    """

    def __init__(
        self, call_later: CallLater, clock: Callable[[], float], tick: float = 0.1
    ) -> None:
        self._call_later, self._clock, self.tick = call_later, clock, tick
        self._slots: dict[int, list[Due]] = {}
        self._ripe: deque[Due] = deque()  # due now; what is left if a call fails
        self._timer: Cancellable | None = None
        self._armed = 0  # the slot that the timer is for

    def now(self) -> float:
        """The clock's seconds."""
        return self._clock()

    def after(self, seconds: float, callback: Callback) -> Due:
        """Call `callback` at the first tick that is at least `seconds` away."""
        due = Due(callback)
        slot = math.ceil((self._clock() + seconds) / self.tick)
        self._slots.setdefault(slot, []).append(due)
        self._arm(slot)
        return due

    def close(self) -> None:
        """Make none of the outstanding calls."""
        self._slots.clear()
        self._ripe.clear()
        if self._timer:
            self._timer.cancel()
            self._timer = None

    def _arm(self, slot: int) -> None:
        if self._timer:
            if self._armed <= slot:
                return
            self._timer.cancel()
        self._armed = slot
        wait = max(0.0, slot * self.tick - self._clock())
        self._timer = self._call_later(wait, self._turn)

    def _turn(self) -> None:
        self._timer = None
        reached = math.floor(self._clock() / self.tick + _ROUNDING)
        for slot in sorted(each for each in self._slots if each <= reached):
            self._ripe.extend(self._slots.pop(slot))
        try:
            while self._ripe:
                self._ripe.popleft().make()
        finally:  # one call that fails costs no other
            if self._ripe:
                self._arm(reached)
            elif self._slots:
                self._arm(min(self._slots))
