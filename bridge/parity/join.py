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
from bridge.parity.ledger import LEFT, RIGHT, Ledger, facing
from bridge.parity.leftovers import Leftovers
from bridge.parity.observation import Mark, Observation
from bridge.parity.onset import Onset
from bridge.parity.options import CompareOptions
from bridge.parity.postponed import Postponed
from bridge.parity.reader import Reader
from bridge.parity.repeats import Repeats
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
        self._postponed = Postponed(self.lanes, self._twins, one_clock=options.clocks == "one")
        self._suspects = Suspects(self.lanes, reader, self._twins, options)
        self._stretches = Stretches(
            channel, self.lanes, ledger, reader, options.disorder, options.window
        )
        self._onset = Onset(self.lanes, reader, ledger, options)
        self._leftovers = Leftovers(
            channel,
            self.lanes,
            ledger,
            reader,
            self._fate,
            self._twins,
            self._repeats,
            self._extend,
        )
        self._hits = 0
        self._left_out = reader.volatile.count
        self.tail = 0

    def mark(self, side: int, mark: Mark) -> None:
        """Take in what became of a side's connection."""
        if not self._onset.mark(side, mark):
            self.lanes[side].mark(mark)

    def take(self, side: int, seen: Observation) -> None:
        """Take in one message; its twin, if it waits, is found now, or once the lag is known."""
        self._count(side, seen)
        if self._onset.over or not self._onset.holds(side, seen):
            self._admit(side, seen)
        elif self._onset.is_due():
            self._let_go()

    def _let_go(self) -> None:
        """Find the twins of all that was held until the lag was known."""
        held = self._onset.let_go()
        self._twins.expect(self._onset.shift)
        for side, sight in held:
            if isinstance(sight, Observation):
                self._admit(side, sight)
            else:
                self.lanes[side].mark(sight)

    @property
    def waiting(self) -> int:
        """How many messages have no twin that may still come."""
        return len(self._onset.held) + sum(len(lane.open) + len(lane.aged) for lane in self.lanes)

    def _admit(self, side: int, seen: Observation) -> None:
        if self._left_out != self._reader.volatile.count:
            self._look_again()
        lane, other = self.lanes[side], self.lanes[1 - side]
        item = lane.add(seen)
        if self._postponed.count:
            self._resume()
        if lane.replaying and self._is_replay(side, item):
            return
        if not other.open:
            if len(lane.open) > self._most:
                self._age(side, -_FAR, self._most // 2)
            return
        twin = self._twins.best(item, other)
        if twin is not None and self._postponed.add(side, item, twin):
            return
        if twin is None:
            if not self._twins.is_early(seen):
                self._suspects.add(side, item)
                self._suspects.judge(side)
        else:
            self._pair(*facing(side, item, twin))

    def _is_replay(self, side: int, item: Item) -> bool:
        """Whether a message repeats an earlier connection's, like all on its own; it is put by."""
        lane = self.lanes[side]
        lane.replaying = self._repeats.is_replay(side, item.seen) or lane.repeats(item)
        if lane.replaying:
            self._fate.allow(item)
            lane.set_aside(item)
        return lane.replaying

    def _resume(self, *, all_of_them: bool = False) -> None:
        """Whoever waited for a better twin long enough takes the one there is."""
        for side, item in self._postponed.due(all_of_them=all_of_them):
            if item.state is State.OPEN:
                twin = self._twins.best(item, self.lanes[1 - side])
                if twin is not None and (all_of_them or not self._postponed.add(side, item, twin)):
                    self._pair(*facing(side, item, twin))

    def _count(self, side: int, seen: Observation) -> None:
        self.digests[side].add(seen.data)
        if self.digests[LEFT] == self.digests[RIGHT]:
            self.proven = self.digests[LEFT].count

    def _look_again(self) -> None:
        """Find the twins that only what keys leave out by now kept apart.

        It may have been learned on another channel, or from a second tap.
        """
        self._left_out = self._reader.volatile.count
        for lane in self.lanes:
            lane.rekey()
        unusual: list[Item] = []
        for item in list(self.lanes[RIGHT].open.values()):
            twin = self._twins.find(item, self.lanes[LEFT], early=True)
            if twin is not None and self._twins.is_usual(item, twin):
                self._pair(twin, item)
            elif twin is not None:
                unusual.append(item)
        for item in unusual:
            twin = self._twins.find(item, self.lanes[LEFT], early=True)
            if twin is not None and not self._postponed.add(RIGHT, item, twin):
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
        """Judge all that has waited long enough; nothing has while messages are held."""
        if self._onset.held:
            if not self._onset.is_stale([limit + self._options.window for limit in limits]):
                return
            self._let_go()
        self._resume()
        for side in (LEFT, RIGHT):
            self._age(side, limits[side], self._most)
        self._retire()
        slack = self._options.disorder
        self._stretches.judge((limits[LEFT] - slack, limits[RIGHT] - slack))
        self._leftovers.settle((limits[LEFT] - slack, limits[RIGHT] - slack))
        self._forget()

    def close(self) -> None:
        """No more comes: pair what is left, and trim the edges."""
        self._let_go()
        self._resume(all_of_them=True)
        for side in (LEFT, RIGHT):
            self._age(side, _FAR, 0)
        self._stretches.judge((_FAR, _FAR))
        self._leftovers.settle((_FAR, _FAR), closing=True)
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
