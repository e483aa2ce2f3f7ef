"""Finding settings in types."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Literal

import pytest
from pydantic import BaseModel

from bridge.settings import schema


@dataclass(frozen=True)
class Leaf:
    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    words: tuple[str, ...] = ()


@dataclass(frozen=True)
class Branch:
    sse: Leaf | None = None
    level: Annotated[Literal["a", "b"] | None, "note"] = None


class Root(BaseModel):
    port: int = 1
    upstream: Branch = Branch()
    routes: tuple[Leaf, ...] = ()


@pytest.mark.parametrize(
    ("path", "text"),
    [((), ""), (("a",), "a"), (("a", "b"), "a.b"), (("a", 0, "b"), "a[0].b")],
)
def test_a_path_is_written_with_dots_and_brackets(path: schema.Path, text: str) -> None:
    assert schema.dotted(path) == text


def test_a_dotted_key_is_read_as_a_path() -> None:
    assert schema.parse_dotted("upstream.sse.url") == ("upstream", "sse", "url")


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        (("port",), int),
        (("upstream",), Branch),
        (("upstream", "sse"), Leaf),
        (("upstream", "sse", "headers", "X-Any"), str),
        (("upstream", "level"), Literal["a", "b"]),
        (("routes", 3, "words", 1), str),
        (("routes", "url"), None),
        (("port", "x"), None),
        (("nothing",), None),
    ],
)
def test_a_path_leads_to_a_type_or_nowhere(path: schema.Path, kind: object) -> None:
    assert schema.at(Root, path) == kind


def test_tables_lists_and_maps_are_structured_and_values_are_not() -> None:
    assert all(map(schema.is_structured, (Leaf, Root, tuple[str, ...], dict[str, str])))
    assert not any(map(schema.is_structured, (str, int, None, Literal["a"])))


def test_every_setting_outside_lists_is_known() -> None:
    assert set(schema.known(Root)) == {
        ("port",),
        ("upstream",),
        ("upstream", "sse"),
        ("upstream", "sse", "url"),
        ("upstream", "sse", "headers"),
        ("upstream", "sse", "words"),
        ("upstream", "level"),
        ("routes",),
    }


@pytest.mark.parametrize(
    ("path", "meant"),
    [
        (("prot",), ("port",)),
        (("PORT",), ("port",)),
        (("upstream", "sse", "header"), ("upstream", "sse", "headers")),
        (("routes", 1, "word"), ("routes", 1, "words")),
        (("words",), ("upstream", "sse", "words")),
        (("utterly",), None),
    ],
)
def test_a_mistyped_key_is_looked_for_beside_it_and_then_elsewhere(
    path: schema.Path, meant: schema.Path | None
) -> None:
    assert schema.suggest(Root, path) == meant
