"""All channels of two sides, and the time by which their messages have waited long enough.

Decides when time has passed, by one clock or by two. Never pairs a message.
"""

from __future__ import annotations

from bridge.parity.join import Join
from bridge.parity.ledger import Ledger
from bridge.parity.observation import Mark, Observation
from bridge.parity.options import CompareOptions
from bridge.parity.reader import Reader
from bridge.parity.stretches import Limits

_STEPS = 8
_FEWEST = 8
_NEVER = float("-inf")


class Streams:
    """Compares two sides over all their channels.

    Args:
        options: how long messages wait.
        reader: reads messages.
        ledger: where all that is found is written down.
        window: how long messages wait, in seconds; at least that of the options.
    """

    def __init__(
        self, options: CompareOptions, reader: Reader, ledger: Ledger, window: float
    ) -> None:
        self._options, self._reader, self.ledger = options, reader, ledger
        self._window = window
        self.joins: dict[str, Join] = {}
        self._clocks = [_NEVER, _NEVER]
        self._due = _NEVER
        self._one = options.clocks == "one"

    def join(self, channel: str) -> Join:
        """The channel's join."""
        found = self.joins.get(channel)
        if found is None:
            found = Join(channel, self._options, self._reader, self.ledger)
            self.joins[channel] = found
        return found

    def take(self, side: int, seen: Observation) -> None:
        """Take in a message of one side."""
        found = self.joins.get(seen.channel) or self.join(seen.channel)
        found.take(side, seen)
        at = seen.at
        if at > self._clocks[side]:
            self._clocks[side] = at
            if at >= self._due:
                self._pass()

    def mark(self, side: int, mark: Mark) -> None:
        """Take in what became of a side's connection."""
        self.join(mark.channel).mark(side, mark)
        self._clocks[side] = max(self._clocks[side], mark.at)

    def advance(self, now: float) -> None:
        """Time has passed without a word; recordings of two clocks have no such time."""
        if self._one:
            self._clocks = [max(clock, now) for clock in self._clocks]
            for join in self.joins.values():
                for lane in join.lanes:
                    lane.clock = max(lane.clock, now)
            if now >= self._due:
                self._pass()

    def close(self) -> None:
        """No more comes."""
        self._judge()
        for join in self.joins.values():
            join.close()

    @property
    def tail(self) -> int:
        """How many messages lay after the other side's last word."""
        return sum(join.tail for join in self.joins.values())

    def _pass(self) -> None:
        step = self._window / _STEPS
        self._due = max(self._clocks) + step if self._one else min(self._clocks) + step
        if not self._one:
            self._due = max(self._due, max(self._clocks) + step / _STEPS)
        self._judge()

    def _judge(self) -> None:
        limits = self._limits()
        for join in self.joins.values():
            join.advance(limits)

    def _limits(self) -> Limits:
        if self._one:
            limit = max(self._clocks) - self._window
            return limit, limit
        if self.ledger.clocks.count < _FEWEST:
            return _NEVER, _NEVER
        offset = self.ledger.offset
        left, right = self._clocks
        reached = min(left, right - offset) - self._window
        return reached, reached + offset
