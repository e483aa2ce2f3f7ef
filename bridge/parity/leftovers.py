"""What waited long enough without a twin: late twins, the likeliest pairs, and the rest.

Decides who belongs together by what both sides have left; what becomes of the others, a `Fate`
decides. Never looks at what still waits.
"""

from __future__ import annotations

from collections.abc import Callable

from bridge.parity.fate import Fate
from bridge.parity.item import Item, State
from bridge.parity.lane import Lane
from bridge.parity.ledger import LEFT, RIGHT, Ledger, facing
from bridge.parity.reader import Reader
from bridge.parity.repeats import Repeats
from bridge.parity.residue import Pair, paired
from bridge.parity.stretches import Limits
from bridge.parity.twins import Twins


class Leftovers:
    """Settles what is left of one channel.

    Args:
        channel: its name.
        lanes: both sides of it.
        ledger: where it is written down.
        reader: reads messages.
        fate: judges messages without twin.
        twins: knows when a twin is to be expected.
        repeats: what was said before.
        extend: is told of each pair, for the common part of both streams reaches that far.
    """

    def __init__(
        self,
        channel: str,
        lanes: tuple[Lane, Lane],
        ledger: Ledger,
        reader: Reader,
        fate: Fate,
        twins: Twins,
        repeats: Repeats,
        extend: Callable[[Item, Item], None],
    ) -> None:
        self._channel, self._lanes, self._ledger = channel, lanes, ledger
        self._reader, self._fate, self._twins = reader, fate, twins
        self._repeats, self._extend = repeats, extend

    def settle(self, limits: Limits, *, closing: bool = False) -> None:
        """Pair what is left, and decide what becomes of the rest."""
        left, right = (list(lane.aged.values()) for lane in self._lanes)
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
            for item in list(self._lanes[side].aged.values()):
                if item.seen.at > limit:
                    break
                self._decide(side, item, closing)

    def _left_over(self) -> list[Pair]:
        """The likeliest pairs among what is left; what was said before is nobody's twin."""
        left, right = (
            [item for item in lane.aged.values() if not self._fate.is_repetition(side, item)]
            for side, lane in enumerate(self._lanes)
        )
        if not left or not right:
            return []
        nearness, by_id = self._twins.nearness(), self._twins.by_id
        return paired(left, right, self._reader, nearness, by_id=by_id)

    def _pair_late(self, left: Item, right: Item) -> None:
        """Twins that were found among what is left; they take no part in the order."""
        self._lanes[LEFT].take_out(left)
        self._lanes[RIGHT].take_out(right)
        left.twin, right.twin = right, left
        left.state = right.state = State.DONE
        self._repeats.add(left, right)
        self._ledger.pair(self._channel, left, right)
        self._extend(left, right)

    def _revised(self, side: int, item: Item) -> bool:
        """Whether a message without twin is the late twin of one that was given up."""
        other = self._lanes[1 - side]
        digest = self._reader.digest(item)
        for twin in other.by_digest(digest, self._reader.digest):
            if twin.state in (State.AGED, State.SINGLE) and self._twins.fit(item.seen, twin.seen):
                for place, each in ((side, item), (1 - side, twin)):
                    if each.state is State.SINGLE:
                        self._ledger.revise(place, each, self._fate.unconfirmed)
                self._pair_late(*facing(side, item, twin))
                return True
        return False

    def _decide(self, side: int, item: Item, closing: bool) -> None:
        if item.state is not State.AGED:
            # An earlier one showed that ids differ by nature, and this one found its twin.
            return
        lane = self._lanes[side]
        if self._fate.decide(side, item, closing=closing):
            lane.settle(item)
        else:
            lane.take_out(item)
            item.state = State.DONE
        is_news = self._reader.ids.alone(side, self._reader.message(item))
        item.put_away()
        if is_news:
            self._rekey()
            for each in list(self._lanes[RIGHT].singles.values()):
                self._revised(RIGHT, each)

    def _rekey(self) -> None:
        """More is left out of keys from now on."""
        for lane in self._lanes:
            lane.rekey()
