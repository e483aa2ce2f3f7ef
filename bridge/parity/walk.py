"""The walk of two JSON values side by side: which places differ, and in what way.

Decides what is another value, another type, a member more or less, or the same elements in
another order. Never decides whether that matters.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from bridge.parity.canonical import Opaque, Value, canonical
from bridge.parity.finding import Kind
from bridge.parity.rules import DROP, element, member

_DEEPEST = 200
_PER_PAIR = 64
_IDENTIFIER = re.compile(
    r"[0-9]+|[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}|(?=[a-fA-F]*[0-9])[0-9a-fA-F]{12,}"
)
_TELLING = ("id", "key", "name")


@dataclass(frozen=True, slots=True)
class Difference:
    """One place where two values differ.

    Attributes:
        kind: `ALTERED`, `TYPE_DRIFT`, or `REORDERED` for an array with the same elements in
            another order.
        path: the JSON path, with every array index as `[*]`, and members that are ids as `*`.
        legacy: the value of the one side; `DROP` where it has none.
        candidate: that of the other.
        index: the indexes in the order of the path, for the example.
    """

    kind: Kind
    path: str
    legacy: Value
    candidate: Value
    index: tuple[int, ...] = ()


def differences(legacy: Value, candidate: Value, base: str = "$") -> list[Difference]:
    """Where two values differ, at most 64 places; empty where they are the same JSON.

    Beyond a depth of 200 values are compared as wholes.
    """
    found: list[Difference] = []
    for each in _walk(legacy, candidate, base, (), 0):
        found.append(each)
        if len(found) == _PER_PAIR:
            break
    return found


def json_type(value: Value) -> str:
    """The JSON type of a value, as JSON Schema names it; `text` for what is no JSON."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    for kind, name in _TYPES:
        if isinstance(value, kind):
            return name
    return "absent"


_TYPES: tuple[tuple[type | tuple[type, ...], str], ...] = (
    (str, "string"),
    ((int, float), "number"),
    (dict, "object"),
    (list, "array"),
    (Opaque, "text"),
)


def leaves(value: Value, base: str = "$") -> Iterator[tuple[str, Value]]:
    """Every leaf of a value with its path, as in `Difference`; empty containers are leaves."""
    waiting = [(base, value)]
    while waiting:
        path, each = waiting.pop()
        if isinstance(each, dict) and each:
            waiting.extend((step(path, name), inner) for name, inner in each.items())
        elif isinstance(each, list) and each:
            waiting.extend((element(path), inner) for inner in each)
        else:
            yield path, each


def step(path: str, name: str) -> str:
    """The path of a member; one that is an id, as in a map by id, is any member."""
    return f"{path}.*" if _IDENTIFIER.fullmatch(name) else member(path, name)


def _walk(
    legacy: Value, candidate: Value, path: str, index: tuple[int, ...], depth: int
) -> Iterator[Difference]:
    kind = type(legacy)
    if kind is type(candidate) and kind in (dict, list) and depth < _DEEPEST:
        if kind is dict:
            yield from _members(legacy, candidate, path, index, depth)
        elif legacy != candidate or canonical(legacy) != canonical(candidate):
            yield from _elements(legacy, candidate, path, index, depth)
    elif json_type(legacy) != json_type(candidate):
        yield Difference(Kind.TYPE_DRIFT, path, legacy, candidate, index)
    elif legacy != candidate:
        yield Difference(Kind.ALTERED, path, legacy, candidate, index)


def _members(
    legacy: dict[str, Value],
    candidate: dict[str, Value],
    path: str,
    index: tuple[int, ...],
    depth: int,
) -> Iterator[Difference]:
    for name, value in legacy.items():
        other = candidate.get(name, DROP)
        if other is not value:
            yield from _walk(value, other, step(path, name), index, depth + 1)
    for name, value in candidate.items():
        if name not in legacy:
            yield Difference(Kind.TYPE_DRIFT, step(path, name), DROP, value, index)


def _elements(
    legacy: list[Value],
    candidate: list[Value],
    path: str,
    index: tuple[int, ...],
    depth: int,
) -> Iterator[Difference]:
    left, right = list(map(canonical, legacy)), list(map(canonical, candidate))
    if len(left) == len(right) and Counter(left) == Counter(right):
        yield Difference(Kind.REORDERED, path, legacy, candidate, index)
        return
    for one, other in _aligned(legacy, candidate, left, right):
        place = (*index, one if one is not None else other or 0)
        if one is None or other is None:
            values = (
                DROP if one is None else legacy[one],
                DROP if other is None else candidate[other],
            )
            yield Difference(Kind.ALTERED, element(path), *values, place)
        else:
            yield from _walk(legacy[one], candidate[other], element(path), place, depth + 1)


def _aligned(
    legacy: list[Value], candidate: list[Value], left: list[bytes], right: list[bytes]
) -> Iterator[tuple[int | None, int | None]]:
    """Which element is which: by a telling member, else from both ends inwards.

    An array of the same length is taken element by element, for a change inside is likelier than
    one element less and one more.
    """
    if len(legacy) == len(candidate):
        yield from ((place, place) for place in range(len(legacy)))
        return
    names = _names(legacy, candidate)
    if names is not None:
        yield from _by_name(*names)
        return
    shorter = min(len(left), len(right))
    head = next((n for n in range(shorter) if left[n] != right[n]), shorter)
    tail = next((n for n in range(shorter - head) if left[-1 - n] != right[-1 - n]), shorter - head)
    middle_left, middle_right = len(left) - tail, len(right) - tail
    for place in range(head, max(middle_left, middle_right)):
        yield (
            place if place < middle_left else None,
            place if place < middle_right else None,
        )


def _by_name(
    left: dict[bytes, int], right: dict[bytes, int]
) -> Iterator[tuple[int | None, int | None]]:
    yield from ((place, right.get(name)) for name, place in left.items())
    yield from ((None, place) for name, place in right.items() if name not in left)


def _names(
    legacy: list[Value], candidate: list[Value]
) -> tuple[dict[bytes, int], dict[bytes, int]] | None:
    """The places of elements by the member that tells all of them apart, if there is one."""
    for name in _TELLING:
        both = [_named(side, name) for side in (legacy, candidate)]
        if both[0] is not None and both[1] is not None:
            return both[0], both[1]
    return None


def _named(elements: list[Value], name: str) -> dict[bytes, int] | None:
    if not all(isinstance(each, dict) and name in each for each in elements):
        return None
    found = {canonical(each[name]): place for place, each in enumerate(elements)}
    return found if len(found) == len(elements) else None
