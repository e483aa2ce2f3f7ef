"""Other names of channels: which name is meant, and which to try where the backend knows none.

Decides by rules in their order; never asks a backend. The default rule mends a real client's
fault: a chat page stores `file.{id}` as a project's id and subscribes to `project.file.{id}`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from bridge.wire.members import Found, Members
from bridge.wire.names import ChannelName, check_template, compose, fields

_FIELD = re.compile(r"\{(\w+)\}")


def _check_fields(template: str) -> None:
    found = _FIELD.findall(template)
    if len(found) != len(set(found)):
        raise ValueError(f"{template!r} has a field twice; give each its own name")
    if "}{" in template:
        raise ValueError(f"{template!r} does not say where a field ends; put a dot between them")


@dataclass(frozen=True, slots=True)
class AliasOptions:
    """One rule (`[[aliases]]`).

    Attributes:
        match: a channel template such as `project.file.{id}`. Each field stands for one dotted
            part, the last field for all the rest.
        to: the name that is meant, such as `file.{id}`; empty renames nothing.
        fallbacks: what to try in turn where the backend knows no such channel, such as
            `project.{id}` for `file.{id}`.

    Raises:
        ValueError: a template makes no valid name or uses a field that `match` lacks.
    """

    match: str
    to: str = ""
    fallbacks: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        check_template(self.match)
        _check_fields(self.match)
        if not (self.to or self.fallbacks):
            raise ValueError(f"the alias of {self.match!r} does nothing; set `to` or `fallbacks`")
        for template in filter(None, (self.to, *self.fallbacks)):
            check_template(template)
            unknown = sorted(fields(template) - fields(self.match))
            if unknown:
                raise ValueError(
                    f"{template!r} uses {{{unknown[0]}}}, which {self.match!r} lacks; add it there"
                )


DEFAULT_ALIASES = (AliasOptions("project.file.{id}", to="file.{id}"),)


class Aliases:
    """All rules of one configuration.

    Args:
        rules: tried in their order.
        members: which members of a query name a channel.
    """

    def __init__(
        self, rules: Sequence[AliasOptions] = DEFAULT_ALIASES, members: Members | None = None
    ) -> None:
        self._rules = tuple((_pattern(rule.match), rule) for rule in rules)
        self._members = members or Members()

    def canonical(self, name: ChannelName) -> ChannelName:
        """The name that is meant: each rule is applied once, in order, to what the last one made.

        Raises:
            InvalidChannel: the renamed name is too long.
        """
        for pattern, rule in self._rules:
            found = pattern.fullmatch(name.text)
            if found and rule.to:
                name = compose(rule.to, found.groupdict())
        return name

    def fallbacks(self, name: ChannelName) -> tuple[ChannelName, ...]:
        """What to try in turn instead of `name`, of all rules that match it, each name once.

        Raises:
            InvalidChannel: a fallback's name is too long.
        """
        names: dict[ChannelName, None] = {}
        for pattern, rule in self._rules:
            found = pattern.fullmatch(name.text)
            if found:
                values = found.groupdict()
                names |= dict.fromkeys(compose(each, values) for each in rule.fallbacks)
        names.pop(name, None)
        return tuple(names)

    def from_fields(self, found: Found) -> ChannelName | None:
        """The channel that a query names by `channel`, `fileId`, `projectId` or `userId`.

        None where it has none of them. `canonical` is not applied.

        Raises:
            InvalidChannel: the value makes no valid name.
        """
        return next(iter(self._members.names(found)), None)


def _pattern(template: str) -> re.Pattern[str]:
    """A regular expression with a named group for each field of a template.

    Cheap on any input: only the last group crosses dots, and names have a bounded length.
    """
    *words, tail = _FIELD.split(template)
    parts = [
        re.escape(word) if place % 2 == 0 else f"(?P<{word}>{_group(place, len(words))})"
        for place, word in enumerate(words)
    ]
    return re.compile("".join(parts) + re.escape(tail))


def _group(place: int, count: int) -> str:
    return ".+" if place == count - 1 else "[^.]+"
