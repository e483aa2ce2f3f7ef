"""What pydantic found wrong, said so that a user can mend it: one line for each problem.

Decides the words and the place; never whether something is wrong.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from pydantic import ValidationError

from bridge.errors import ConfigError, ConfigErrors
from bridge.ops.secrets import Mask
from bridge.settings import schema
from bridge.settings.schema import Path
from bridge.settings.sources import Sources

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

_UNKNOWN_KEY = frozenset({"extra_forbidden", "unexpected_keyword_argument"})
_SAID: Mapping[str, str] = {
    "missing": "is missing",
    "missing_argument": "is missing",
    "dataclass_type": "must be a table",
    "model_type": "must be a table",
    "dict_type": "must be a table",
    "tuple_type": "must be a list",
    "string_type": "must be a string",
}


def note(sources: Sources, error: ValidationError) -> None:
    """Add what pydantic found to the sources' problems, unless a problem there is known."""
    for details in error.errors(include_url=False):
        path = _settings_path(sources.root, details["loc"])
        if not any(_overlap(path, known) for known, _ in sources.problems):
            _note_one(sources, path, details)


def collected(sources: Sources, mask: Mask) -> ConfigError:
    """All problems as one error, without secrets."""
    hidden = [
        ConfigError(problem.where, mask(problem.what), mask(problem.remedy))
        for _, problem in sources.problems
    ]
    return hidden[0] if len(hidden) == 1 else ConfigErrors(hidden)


def _overlap(path: Path, known: Path) -> bool:
    """Whether one is the other or holds it: a table is wrong because of a key known to be."""
    shorter = min(len(path), len(known))
    return bool(known) and path[:shorter] == known[:shorter]


def _settings_path(root: object, steps: tuple[str | int, ...]) -> Path:
    """A path without the steps that pydantic adds for the arms of a union."""
    return tuple(_existing(root, steps))


def _existing(kind: object, steps: tuple[str | int, ...]) -> Iterator[str | int]:
    for step in steps:
        inner = schema.below(kind, step)
        if inner is not None or schema.fields(kind) or schema.is_list(kind):
            yield step
            kind = inner


def _note_one(sources: Sources, path: Path, details: ErrorDetails) -> None:
    kind = details["type"]
    if kind in _UNKNOWN_KEY:
        sources.blame(path, "unknown key", _hint(sources, path))
    elif kind == "value_error":
        _note_value(sources, path, str(details.get("ctx", {}).get("error", details["msg"])))
    else:
        sources.blame(path, _SAID.get(kind) or _rephrase(details["msg"]))


def _hint(sources: Sources, path: Path) -> str:
    meant = schema.suggest(sources.root, path)
    return f"did you mean {sources.as_written(meant, beside=path)}?" if meant else ""


def _note_value(sources: Sources, path: Path, message: str) -> None:
    """Split `field must be so; do this` into the place, what is wrong and the remedy."""
    what, _, remedy = message.partition("; ")
    name, _, rest = what.partition(" ")
    named = (*path, *schema.parse_dotted(name.rstrip(":")))
    if rest and schema.at(sources.root, named) is not None:
        path, what = named, rest
    sources.blame(path, what, remedy)


def _rephrase(message: str) -> str:
    """`Input should be a valid integer, unable to ...` is `must be a valid integer`."""
    said = re.sub(r"^(?:Input|Value|String) should ", "must ", message.partition(", unable")[0])
    return said[:1].lower() + said[1:]
