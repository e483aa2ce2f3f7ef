"""What one of two streams has said that the other has not yet: the open window of the aligner.

Decides which slot an equal key settles, and whether the other side has passed one. What is
published, and when a window is too wide, the aligner says.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Hashable, Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar

E = TypeVar("E")


@dataclass(frozen=True, slots=True)
class Slot(Generic[E]):
    """One event that one side has delivered and the other has not.

    Attributes:
        key: what the same event has on both sides.
        event: the event itself.
        index: its number among the deliveries of its side, from 1.
        at: when it came, in seconds.
    """

    key: Hashable
    event: E
    index: int
    at: float


class Shelf(Generic[E]):
    """Open slots of one side in the order of delivery, found by key."""

    def __init__(self) -> None:
        self._order: OrderedDict[int, Slot[E]] = OrderedDict()
        self._by_key: dict[Hashable, deque[Slot[E]]] = {}

    def __len__(self) -> int:
        return len(self._order)

    def __iter__(self) -> Iterator[Slot[E]]:
        return iter(self._order.values())

    def put(self, slot: Slot[E]) -> None:
        """Add the newest."""
        self._order[slot.index] = slot
        self._by_key.setdefault(slot.key, deque()).append(slot)

    def take(self, key: Hashable) -> Slot[E] | None:
        """The oldest of this key, which is settled by it."""
        slots = self._by_key.get(key)
        if slots is None:
            return None
        slot = slots.popleft()
        if not slots:
            del self._by_key[key]
        del self._order[slot.index]
        return slot

    @property
    def oldest(self) -> Slot[E]:
        """What was put first of all that is open; there is one."""
        return next(iter(self._order.values()))

    def forget(self) -> Slot[E]:
        """Let the oldest go; of its key it is the oldest, too."""
        slot = self.oldest
        self.take(slot.key)
        return slot


class Stream(Generic[E]):
    """One side: what it has said that the other has not, published or held.

    Attributes:
        said: what of it is published.
        held: what is not.
        count: how many events it has delivered.
        common: the last of them that the other side has delivered as well; what it said before
            that and the other did not, the other has passed.
    """

    def __init__(self) -> None:
        self.said: Shelf[E] = Shelf()
        self.held: Shelf[E] = Shelf()
        self.count = 0
        self.common = 0

    def match(self, key: Hashable) -> tuple[Slot[E] | None, bool]:
        """The oldest open slot of this key, and whether it is published.

        What is published is older than what is held, since only a lead publishes, and a side that
        takes the lead publishes all it holds.
        """
        slot = self.said.take(key)
        was_said = slot is not None
        slot = slot or self.held.take(key)
        if slot is not None:
            self.common = max(self.common, slot.index)
        return slot, was_said

    def passed_by(self, slot: Slot[E]) -> int:
        """By how many of this side's deliveries the other side is past a slot; 0 if it is not."""
        return max(0, self.common - slot.index)
