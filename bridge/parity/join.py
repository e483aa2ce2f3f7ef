"""The windowed join of one channel: which messages of two sides are twins.

Decides at once where texts or digests agree, and when a message has waited long enough; then
judges the order of what was paired and pairs what is left. Holds no more than the window lets
gather.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from bridge.parity.digest import Multiset
from bridge.parity.fate import Fate
from bridge.parity.item import Item, State
from bridge.parity.lane import Lane
from bridge.parity.ledger import LEFT, RIGHT, Ledger
from bridge.parity.observation import Mark, Observation
from bridge.parity.options import CompareOptions
from bridge.parity.reader import Reader
from bridge.parity.repeats import Repeats
from bridge.parity.residue import Nearness, Pair, paired
from bridge.parity.sequence import displaced

_PROBED = 64
_SAMPLED = 8
_LIKELY = 0.5
_REPAIRED = 100
_DISTRUST = 10
_FAR = float("inf")

Limits = tuple[float, float]
"""Up to which arrival time the messages of each side have waited long enough."""


class Join:
    """Finds the twins of one channel.

    Args:
        channel: its name.
        options: how long to wait, and how much disorder is none.
        reader: reads messages.
        ledger: where all that is found is written down.
    """

    def __init__(
        self, channel: str, options: CompareOptions, reader: Reader, ledger: Ledger
    ) -> None:
        self.channel = channel
        self._options, self._reader, self._ledger = options, reader, ledger
        self.lanes = (Lane(), Lane())
        self.digests = (Multiset(), Multiset())
        self.proven = 0
        self._most = options.max_pending
        keep = options.recall + options.window + options.disorder
        self._repeats = Repeats(keep, 2 * options.max_pending, options.window)
        self._fate = Fate(channel, self.lanes, ledger, reader, self._repeats, options)
        self._same_ids = 0
        self._hits = 0
        self.tail = 0

    def mark(self, side: int, mark: Mark) -> None:
        """Take in what became of a side's connection."""
        self.lanes[side].mark(mark)

    def take(self, side: int, seen: Observation) -> None:
        """Take in one message; its twin, if it waits, is found now."""
        lane, other = self.lanes[side], self.lanes[1 - side]
        item = lane.add(seen)
        self._count(side, seen)
        if not other.open:
            if len(lane.open) > self._most:
                self._age(side, -_FAR, self._most // 2)
            return
        twin = other.expected()
        if (
            twin is None
            or twin.seen.data != seen.data
            or twin.seen.type != seen.type
            or not self._fits(seen, twin.seen)
        ):
            twin = self._found(item, other)
        if twin is None:
            self._probe(side, item, other)
        elif side == LEFT:
            self._pair(item, twin)
        else:
            self._pair(twin, item)

    def _count(self, side: int, seen: Observation) -> None:
        self.digests[side].add(seen.data)
        if self.digests[LEFT] == self.digests[RIGHT]:
            self.proven = self.digests[LEFT].count

    def _fits(self, one: Observation, other: Observation) -> bool:
        """Whether ids allow two messages to be twins, once the sides are known to share ids."""
        return self._same_ids <= 0 or one.id == other.id or not (one.id and other.id)

    def _found(self, item: Item, other: Lane) -> Item | None:
        """The twin among those that still wait: by its text, else by what is stable in it."""
        twin = self._chosen(item, other.by_text(item.seen.data))
        if twin is None:
            digest = self._reader.digest(item)
            twin = self._chosen(item, other.by_digest(digest, self._reader.digest))
        return twin

    def _chosen(self, item: Item, candidates: Iterable[Item]) -> Item | None:
        fitting = [
            each
            for each in candidates
            if each.state is State.OPEN and self._fits(item.seen, each.seen)
        ]
        if not fitting:
            return None
        same = (each for each in fitting if item.seen.id and each.seen.id == item.seen.id)
        return next(same, fitting[0])

    def _probe(self, side: int, item: Item, other: Lane) -> None:
        """Learn from the likeliest twin of a message that has none what keys should leave out."""
        entity = self._reader.entity(item)
        for _, each in zip(range(_PROBED), other.open.values(), strict=False):
            if self._reader.entity(each) == entity:
                left, right = (item, each) if side == LEFT else (each, item)
                found = self._reader.differences(left, right)
                size = max(len(self._reader.features(left)), 1)
                paths = {difference.path for difference in found}
                if paths and len(paths) <= _LIKELY * size + 1:
                    self._learn(entity[0], paths)
                return

    def _learn(self, message: str, paths: set[str]) -> None:
        if self._reader.volatile.differed(message, paths):
            for lane in self.lanes:
                lane.rekey()
            for item in list(self.lanes[RIGHT].open.values()):
                if item.state is State.OPEN:
                    twin = self._found(item, self.lanes[LEFT])
                    if twin is not None:
                        self._pair(twin, item)

    def _pair(self, left: Item, right: Item) -> None:
        lanes = self.lanes
        lanes[LEFT].take_out(left)
        lanes[RIGHT].take_out(right)
        left.twin, right.twin = right, left
        one, other = left.seen, right.seen
        if one.id and other.id:
            self._same_ids += 1 if one.id == other.id else -_DISTRUST
        self._repeats.add(left, right)
        if self._ledger.is_late(left, right):
            left.state = right.state = State.DONE
            self._ledger.pair(self.channel, left, right)
            return
        left.state = right.state = State.PAIRED
        if one.data == other.data and one.type == other.type:
            self._ledger.same(left, right)
            self._hits += 1
            if self._hits % _SAMPLED == 0:
                self._reader.volatile.met(self._reader.message(left).type, _SAMPLED)
        else:
            self._ledger.pair(self.channel, left, right)
            self._reader.volatile.met(self._reader.message(left).type)
        self._extend(left, right)
        self._retire()

    def _extend(self, left: Item, right: Item) -> None:
        """Note how far the common part of both streams reaches."""
        for lane, item, other_lane, other in (
            (self.lanes[LEFT], left, self.lanes[RIGHT], right),
            (self.lanes[RIGHT], right, self.lanes[LEFT], left),
        ):
            if lane.first_common < 0 or item.seq < lane.first_common:
                lane.first_common, other_lane.opening = item.seq, other.seq
            if item.seq > lane.last_common:
                lane.last_common, other_lane.closing = item.seq, other.seq
        self._fate.confirm()

    def _retire(self) -> None:
        """Let go of twins at the head of both sides: nothing can be out of order about them."""
        left, right = self.lanes
        while True:
            first, other = left.first(), right.first()
            if first is None or other is None or first.twin is not other:
                return
            left.drop(1)
            right.drop(1)

    def advance(self, limits: Limits) -> None:
        """Judge all that has waited long enough."""
        for side in (LEFT, RIGHT):
            self._age(side, limits[side], self._most)
        self._retire()
        slack = self._options.disorder
        self._order((limits[LEFT] - slack, limits[RIGHT] - slack))
        self._settle((limits[LEFT] - slack, limits[RIGHT] - slack))
        self._forget()

    def close(self) -> None:
        """No more comes: pair what is left, and trim the edges."""
        for side in (LEFT, RIGHT):
            self._age(side, _FAR, 0)
        self._order((_FAR, _FAR))
        self._settle((_FAR, _FAR), closing=True)
        self.tail += self._fate.close()

    def _age(self, side: int, limit: float, most: int) -> None:
        lane = self.lanes[side]
        due: list[Item] = []
        for item in lane.open.values():
            if item.seen.at > limit and len(lane.open) - len(due) <= most:
                break
            due.append(item)
        for item in due:
            self._fate.note_successor(side, item)
            lane.age(item)

    def _order(self, limits: Limits) -> None:
        """Judge the order of the oldest stretch that nothing still to come can belong to."""
        left, right = self.lanes
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
            self._ledger.moved(self.channel, one, two)
        left.drop(ends[LEFT])
        right.drop(ends[RIGHT])

    def _repaired(self, pairs: list[Pair]) -> list[Pair]:
        """The pairs that moved, after each was given the chance of another twin of its text."""
        moved = displaced(pairs, self._reader.entity, self._options.disorder)
        for pair in moved[:_REPAIRED]:
            for other in self._alternatives(pair):
                attempt = sorted(
                    [*(each for each in pairs if each is not pair), other],
                    key=lambda each: each[0].seq,
                )
                better = displaced(attempt, self._reader.entity, self._options.disorder)
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
        lane = self.lanes[side]
        found = lane.by_text(item.seen.data) or (
            lane.by_digest(item.digest, self._reader.digest) if item.digest is not None else []
        )
        return [each for each in found if each.state < State.SINGLE]

    def _exchange(self, old: Pair, new: Pair) -> None:
        """Another twin puts things in order: genuine repeats were told apart wrongly."""
        for lane, before, after in zip(self.lanes, old, new, strict=True):
            if before is not after:
                lane.take_out(after)
                after.state, after.signature = State.PAIRED, before.signature
                lane.release(before)
        new[LEFT].twin, new[RIGHT].twin = new[RIGHT], new[LEFT]

    def _settle(self, limits: Limits, *, closing: bool = False) -> None:
        """Pair what is left, and decide what becomes of the rest."""
        left, right = (list(lane.aged.values()) for lane in self.lanes)
        if not any(
            items and items[0].seen.at <= limit
            for items, limit in zip((left, right), limits, strict=True)
        ):
            return
        if left and right:
            for one, other in paired(
                left, right, self._reader, self._nearness(), by_id=self._same_ids > 0
            ):
                if one.seen.at <= limits[LEFT] or other.seen.at <= limits[RIGHT]:
                    self._pair_late(one, other)
        for side, limit in ((LEFT, limits[LEFT]), (RIGHT, limits[RIGHT])):
            for item in list(self.lanes[side].aged.values()):
                if item.seen.at > limit:
                    break
                if item.state is State.AGED and not self._revised(side, item):
                    self._decide(side, item, closing)

    def _nearness(self) -> Nearness:
        lags = self._ledger.lags
        usual = lags.quantile(0.5)
        widest = max(lags.quantile(0.999) - usual, usual - lags.quantile(0.001))
        return Nearness(
            usual, max(self._options.disorder, widest) if lags.count else self._options.window
        )

    def _pair_late(self, left: Item, right: Item) -> None:
        """Twins that were found among what is left; they take no part in the order."""
        self.lanes[LEFT].take_out(left)
        self.lanes[RIGHT].take_out(right)
        left.twin, right.twin = right, left
        left.state = right.state = State.DONE
        self._repeats.add(left, right)
        self._ledger.pair(self.channel, left, right)
        self._extend(left, right)

    def _revised(self, side: int, item: Item) -> bool:
        """Whether a message without twin is the late twin of one that was given up."""
        other = self.lanes[1 - side]
        digest = self._reader.digest(item)
        for twin in other.by_digest(digest, self._reader.digest):
            if twin.state in (State.AGED, State.SINGLE) and self._fits(item.seen, twin.seen):
                if twin.state is State.SINGLE:
                    self._ledger.revise(1 - side, twin, self._fate.unconfirmed)
                self._pair_late(*((item, twin) if side == LEFT else (twin, item)))
                return True
        return False

    def _decide(self, side: int, item: Item, closing: bool) -> None:
        lane = self.lanes[side]
        if self._fate.decide(side, item, closing=closing):
            lane.settle(item)
        else:
            lane.take_out(item)
            item.state = State.DONE

    def _forget(self) -> None:
        """Let go of what no twin can come for any more."""
        keep = self._options.recall
        for lane in self.lanes:
            for item in list(lane.singles.values()):
                if item.seen.at >= lane.clock - keep and len(lane.singles) <= self._most:
                    break
                lane.take_out(item)
                item.state = State.DONE
        self._repeats.forget(self.lanes[LEFT].clock)


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
