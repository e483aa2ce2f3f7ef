"""How JSON is spelled: white space, escapes and the order of members, whatever the values are.

Decides whether two texts differ in their spelling, even where their values differ by nature.
"""

from __future__ import annotations

import json

import orjson

from bridge.parity.canonical import Value

_COMPACT = (",", ":")


def difference(legacy: str | bytes, candidate: str | bytes, left: Value, right: Value) -> str:
    """In what two spellings differ, for people; empty where they do not as far as can be told.

    Args:
        legacy: the one text.
        candidate: the other.
        left: what the one says, members in its order.
        right: what the other says.
    """
    if isinstance(legacy, bytes) or isinstance(candidate, bytes):
        return "text against binary" if type(legacy) is not type(candidate) else ""
    one, other = style(legacy, left), style(candidate, right)
    if one and other and one != other:
        return f"{one} against {other}"
    return "" if _same_order(left, right) else "the order of members"


def style(text: str, value: Value) -> str:
    """How a text is spelled: `compact`, `spaced`, either with escapes, or empty for anything else.

    Where nothing has to be escaped the plain name holds.
    """
    try:
        if orjson.dumps(value) == text.encode():
            return "compact"
    except (TypeError, UnicodeEncodeError):
        pass
    for name, separators, escaped in (
        ("spaced", None, False),
        ("compact with escapes", _COMPACT, True),
        ("spaced with escapes", None, True),
    ):
        try:
            if json.dumps(value, ensure_ascii=escaped, separators=separators) == text:
                return name
        except (TypeError, ValueError, RecursionError):
            return ""
    return ""


def _same_order(left: Value, right: Value) -> bool:
    waiting = [(left, right)]
    while waiting:
        one, other = waiting.pop()
        if isinstance(one, dict) and isinstance(other, dict):
            ours = [name for name in one if name in other]
            if ours != [name for name in other if name in one]:
                return False
            waiting.extend((one[name], other[name]) for name in ours)
        elif isinstance(one, list) and isinstance(other, list):
            waiting.extend(zip(one, other, strict=False))
    return True
