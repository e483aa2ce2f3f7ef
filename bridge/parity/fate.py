"""What becomes of a message that found no twin: outside, coalesced, repeated, missing or extra.

Decides from where the streams of both sides begin, end and tear. Never finds a twin.
"""

from __future__ import annotations

from bridge.parity.finding import Kind
from bridge.parity.item import Item, State
from bridge.parity.lane import Lane
from bridge.parity.ledger import LEFT, RIGHT, Ledger
from bridge.parity.options import CompareOptions
from bridge.parity.reader import Reader
from bridge.parity.repeats import Repeats, Repetition
from bridge.parity.tally import Leaf, Tally
from bridge.parity.walk import leaves

_SLACK = 0.1
_INSTANT = 1e-3
_FEWEST = 0.001


class Fate:
    """Judges the messages of one channel that found no twin.

    Args:
        channel: the channel's name.
        lanes: both sides of it.
        ledger: where it is written down.
        reader: reads messages.
        repeats: what was said before.
        options: what is excused, and how near a newer state has to be.
    """

    def __init__(
        self,
        channel: str,
        lanes: tuple[Lane, Lane],
        ledger: Ledger,
        reader: Reader,
        repeats: Repeats,
        options: CompareOptions,
    ) -> None:
        self._channel, self._lanes, self._ledger = channel, lanes, ledger
        self._reader, self._repeats, self._options = reader, repeats, options
        self.unconfirmed = Tally()
        """What lies after the last common message: outside, unless one more comes."""

    def decide(self, side: int, item: Item, *, closing: bool = False) -> bool:
        """Write down what a message without twin is; whether a late twin may still revise it."""
        lane = self._lanes[side]
        if self._is_before(side, item) or (closing and self._is_after(side, item)):
            self._ledger.outside += 1
            return True
        digest = self._reader.digest(item)
        repetition = self._repeats.of(side, item, digest, lane)
        if repetition is Repetition.ALLOWED:
            self.allow(item)
            return True
        kind, reason = self._kind(side, item, repetition)
        self._repeats.add_single(side, item, self._ledger.time(side, item.seen.at))
        tail = min(lane.last_common, lane.closing)
        tally = self.unconfirmed if item.seq > tail else self._ledger.tally
        self._ledger.single(tally, self._channel, side, item, kind, reason)
        return kind is not Kind.DUPLICATED

    def is_repetition(self, side: int, item: Item) -> bool:
        """Whether a message without twin says again what was said before."""
        found = self._repeats.of(side, item, self._reader.digest(item), self._lanes[side])
        return found is not Repetition.NONE

    def allow(self, item: Item) -> None:
        """A message is a repetition that may be; a twin that comes after all still revises it."""
        item.repeated = True
        self._ledger.repeated += 1

    def confirm(self) -> None:
        """One more common message came, so what lay before it is no tail."""
        if self.unconfirmed.singles:
            self._ledger.tally.merge(self.unconfirmed)
            self.unconfirmed = Tally()

    def close(self) -> int:
        """No more comes: how many messages lay after the last common one and prove nothing."""
        tail = self.unconfirmed.keep(self._is_proven)
        self._ledger.outside += tail
        self.confirm()
        return tail

    def _is_proven(self, leaf: Leaf) -> bool:
        """Whether the candidate was listened to for a window longer, on a connection that held.

        So only the clock of live taps can tell: a recording may have ended after its last line.
        """
        other, last = self._lanes[RIGHT], self.unconfirmed.entries[leaf].last
        return (
            leaf.kind is Kind.MISSING
            and not leaf.reason
            and self._ledger.trusts_silence
            and other.clock >= last + self._ledger.late
            and not other.hole(other.last_at, float("inf"), 0.0)
        )

    def note_successor(self, side: int, item: Item) -> None:
        """Remember the next state of the same entity, while it is still at hand."""
        kind, name = self._reader.entity(item)
        for after in self._lanes[side].following(item, self._options.coalesce):
            if name and isinstance(after.seen.data, str) and name not in after.seen.data:
                continue
            if self._reader.entity(after) == (kind, name):
                item.successor = after if self._supersedes(item, after) else None
                return

    def _supersedes(self, item: Item, after: Item) -> bool:
        """Whether a later message tells a newer state of all that an earlier one tells."""
        kind, name = self._reader.entity(item)
        ours, theirs = (self._reader.message(each).body for each in (item, after))
        if not isinstance(ours, dict) or not (kind or name):
            return False
        old, new = dict(leaves(ours)), dict(leaves(theirs))
        if old.keys() != new.keys():
            return False
        # Without an id only numbers are a state; texts, as of a chat, follow one another.
        return bool(name) or not any(
            isinstance(value, str) and value != new[path] for path, value in old.items()
        )

    def _kind(self, side: int, item: Item, repetition: Repetition) -> tuple[Kind, str]:
        if repetition is Repetition.DUPLICATE:
            return Kind.DUPLICATED, ""
        reason = self._hole(side, item)
        if self._is_coalesced(item):
            return Kind.COALESCED, reason
        return (Kind.MISSING if side == LEFT else Kind.EXTRA), reason

    @staticmethod
    def _is_coalesced(item: Item) -> bool:
        after = item.successor
        while after is not None and after.state is not State.PAIRED and after.twin is None:
            after = after.successor
        return after is not None

    def _hole(self, side: int, item: Item) -> str:
        """What tore the other side's stream when it should have said the same."""
        at, (earliest, latest) = item.seen.at, self._lags(side)
        return self._lanes[1 - side].hole(at + earliest, at + latest, self._options.disorder)

    def _is_before(self, side: int, item: Item) -> bool:
        """Whether the other side's stream may not have begun yet."""
        lane, other = self._lanes[side], self._lanes[1 - side]
        if lane.first_common < 0 or item.seq < max(lane.first_common, lane.opening):
            return True
        earliest, _ = self._lags(side)
        return other.began is None or item.seen.at + earliest < other.began

    def _is_after(self, side: int, item: Item) -> bool:
        """Whether the other side's stream may have ended before."""
        lane, other = self._lanes[side], self._lanes[1 - side]
        if item.seq > min(lane.last_common, lane.closing):
            return True
        _, latest = self._lags(side)
        return item.seen.at + latest > other.clock

    def _lags(self, side: int) -> tuple[float, float]:
        """How much later the other side usually says the same, at least and at most.

        Never more than it may: a twin that is later than that is a finding, wherever it lies.
        """
        lags, offset = self._ledger.lags, self._ledger.offset
        low, high = lags.quantile(_FEWEST), lags.quantile(1 - _FEWEST)
        spread = (high - low) * _SLACK + _INSTANT
        low = max(low - spread, offset - self._ledger.late)
        high = min(high + spread, offset + self._ledger.late)
        return (low, high) if side == LEFT else (-high, -low)
