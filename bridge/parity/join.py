"""The windowed join of one channel: which messages of two sides are twins.

Decides at once where texts or digests agree, and when a message has waited long enough; then
judges the order of what was paired and pairs what is left. Holds no more than the window lets
gather.
"""

from __future__ import annotations

from bridge.parity.digest import Multiset
from bridge.parity.fate import Fate
from bridge.parity.item import Item, State
from bridge.parity.lane import Lane
from bridge.parity.ledger import LEFT, RIGHT, Ledger
from bridge.parity.observation import Mark, Observation
from bridge.parity.options import CompareOptions
from bridge.parity.reader import Reader
from bridge.parity.repeats import Repeats
from bridge.parity.residue import Pair, paired
from bridge.parity.stretches import Limits, Stretches
from bridge.parity.suspects import Suspects
from bridge.parity.twins import Twins

_SAMPLED = 8
_FAR = float("inf")


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
        self._twins = Twins(options, reader, ledger)
        self._suspects = Suspects(self.lanes, reader, self._twins, options)
        self._stretches = Stretches(
            channel, self.lanes, ledger, reader, options.disorder, options.window
        )
        self._hits = 0
        self._left_out = reader.volatile.count
        self.tail = 0

    def mark(self, side: int, mark: Mark) -> None:
        """Take in what became of a side's connection."""
        self.lanes[side].mark(mark)

    def take(self, side: int, seen: Observation) -> None:
        """Take in one message; its twin, if it waits, is found now."""
        if self._left_out != self._reader.volatile.count:
            self._look_again()
        lane, other = self.lanes[side], self.lanes[1 - side]
        item = lane.add(seen)
        self._count(side, seen)
        if lane.replaying:
            lane.replaying = self._repeats.is_replay(side, seen) or lane.repeats(item)
            if lane.replaying:
                self._fate.allow(item)
                lane.set_aside(item)
                return
        if not other.open:
            if len(lane.open) > self._most:
                self._age(side, -_FAR, self._most // 2)
            return
        twin = other.expected()
        if (
            twin is None
            or twin.seen.data != seen.data
            or twin.seen.type != seen.type
            or not self._twins.fit(seen, twin.seen)
        ):
            twin = self._twins.find(item, other)
        if twin is None:
            if not self._twins.is_early(seen):
                self._suspects.add(side, item)
                self._suspects.judge(side)
        elif side == LEFT:
            self._pair(item, twin)
        else:
            self._pair(twin, item)

    def _count(self, side: int, seen: Observation) -> None:
        self.digests[side].add(seen.data)
        if self.digests[LEFT] == self.digests[RIGHT]:
            self.proven = self.digests[LEFT].count

    def _look_again(self) -> None:
        """Find the twins that only what keys leave out by now kept apart.

        It may have been learned on another channel, or from a second tap.
        """
        self._rekey()
        for item in list(self.lanes[RIGHT].open.values()):
            twin = self._twins.find(item, self.lanes[LEFT])
            if twin is not None:
                self._pair(twin, item)

    def _pair(self, left: Item, right: Item) -> None:
        lanes = self.lanes
        lanes[LEFT].take_out(left)
        lanes[RIGHT].take_out(right)
        left.twin, right.twin = right, left
        one, other = left.seen, right.seen
        self._twins.note(one, other)
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
                self._reader.met(left, right, _SAMPLED)
        else:
            self._ledger.pair(self.channel, left, right)
            self._reader.met(left, right)
        left.put_away()
        right.put_away()
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
        self._stretches.judge((limits[LEFT] - slack, limits[RIGHT] - slack))
        self._settle((limits[LEFT] - slack, limits[RIGHT] - slack))
        self._forget()

    def close(self) -> None:
        """No more comes: pair what is left, and trim the edges."""
        for side in (LEFT, RIGHT):
            self._age(side, _FAR, 0)
        self._stretches.judge((_FAR, _FAR))
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

    def _settle(self, limits: Limits, *, closing: bool = False) -> None:
        """Pair what is left, and decide what becomes of the rest."""
        left, right = (list(lane.aged.values()) for lane in self.lanes)
        if not any(
            items and items[0].seen.at <= limit
            for items, limit in zip((left, right), limits, strict=True)
        ):
            return
        for side, items in ((LEFT, left), (RIGHT, right)):
            for item in items:
                if item.state is State.AGED:
                    self._revised(side, item)
        for one, other in self._left_over():
            if one.seen.at <= limits[LEFT] or other.seen.at <= limits[RIGHT]:
                self._pair_late(one, other)
        for side, limit in ((LEFT, limits[LEFT]), (RIGHT, limits[RIGHT])):
            for item in list(self.lanes[side].aged.values()):
                if item.seen.at > limit:
                    break
                self._decide(side, item, closing)

    def _left_over(self) -> list[Pair]:
        """The likeliest pairs among what is left; what was said before is nobody's twin."""
        left, right = (
            [item for item in lane.aged.values() if not self._fate.is_repetition(side, item)]
            for side, lane in enumerate(self.lanes)
        )
        if not left or not right:
            return []
        nearness, by_id = self._twins.nearness(), self._twins.by_id
        return paired(left, right, self._reader, nearness, by_id=by_id)

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
            if twin.state in (State.AGED, State.SINGLE) and self._twins.fit(item.seen, twin.seen):
                for place, each in ((side, item), (1 - side, twin)):
                    if each.state is State.SINGLE:
                        self._ledger.revise(place, each, self._fate.unconfirmed)
                self._pair_late(*((item, twin) if side == LEFT else (twin, item)))
                return True
        return False

    def _decide(self, side: int, item: Item, closing: bool) -> None:
        if item.state is not State.AGED:
            # An earlier one showed that ids differ by nature, and this one found its twin.
            return
        lane = self.lanes[side]
        if self._fate.decide(side, item, closing=closing):
            lane.settle(item)
        else:
            lane.take_out(item)
            item.state = State.DONE
        is_news = self._reader.ids.alone(side, self._reader.message(item))
        item.put_away()
        if is_news:
            self._rekey()
            for each in list(self.lanes[RIGHT].singles.values()):
                self._revised(RIGHT, each)

    def _rekey(self) -> None:
        """More is left out of keys from now on."""
        self._left_out = self._reader.volatile.count
        for lane in self.lanes:
            lane.rekey()

    def _forget(self) -> None:
        """Let go of what no twin can come for any more."""
        keep = self._options.recall + self._options.window + self._options.disorder
        for lane in self.lanes:
            for item in list(lane.singles.values()):
                if item.seen.at >= lane.clock - keep and len(lane.singles) <= self._most:
                    break
                lane.take_out(item)
                item.state = State.DONE
        self._repeats.forget(self.lanes[LEFT].clock)
