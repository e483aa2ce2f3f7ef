"""How fast a bridge that stops lets its clients go, and when clients that were ended come back.

Decides by time and chance as it is given them; never ends a session and never waits. Endings come
in batches under a rate, and returns are spaced by virtual scheduling (the generic cell rate
algorithm, ITU-T I.371): whoever is told to come back gets the next free moment, so that however
many sessions end together, no second has more returns than the rate and its jitter.
"""

from __future__ import annotations

import math
from collections.abc import Callable

from bridge.wire.endings import Ending

TICK = 0.05
"""Seconds from one batch to the next, in the mean."""

SHARE = 0.8
"""How much of the time for a drain the endings may take; the rest is for what is being written."""

JITTER = 0.1
"""Seconds by which a return is later than its moment, at most."""

SOONEST, LONGEST = 1.0, 60.0
"""Seconds that a client stays away at least, and at most."""

SPREAD = 4.0
"""Seconds over which clients come back at random where no rate is given."""


class Pace:
    """Batches of endings.

    Args:
        rate: sessions a second; raised as far as all need it to end in time. 0 is all at once.
        seconds: how long the drain may take.
        random: uniform in [0, 1).
    """

    __slots__ = ("_credit", "_left", "_random", "_rate")

    def __init__(self, rate: float, seconds: float, random: Callable[[], float]) -> None:
        self._rate, self._left, self._credit = rate, seconds * SHARE, 0.0
        self._random = random

    def pause(self) -> float:
        """Seconds until the next batch."""
        return TICK * (0.5 + self._random())

    def batch(self, sessions: int, passed: float) -> int:
        """How many to end now.

        Args:
            sessions: those that are here.
            passed: seconds since the last batch, or the beginning.
        """
        before, self._left = self._left, self._left - passed
        if not self._rate or self._left <= 0:
            return sessions
        self._credit += max(self._rate, sessions / before) * passed
        found = min(int(self._credit), sessions)
        self._credit = min(self._credit - found, 1.0)
        return found


class Returns:
    """When clients come back.

    Args:
        rate: clients a second; 0 is any number.
        random: uniform in [0, 1).
        clock: seconds, monotonic.
    """

    __slots__ = ("_clock", "_next", "_random", "_rate")

    def __init__(
        self, rate: float, random: Callable[[], float], clock: Callable[[], float]
    ) -> None:
        self._rate, self._random, self._clock = rate, random, clock
        self._next = -math.inf

    def __call__(self, ending: Ending) -> Ending:
        """The ending with a moment for its client's return, where it should come back."""
        if not ending.reconnect or ending.delay is not None:
            return ending
        return ending.after(math.ceil(1000 * self._delay(self._clock())))

    def _delay(self, now: float) -> float:
        """Where so many wait that the next moment is too far away, it is any moment until then."""
        if not self._rate:
            return SOONEST + self._random() * SPREAD
        moment = max(self._next + 1 / self._rate, now + SOONEST)
        if moment > now + LONGEST:
            return SOONEST + self._random() * (LONGEST - SOONEST)
        self._next = moment
        return moment - now + self._random() * JITTER
