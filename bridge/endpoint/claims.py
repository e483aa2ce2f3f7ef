"""What a token's claims allow: the channels, by templates and by lists.

Decides from verified claims alone; whether they are to be believed is `bridge.endpoint.tokens`'
business. A claim's value is put into a template only where it is a channel's name or a part of
one, so no value becomes a wildcard.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import product
from typing import Any

from bridge.endpoint.grant import Channels
from bridge.wire.lookup import found

_FIELD = re.compile(r"\{([^{}]+)\}")
_VALUE = re.compile(r"[A-Za-z0-9_~@:+=,-]+(?:\.[A-Za-z0-9_~@:+=,-]+)*", re.ASCII)
_PATTERN = re.compile(r"[A-Za-z0-9._~@:+=,*?!\[\]-]{1,200}", re.ASCII)
_TEMPLATE = re.compile(r"(?:[A-Za-z0-9._~@:+=,*-]|\{[^{}\s]+\})+", re.ASCII)

MOST = 1000
"""Channels that one token may name; what it names beyond that is left out."""

Claims = Mapping[str, Any]


def check_template(setting: str, template: str) -> None:
    """Refuse a template that could never name a channel.

    Raises:
        ValueError: naming the setting.
    """
    if not _TEMPLATE.fullmatch(template):
        raise ValueError(
            f"{setting} holds what is no channel; write it like user.{{sub}}, with no space"
        )


def allowed(claims: Claims, templates: Sequence[str], claim: str) -> Channels:
    """The channels that claims give.

    Args:
        claims: verified.
        templates: such as `user.{sub}`; one whose claim is missing gives nothing.
        claim: the path of a claim that lists patterns, as an array or parted by spaces; empty
            for none.
    """
    named = [each for template in templates for each in filled(template, claims)]
    named += listed(claims, claim) if claim else ()
    return _channels(tuple(named[:MOST]))


@lru_cache(1024)
def _channels(named: tuple[str, ...]) -> Channels:
    """One set for all tokens that name the same channels."""
    return Channels.of(named)


def filled(template: str, claims: Claims) -> Iterator[str]:
    """The template with its claims put in: once for each element where a claim is a list."""
    if "{" not in template:
        yield template
        return
    fields = list(dict.fromkeys(_FIELD.findall(template)))
    choices = [list(_values(claims, field)) for field in fields]
    for number, values in enumerate(product(*choices)):
        if number == MOST:
            return
        filling = dict(zip(fields, values, strict=True))
        yield _FIELD.sub(lambda field, filling=filling: filling[field[1]], template)  # type: ignore[misc]


def listed(claims: Claims, claim: str) -> list[str]:
    """The patterns that a claim lists; what is no pattern is left out."""
    patterns: list[str] = []
    for value in at(claims, claim):
        if isinstance(value, str):
            patterns += value.split()
        elif isinstance(value, list):
            patterns += [each for each in value if isinstance(each, str)]
    return [each for each in patterns if _PATTERN.fullmatch(each)]


def at(claims: Claims, path: str) -> Iterator[Any]:
    """What stands at a path: the claim of that very name, else the one that its dots lead to."""
    if path in claims:
        yield claims[path]
    else:
        yield from found(claims, path)


def text_at(claims: Claims, path: str) -> str:
    """A claim's value as text, empty where it is none."""
    return next((_text(value) for value in at(claims, path)), "")


def _values(claims: Claims, path: str) -> Iterator[str]:
    for value in at(claims, path):
        for each in value if isinstance(value, list) else (value,):
            if _VALUE.fullmatch(text := _text(each)):
                yield text


def _text(value: object) -> str:
    """Text and whole numbers are; JSON's true is no 1."""
    if isinstance(value, bool) or not isinstance(value, str | int):
        return ""
    return str(value) if isinstance(value, str) or abs(value) < 1 << 63 else ""
