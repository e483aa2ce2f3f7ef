"""Fills `{field}` tokens in the texts that the bridge itself says, JSON ones above all.

Decides what is a token and how a value is escaped; never what is said. Values are escaped as JSON
strings (RFC 8259, section 7), in ASCII, so that none can leave the quotes it stands in or break a
line. Braces that are no known token stay as they are: JSON needs no doubling.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

_TOKEN = re.compile(r"\{([A-Za-z_][A-Za-z0-9_]*)\}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Verbatim:
    """A value that is JSON already and is put in as it is, to stand outside quotes.

    Attributes:
        text: valid JSON.
    """

    text: str


Value = str | Verbatim


def fill(template: str, values: Mapping[str, Value]) -> str:
    """Replace each token that has a value, in one pass: a value is never searched for tokens."""
    return _TOKEN.sub(lambda token: _written(values.get(token[1]), token[0]), template)


def fields(text: str, allowed: Iterable[str]) -> frozenset[str]:
    """The tokens of a template.

    Raises:
        ValueError: one of them is not among `allowed`.
    """
    known, found = sorted(allowed), frozenset(_TOKEN.findall(text))
    unknown = sorted(found.difference(known))
    if unknown:
        raise ValueError(
            f"{text!r} has the unknown field {{{unknown[0]}}}; "
            f"known are {', '.join(f'{{{name}}}' for name in known)}"
        )
    return found


def check(text: str, samples: Mapping[str, Value]) -> None:
    """Check a template before anyone is sent it; what begins like JSON has to become JSON.

    Args:
        text: the template; empty is fine.
        samples: every allowed field with a value that may come.

    Raises:
        ValueError: an unknown field, or JSON that does not parse once it is filled.
    """
    fields(text, samples)
    start = text.lstrip()
    if not start.startswith(("{", "[")) or _TOKEN.match(start):
        return
    try:
        json.loads(fill(text, samples))
    except ValueError as fault:
        raise ValueError(f"{text!r} becomes no valid JSON ({fault}); mind its quotes") from None


def _written(value: Value | None, token: str) -> str:
    if value is None:
        return token
    return value.text if isinstance(value, Verbatim) else json.dumps(value)[1:-1]
