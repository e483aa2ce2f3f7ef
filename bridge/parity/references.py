"""Where a JSON Schema holds schemas, and where it points: for moving it into a document and out.

Decides which parts of a schema are schemas themselves; values that only look like one, as in
`const` and `examples`, stay untouched.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any
from urllib.parse import unquote

_ONE = """
    additionalItems additionalProperties contains contentSchema else if items not propertyNames
    then unevaluatedItems unevaluatedProperties
"""

ONE = frozenset(_ONE.split())
"""Keywords whose value is a schema; `items` may be an array of them in older drafts."""

SEVERAL = frozenset(["allOf", "anyOf", "oneOf", "prefixItems", "items"])
"""Keywords whose value is an array of schemas."""

NAMED = frozenset(
    ["$defs", "definitions", "dependentSchemas", "dependencies", "patternProperties", "properties"]
)
"""Keywords whose value holds schemas by name."""


def subschemas(schema: object) -> Iterator[Mapping[str, Any]]:
    """The schema and all within it that are objects; what they refer to is not followed."""
    if not isinstance(schema, Mapping):
        return
    yield schema
    for keyword, value in schema.items():
        if keyword in ONE:
            yield from subschemas(value)
        if keyword in SEVERAL and isinstance(value, list):
            for each in value:
                yield from subschemas(each)
        if keyword in NAMED and isinstance(value, Mapping):
            for each in value.values():
                yield from subschemas(each)


def moved_references(schema: Any, move: Callable[[str], str]) -> Any:  # noqa: ANN401 - JSON
    """A copy of a schema in which each `$ref` points to where `move` says."""
    if not isinstance(schema, Mapping):
        return schema
    return {keyword: _moved(keyword, value, move) for keyword, value in schema.items()}


def _moved(keyword: str, value: Any, move: Callable[[str], str]) -> Any:  # noqa: ANN401
    if keyword == "$ref" and isinstance(value, str):
        return move(value)
    if keyword in NAMED and isinstance(value, Mapping):
        return {name: moved_references(each, move) for name, each in value.items()}
    if keyword in SEVERAL and isinstance(value, list):
        return [moved_references(each, move) for each in value]
    return moved_references(value, move) if keyword in ONE else value


def steps(pointer: str) -> list[str]:
    """The names on the way of a `#/...` pointer (RFC 6901, as a URI fragment)."""
    return [
        unquote(step).replace("~1", "/").replace("~0", "~")
        for step in pointer.removeprefix("#").split("/")[1:]
    ]


def find(document: object, pointer: str) -> Any:  # noqa: ANN401 - JSON is anything
    """What a pointer points to.

    Raises:
        LookupError: nothing is there.
    """
    found: Any = document
    for step in steps(pointer):
        if isinstance(found, list):
            found = found[int(step)] if step.isdecimal() else found[len(found)]
        elif isinstance(found, Mapping):
            found = found[step]
        else:
            raise LookupError(step)
    return found
