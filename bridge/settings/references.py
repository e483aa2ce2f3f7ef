"""`${NAME}` in a setting: a value taken from the environment, so that files hold no secrets.

Decides what a reference means; never which settings may hold one (all may).
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from bridge.errors import ConfigError

_REFERENCE = re.compile(r"\$\$\{|\$\{(?P<name>[^}]*)\}?")
LONE = re.compile(r"\$\{[A-Za-z0-9_]*\}", re.ASCII)
"""A value that is a reference and nothing else, and so no secret by itself."""

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)


def resolve(text: str, environ: Mapping[str, str]) -> tuple[str, frozenset[str]]:
    """The text with its references followed, and the values that they brought: secrets all.

    `$${` is a literal `${`.

    Raises:
        ConfigError: for a name that the environment lacks, or that is none.
    """
    brought: set[str] = set()

    def follow(match: re.Match[str]) -> str:
        name = match["name"]
        if name is None:
            return "${"
        value = environ[_checked(name, match[0], environ)]
        brought.add(value)
        return value

    return _REFERENCE.sub(follow, text), frozenset(brought)


def _checked(name: str, written: str, environ: Mapping[str, str]) -> str:
    if not written.endswith("}") or not _NAME.fullmatch(name):
        raise ConfigError("${...}", "names no environment variable", "write $${ for a literal ${")
    if name not in environ:
        raise ConfigError(f"${{{name}}}", "is not set", f"set {name} in the environment")
    return name
