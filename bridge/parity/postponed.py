"""Messages whose only twin so far came at an unusual time, while a better one may be on its way.

Decides until when each waits, for the sake of either: the twin's own true one may come as well.
Never pairs.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator

from bridge.parity.item import Item
from bridge.parity.lane import Lane
from bridge.parity.ledger import LEFT, RIGHT
from bridge.parity.twins import Twins

_Two = tuple[Item, Item]


class Postponed:
    """The messages of one channel that wait for a better twin, in the order of arrival.

    Args:
        lanes: both sides of it.
        twins: knows when a twin is to be expected.
        one_clock: whether both sides' times are by the same clock.
    """

    def __init__(self, lanes: tuple[Lane, Lane], twins: Twins, *, one_clock: bool) -> None:
        self._lanes, self._twins, self._one = lanes, twins, one_clock
        self._waiting: tuple[deque[_Two], deque[_Two]] = deque(), deque()
        self.count = 0

    def add(self, side: int, item: Item, twin: Item) -> bool:
        """Whether a message is to wait for a better twin than this one, and does from now on."""
        if self._twins.is_usual(item, twin) or self._is_over(side, (item, twin)):
            return False
        self._waiting[side].append((item, twin))
        self.count += 1
        return True

    def due(self, *, all_of_them: bool = False) -> Iterator[tuple[int, Item]]:
        """Those that waited long enough, with their sides."""
        for side in (LEFT, RIGHT):
            waiting = self._waiting[side]
            while waiting and (all_of_them or self._is_over(side, waiting[0])):
                self.count -= 1
                yield side, waiting.popleft()[0]

    def _is_over(self, side: int, two: _Two) -> bool:
        item, twin = two
        return self._twins.latest(item) <= self._time(side) and self._twins.latest(
            twin
        ) <= self._time(1 - side)

    def _time(self, side: int) -> float:
        """How far the other side's stream is known to have come, by its clock."""
        ours, theirs = self._lanes[side].clock, self._lanes[1 - side].clock
        return max(ours, theirs) if self._one else theirs
