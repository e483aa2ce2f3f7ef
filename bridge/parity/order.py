"""Which messages left their place in an order: the smallest set whose removal sorts the rest.

Decides by a longest increasing subsequence (Fredman 1975, by patience). Never looks at messages.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence


def in_place(positions: Sequence[int]) -> list[int]:
    """The indexes of a longest increasing subsequence, ascending.

    Args:
        positions: for each message in the order of one side, its place on the other; all distinct.
    """
    tops: list[int] = []
    tails: list[int] = []
    before: list[int] = []
    for index, position in enumerate(positions):
        pile = bisect_left(tops, position)
        before.append(tails[pile - 1] if pile else -1)
        if pile == len(tops):
            tops.append(position)
            tails.append(index)
        else:
            tops[pile], tails[pile] = position, index
    return _chain(tails[-1] if tails else -1, before)


def moved(positions: Sequence[int]) -> list[int]:
    """The indexes of the smallest set that left its place, ascending; empty where none did."""
    kept = set(in_place(positions))
    return [index for index in range(len(positions)) if index not in kept]


def is_sorted(positions: Sequence[int]) -> bool:
    """Whether nothing moved; much cheaper than asking what did."""
    return all(positions[n] < positions[n + 1] for n in range(len(positions) - 1))


def inversions(positions: Sequence[int]) -> int:
    """How many pairs are the wrong way round (Fenwick 1994), in O(n log n).

    Args:
        positions: as in `in_place`.
    """
    rank = {position: place for place, position in enumerate(sorted(positions), start=1)}
    counts = [0] * (len(positions) + 1)
    found = 0
    for seen, position in enumerate(positions):
        place = rank[position]
        found += seen - _below(counts, place)
        while place < len(counts):
            counts[place] += 1
            place += place & -place
    return found


def _below(counts: list[int], place: int) -> int:
    total = 0
    while place:
        total += counts[place]
        place &= place - 1
    return total


def _chain(last: int, before: list[int]) -> list[int]:
    chain = []
    while last >= 0:
        chain.append(last)
        last = before[last]
    return chain[::-1]
