"""Two payloads beside each other, with what differs in them marked.

Decides how payloads are laid out and which lines and characters differ; makes no markup.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import zip_longest
from typing import Literal

LONGEST = 20_000
"""Characters of a payload that are shown: megabytes help nobody and cost hours to compare."""

_AROUND = 3
"""Equal lines that are shown around those that differ."""


@dataclass(frozen=True, slots=True)
class Line:
    """One side of a row.

    Attributes:
        before: what is equal, up to the difference.
        changed: what differs; empty where the whole line is equal.
        after: what is equal behind it.
    """

    before: str
    changed: str = ""
    after: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """Two lines beside each other.

    Attributes:
        sort: `same`, `changed`, or `skipped` for equal lines that are left out.
        legacy: the left one; None where there is none.
        candidate: the right one.
        count: how many equal lines are left out.
    """

    sort: Literal["same", "changed", "skipped"]
    legacy: Line | None = None
    candidate: Line | None = None
    count: int = 0


def rows(legacy: str | None, candidate: str | None, *, raw: bool = False) -> list[Row]:
    """The rows of two payloads.

    Args:
        legacy: the left text; None where that side said nothing.
        candidate: the right text.
        raw: leave JSON as it was written, where its writing is what differs.
    """
    left, right = (_laid_out(each, raw=raw) for each in (legacy, candidate))
    found: list[Row] = []
    blocks = SequenceMatcher(None, left, right, autojunk=False).get_opcodes()
    for index, (tag, start, end, other, other_end) in enumerate(blocks):
        if tag == "equal":
            is_edge = index == 0, index == len(blocks) - 1
            found += _equal(left[start:end], is_edge)
        else:
            pairs = zip_longest(left[start:end], right[other:other_end])
            found += [_changed(one, two) for one, two in pairs]
    return found


def _laid_out(text: str | None, *, raw: bool) -> list[str]:
    if text is None:
        return []
    try:
        tree = None if raw or len(text) > 10 * LONGEST else json.loads(text)
    except (ValueError, RecursionError):
        tree = None
    if isinstance(tree, dict | list):
        text = json.dumps(tree, indent=2, ensure_ascii=False, sort_keys=True)
    shown = text[:LONGEST] + (f"… {len(text) - LONGEST} more characters" * (len(text) > LONGEST))
    return shown.splitlines() or [""]


def _equal(lines: list[str], is_edge: tuple[bool, bool]) -> Iterator[Row]:
    """Equal lines, all but those next to a difference left out where they are many."""
    first = 0 if is_edge[0] else _AROUND
    last = len(lines) if is_edge[1] else len(lines) - _AROUND
    head, tail = (lines[:first], lines[-_AROUND:]) if last < len(lines) else (lines[:first], [])
    if len(lines) <= len(head) + len(tail) + 1:
        head, tail = lines, []
    yield from (_same(each) for each in head)
    if len(head) + len(tail) < len(lines):
        yield Row("skipped", count=len(lines) - len(head) - len(tail))
    yield from (_same(each) for each in tail)


def _same(line: str) -> Row:
    return Row("same", Line(line), Line(line))


def _changed(one: str | None, two: str | None) -> Row:
    if one is None or two is None:
        # the row says it: marking every character would say no more
        return Row("changed", _whole(one), _whole(two))
    start = _common(one, two)
    end = _common(one[start:][::-1], two[start:][::-1])
    left, right = (
        Line(each[:start], each[start : len(each) - end], each[len(each) - end :])
        for each in (one, two)
    )
    return Row("changed", left, right)


def _whole(line: str | None) -> Line | None:
    return None if line is None else Line(line)


def _common(one: str, two: str) -> int:
    """How many characters both begin with."""
    pairs = enumerate(zip(one, two, strict=False))
    return next((at for at, (a, b) in pairs if a != b), min(len(one), len(two)))
