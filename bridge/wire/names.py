r"""Channel names: what is one, which are served here, and where a template puts one in a URL.

Decides before anything goes upstream; never touches a socket. (RFC 3986, 2.3 and 3.3 say what is
safe in a path segment.) A name is one path segment,
`<scope>.<id>` such as `project.42`, or a bare word such as `test`. The grammar admits letters,
digits and `. _ ~ @ : + = , -`, at most 200 characters, no empty dotted part: so no separator,
no percent sign, no control character and no traversal can ever reach a backend's URL.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cache
from urllib.parse import quote

from bridge.errors import InvalidChannel

MAX_LENGTH = 200
_PART = r"[A-Za-z0-9_~@:+=,-]+"
PATTERN = rf"{_PART}(?:\.{_PART})*"
"""The grammar of a name but for its length, as a regular expression that ECMA 262 reads alike."""

_NAME = re.compile(PATTERN, re.ASCII)
_FIELD = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True, slots=True)
class ChannelName:
    """A valid channel name.

    Attributes:
        text: the whole, such as `project.42`.
    """

    text: str

    @classmethod
    def parse(cls, text: str) -> ChannelName:
        """Check `text` against the grammar.

        Raises:
            InvalidChannel: with a reason that does not repeat the hostile text.
        """
        if len(text) > MAX_LENGTH:
            raise InvalidChannel(f"a channel name has at most {MAX_LENGTH} characters")
        if not _NAME.fullmatch(text):
            raise InvalidChannel("a channel name is dotted words, such as project.42")
        return cls(text)

    @property
    def kind(self) -> str:
        """What stands before the first dot: `project`; the whole where there is no dot."""
        return self.text.partition(".")[0]

    @property
    def id(self) -> str:
        """What stands after the first dot: `42`; the whole where there is no dot."""
        kind, dot, rest = self.text.partition(".")
        return rest if dot else kind

    def __str__(self) -> str:
        return self.text


def served(name: ChannelName, patterns: Sequence[str]) -> bool:
    """Whether a pattern such as `project.*` names this channel (`*` matches any run)."""
    return any(fnmatchcase(name.text, pattern) for pattern in patterns)


def expand(template: str, name: ChannelName) -> str:
    """Fill `{channel}`, `{kind}` and `{id}` of a URL template, percent-encoded.

    Raises:
        KeyError: for another field; configuration rejects those when it is read.
    """
    values = {"channel": name.text, "kind": name.kind, "id": name.id}
    return _FIELD.sub(lambda field: quote(values[field[1]], safe=""), template)


def compose(template: str, values: Mapping[str, object]) -> ChannelName:
    """Fill a channel template such as `project.{id}`; the inverse of taking a name apart.

    Args:
        template: one that `check_template` accepts.
        values: a value for each field; what is no `str` is written by `str()`.

    Raises:
        InvalidChannel: the values do not make a valid name.
        KeyError: a field has no value; configuration rejects that when it is read.
    """
    return ChannelName.parse(_FIELD.sub(lambda field: str(values[field[1]]), template))


def check_template(template: str) -> None:
    """Check that a channel template makes a valid name wherever its fields have valid values.

    Raises:
        ValueError: with the template and what it should look like.
    """
    try:
        compose(template, dict.fromkeys(fields(template), "0"))
    except InvalidChannel as fault:
        raise ValueError(
            f"{template!r} is no channel template: {fault}; write it like project.{{id}}"
        ) from None


@cache
def fields(template: str) -> frozenset[str]:
    """The field names that a template uses."""
    return frozenset(_FIELD.findall(template))
