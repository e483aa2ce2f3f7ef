"""One budget for all clients, whichever wire they come by.

Decides who is let in and which frames are too many: counts and token buckets, with time as an
argument. Never waits, never sends, and does not know what a client is refused with.
"""

from __future__ import annotations

from collections.abc import MutableMapping
from dataclasses import dataclass

from bridge.endpoint.address import party
from bridge.endpoint.limits import LimitOptions

WHY = {
    "connections": "too many clients are connected",
    "address": "too many connections from this address",
    "principal": "too many connections of this user",
    "channel": "too many readers of this channel",
    "channels": "too many channels are open",
    "arrivals": "too many clients come at once",
    "address-arrivals": "too many connections at once from this address",
    "frames": "too many frames a second",
    "frame-bytes": "too many bytes a second",
}
"""Every reason of a refusal, as a metric's label, with what the client is told."""

_SWEEP = 1024
"""Parties beyond those of the last sweep before the next looks for such as are idle."""


@dataclass(frozen=True, slots=True)
class Refused:
    """Somebody is over a limit.

    Attributes:
        reason: a key of `WHY`.
        wait: seconds after which there is room again, None where nobody can know.
    """

    reason: str
    wait: float | None = None

    @property
    def why(self) -> str:
        """One line for people."""
        return WHY[self.reason]


class Bucket:
    """Tokens that come in at a rate, up to a burst. Begins full.

    Args:
        rate: tokens a second.
        burst: the most that gather.
    """

    __slots__ = ("_at", "_level", "burst", "rate")

    def __init__(self, rate: float, burst: float) -> None:
        self.rate, self.burst = rate, max(burst, 1.0)
        self._level, self._at = self.burst, 0.0

    def take(self, amount: float, now: float) -> float:
        """Take tokens: 0 where that was possible, else the seconds until it is.

        What exceeds the burst needs a full bucket, and is paid for by those that follow.
        """
        self._fill(now)
        lacking = min(amount, self.burst) - self._level
        if lacking > 1e-9:
            return lacking / self.rate
        self._level -= amount
        return 0.0

    def is_full(self, now: float) -> bool:
        """Whether it is as good as new."""
        self._fill(now)
        return self._level >= self.burst

    def _fill(self, now: float) -> None:
        self._level = min(self.burst, self._level + max(now - self._at, 0.0) * self.rate)
        self._at = now


class _Frames:
    """How much one client says."""

    __slots__ = ("_bytes", "_count")

    def __init__(self, options: LimitOptions) -> None:
        self._count = Bucket(options.frames, options.frames) if options.frames else None
        size = options.frame_bytes
        self._bytes = Bucket(size, size) if size else None

    def take(self, size: int, now: float) -> Refused | None:
        if self._count and (wait := self._count.take(1, now)):
            return Refused("frames", wait)
        if self._bytes and (wait := self._bytes.take(size, now)):
            return Refused("frame-bytes", wait)
        return None

    def is_idle(self, now: float) -> bool:
        return all(each.is_full(now) for each in (self._count, self._bytes) if each)


class _Party:
    """All connections of one address, or of one principal."""

    __slots__ = ("arrivals", "count", "frames")

    def __init__(self, options: LimitOptions) -> None:
        rate = options.arrivals_per_address
        self.count, self.frames = 0, _Frames(options)
        self.arrivals = Bucket(rate, rate) if rate else None

    def is_idle(self, now: float) -> bool:
        arrivals = self.arrivals is None or self.arrivals.is_full(now)
        return not self.count and arrivals and self.frames.is_idle(now)


class Seat:
    """One client that was let in. Released exactly once, however often that is asked for.

    Attributes:
        kept: whether it outlives the call of its endpoint, which then does not release it.
    """

    __slots__ = ("_budget", "_frames", "_lasting", "_parties", "kept")

    def __init__(
        self, budget: Budget, parties: tuple[_Party, ...], frames: _Frames, *, lasting: bool
    ) -> None:
        self._budget: Budget | None = budget
        self._parties, self._frames, self._lasting = parties, frames, lasting
        self.kept = False

    def name(self, principal: str) -> Refused | None:
        """Say who the client is, which was let in while nobody knew; once, before its frames."""
        found = self._budget.named(principal) if self._budget else None
        if isinstance(found, _Party):
            found.count += 1
            self._parties = (*self._parties, found)
            if not self._lasting:
                self._frames = found.frames
            return None
        return found

    def frame(self, size: int, now: float) -> Refused | None:
        """Count a frame that the client sent.

        Args:
            size: in bytes.
            now: seconds, monotonic.
        """
        return self._frames.take(size, now)

    def release(self) -> None:
        """The client is gone; harmless if it was before."""
        budget, self._budget = self._budget, None
        if budget:
            budget.taken -= 1
            for each in self._parties:
                each.count -= 1


class Budget:
    """Who is here, and who may still come.

    Args:
        options: the limits.

    Attributes:
        options: as given.
        taken: seats that are not released.
    """

    def __init__(self, options: LimitOptions) -> None:
        self.options, self.taken = options, 0
        self._arrivals = Bucket(options.arrivals, options.arrivals) if options.arrivals else None
        self._addresses: dict[str, _Party] = {}
        self._principals: dict[str, _Party] = {}
        self._swept = 0

    @property
    def parties(self) -> int:
        """How many addresses and principals are remembered."""
        return len(self._addresses) + len(self._principals)

    def enter(
        self, address: str, principal: str, now: float, *, lasting: bool = True
    ) -> Seat | Refused:
        """Let a client in.

        Args:
            address: where it comes from, empty where nobody knows.
            principal: who it is, empty where nobody knows.
            now: seconds, monotonic.
            lasting: whether it is a connection that lasts; else it is one request of a client that
                sends many, which is no arrival and whose frames count together.
        """
        self._sweep(now)
        own, named = self._party(self._addresses, party(address)), self.named(principal)
        if refused := self._full(own):
            return refused
        if isinstance(named, Refused):
            return named
        if lasting and (refused := self._too_fast(own, now)):
            return refused
        parties = tuple(each for each in (own, named) if each)
        self.taken += 1
        for each in parties:
            each.count += 1
        shared = named or own
        frames = _Frames(self.options) if lasting or shared is None else shared.frames
        return Seat(self, parties, frames, lasting=lasting)

    def named(self, principal: str) -> _Party | Refused | None:
        """A principal's connections, where there is room for one more; None for nobody's."""
        party = self._party(self._principals, principal)
        if party and 0 < self.options.per_principal <= party.count:
            return Refused("principal")
        return party

    def _party(self, known: MutableMapping[str, _Party], name: str) -> _Party | None:
        if not name:
            return None
        found = known.get(name)
        if found is None:
            found = known[name] = _Party(self.options)
        return found

    def _full(self, own: _Party | None) -> Refused | None:
        options = self.options
        if options.connections and self.taken >= options.connections:
            return Refused("connections")
        if own and options.per_address and own.count >= options.per_address:
            return Refused("address")
        return None

    def _too_fast(self, own: _Party | None, now: float) -> Refused | None:
        if own and own.arrivals and (wait := own.arrivals.take(1, now)):
            return Refused("address-arrivals", wait)
        if self._arrivals and (wait := self._arrivals.take(1, now)):
            return Refused("arrivals", wait)
        return None

    def _sweep(self, now: float) -> None:
        """Forget the idle now and then, so that addresses cost memory only while they matter."""
        if self.parties < self._swept + _SWEEP:
            return
        for known in (self._addresses, self._principals):
            for name in [name for name, each in known.items() if each.is_idle(now)]:
                del known[name]
        self._swept = self.parties
