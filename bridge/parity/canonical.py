"""The canonical form of a payload: equal bytes exactly where two payloads say the same JSON.

Decides what counts as the same: the order of members, white space, escapes and the spelling of
numbers do not matter; the order within arrays does. What is no JSON stands for itself, to the
byte. Never judges a difference.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from hashlib import blake2b
from typing import Any

import orjson

Value = Any
"""A parsed payload: what JSON gives in Python, or `Opaque`."""

_FRACTION = re.compile(r"[:\[,]-?\d+[.eE]")
"""A number that may be whole all the same, wherever one may stand but alone; found in texts at
times. White space before it makes no difference, since then the text does not come back."""

_DIGIT = re.compile(r"[1-9]")

_BARE = frozenset("-0123456789")
"""How a payload that is but a number begins."""

_WHOLE_DIGITS = 400
"""A double has no more digits before its point, so no number in JSON needs more either."""

_DEEPEST = 400
"""Levels of nesting; where recursion ends besides depends on whoever calls."""


@dataclass(frozen=True, slots=True)
class Opaque:
    """A payload that is no JSON, or some that receivers may read differently.

    So are objects that name a member twice (RFC 8259, section 4), `NaN` and the infinities, which
    are no JSON, and nesting or numbers beyond every bound.

    Attributes:
        data: to the byte.
    """

    data: str | bytes


def parse(data: str | bytes) -> Value:
    """The JSON value of a payload, numbers in canonical form; `Opaque` where it is none.

    Whole numbers are integers of any size however they are spelled (`1.0`, `1e2`, `-0`), all
    others the nearest double, as every reader of JSON has them. Never raises.
    """
    if isinstance(data, bytes):
        return Opaque(data)
    if data[:1] not in _BARE and not _FRACTION.search(data):
        try:
            value = orjson.loads(data)
            # Where the text comes back to the byte no member was lost and no number rounded.
            if orjson.dumps(value) == data.encode():
                return value
        except (ValueError, TypeError):
            pass
    try:
        value = _DECODER.decode(data)
    except (ValueError, RecursionError):
        return Opaque(data)
    return Opaque(data) if _is_too_deep(data, value) else value


def canonical(value: Value) -> bytes:
    """The canonical bytes of a parsed value: members sorted, no white space, UTF-8.

    Never raises. A lone surrogate, which UTF-8 cannot hold, is written as its three bytes.
    """
    if isinstance(value, Opaque):
        return _opaque(value.data)
    try:
        return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
    except TypeError:
        # Integers beyond 64 bits, lone surrogates, deep nesting.
        return _plain(value)


def digest(value: Value) -> bytes:
    """Sixteen bytes that stand for the canonical form (BLAKE2b, RFC 7693)."""
    return blake2b(canonical(value), digest_size=16).digest()


def text(value: Value) -> str:
    """A value as JSON text for people; what is no JSON as itself."""
    if isinstance(value, Opaque):
        data = value.data
        return data if isinstance(data, str) else f"{len(data)} bytes of binary"
    return canonical(value).decode("utf-8", "replace")


def _is_too_deep(data: str, value: Value) -> bool:
    if data.count("[") + data.count("{") <= _DEEPEST:
        return False
    level = [value]
    for _ in range(_DEEPEST + 1):
        level = [inner for each in level for inner in _inner(each)]
    return bool(level)


def _inner(value: Value) -> Iterable[Value]:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else ()


def _opaque(data: str | bytes) -> bytes:
    # No JSON text begins with these bytes, so it never equals one.
    if isinstance(data, bytes):
        return b"\x00" + data
    return b"\x01" + data.encode("utf-8", "surrogatepass")


def _plain(value: Value) -> bytes:
    written = json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return written.encode("utf-8", "surrogatepass")


def _object(members: list[tuple[str, Value]]) -> dict[str, Value]:
    found = dict(members)
    if len(found) != len(members):
        raise ValueError("a member is named twice")
    return found


@lru_cache(maxsize=4096)
def _number(spelled: str) -> float | int:
    number = float(spelled)
    if not math.isfinite(number):
        raise ValueError("a number beyond every double")
    try:
        exact = Decimal(spelled)
    except InvalidOperation:
        # An exponent beyond all bounds, with a mantissa of zeros or a number next to zero.
        return number if _DIGIT.search(spelled.lower().partition("e")[0]) else 0
    if exact.adjusted() < _WHOLE_DIGITS and exact == exact.to_integral_value():
        return int(exact)
    return number


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no JSON")


_DECODER = json.JSONDecoder(object_pairs_hook=_object, parse_float=_number, parse_constant=_refuse)
