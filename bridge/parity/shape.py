"""The shape of a value that differs by nature: an address stays an address, a UUID a UUID.

Decides whether two values of a noisy place still look alike. Never decides that a place is noisy.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any
from urllib.parse import SplitResult, urlsplit

from bridge.parity.canonical import Value
from bridge.parity.rules import DROP
from bridge.parity.walk import json_type

_UUID = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}", re.IGNORECASE)
_TIME = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d(?:[.,]\d+)?)?(?:Z|[+-]\d\d:?\d\d)?")
_HEX = re.compile(r"[0-9a-f]{8,}", re.IGNORECASE)
_TOKEN = re.compile(r"[A-Za-z0-9_\-+/=.~]{6,}")
_ADDRESS = re.compile(r"[a-z][a-z0-9+.-]*://[^\s]+", re.IGNORECASE)

_STRINGS: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("uuid", _UUID),
    ("timestamp", _TIME),
    ("address", _ADDRESS),
    ("hex", _HEX),
    ("token", _TOKEN),
)
_EPOCHS = ((1e9, 5e9, 1.0), (1e12, 5e12, 1e3), (1e15, 5e15, 1e6), (1e18, 5e18, 1e9))
"""Seconds, milliseconds, microseconds and nanoseconds since 1970, from 2001 to 2128."""

_FEW = 8
_RECENT = 16
_RISING = 0.9
_LENGTHS = 2.0


def shape(value: Value) -> str:
    """What a value looks like: `uuid`, `timestamp`, `address`, `hex`, `token`, `text`, or its type.

    Numbers that are times since 1970 are `epoch`.
    """
    if isinstance(value, str):
        return next((name for name, form in _STRINGS if form.fullmatch(value)), "text")
    if isinstance(value, int | float) and not isinstance(value, bool):
        return "number" if _unit(value) is None else "epoch"
    return "absent" if value is DROP else json_type(value)


def alike(legacy: Value, candidate: Value, skew: float) -> bool:
    """Whether two values look the same.

    Args:
        legacy: the value of the one side.
        candidate: that of the other.
        skew: by how many seconds times may differ.
    """
    name = shape(legacy)
    if name != shape(candidate):
        return False
    check = _CHECKS.get(name)
    return check is None or check(legacy, candidate, skew)


def _unit(value: float) -> float | None:
    return next((unit for low, high, unit in _EPOCHS if low <= value < high), None)


def _same_epoch(legacy: Value, candidate: Value, skew: float) -> bool:
    unit = _unit(legacy)
    return unit is not None and unit == _unit(candidate) and abs(legacy - candidate) <= skew * unit


def _same_time(legacy: str, candidate: str, skew: float) -> bool:
    left, right = _moment(legacy), _moment(candidate)
    if left is None or right is None:
        return left is right
    return abs((left - right).total_seconds()) <= skew


def _moment(text: str) -> datetime | None:
    try:
        found = datetime.fromisoformat(text.replace(",", "."))
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _same_address(legacy: str, candidate: str, skew: float) -> bool:
    """Scheme and host are equal, the path's segments equal or alike; a signed query is free."""
    left, right = _split(legacy), _split(candidate)
    if left is None or right is None or left[:2] != right[:2]:
        return False
    ours, theirs = left.path.split("/"), right.path.split("/")
    if len(ours) != len(theirs) or bool(left.query) != bool(right.query):
        return False
    return all(map(_same_segment, ours, theirs, [skew] * len(ours)))


def segments(legacy: Value, candidate: Value) -> str:
    """Which segments of their paths two alike addresses differ in, in words; empty for none.

    Another segment is most likely another resource. Where one differs by nature, as where it holds
    a token, two legacy taps show it in the same segment.
    """
    if not (isinstance(legacy, str) and isinstance(candidate, str) and _ADDRESS.match(legacy)):
        return ""
    left, right = _split(legacy), _split(candidate)
    if left is None or right is None or left.path == right.path:
        return ""
    both = zip(left.path.split("/"), right.path.split("/"), strict=False)
    places = [str(place) for place, (one, other) in enumerate(both) if one != other]
    return f"another path, in segment {' and '.join(places)}" if places else ""


def _same_segment(legacy: str, candidate: str, skew: float) -> bool:
    if legacy == candidate:
        return True
    (name, _, suffix), (other, _, others) = legacy.partition("."), candidate.partition(".")
    return bool(name and other) and suffix == others and alike(name, other, skew)


def _split(text: str) -> SplitResult | None:
    try:
        return urlsplit(text)
    except ValueError:
        return None


def _same_length(legacy: str, candidate: str, _: float) -> bool:
    return len(legacy) == len(candidate)


def _similar_length(legacy: str, candidate: str, _: float) -> bool:
    shorter, longer = sorted((len(legacy), len(candidate)))
    return longer <= _LENGTHS * shorter


_CHECKS: dict[str, Any] = {
    "epoch": _same_epoch,
    "timestamp": _same_time,
    "address": _same_address,
    "hex": _same_length,
    "token": _similar_length,
}


@dataclass(slots=True)
class _Numbers:
    """What the numbers at one place were: the legacy side's range, and whether they rise."""

    low: float
    high: float
    count: int = 0
    rises: int = 0
    last: float = 0.0
    recent: deque[float] = field(default_factory=lambda: deque(maxlen=_RECENT))

    def learn(self, value: float) -> None:
        self.low, self.high = min(self.low, value), max(self.high, value)
        self.rises += self.count > 0 and value > self.last
        self.last = value
        self.count += 1

    def fits(self, value: float) -> bool:
        """Whether a number of the other side is to be expected; unknown counts as yes."""
        stuck = len(self.recent) == _RECENT and max(self.recent) == min(self.recent) == value
        self.recent.append(value)
        if self.count < _FEW:
            return True
        if self.rises >= _RISING * (self.count - 1):
            return not stuck
        span = max(self.high - self.low, abs(self.high) * 0.1)
        return self.low - span <= value <= self.high + span


class Shapes:
    """Judges values of noisy places, and learns the range of their numbers on the way.

    Args:
        skew: by how many seconds times may differ.
        ranges: ranges of numbers learned before, by message type and path.
    """

    def __init__(
        self, skew: float, ranges: dict[tuple[str, str], tuple[float, float]] | None = None
    ) -> None:
        self._skew = skew
        self._numbers: dict[tuple[str, str], _Numbers] = {
            place: _Numbers(low, high) for place, (low, high) in (ranges or {}).items()
        }

    def kept(self, message: str, path: str, legacy: Value, candidate: Value) -> bool:
        """Whether the candidate's value has the shape of the legacy side's.

        Numbers have to lie in the range of those seen before, widened by itself; counters, which
        nearly always rise, must not stand still.
        """
        if not alike(legacy, candidate, self._skew):
            return False
        if shape(legacy) != "number":
            return True
        place = (message, path)
        numbers = self._numbers.get(place)
        if numbers is None:
            numbers = self._numbers[place] = _Numbers(legacy, legacy)
        numbers.learn(legacy)
        return numbers.fits(candidate)

    def ranges(self) -> dict[tuple[str, str], tuple[float, float]]:
        """The range of numbers by message type and path."""
        return {place: (each.low, each.high) for place, each in self._numbers.items()}


def rising(values: Sequence[float]) -> bool:
    """Whether numbers nearly always rise, as counters do."""
    rises = sum(left < right for left, right in pairwise(values))
    return len(values) > 1 and rises >= _RISING * (len(values) - 1)
