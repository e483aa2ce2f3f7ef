"""What all values at one place of many messages have in common, as a JSON Schema.

Decides what counts as a format, as one of few values, as always there, as a table by id. The
draft allows all that was seen; the order in which it was seen makes no difference. Memory is
bounded by the shape of the values, not by their number.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

MOST_VALUES = 12
"""Different texts that may be the whole of an enumeration."""

SAMPLES_PER_VALUE = 10
"""How often each of them has to have been seen, on average."""

LONGEST_VALUE = 40
"""Characters of a text that may stand for a state or a kind."""

MOST_MEMBERS = 100
"""An object with more different members is a table by id: its members' names say nothing."""

DEEPEST = 64
"""Levels of nesting that are described; what lies deeper may be anything."""

_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_MOMENT = re.compile(
    r"(\d{4}-\d\d-\d\d)T([01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d+)?"
    r"(?:Z|[+-](?:[01]\d|2[0-3]):[0-5]\d)"
)
_DAY = re.compile(r"\d{4}-\d\d-\d\d")
_ADDRESS = re.compile(r"(?:https?|wss?|s3|gs|blob|file)://[\w.~:/?#@!$&'()*+,;=%-]+", re.ASCII)
_BAD_ESCAPE = re.compile(r"%(?![0-9a-fA-F]{2})")


def _is_day(text: str) -> bool:
    try:
        return bool(_DAY.fullmatch(text) and date.fromisoformat(text))
    except ValueError:
        return False


def _is_moment(text: str) -> bool:
    found = _MOMENT.fullmatch(text)
    return bool(found and _is_day(found[1]))


def _is_address(text: str) -> bool:
    return bool(_ADDRESS.fullmatch(text)) and not _BAD_ESCAPE.search(text) and text.count("#") < 2


FORMATS: Mapping[str, Callable[[str], bool]] = {
    "uuid": lambda text: bool(_UUID.fullmatch(text)),
    "date-time": _is_moment,
    "date": _is_day,
    "uri": _is_address,
}
"""Formats that are looked for; each test is stricter than the format (RFC 4122, 3339, 3986)."""


class Outline:
    """What all values at one place have in common."""

    def __init__(self, depth: int = 0) -> None:
        self._depth = depth
        self._kinds: Counter[str] = Counter()
        self._members: dict[str, Outline] = {}
        self._times: Counter[str] = Counter()
        self._any_member: Outline | None = None
        self._items: Outline | None = None
        self._values: set[str] | None = set()
        self._formats = set(FORMATS)

    def take(self, value: object) -> None:
        """Look at one more value."""
        kind = _kind(value)
        self._kinds[kind] += 1
        if self._depth > DEEPEST:
            return
        if isinstance(value, str):
            self._take_text(value)
        elif isinstance(value, dict):
            self._take_object(value)
        elif isinstance(value, list):
            for item in value:
                self._items = self._items or Outline(self._depth + 1)
                self._items.take(item)

    def merge(self, other: Outline) -> None:
        """Look at all that another outline has looked at; neither is of use on its own after."""
        self._kinds += other._kinds
        self._formats &= other._formats
        self._values = _united(self._values, other._values)
        self._times += other._times
        for name, outline in other._members.items():
            self._place(name).merge(outline)
        self._any_member = _merged(self._any_member, other._any_member)
        self._items = _merged(self._items, other._items)
        self._spare_members()

    def schema(self) -> dict[str, Any]:
        """The draft for what was seen here."""
        kinds = sorted(self._kinds)
        if "number" in kinds and "integer" in kinds:
            kinds.remove("integer")
        if self._depth > DEEPEST or not kinds:
            return {}
        draft: dict[str, Any] = {"type": kinds[0] if len(kinds) == 1 else kinds}
        return draft | self._of_texts(kinds) | self._of_objects() | self._of_arrays()

    def constants(self, text: str) -> list[str]:
        """The members that are this text wherever they are there."""
        return [name for name, member in self._members.items() if member.is_always(text)]

    def is_always(self, text: str) -> bool:
        """Whether nothing but this text was seen."""
        return set(self._kinds) == {"string"} and self._values == {text}

    def _take_text(self, text: str) -> None:
        self._formats = {name for name in self._formats if FORMATS[name](text)}
        if self._values is not None:
            self._values = _united(self._values, {text})

    def _take_object(self, value: Mapping[str, object]) -> None:
        for name, member in value.items():
            self._place(name).take(member)
            if self._any_member is None:
                self._times[name] += 1
        self._spare_members()

    def _place(self, name: str) -> Outline:
        if self._any_member is not None:
            return self._any_member
        return self._members.setdefault(name, Outline(self._depth + 1))

    def _spare_members(self) -> None:
        """Take an object of very many members for a table by id."""
        if len(self._members) > MOST_MEMBERS or (self._members and self._any_member is not None):
            for outline in self._members.values():
                self._any_member = _merged(self._any_member, outline)
            self._members, self._times = {}, Counter()

    def _of_texts(self, kinds: list[str]) -> dict[str, Any]:
        count = self._kinds["string"]
        if not count:
            return {}
        if self._formats:
            return {"format": min(self._formats)}
        enough = self._values and count >= SAMPLES_PER_VALUE * len(self._values)
        if not enough or not set(kinds) <= {"string", "null"} or self._values is None:
            return {}
        return {"enum": [*sorted(self._values), *([None] if "null" in kinds else [])]}

    def _of_objects(self) -> dict[str, Any]:
        if self._any_member is not None:
            return {"additionalProperties": self._any_member.schema()}
        if not self._members:
            return {}
        always = [name for name, times in self._times.items() if times == self._kinds["object"]]
        members = {name: self._members[name].schema() for name in sorted(self._members)}
        return {"properties": members} | ({"required": sorted(always)} if always else {})

    def _of_arrays(self) -> dict[str, Any]:
        return {"items": self._items.schema()} if self._items else {}


def _united(some: set[str] | None, more: set[str] | None) -> set[str] | None:
    """The values of both, or None for any: there are too many, or one is too long."""
    if some is None or more is None:
        return None
    few = len(some | more) <= MOST_VALUES
    return some | more if few and all(len(text) <= LONGEST_VALUE for text in more) else None


def _merged(some: Outline | None, more: Outline | None) -> Outline | None:
    if some is None or more is None:
        return some or more
    some.merge(more)
    return some


def _kind(value: object) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return "boolean"
        case int():
            return "integer"
        case float():
            return "number"
        case str():
            return "string"
        case list():
            return "array"
        case _:
            return "object"
