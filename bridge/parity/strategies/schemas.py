"""Values of any JSON Schema (2020-12, and what older drafts share with it).

Decides how a value is put together so that most are valid at once; a validator refuses the rest,
so every value that comes out is valid. Keywords that only forbid (`not`, `dependentRequired`,
`unevaluatedItems`) are left to it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import jsonschema_rs
import orjson
from hypothesis import strategies as st

from bridge.parity.references import find
from bridge.parity.strategies.merging import merged
from bridge.parity.strategies.texts import of_format, of_pattern, text

Values = st.SearchStrategy[Any]
Schema = Any

LARGEST = 2**53
"""Numbers beyond it are not the same in every JSON reader (RFC 8259, 6)."""

DEEP = 4
"""Levels below which only what is required is made, so that recursion ends."""

_OF_KIND: Mapping[str, frozenset[str]] = {
    "object": frozenset(
        {"properties", "required", "patternProperties", "additionalProperties", "propertyNames",
         "minProperties", "maxProperties"}
    ),
    "array": frozenset({"items", "prefixItems", "minItems", "maxItems", "uniqueItems", "contains"}),
    "string": frozenset({"pattern", "format", "minLength", "maxLength"}),
    "number": frozenset(
        {"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"}
    ),
}  # fmt: skip
"""Keywords by which a schema without `type` shows what it is about."""


def json_values() -> Values:
    """Any JSON value, of moderate size."""
    scalars = st.none() | st.booleans() | st.integers(-LARGEST, LARGEST) | _floats() | text()
    return st.recursive(
        scalars,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(text(), inner, max_size=3),
        max_leaves=5,
    )


def from_schema(schema: Mapping[str, Any] | bool) -> Values:
    """Values that are valid by a schema.

    Args:
        schema: may refer to parts of itself, recursion included.

    Raises:
        jsonschema_rs.ValidationError: it is no schema, or refers to another document.
    """
    validator = jsonschema_rs.validator_for(
        schema if isinstance(schema, bool) else dict(schema), validate_formats=True, offline=True
    )
    return _Maker(schema).of(schema, 0).filter(validator.is_valid)


class _Maker:
    """Puts values together from the parts of one schema.

    Args:
        root: what `#` points to.
    """

    def __init__(self, root: Schema) -> None:
        self._root = root

    def of(self, schema: Schema, depth: int) -> Values:
        """Values of a part, most of them valid; made when drawn, so that recursion can end."""
        return st.deferred(lambda: self._of(schema, depth))

    def _of(self, schema: Schema, depth: int) -> Values:
        if isinstance(schema, bool):
            return json_values() if schema else st.nothing()
        if "$ref" in schema:
            return self._of(merged(_without(schema, "$ref"), self._target(schema["$ref"])), depth)
        if "allOf" in schema:
            whole = _without(schema, "allOf")
            for part in schema["allOf"]:
                whole = merged(whole, self._resolved(part))
            return self._of(whole, depth)
        for keyword in ("anyOf", "oneOf"):
            if keyword in schema:
                return self._one_of(_without(schema, keyword), schema[keyword], depth)
        if "if" in schema:
            rest = _without(schema, "if", "then", "else")
            met = merged(self._resolved(schema["if"]), self._resolved(schema.get("then", True)))
            return self._one_of(rest, [met, schema.get("else", True)], depth)
        return self._plain(schema, depth)

    def _one_of(self, rest: Schema, options: list[Schema], depth: int) -> Values:
        made = (merged(rest, self._resolved(option)) for option in options)
        return st.one_of([self.of(each, depth) for each in made])

    def _resolved(self, schema: Schema) -> Schema:
        """The same without a reference at its top, so that it can be merged."""
        if isinstance(schema, Mapping) and "$ref" in schema:
            target = self._resolved(self._target(schema["$ref"]))
            return merged(_without(schema, "$ref"), target)
        return schema

    def _target(self, pointer: str) -> Schema:
        if pointer == "#" or pointer.startswith("#/"):
            return find(self._root, pointer)
        raise ValueError(f"{pointer!r} is no JSON pointer; refer by '#/$defs/NAME'")

    def _plain(self, schema: Schema, depth: int) -> Values:
        if "const" in schema:
            return st.just(schema["const"])
        if "enum" in schema:
            return st.sampled_from(schema["enum"])
        kinds = schema.get("type") or self._kinds(schema)
        makers = self._makers(schema, depth)
        chosen = [kinds] if isinstance(kinds, str) else kinds
        return st.one_of([makers[kind]() for kind in chosen]) if chosen else json_values()

    def _kinds(self, schema: Schema) -> list[str]:
        return [kind for kind, keywords in _OF_KIND.items() if keywords & set(schema)]

    def _makers(self, schema: Schema, depth: int) -> dict[str, Callable[[], Values]]:
        return {
            "null": st.none,
            "boolean": st.booleans,
            "integer": partial(_integers, schema),
            "number": partial(_numbers, schema),
            "string": partial(_strings, schema),
            "array": partial(self._arrays, schema, depth),
            "object": partial(self._objects, schema, depth),
        }

    def _arrays(self, schema: Schema, depth: int) -> Values:
        items = schema.get("items", True)
        first = schema.get("prefixItems", items if isinstance(items, list) else [])
        rest = schema.get("additionalItems", True) if isinstance(items, list) else items
        least = schema.get("minItems", 0)
        most = schema.get("maxItems", max(least, len(first)) + (0 if depth > DEEP else 3))
        if "contains" in schema:
            least = max(least, 1)

        @st.composite
        def made(draw: st.DrawFn) -> list[Any]:
            most_here = min(most, len(first)) if rest is False else most
            size = draw(st.integers(min(least, most_here), most_here))
            parts = [*first[:size], *[rest] * (size - len(first))]
            if "contains" in schema and parts:
                place = len(parts) - 1
                parts[place] = merged(self._resolved(parts[place]), schema["contains"])
            return [draw(self.of(part, depth + 1)) for part in parts]

        arrays = made()
        return arrays.map(_distinct) if schema.get("uniqueItems") else arrays

    def _objects(self, schema: Schema, depth: int) -> Values:
        properties = schema.get("properties", {})
        required = list(schema.get("required", ()))
        optional = [name for name in properties if name not in required]

        @st.composite
        def made(draw: st.DrawFn) -> dict[str, Any]:
            names = list(required)
            if depth <= DEEP:
                names += [name for name in optional if draw(st.booleans())]
            while len(names) < schema.get("minProperties", 0) and len(names) < len(properties):
                names += [name for name in properties if name not in names][:1]
            found = {name: draw(self.of(self._member(schema, name), depth + 1)) for name in names}
            more = draw(self._extra(schema, len(found), depth))
            return {**more, **found}

        return made()

    def _extra(self, schema: Schema, count: int, depth: int) -> Values:
        """Members that the schema does not name."""
        least = max(0, schema.get("minProperties", 0) - count)
        most = min(schema.get("maxProperties", count + least + 2) - count, least + 2)
        patterns = schema.get("patternProperties", {})
        closed = False in (schema.get("additionalProperties"), schema.get("unevaluatedProperties"))
        if most <= 0 or (closed and not patterns) or (depth > DEEP and not least):
            return st.just({})
        named = [of_pattern(pattern) for pattern in patterns]
        free = self.of(merged({"type": "string"}, schema.get("propertyNames", True)), depth + 1)
        names = st.one_of(named if closed else [*named, free])
        unnamed = names.filter(lambda name: name not in schema.get("properties", {}))

        @st.composite
        def made(draw: st.DrawFn) -> dict[str, Any]:
            some = draw(st.lists(unnamed, min_size=least, max_size=most, unique=True))
            return {name: draw(self.of(self._member(schema, name), depth + 1)) for name in some}

        return made()

    def _member(self, schema: Schema, name: str) -> Schema:
        """What all that speaks of a member says together."""
        spoken = [schema["properties"][name]] if name in schema.get("properties", {}) else []
        for pattern, each in schema.get("patternProperties", {}).items():
            if jsonschema_rs.is_valid({"pattern": pattern}, name):
                spoken.append(each)
        whole: Schema = True if spoken else schema.get("additionalProperties", True)
        for each in spoken:
            whole = merged(whole, self._resolved(each))
        return whole


def _without(schema: Mapping[str, Any], *keywords: str) -> dict[str, Any]:
    return {keyword: value for keyword, value in schema.items() if keyword not in keywords}


def _distinct(values: list[Any]) -> list[Any]:
    by_text = {orjson.dumps(value, option=orjson.OPT_SORT_KEYS): value for value in values}
    return list(by_text.values())


def _floats(low: float = -1e9, high: float = 1e9) -> Values:
    return st.floats(low, high, allow_nan=False, allow_infinity=False)


def _bounds(schema: Schema) -> tuple[float, float]:
    lows = [schema[name] for name in ("minimum", "exclusiveMinimum") if _is_number(schema, name)]
    highs = [schema[name] for name in ("maximum", "exclusiveMaximum") if _is_number(schema, name)]
    low, high = max(lows, default=None), min(highs, default=None)
    span = 10**6
    if low is None:
        low = -span if high is None else min(-span, high - span)
    return low, max(span, low + span) if high is None else high


def _is_number(schema: Schema, name: str) -> bool:
    return isinstance(schema.get(name), int | float) and not isinstance(schema[name], bool)


def _integers(schema: Schema) -> Values:
    low, high = _bounds(schema)
    step = schema.get("multipleOf", 1)
    if step != int(step):
        return _numbers(schema).map(round)
    step = int(step)
    first, last = -(-low // step), high // step
    if first > last:
        return st.nothing()
    return st.integers(int(first), int(last)).map(lambda number: number * step)


def _numbers(schema: Schema) -> Values:
    low, high = _bounds(schema)
    step = schema.get("multipleOf")
    if step is None:
        return st.one_of(_integers(schema), _floats(low, high)) if low <= high else st.nothing()
    return st.integers(int(low // step), int(high // step) + 1).map(lambda number: number * step)


def _strings(schema: Schema) -> Values:
    least, most = schema.get("minLength", 0), schema.get("maxLength")
    if "format" in schema:
        return of_format(schema["format"], least, most)
    if "pattern" in schema:
        return of_pattern(schema["pattern"])
    return text(least, most)
