"""How long to wait before the next attempt to reach a backend.

Decides a delay by "full jitter": uniform between nothing and a bound that doubles with each
failure, so that many channels that lost one backend do not come back in step. A backend's own
`retry:` (WHATWG HTML, 9.2.6) or `Retry-After` (RFC 9110, 10.2.3) is the least delay, with the
jitter on top of it. Never sleeps and draws no random number: that is an argument.
"""

from __future__ import annotations

from dataclasses import dataclass

LONGEST_RETRY = 3600.0
"""The longest delay, in seconds, that a backend may ask for: a typing error of its should not
silence a channel for days."""


@dataclass(frozen=True, slots=True)
class ReconnectOptions:
    """When to try a lost backend again (`[reconnect]`).

    Attributes:
        base: the bound of the first delay, in seconds.
        cap: the largest bound, in seconds; also how long a connection must have lived without an
            event to count as a success.
        factor: by what the bound grows with each failure.
    """

    base: float = 0.5
    cap: float = 20.0
    factor: float = 2.0

    def __post_init__(self) -> None:
        if not self.base > 0:
            raise ValueError("base must be more than 0 seconds; 0.5 suits most backends")
        if not self.cap >= self.base:
            raise ValueError("cap must be at least base; raise cap or lower base")
        if not self.factor >= 1:
            raise ValueError("factor must be at least 1; 2 doubles the bound with each failure")


class Backoff:
    """The delays of one upstream.

    Args:
        options: the bounds.
    """

    __slots__ = ("_failures", "_options")

    def __init__(self, options: ReconnectOptions) -> None:
        self._options = options
        self._failures = 0

    def next(self, retry_ms: int | None, random: float) -> float:
        """The delay before the next attempt, in seconds; each call counts as one failure.

        Args:
            retry_ms: what the backend asked for, in milliseconds, None where it did not.
            random: uniform in [0, 1).
        """
        floor = min(max(retry_ms or 0, 0) / 1000, LONGEST_RETRY)
        first = max(self._options.base, floor)
        bound = min(self._options.cap, first * self._options.factor**self._failures)
        if bound < self._options.cap:  # else the power would grow until it overflows
            self._failures += 1
        return floor + random * bound

    def closed(self, *, delivered: bool, lived: float) -> None:
        """Take note of a connection that was open.

        It counts as a success, and the delays start anew, where it delivered an event or lived
        for `cap` seconds: a backend that accepts and at once hangs up is still failing.

        Args:
            delivered: whether it brought an event that was new.
            lived: for how many seconds it was open.
        """
        if delivered or lived >= self._options.cap:
            self._failures = 0
