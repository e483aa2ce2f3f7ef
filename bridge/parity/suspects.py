"""What keys should leave out, learned from messages that have no twin though it should be there.

Decides which waiting message of the other side is the likely twin of one, and when its true twin
would have come. Never pairs.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterator
from heapq import nsmallest
from itertools import islice

from bridge.parity.item import Item, State
from bridge.parity.lane import Lane
from bridge.parity.ledger import LEFT, facing
from bridge.parity.options import CompareOptions
from bridge.parity.reader import Reader
from bridge.parity.residue import unlike
from bridge.parity.twins import Twins

_NEW, _MANY = 64, 512
_PROBED, _FEW = 64, 8
_SHARE = 0.5
_GRACE = 0.125
_MOST = 4096


class Suspects:
    """The messages of one channel that may differ from their twins by nature.

    Args:
        lanes: both sides of it.
        reader: reads messages, and holds what is volatile.
        twins: knows when a twin is to be expected.
        options: how much disorder is none.
    """

    def __init__(
        self, lanes: tuple[Lane, Lane], reader: Reader, twins: Twins, options: CompareOptions
    ) -> None:
        self._lanes, self._reader, self._twins = lanes, reader, twins
        self._grace = options.disorder * _GRACE
        self._judged: Counter[str] = Counter()
        self._waiting: tuple[deque[Item], deque[Item]] = deque(maxlen=_MOST), deque(maxlen=_MOST)

    def add(self, side: int, item: Item) -> None:
        """A message came that has no twin among what waits, and should have one by the usual lag.

        It counts a little later, for what is on its way as the stream begins would make others
        look likely. What the other side would have said before its stream began teaches nothing.
        """
        began = self._lanes[1 - side].began
        if began is not None and self._twins.usual(item) >= began:
            self._waiting[side].append(item)

    def judge(self, side: int) -> None:
        """Learn from a side's older ones, of which some found their twins."""
        waiting, due = self._waiting[side], self._lanes[1 - side].clock - self._grace
        while waiting and waiting[0].seen.at <= due:
            item = waiting.popleft()
            twin = self._likely(side, item) if item.state is State.OPEN else None
            if twin is not None and self._learn(side, item, twin):
                return

    def _learn(self, side: int, item: Item, twin: Item) -> bool:
        pair = facing(side, item, twin)
        found = {difference.path for difference in self._reader.differences(*pair)}
        size = max(len(self._reader.features(pair[LEFT])), 1)
        if not found or len(found) > _SHARE * size + 1:
            return False
        return self._reader.volatile.differed(self._reader.entity(item)[0], found)

    def _likely(self, side: int, item: Item) -> Item | None:
        """The message about the same entity that has most in common with one."""
        entity = self._reader.entity(item)
        same = [each for each in self._near(side, item) if self._reader.entity(each) == entity]
        return min(same, key=lambda each: unlike(item, each, self._reader), default=None)

    def _near(self, side: int, item: Item) -> Iterator[Item]:
        """What waits on the other side, the nearest by the usual lag first.

        Of a type that is new many are looked at, for a side may have begun much earlier.
        """
        message, _ = self._reader.entity(item)
        self._judged[message] += 1
        most = _MANY if self._judged[message] <= _NEW else _FEW
        nearness, opened = self._twins.nearness(), self._lanes[1 - side].open
        waiting = opened.values() if most == _MANY else islice(reversed(opened.values()), _PROBED)
        offs = ((nearness.of(*facing(side, item, each)), each.seq, each) for each in waiting)
        yield from (each for off, _, each in nsmallest(most, offs) if off <= 1)
