"""The reference of the configuration, read from the option classes and their docstrings.

Decides how a setting, its type and its default look in Markdown; the words are those of each
class's `Attributes`, which is where they are kept true.
"""

from __future__ import annotations

import dataclasses
import inspect
import json
import re
import types
import typing
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel

from bridge.settings import schema
from bridge.settings.model import Config

NOTHING: Any = object()
"""The default of a setting that has none."""

_ENTRY = re.compile(r" {4}(\w+): (.*)")
_SECTION = re.compile(r"[A-Z][a-z]+:")
_WORDS = {str: "text", bool: "true or false", int: "integer", float: "number"}


@dataclass(frozen=True, slots=True)
class Words:
    """What a class's docstring says.

    Attributes:
        about: the paragraphs that are no section.
        settings: the entries of `Attributes`, by name, each on one line.
    """

    about: tuple[str, ...]
    settings: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Setting:
    """One key.

    Attributes:
        name: the key.
        kind: its type.
        default: its value where nobody sets it.
        says: what it is.
    """

    name: str
    kind: object
    default: object
    says: str


def words(kind: type) -> Words:
    """Read a class's docstring (Google style)."""
    about, entries = [""], list[str]()
    section = ""
    for line in (inspect.getdoc(kind) or "").splitlines():
        if line and not line.startswith(" "):
            section = line[:-1] if _SECTION.fullmatch(line) else ""
        if not section:
            about = [*about[:-1], f"{about[-1]} {line}".strip()] if line else [*about, ""]
        elif section == "Attributes" and _ENTRY.fullmatch(line):
            entries.append(line.strip())
        elif section == "Attributes" and line.startswith("     "):
            entries[-1] += f" {line.strip()}"
    named = (entry.partition(": ") for entry in entries)
    return Words(tuple(filter(None, about)), {name: text for name, _, text in named})


def settings_of(kind: type) -> Iterator[Setting]:
    """The keys of one table, in the order of the class."""
    said = words(kind).settings
    defaults = _defaults(kind)
    for name, found in schema.fields(kind).items():
        yield Setting(name, found, defaults[name], said[name])


def _defaults(kind: type[Any]) -> dict[str, object]:
    if issubclass(kind, BaseModel):
        return {name: field.default for name, field in kind.model_fields.items()}
    return {field.name: _default(field) for field in dataclasses.fields(kind)}


def _default(field: dataclasses.Field[Any]) -> object:
    if field.default_factory is not dataclasses.MISSING:
        return field.default_factory()
    return NOTHING if field.default is dataclasses.MISSING else field.default


def tables(kind: type = Config, path: str = "") -> Iterator[tuple[str, type]]:
    """Every table with its heading, such as `[upstream.sse]` or `[[routes]]`, depth first."""
    for setting in settings_of(kind):
        where = f"{path}.{setting.name}".removeprefix(".")
        inner = schema.plain(setting.kind)
        if schema.is_list(inner):
            element = schema.below(inner, 0)
            if schema.fields(element):
                yield from _with_inner(f"[[{where}]]", element, where)
        elif schema.fields(inner):
            yield from _with_inner(f"[{where}]", inner, where)


def _with_inner(heading: str, kind: object, path: str) -> Iterator[tuple[str, type]]:
    assert isinstance(kind, type)
    yield heading, kind
    yield from tables(kind, path)


def settings() -> str:
    """All tables of the configuration."""
    parts = [_section("Top level", Config, default=None)]
    for heading, kind in tables():
        parts.append(_section(f"`{heading}`", kind, _list_default(heading)))
    return "\n\n".join(parts)


def _list_default(heading: str) -> object:
    """What a list of tables holds where nobody sets it."""
    if not heading.startswith("[["):
        return None
    value: Any = Config
    for step in heading.strip("[]").split("."):
        value = _defaults(value if isinstance(value, type) else type(value))[step]
    return value


def _section(heading: str, kind: type, default: object) -> str:
    about = "\n\n".join(words(kind).about)
    rows = ["| key | type | default | what it is |", "|---|---|---|---|"]
    rows += [_row(setting) for setting in settings_of(kind) if not is_table(setting.kind)]
    parts = [f"### {heading}", about, "\n".join(rows) if len(rows) > 2 else ""]
    if default:
        parts.append(f"By default:\n\n```toml\n{_entries(heading.strip('`'), default)}\n```")
    return "\n\n".join(filter(None, parts))


def is_table(kind: object) -> bool:
    """Whether a setting is a table, or a list of tables, with keys of its own."""
    inner = schema.plain(kind)
    return bool(schema.fields(schema.below(inner, 0) if schema.is_list(inner) else inner))


def _row(setting: Setting) -> str:
    default = "none" if setting.default is None else f"`{toml(setting.default)}`"
    default = "**required**" if setting.default is NOTHING else default
    cells = (f"`{setting.name}`", type_words(setting.kind), default, setting.says)
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"


def type_words(kind: object) -> str:
    """A type as people say it."""
    if typing.get_origin(kind) is typing.Annotated:
        return type_words(typing.get_args(kind)[0])
    arguments = typing.get_args(kind)
    if typing.get_origin(kind) in (typing.Union, types.UnionType):
        return type_words(next(each for each in arguments if each is not types.NoneType))
    if typing.get_origin(kind) is typing.Literal:
        return " or ".join(f"`{toml(each)}`" for each in arguments)
    if schema.is_list(kind):
        return f"list of {type_words(arguments[0])}s"
    if schema.is_map(kind):
        return f"table of {type_words(arguments[1])}s"
    assert isinstance(kind, type)
    return _WORDS[kind]


def toml(value: object) -> str:
    """A value as TOML writes it, on one line."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return f"'{value}'" if '"' in value else json.dumps(value, ensure_ascii=False)
    if isinstance(value, tuple):
        return f"[{', '.join(map(toml, value))}]"
    if isinstance(value, Mapping):
        pairs = ", ".join(f"{key} = {toml(each)}" for key, each in value.items())
        return f"{{ {pairs} }}" if pairs else "{}"
    return str(value)


def _entries(heading: str, default: object) -> str:
    assert isinstance(default, tuple)
    entries = []
    for each in default:
        pairs = [(field.name, getattr(each, field.name)) for field in dataclasses.fields(each)]
        usual = _defaults(type(each))
        lines = [f"{name} = {toml(value)}" for name, value in pairs if value != usual[name]]
        entries.append("\n".join([heading, *lines]))
    return "\n\n".join(entries)
