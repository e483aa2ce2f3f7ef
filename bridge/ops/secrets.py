"""What must never be shown, and how text is shown without it.

Decides which configured strings are secrets and blots them out of any text; never reads a
configuration file, an environment or a log itself.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from urllib.parse import parse_qsl, quote, unquote, urlsplit

HIDDEN = "***"
"""What stands where a secret was."""

_SHORT = 4
"""Secrets of fewer characters are hidden as whole words only, or `1` would riddle every text."""

_WORDS = r"token|secret|password|passwd|passphrase|credentials?|authorization|api[_-]?key|jwt"
_SECRET_NAME = re.compile(rf"(?:{_WORDS})\Z", re.IGNORECASE)
# a setting called `token` may hold the name of the parameter that brings one
_PARAMETER = re.compile(r"(?:access_|api_?|auth_?)?(?:token|key)|auth|authorization|jwt")
_TABLES = frozenset({"jwt"})
"""Tables of settings that are called like a secret; what in them is one, its own name says."""

_USERINFO = re.compile(r"(?<=://)[^/\s?#\"']+@")
_QUERY = re.compile(rf"([?&;][\w.-]*(?:{_WORDS}|auth|signature)=)[^&\s\"'#]+", re.IGNORECASE)
_BEARER = re.compile(r"\b(bearer )[\w.~+/=-]+", re.IGNORECASE)


def is_secret_name(name: str) -> bool:
    """Whether a setting, field or parameter of this name holds a secret: `token`, `api_key`."""
    return _SECRET_NAME.search(name) is not None


def secrets_in(tree: object, name: str = "") -> Iterator[str]:
    """Every secret of a configuration tree (tables, lists and scalars).

    They are: all header values, whatever `is_secret_name` names, the userinfo of a URL and the
    secret parameters of its query.
    """
    if isinstance(tree, Mapping):
        for key, value in tree.items():
            covered = _is_covered(name) and name not in _TABLES
            yield from secrets_in(value, name if covered else str(key))
    elif isinstance(tree, list | tuple):
        for value in tree:
            yield from secrets_in(value, name)
    elif isinstance(tree, str):
        yield from _secrets_of(tree, name)


def _is_covered(name: str) -> bool:
    return name == "headers" or is_secret_name(name)


def _secrets_of(text: str, name: str) -> Iterator[str]:
    if _is_covered(name):
        if name != "headers" and _PARAMETER.fullmatch(text):
            return
        yield text
        # `Bearer abc`: the credential is a secret without its scheme, too
        _, space, credential = text.partition(" ")
        if space:
            yield credential
    elif "://" in text:
        yield from _secrets_of_url(text)


def _secrets_of_url(url: str) -> Iterator[str]:
    try:
        parts = urlsplit(url)
    except ValueError:  # not a URL: whoever wants one here says so
        return
    userinfo, at, _ = parts.netloc.rpartition("@")
    if at:
        user, _, password = userinfo.partition(":")
        yield from {password or user, unquote(password or user)}
    for key, value in parse_qsl(parts.query):
        if is_secret_name(key):
            yield value


class Mask:
    """Blots secrets out of text.

    Besides the given secrets it hides what looks like one wherever it comes from: the userinfo
    of URLs, query parameters such as `token`, and bearer credentials.

    Args:
        secrets: the known ones; empty strings are ignored.
    """

    __slots__ = ("_known",)

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        # longest first, or a secret that begins another would leave the other's rest behind
        known = sorted(
            {form for secret in secrets for form in _forms(secret)}, key=len, reverse=True
        )
        self._known = re.compile("|".join(map(_pattern, known))) if known else None

    def __call__(self, text: str) -> str:
        """The text without its secrets."""
        if self._known:
            text = self._known.sub(HIDDEN, text)
        text = _USERINFO.sub(f"{HIDDEN}@", text)
        return _BEARER.sub(rf"\g<1>{HIDDEN}", _QUERY.sub(rf"\g<1>{HIDDEN}", text))

    def deep(self, value: object, name: str = "") -> object:
        """A value of a log entry without its secrets.

        Tables and lists are entered, numbers and None stay, and anything else is shown as text.
        """
        if name and value is not None and is_secret_name(name):
            return HIDDEN
        if value is None or isinstance(value, bool | int | float):
            return value
        if isinstance(value, Mapping):
            return {str(key): self.deep(each, str(key)) for key, each in value.items()}
        if isinstance(value, list | tuple | set | frozenset):
            return [self.deep(each) for each in value]
        return self(value if isinstance(value, str) else str(value))


def _forms(secret: str) -> set[str]:
    """How a secret may be written: as it is, within a URL, and quoted by Python or JSON."""
    forms = {secret, quote(secret, safe=""), repr(secret)[1:-1], json.dumps(secret)[1:-1]}
    return forms - {""}


def _pattern(secret: str) -> str:
    pattern = re.escape(secret)
    return rf"(?<!\w){pattern}(?!\w)" if len(secret) < _SHORT else pattern
