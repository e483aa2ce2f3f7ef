"""Hand-written rules about places in a message: what to ignore, and what to make alike first.

Decides which JSON paths a rule means and how a value changes under it. Never looks at a stream.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

from bridge.parity.canonical import Value, canonical

DROP: Final = object()
"""What a change answers to have the member or element left out."""

_ANY: Final = "*"
_EVERY: Final = "[*]"
_DEEP: Final = ".."
_TOKEN = re.compile(r"\.\.|\[\*\]|\[\d+\]|\['([^']*)'\]|\.\*|\.([^.\[\]=]+)")
_PLAIN = re.compile(r"[^.\[\]'=*\s]+")

Change = Callable[[Value], Any]


def member(path: str, name: str) -> str:
    """The path of a member, such as `$.object.url`; an unwieldy name is quoted."""
    return f"{path}.{name}" if _PLAIN.fullmatch(name) else f"{path}['{name}']"


def element(path: str) -> str:
    """The path of an array's elements, all of them alike: `$.tasks[*]`."""
    return f"{path}[*]"


@dataclass(frozen=True, slots=True)
class Pattern:
    """A set of places in messages.

    Attributes:
        text: as it was written.
        message: only messages of this type; empty means any.
        parts: what follows `$`: member names, `*`, `[*]` and `..`.
    """

    text: str
    message: str
    parts: tuple[tuple[str, str], ...]

    @classmethod
    def parse(cls, text: str) -> Pattern:
        """Read `$.object.url`, `$.tasks[*].id`, `$..url`, `$.object.*` or `file:$.object.url`.

        Raises:
            ValueError: it is no such path; says what is wrong with it in one line.
        """
        whole = text.strip()
        message, mark, path = ("", "$", whole[1:]) if whole[:1] == "$" else whole.partition(":$")
        if not mark:
            raise ValueError(
                f"{text!r} is no path; write it like $.object.url or file:$.object.url"
            )
        return cls(whole, message, tuple(_parts(text, path)))

    def applies(self, message: str) -> bool:
        """Whether messages of this type have such places."""
        return self.message in ("", message)

    def matches(self, message: str, path: str) -> bool:
        """Whether the place, or one that it lies in, is meant."""
        return self.applies(message) and _expression(self).match(path) is not None

    def changed(self, value: Value, change: Change) -> Value:
        """The value with `change` made at every such place; what lies around is copied."""
        answer = _changed(value, self.parts, change)
        return None if answer is DROP else answer


def _parts(text: str, path: str) -> Iterator[tuple[str, str]]:
    place = 0
    while place < len(path):
        found = _TOKEN.match(path, place)
        if found is None:
            raise ValueError(f"{text!r} cannot be read from {path[place:]!r} on")
        word = found[0]
        if word == _DEEP:
            yield _DEEP, ""
            name = re.compile(r"[^.\[\]=]+").match(path, found.end())
            if name is None:
                raise ValueError(f"{text!r} lacks a name after ..")
            yield (_ANY, "") if name[0] == _ANY else ("name", name[0])
            place = name.end()
            continue
        if word.startswith("[") and not word.startswith("['"):
            yield _EVERY, ""
        elif word == ".*":
            yield _ANY, ""
        else:
            yield "name", found[1] if found[2] is None else found[2]
        place = found.end()


_EXPRESSIONS: Mapping[str, str] = {
    _ANY: r"(?:\.[^.\[]+|\['[^']*'\])",
    _EVERY: r"\[\*\]",
    _DEEP: r"(?:\.[^.\[]+|\['[^']*'\]|\[\*\])*",
}
_COMPILED: dict[Pattern, re.Pattern[str]] = {}


def _expression(pattern: Pattern) -> re.Pattern[str]:
    found = _COMPILED.get(pattern)
    if found is None:
        written = "".join(
            re.escape(member("", name)) if kind == "name" else _EXPRESSIONS[kind]
            for kind, name in pattern.parts
        )
        found = _COMPILED[pattern] = re.compile(rf"\${written}(?=$|[.\[])")
    return found


def _changed(value: Value, parts: tuple[tuple[str, str], ...], change: Change) -> Value:
    if not parts:
        return change(value)
    (kind, name), rest = parts[0], parts[1:]
    if kind == _DEEP:
        return _changed_deeply(value, rest, change)
    if kind == "name":
        if isinstance(value, dict) and name in value:
            return _with(value, name, _changed(value[name], rest, change))
        return value
    if isinstance(value, list if kind == _EVERY else dict):
        return _inside(value, lambda each: _changed(each, rest, change))
    return value


