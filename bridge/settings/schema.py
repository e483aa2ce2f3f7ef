"""Which settings exist, read from the types of the model and of the options it embeds.

Decides what a key stands for and what a mistyped one may have meant; never looks at a value.
"""

from __future__ import annotations

import difflib
import types
import typing
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import is_dataclass

from pydantic import BaseModel

Path = tuple[str | int, ...]
"""Where a setting is: `("routes", 0, "path")`, written `routes[0].path`."""


def dotted(path: Path) -> str:
    """A path as people write it."""
    text = ""
    for step in path:
        text += f"[{step}]" if isinstance(step, int) else f".{step}"
    return text.removeprefix(".")


def parse_dotted(text: str) -> Path:
    """The path of a key without list positions, such as `upstream.sse.url`."""
    return tuple(text.split("."))


def fields(kind: object) -> Mapping[str, object]:
    """The settings of a table, with their types; empty for anything else."""
    if not isinstance(kind, type):
        return {}
    if issubclass(kind, BaseModel):
        return {name: field.annotation for name, field in kind.model_fields.items()}
    return typing.get_type_hints(kind) if is_dataclass(kind) else {}


def below(kind: object, step: str | int) -> object:
    """The type that a step leads to, None where it leads nowhere."""
    if typing.get_origin(kind) in {tuple, list}:
        return plain(typing.get_args(kind)[0]) if isinstance(step, int) else None
    if is_map(kind):
        return plain(typing.get_args(kind)[1])
    return plain(fields(kind).get(str(step)))


def at(kind: object, path: Path) -> object:
    """The type at a path, None where there is nothing."""
    for step in path:
        kind = below(kind, step)
    return kind


def plain(kind: object) -> object:
    """A type without its `Annotated` and, of a union, the table, list or map in it."""
    if typing.get_origin(kind) is typing.Annotated:
        return plain(typing.get_args(kind)[0])
    if typing.get_origin(kind) in {typing.Union, types.UnionType}:
        arms = [plain(arm) for arm in typing.get_args(kind) if arm is not types.NoneType]
        return next((arm for arm in arms if is_structured(arm)), arms[0])
    return kind


def is_map(kind: object) -> bool:
    """Whether the user chooses the keys, as of `headers`."""
    return typing.get_origin(kind) in {dict, Mapping}


def is_list(kind: object) -> bool:
    """Whether it holds values in order, as `channels` or `[[routes]]`."""
    return typing.get_origin(kind) in {tuple, list}


def is_structured(kind: object) -> bool:
    """Whether it is a table, a list or a map rather than one value."""
    return bool(fields(kind)) or is_map(kind) or is_list(kind)


def known(kind: object, prefix: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """The path of every setting below a table, except inside lists."""
    for name, field in fields(kind).items():
        path = (*prefix, name)
        yield path
        yield from known(plain(field), path)


def suggest(root: object, path: Path) -> Path | None:
    """What an unknown key may have meant: a like name beside it, else the same one elsewhere."""
    *table, key = path
    beside = _closest(str(key), list(fields(at(root, tuple(table)))))
    if beside:
        return (*table, beside)
    return next((other for other in known(root) if other[-1] == key), None)


def _closest(word: str, words: Sequence[str]) -> str | None:
    return next(iter(difflib.get_close_matches(word.lower(), words, 1)), None)
