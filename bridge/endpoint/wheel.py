"""One timer for many waits: heartbeats, send deadlines and pings are due on the same ticks.

Decides only when a call is due, to within one tick and never early; an event loop's own timers
would cost each client a heap entry and each tick a wake-up a client. What is due more than a lap
from now comes round until it is (Varghese and Lauck, 1987, scheme 6), so a wait of a day, such as
for the expiry of a credential, costs no slot of its own and is let go soon after it is cancelled.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable
from typing import Protocol

Callback = Callable[[], None]

LAP = 128
"""Ticks that the wheel holds."""


class Cancellable(Protocol):
    """A call that is due later."""

    def cancel(self) -> object:
        """Do not call."""


CallLater = Callable[[float, Callback], Cancellable]


class Due:
    """A call that is due on some tick.

    Attributes:
        callback: None once it was made or cancelled.
        tick: on which it is due.
    """

    __slots__ = ("callback", "tick")

    def __init__(self, callback: Callback, tick: int) -> None:
        self.callback: Callback | None = callback
        self.tick = tick

    def cancel(self) -> None:
        """Do not call; harmless afterwards."""
        self.callback = None


def cancel(due: Due | None) -> None:
    """Do not make a call, if there was to be one."""
    if due:
        due.cancel()


class Wheel:
    """Calls by ticks. Sleeps, with no timer at all, while nothing is due.

    Args:
        call_later: the event loop's timer.
        clock: the same loop's clock, in seconds.
        tick: seconds between two looks.

    Attributes:
        clock: as given.
        tick: as given.
    """

    def __init__(
        self, call_later: CallLater, clock: Callable[[], float], tick: float = 0.5
    ) -> None:
        self._call_later, self.clock, self.tick = call_later, clock, tick
        self._slots: dict[int, deque[Due]] = {}
        self._timer: Cancellable | None = None
        self._turned = 0  # the last tick that was looked at

    def after(self, seconds: float, callback: Callback) -> Due:
        """Call `callback` at the first tick that is at least `seconds` away."""
        return self.at(self.clock() + seconds, callback)

    def at(self, when: float, callback: Callback) -> Due:
        """Call `callback` at the first tick that is not before `when`, in seconds of `clock`."""
        now = self.clock()
        if not self._slots:
            self._turned = math.floor(now / self.tick)
        due = Due(callback, max(math.ceil(when / self.tick), self._turned + 1))
        self._place(due)
        self._arm(now)
        return due

    def close(self) -> None:
        """Make none of the outstanding calls."""
        self._slots.clear()
        if self._timer:
            self._timer.cancel()
            self._timer = None

    def _place(self, due: Due) -> None:
        slot = min(due.tick, self._turned + LAP)
        self._slots.setdefault(slot, deque()).append(due)

    def _arm(self, now: float) -> None:
        if self._timer is None and self._slots:
            self._timer = self._call_later((self._turned + 1) * self.tick - now, self._turn)

    def _turn(self) -> None:
        """Make what is due, in order; a call that fails leaves the others for the next tick."""
        self._timer = None
        self._turned = math.floor(self.clock() / self.tick)
        try:
            for slot in sorted(each for each in self._slots if each <= self._turned):
                self._call(slot)
        finally:
            self._arm(self.clock())

    def _call(self, slot: int) -> None:
        waiting = self._slots.get(slot, deque())
        while waiting:
            due = waiting.popleft()
            if due.tick > self._turned and due.callback:
                self._place(due)
                continue
            callback, due.callback = due.callback, None
            if callback:
                callback()
        self._slots.pop(slot, None)
