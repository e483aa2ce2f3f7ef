"""Which pairs of a stretch of a channel left their place in the order, and by how much.

Decides strictly within each entity, and by seconds across entities. Never finds a pair, but says
where another twin of the same text would put things in order.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Sequence
from itertools import pairwise

from bridge.parity.item import Item
from bridge.parity.order import in_place, is_sorted, moved

Pair = tuple[Item, Item]


def displaced(
    pairs: Sequence[Pair], entity: Callable[[Item], Hashable], disorder: float
) -> list[Pair]:
    """The pairs that count as reordered, in the order of the left side.

    Args:
        pairs: in the order of the left side.
        entity: what a message is about.
        disorder: by how many seconds a message may leave its place among other entities.
    """
    places = [right.seq for _, right in pairs]
    if is_sorted(places):
        return []
    far = _across(pairs, in_place(places), disorder)
    strict = _within_entities(pairs, entity, far)
    return [pairs[index] for index in sorted(strict | far)]


def _within_entities(
    pairs: Sequence[Pair], entity: Callable[[Item], Hashable], far: set[int]
) -> set[int]:
    """Those that left their place among messages about the same; the far ones are known by now."""
    groups: defaultdict[Hashable, list[int]] = defaultdict(list)
    for index, (left, _) in enumerate(pairs):
        if index not in far:
            groups[entity(left)].append(index)
    found: set[int] = set()
    for indexes in groups.values():
        places = [pairs[index][1].seq for index in indexes]
        if not is_sorted(places):
            found.update(indexes[each] for each in moved(places))
    return found


def _across(pairs: Sequence[Pair], kept: Sequence[int], disorder: float) -> set[int]:
    """Those that moved too far past the ones that kept their place."""
    if not kept:
        return set()
    found: set[int] = set()
    for before, after in pairwise([-1, *kept, len(pairs)]):
        earliest = pairs[before][1].seen.at if before >= 0 else None
        latest = pairs[after][1].seen.at if after < len(pairs) else None
        for index in range(before + 1, after):
            at = pairs[index][1].seen.at
            late = latest is not None and at - latest > disorder
            early = earliest is not None and earliest - at > disorder
            if late or early:
                found.add(index)
    return found


def uncrossed(pairs: Sequence[Pair]) -> list[Pair]:
    """The pairs with those that say the same put into one order on both sides.

    Genuine repeats can be told apart by nothing else, so they never overtake each other. What
    found its twin by what is stable in it is told apart by no more than that.
    """
    groups: defaultdict[tuple[str | bytes, str | bytes], list[Pair]] = defaultdict(list)
    for left, right in pairs:
        groups[left.digest or left.seen.data, right.digest or right.seen.data].append((left, right))
    found: list[Pair] = []
    for group in groups.values():
        rights = sorted((right for _, right in group), key=lambda item: item.seq)
        for (left, _), right in zip(group, rights, strict=True):
            left.twin, right.twin = right, left
            found.append((left, right))
    return sorted(found, key=lambda pair: pair[0].seq)
