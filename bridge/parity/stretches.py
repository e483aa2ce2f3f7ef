"""The order of a channel's twins, judged stretch by stretch as the streams pass.

Decides when a stretch is over, which of its pairs moved, and whether another twin of the same text
would put them in order. Never finds a first twin, and never waits.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from heapq import nsmallest
from itertools import islice, takewhile

from bridge.parity.item import Item, State
from bridge.parity.lane import Lane
from bridge.parity.ledger import LEFT, RIGHT, Ledger
from bridge.parity.reader import Reader
from bridge.parity.residue import Pair
from bridge.parity.sequence import displaced, uncrossed

_REPAIRED, _NEAREST = 100, 8
_LOOKED_AT, _FEWEST = 100_000, 8
"""How many pairs all attempts to repair a stretch may look at, and how many attempts there are."""

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
        reach: how many seconds of messages on either side are looked at beside those judged.
    """

    def __init__(
        self,
        channel: str,
        lanes: tuple[Lane, Lane],
        ledger: Ledger,
        reader: Reader,
        disorder: float,
        reach: float,
    ) -> None:
        self._channel, self._lanes, self._ledger = channel, lanes, ledger
        self._reader, self._disorder, self._reach = reader, disorder, reach
        self._scan = _Scan()
        self._context: list[Pair] = []

    def judge(self, limits: Limits) -> None:
        """Judge the order of the oldest stretch that nothing still to come can belong to."""
        left, right = self._lanes
        first, other = left.first(), right.first()
        due = (first is not None and first.seen.at <= limits[LEFT]) or (
            other is not None and other.seen.at <= limits[RIGHT]
        )
        if not due:
            return
        ends = self._scan.advance(left, right, limits)
        if ends != (0, 0):
            stretch = left.items[left.head : left.head + ends[LEFT]]
            self._report(_twins_of(stretch), [])
            self._context = []
            left.drop(ends[LEFT])
            right.drop(ends[RIGHT])
            self._scan = _Scan()
        elif first is not None and first.seen.at < limits[LEFT] - 2 * self._reach:
            self._press(limits[LEFT])

    def _press(self, limit: float) -> None:
        """Judge the oldest messages of a disorder without a pause, which no stretch can hold.

        They are seen between those judged before and those to be judged next, so that whatever
        moved is seen beside what it passed.
        """
        left, right = self._lanes
        waiting = takewhile(
            lambda item: item.seen.at <= limit and item.state is not State.OPEN,
            islice(left.items, left.head, None),
        )
        items = list(waiting)
        count = sum(1 for _ in takewhile(lambda item: item.seen.at <= limit - self._reach, items))
        pairs = self._report(_twins_of(items[:count]), _twins_of(items[count:]))
        for one, two in pairs:
            one.state = two.state = State.DONE
        self._context = [pair for pair in pairs if pair[0].seen.at > limit - 2 * self._reach]
        left.drop(count)
        right.first()
        right.drop(0)
        self._scan = _Scan()

    def _report(self, pairs: list[Pair], ahead: list[Pair]) -> list[Pair]:
        """Write down which of the pairs moved, seen among others; the pairs as they are then."""
        found, moved = self._repaired([*pairs, *ahead])
        if self._context:
            moved = displaced([*self._context, *found], self._reader.entity, self._disorder)
        last = pairs[-1][LEFT].seq if pairs else -1
        judged = [pair for pair in found if pair[LEFT].seq <= last]
        own = {id(one) for one, _ in judged}
        for one, two in moved:
            if id(one) in own:
                self._ledger.moved(self._channel, one, two)
        return judged

    def _repaired(self, pairs: list[Pair]) -> tuple[list[Pair], list[Pair]]:
        """The pairs, and those that moved once each had the chance of another twin of its text."""
        moved = displaced(pairs, self._reader.entity, self._disorder)
        if moved:
            pairs = uncrossed(pairs)
            moved = displaced(pairs, self._reader.entity, self._disorder)
        attempts = max(_FEWEST, _LOOKED_AT // max(len(pairs), 1))
        for pair in moved[:_REPAIRED]:
            for other in islice(self._alternatives(pair), attempts):
                attempts -= 1
                attempt = sorted(
                    [*(each for each in pairs if each is not pair), other],
                    key=lambda each: each[0].seq,
                )
                better = displaced(attempt, self._reader.entity, self._disorder)
                if len(better) < len(moved):
                    self._exchange(pair, other)
                    pairs, moved = attempt, better
                    break
        return pairs, moved

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
        free = (each for each in found if each.state < State.SINGLE)
        return nsmallest(_NEAREST, free, key=lambda each: abs(each.seq - item.seq))

    def _exchange(self, old: Pair, new: Pair) -> None:
        """Another twin puts things in order: genuine repeats were told apart wrongly."""
        for lane, before, after in zip(self._lanes, old, new, strict=True):
            if before is not after:
                lane.take_out(after)
                after.state, after.signature = State.PAIRED, before.signature
                lane.release(before)
        new[LEFT].twin, new[RIGHT].twin = new[RIGHT], new[LEFT]


def _twins_of(stretch: Iterable[Item]) -> list[Pair]:
    return [(item, item.twin) for item in stretch if item.state is State.PAIRED and item.twin]


class _Scan:
    """The search for the longest stretch that holds all its twins; goes on where it ended.

    A stretch begins only with messages that waited long enough, and holds none that still waits.
    Places are those of messages on their side.
    """

    def __init__(self) -> None:
        self._done, self._needed = [0, 0], [0, 0]

    def advance(self, left: Lane, right: Lane, limits: Limits) -> tuple[int, int]:
        """How many messages of each side make that stretch, from the head of each on."""
        lanes = left, right
        starts = left.head + left.base, right.head + right.base
        done, needed, found = self._done, self._needed, starts
        for side in (LEFT, RIGHT):
            done[side] = max(done[side], starts[side])
        while self._closes(lanes):
            found = done[LEFT], done[RIGHT]
            for side in (LEFT, RIGHT):
                place = done[side] - lanes[side].base
                items = lanes[side].items
                if place < len(items) and items[place].seen.at <= limits[side]:
                    needed[side] = done[side] + 1
                    break
            else:
                break
        return found[LEFT] - starts[LEFT], found[RIGHT] - starts[RIGHT]

    def _closes(self, lanes: tuple[Lane, Lane]) -> bool:
        """Take in all that is needed; False where one of them still waits for its twin."""
        done, needed = self._done, self._needed
        while True:
            for side, lane in enumerate(lanes):
                items, base = lane.items, lane.base
                place, reach = done[side], needed[1 - side]
                while place < needed[side]:
                    item = items[place - base]
                    if item.state is State.OPEN:
                        done[side], needed[1 - side] = place, reach
                        return False
                    place += 1
                    twin = item.twin
                    if item.state is State.PAIRED and twin is not None and twin.seq >= reach:
                        reach = twin.seq + 1
                done[side], needed[1 - side] = place, reach
            if done[LEFT] >= needed[LEFT]:
                return True
