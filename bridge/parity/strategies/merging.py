"""Two JSON Schemas as one: what is valid by both.

Decides keyword by keyword; what it cannot say in one keyword it leaves to the validator that
looks at every value in the end.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any


def merged(some: Any, more: Any) -> Any:  # noqa: ANN401 - a schema is an object or a boolean
    """A schema that is as narrow as both, or nearly so."""
    if some is True or more is True:
        return more if some is True else some
    if some is False or more is False:
        return False
    whole = dict(some)
    for keyword, value in more.items():
        whole[keyword] = _both(keyword, whole[keyword], value) if keyword in whole else value
    return whole


def _both(keyword: str, some: Any, more: Any) -> Any:  # noqa: ANN401
    if some == more:
        return some
    by_name = _MERGES.get(keyword)
    return by_name(some, more) if by_name else more


def _kinds(some: Any, more: Any) -> Any:  # noqa: ANN401
    one, other = _listed(some), _listed(more)
    both = [kind for kind in one if kind in other]
    if "integer" not in both and {"integer", "number"} <= {*one, *other}:
        both = [*(kind for kind in both if kind != "number"), "integer"]
    return both


def _listed(kinds: str | list[str]) -> list[str]:
    return [kinds] if isinstance(kinds, str) else kinds


def _named(some: Mapping[str, Any], more: Mapping[str, Any]) -> dict[str, Any]:
    return {
        **some,
        **more,
        **{name: merged(some[name], more[name]) for name in some if name in more},
    }


def _all(some: Any, more: Any) -> list[Any]:  # noqa: ANN401
    return [merged(one, other) for one in some for other in more]


_MERGES: Mapping[str, Callable[[Any, Any], Any]] = (
    {
        "type": _kinds,
        "enum": lambda some, more: [value for value in some if value in more],
        "required": lambda some, more: [*some, *(name for name in more if name not in some)],
        "properties": _named,
        "patternProperties": _named,
        "additionalProperties": merged,
        "propertyNames": merged,
        "items": lambda some, more: more if isinstance(some, list) else merged(some, more),
        "allOf": lambda some, more: [*some, *more],
        "anyOf": _all,
        "oneOf": _all,
    }
    | dict.fromkeys(("minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties"), max)
    | dict.fromkeys(("maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties"), min)
)