def _changed_deeply(value: Value, parts: tuple[tuple[str, str], ...], change: Change) -> Value:
    """As `_changed`, at every depth; without recursion, for whoever nests deeply decides that."""
    waiting: list[Any] = []

    def changed(each: Value) -> Value:
        answer = _changed(each, parts, change)
        if isinstance(answer, list | dict):
            waiting.append(answer := answer.copy())
        return answer

    whole = changed(value)
    while waiting:
        around = waiting.pop()
        inner = _inside(around, changed)
        around.clear()
        (around.extend if isinstance(around, list) else around.update)(inner)
    return whole


def _with(value: dict[str, Value], name: str, answer: Value) -> dict[str, Value]:
    changed = {**value, name: answer}
    if answer is DROP:
        del changed[name]
    return changed


def _inside(value: Value, change: Change) -> Value:
    if isinstance(value, list):
        return [answer for each in value if (answer := change(each)) is not DROP]
    if isinstance(value, dict):
        answers = {name: change(each) for name, each in value.items()}
        return {name: each for name, each in answers.items() if each is not DROP}
    return value


def _lowered(value: Value) -> Value:
    return value.lower() if isinstance(value, str) else value


def _trimmed(value: Value) -> Value:
    return value.strip() if isinstance(value, str) else value


def _numeric(value: Value) -> Value:
    try:
        number = float(value) if isinstance(value, str) else value
    except ValueError:
        return value
    return int(number) if isinstance(number, float) and number.is_integer() else number


def _sorted(value: Value) -> Value:
    return sorted(value, key=canonical) if isinstance(value, list) else value


def _without_query(value: Value) -> Value:
    if not isinstance(value, str):
        return value
    try:
        return urlsplit(value)._replace(query="", fragment="").geturl()
    except ValueError:
        return value


def _present(value: Value) -> Value:
    return DROP if value is None else value


NORMALISERS: Mapping[str, Change] = {
    "lower": _lowered,
    "trim": _trimmed,
    "number": _numeric,
    "sorted": _sorted,
    "url": _without_query,
    "null": _present,
}
"""What may be made alike: letter case, white space at the ends, numbers written as texts, the
order of an array, the query of an address, and null against absence."""


@dataclass(frozen=True, slots=True)
class Normalise:
    """One normalising rule, written `PATH=NORMALISER` such as `$.object.tags=sorted`.

    Attributes:
        pattern: where.
        name: one of `NORMALISERS`.
    """

    pattern: Pattern
    name: str

    @classmethod
    def parse(cls, text: str) -> Normalise:
        """Read one.

        Raises:
            ValueError: it is none; says so in one line.
        """
        path, mark, name = text.rpartition("=")
        if not mark or name.strip() not in NORMALISERS:
            known = ", ".join(NORMALISERS)
            raise ValueError(f"{text!r} is no rule; write PATH=NAME, NAME one of {known}")
        return cls(Pattern.parse(path), name.strip())


class Rules:
    """All rules of a comparison.

    Args:
        ignore: paths whose values may differ in any way.
        normalise: rules `PATH=NORMALISER`.

    Raises:
        ValueError: a rule cannot be read.
    """

    __slots__ = ("_ignored", "_normalised")

    def __init__(self, ignore: tuple[str, ...] = (), normalise: tuple[str, ...] = ()) -> None:
        self._ignored = tuple(map(Pattern.parse, ignore))
        self._normalised = tuple(map(Normalise.parse, normalise))

    def __bool__(self) -> bool:
        return bool(self._ignored or self._normalised)

    def reduced(self, message: str, value: Value) -> Value:
        """What of a message has to be alike: what is ignored left out, the rest made alike."""
        for rule in self._normalised:
            if rule.pattern.applies(message):
                value = rule.pattern.changed(value, NORMALISERS[rule.name])
        for pattern in self._ignored:
            if pattern.applies(message):
                value = pattern.changed(value, lambda _: DROP)
        return value

    def ignored(self, message: str, path: str) -> str | None:
        """Which rule ignores this place, None where none does."""
        for pattern in self._ignored:
            if pattern.matches(message, path):
                return f"ignored by {pattern.text}"
        return None

    def excuse(self, message: str, path: str, legacy: Value, candidate: Value) -> str | None:
        """Which rule excuses that two values at this place differ, None where none does.

        Absent values are `DROP`.
        """
        ignored = self.ignored(message, path)
        if ignored is not None:
            return ignored
        for rule in self._normalised:
            if rule.pattern.matches(message, path) and _alike(rule.name, legacy, candidate):
                return f"alike by {rule.pattern.text}={rule.name}"
        return None


def _alike(name: str, legacy: Value, candidate: Value) -> bool:
    change = NORMALISERS[name]
    left, right = (each if each is DROP else change(each) for each in (legacy, candidate))
    return left is right or (DROP not in (left, right) and canonical(left) == canonical(right))
