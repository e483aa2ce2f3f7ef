"""Texts of a length, a pattern or a format.

Decides what a format looks like; a format that it does not know is any text, as validators have
it too.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime

from hypothesis import strategies as st

Texts = st.SearchStrategy[str]

_CHARACTERS = st.characters(exclude_categories=["Cs"])
_WORD = st.text("abcdefghijklmnopqrstuvwxyz0123456789", min_size=1, max_size=8)


def text(least: int = 0, most: int | None = None) -> Texts:
    """Any text that can be encoded, of so many characters."""
    return st.text(_CHARACTERS, min_size=least, max_size=least + 12 if most is None else most)


def of_pattern(pattern: str) -> Texts:
    r"""Texts in which a pattern is found, as JSON Schema has it: `$` is the very end (ECMA-262).

    What only ECMA-262 can read, such as `\p{L}`, is left to the validator: any text.
    """
    try:
        compiled = re.compile(pattern, re.ASCII)
    except re.error:
        return text()
    found = st.from_regex(compiled, alphabet=_CHARACTERS)
    return found.map(lambda each: each.removesuffix("\n")) if pattern.endswith("$") else found


def of_format(name: str, least: int = 0, most: int | None = None) -> Texts:
    """Texts of a format; of an unknown one any text of that length."""
    made = FORMATS.get(name)
    return made() if made else text(least, most)


def _moments() -> Texts:
    moments = st.datetimes(datetime(1970, 1, 1), datetime(2100, 1, 1))  # noqa: DTZ001 - made aware
    return moments.map(lambda moment: moment.replace(tzinfo=UTC).isoformat())


def _hosts() -> Texts:
    return st.lists(_WORD, min_size=2, max_size=3).map(".".join)


def _addresses() -> Texts:
    return st.builds(
        "{}://{}/{}{}".format,
        st.sampled_from(["https", "http", "wss"]),
        _hosts(),
        st.lists(_WORD, max_size=3).map("/".join),
        st.just("") | _WORD.map("?signature={}".format),
    )


FORMATS: Mapping[str, Callable[[], Texts]] = {
    "date-time": _moments,
    "date": lambda: _moments().map(lambda moment: moment[:10]),
    "time": lambda: _moments().map(lambda moment: moment[11:]),
    "duration": lambda: st.integers(0, 99).map("P{}D".format),
    "uuid": lambda: st.uuids().map(str),
    "uri": _addresses,
    "iri": _addresses,
    "uri-reference": lambda: _addresses() | _WORD.map("/{}".format),
    "iri-reference": lambda: _addresses() | _WORD.map("/{}".format),
    "email": lambda: st.builds("{}@{}.example".format, _WORD, _WORD),
    "idn-email": lambda: st.builds("{}@{}.example".format, _WORD, _WORD),
    "hostname": _hosts,
    "idn-hostname": _hosts,
    "ipv4": lambda: st.ip_addresses(v=4).map(str),
    "ipv6": lambda: st.ip_addresses(v=6).map(str),
    "json-pointer": lambda: st.lists(_WORD, max_size=3).map(lambda steps: "/".join(["", *steps])),
    "regex": lambda: _WORD,
}
"""How texts of each format are made."""
