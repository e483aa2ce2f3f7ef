"""Pairing what is left of both sides, so that a changed message is not one lost and one new.

Decides the pairs of the smallest total cost, by how much two messages have in common and how near
in time they are; first among messages of the same id, then of the same entity, then of any.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial

from bridge.parity.assignment import cheapest
from bridge.parity.item import Item
from bridge.parity.reader import Reader

_BLOCK = 64
_FAR = 1e6
_TIME_WEIGHT = 0.5
_LIKE, _ALIKE = 0.75, 0.5
"""Up to which share of different leaves two messages of one entity are the same message, and of
any two."""

Pair = tuple[Item, Item]


@dataclass(frozen=True, slots=True)
class Nearness:
    """When twins are to be expected.

    Attributes:
        usual: the usual lag of the right side, in seconds.
        most: by how much a lag may differ from that.
        range: between which lags nearly all twins come.
    """

    usual: float
    most: float
    range: tuple[float, float] = (0.0, 0.0)

    def of(self, left: Item, right: Item) -> float:
        """How far off a pair is: 0 for the usual lag, 1 at the most, more beyond."""
        off = abs(right.seen.at - left.seen.at - self.usual)
        return off / self.most if self.most else off * _FAR


def paired(
    left: Sequence[Item], right: Sequence[Item], reader: Reader, nearness: Nearness, *, by_id: bool
) -> list[Pair]:
    """The pairs among what is left of both sides, each side in the order of arrival.

    Args:
        left: what is left of the legacy side.
        right: what is left of the other.
        reader: reads messages.
        nearness: when twins are to be expected.
        by_id: whether both sides give the same ids on the wire.
    """
    found: list[Pair] = []
    steps: tuple[tuple[Callable[[Item], Hashable], float, bool], ...] = (
        (lambda item: reader.identity(item, wire=by_id), 1.0, False),
        (lambda item: _versioned(item, reader), _LIKE, False),
        (lambda item: _entity(item, reader), _LIKE, False),
        (lambda _: "any", _ALIKE, True),
    )
    for key, most, wary in steps:
        taken = {id(item) for pair in found for item in pair}
        left = [item for item in left if id(item) not in taken]
        right = [item for item in right if id(item) not in taken]
        for ours, theirs in _groups(left, right, key):
            costs = partial(_cost, reader=reader, nearness=nearness, wary=wary)
            found.extend(_cheapest(ours, theirs, reader, nearness.usual, most, costs))
    return found


def _entity(item: Item, reader: Reader) -> Hashable:
    kind, name = reader.entity(item)
    return (kind, name) if kind or name else ""


def _versioned(item: Item, reader: Reader) -> Hashable:
    version = reader.version(item)
    return (*reader.entity(item), version) if version else ""


def _groups(
    left: Iterable[Item], right: Iterable[Item], key: Callable[[Item], Hashable]
) -> list[tuple[list[Item], list[Item]]]:
    """Both sides' messages by key; those without one are left out."""
    groups: defaultdict[Hashable, tuple[list[Item], list[Item]]] = defaultdict(lambda: ([], []))
    for side, items in enumerate((left, right)):
        for item in items:
            name = key(item)
            if name != "":
                groups[name][side].append(item)
    return [group for group in groups.values() if group[0] and group[1]]


def _cheapest(
    left: list[Item],
    right: list[Item],
    reader: Reader,
    usual: float,
    most: float,
    cost: Callable[[Item, Item], float],
) -> list[Pair]:
    found: list[Pair] = []
    for ours, theirs in _blocks(left, right, usual):
        costs = [[cost(one, other) for other in theirs] for one in ours]
        found.extend(
            (ours[row], theirs[column])
            for row, column in cheapest(costs)
            if costs[row][column] <= most + _TIME_WEIGHT
            and unlike(ours[row], theirs[column], reader) <= most
        )
    return found


def _blocks(
    left: list[Item], right: list[Item], usual: float
) -> Iterable[tuple[list[Item], list[Item]]]:
    """Stretches of time with at most 64 messages of each side.

    A stretch ends in a pause where there is one, so that twins are seldom torn apart.
    """
    timed = sorted(
        [(item.seen.at + usual, 0, item) for item in left]
        + [(item.seen.at, 1, item) for item in right],
        key=lambda each: each[:2],
    )
    while timed:
        end = _end(timed)
        block, timed = timed[:end], timed[end:]
        sides = [[item for _, side, item in block if side == number] for number in (0, 1)]
        if sides[0] and sides[1]:
            yield sides[0], sides[1]


def _end(timed: Sequence[tuple[float, int, Item]]) -> int:
    if len(timed) <= _BLOCK:
        return len(timed)
    pauses = range(_BLOCK // 2, _BLOCK)
    return max(pauses, key=lambda place: timed[place][0] - timed[place - 1][0])


def unlike(left: Item, right: Item, reader: Reader) -> float:
    """Which share of their leaves two messages do not have in common, from 0 to 1.

    What is known to differ by nature counts on neither side.
    """
    ours, theirs = reader.features(left), reader.features(right)
    common, most = len(ours & theirs), max(len(ours), len(theirs))
    if common < most and reader.volatile.count:
        message, holds = reader.entity(left)[0], reader.volatile.holds
        apart = (
            sum(not holds(message, path) for path, _ in side - ours & theirs)
            for side in (ours, theirs)
        )
        most = common + max(apart)
    return 1 - common / max(most, 1)


def _cost(left: Item, right: Item, *, reader: Reader, nearness: Nearness, wary: bool) -> float:
    """What a pair costs; too much where, being `wary`, ids speak against it."""
    off = nearness.of(left, right)
    if off > 1 or (wary and reader.apart(left, right)):
        return _FAR
    return unlike(left, right, reader) + _TIME_WEIGHT * off
