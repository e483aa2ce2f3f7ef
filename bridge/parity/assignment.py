"""The cheapest way to pair the members of two small groups.

Decides by the Hungarian method with potentials (Kuhn 1955; the O(n^2 m) form of Jonker and
Volgenant 1987). Never knows what it pairs.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import inf


def cheapest(costs: Sequence[Sequence[float]]) -> list[tuple[int, int]]:
    """Pairs `(row, column)` of the smallest total cost, as many as the smaller group has members.

    Args:
        costs: a rectangular matrix of finite numbers.
    """
    if not costs or not costs[0]:
        return []
    if len(costs) > len(costs[0]):
        turned = [list(column) for column in zip(*costs, strict=True)]
        return sorted((row, column) for column, row in cheapest(turned))
    columns = len(costs[0])
    owner = [-1] * (columns + 1)
    rows_price, columns_price = [0.0] * len(costs), [0.0] * (columns + 1)
    for row in range(len(costs)):
        _place(row, costs, owner, rows_price, columns_price)
    return sorted((owner[column], column) for column in range(columns) if owner[column] >= 0)


def _place(
    row: int,
    costs: Sequence[Sequence[float]],
    owner: list[int],
    rows_price: list[float],
    columns_price: list[float],
) -> None:
    """Give a row its column, moving others along the cheapest augmenting path (Dijkstra)."""
    root = len(owner) - 1
    owner[root], column = row, root
    slack, way, done = [inf] * root, [root] * root, [False] * (root + 1)
    while owner[column] >= 0:
        done[column] = True
        here, nearest, step = owner[column], root, inf
        price, line = rows_price[here], costs[here]
        for each in range(root):
            if not done[each]:
                reduced = line[each] - price - columns_price[each]
                if reduced < slack[each]:
                    slack[each], way[each] = reduced, column
                if slack[each] < step:
                    step, nearest = slack[each], each
        for each in range(root + 1):
            if done[each]:
                rows_price[owner[each]] += step
                columns_price[each] -= step
            elif each < root:
                slack[each] -= step
        column = nearest
    while column != root:
        owner[column] = owner[way[column]]
        column = way[column]
    owner[root] = -1
