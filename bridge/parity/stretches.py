"""The order of a channel's twins, judged stretch by stretch as the streams pass.

Decides when a stretch is over, which of its pairs moved, and whether another twin of the same text
would put them in order. Never finds a first twin, and never waits.
"""

from __future__ import annotations

from collections.abc import Iterator

from bridge.parity.item import Item, State
from bridge.parity.lane import Lane
from bridge.parity.ledger import LEFT, RIGHT, Ledger
from bridge.parity.reader import Reader
from bridge.parity.residue import Pair
from bridge.parity.sequence import displaced, uncrossed

_REPAIRED = 100

Limits = tuple[float, float]
"""Up to which arrival time the messages of each side have waited long enough."""


class Stretches:
    """Judges the order of one channel.

    Args:
        channel: its name.
        lanes: both sides of it.
        ledger: where what moved is written down.
        reader: reads messages.
        disorder: by how many seconds a message may leave its place among other entities.
    """

    def __init__(
        self,
        channel: str,
        lanes: tuple[Lane, Lane],
        ledger: Ledger,
        reader: Reader,
        disorder: float,
    ) -> None:
        self._channel, self._lanes, self._ledger = channel, lanes, ledger
        self._reader, self._disorder = reader, disorder

    def judge(self, limits: Limits) -> None:
        """Judge the order of the oldest stretch that nothing still to come can belong to."""
        left, right = self._lanes
        first, other = left.first(), right.first()
        due = (first is not None and first.seen.at <= limits[LEFT]) or (
            other is not None and other.seen.at <= limits[RIGHT]
        )
        if not due:
            return
        ends = _closed(left, right, limits)
        stretch = left.items[left.head : left.head + ends[LEFT]]
        pairs = [(item, item.twin) for item in stretch if item.state is State.PAIRED and item.twin]
        for one, two in self._repaired(pairs):
            self._ledger.moved(self._channel, one, two)
        left.drop(ends[LEFT])
        right.drop(ends[RIGHT])

    def _repaired(self, pairs: list[Pair]) -> list[Pair]:
        """The pairs that moved, after each was given the chance of another twin of its text."""
        moved = displaced(pairs, self._reader.entity, self._disorder)
        if moved:
            pairs = uncrossed(pairs)
            moved = displaced(pairs, self._reader.entity, self._disorder)
        for pair in moved[:_REPAIRED]:
            for other in self._alternatives(pair):
                attempt = sorted(
                    [*(each for each in pairs if each is not pair), other],
                    key=lambda each: each[0].seq,
                )
                better = displaced(attempt, self._reader.entity, self._disorder)
                if len(better) < len(moved):
                    self._exchange(pair, other)
                    pairs, moved = attempt, better
                    break
        return moved

    def _alternatives(self, pair: Pair) -> Iterator[Pair]:
        """The pairs that would say the same, with another message of the same text."""
        left, right = pair
        for item in self._alone(LEFT, left):
            yield item, right
        for item in self._alone(RIGHT, right):
            yield left, item

    def _alone(self, side: int, item: Item) -> list[Item]:
        lane = self._lanes[side]
        found = lane.by_text(item.seen.data) or (
            lane.by_digest(item.digest, self._reader.digest) if item.digest is not None else []
        )
        return [each for each in found if each.state < State.SINGLE]

    def _exchange(self, old: Pair, new: Pair) -> None:
        """Another twin puts things in order: genuine repeats were told apart wrongly."""
        for lane, before, after in zip(self._lanes, old, new, strict=True):
            if before is not after:
                lane.take_out(after)
                after.state, after.signature = State.PAIRED, before.signature
                lane.release(before)
        new[LEFT].twin, new[RIGHT].twin = new[RIGHT], new[LEFT]


def _closed(left: Lane, right: Lane, limits: Limits) -> tuple[int, int]:
    """How many messages of each side make the longest stretch that holds all its twins.

    A stretch begins only with messages that waited long enough, and holds none that still waits.
    """
    starts = left.head + left.base, right.head + right.base
    lanes, done, needed, found = (left, right), [0, 0], [0, 0], (0, 0)
    while True:
        for side in (LEFT, RIGHT):
            lane = lanes[side]
            while done[side] < needed[side]:
                item = lane.items[lane.head + done[side]]
                if item.state is State.OPEN:
                    return found
                done[side] += 1
                if item.state is State.PAIRED and item.twin is not None:
                    reach = item.twin.seq + 1 - starts[1 - side]
                    needed[1 - side] = max(needed[1 - side], reach)
        if done[LEFT] < needed[LEFT]:
            continue
        found = done[LEFT], done[RIGHT]
        for side in (LEFT, RIGHT):
            place = lanes[side].head + done[side]
            if place < len(lanes[side].items) and lanes[side].items[place].seen.at <= limits[side]:
                needed[side] = done[side] + 1
                break
        else:
            return found
