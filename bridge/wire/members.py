"""Which members of a client's frame, or of a query, name a channel.

Decides by an ordered list of channel templates whose fields are member names: the first one that
can be filled wins. Subscribe frames and `GET /api/v1/events?fileId=...` share it, and neither
aliases nor rights are its business.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from bridge.errors import InvalidChannel
from bridge.wire.names import ChannelName, check_template, compose, fields

DEFAULT_MEMBERS = ("{channel}", "file.{fileId}", "project.{projectId}", "user.{userId}")
"""What real clients send; `fileId` wins over `projectId`."""

Found = Mapping[str, object]
"""The members of a frame or of a query string."""


@dataclass(frozen=True, slots=True)
class Members:
    """The ordered templates.

    A value that has the prefix of one of them already is taken as it is: real clients send
    `"projectId": "project.42"`, and even `"projectId": "file.f1"`.

    Attributes:
        templates: channel templates over member names, such as `project.{projectId}` or
            `{kind}.{namespace}`.

    Raises:
        ValueError: a template makes no valid name.
    """

    templates: tuple[str, ...] = DEFAULT_MEMBERS

    def __post_init__(self) -> None:
        for template in self.templates:
            check_template(template)
            if not fields(template):
                raise ValueError(f"{template!r} has no field; name a member, such as {{channel}}")

    def names(self, found: Found) -> tuple[ChannelName, ...]:
        """The channels that `found` names: one, several where the member is a list, or none.

        Null and empty members count as absent.

        Raises:
            InvalidChannel: a member makes no valid name.
        """
        for template in self.templates:
            wanted = fields(template)
            values = {member: _texts(found.get(member)) for member in wanted}
            if all(values.values()):
                return self._composed(template, values)
        return ()

    def _composed(
        self, template: str, values: Mapping[str, tuple[str, ...]]
    ) -> tuple[ChannelName, ...]:
        if len(values) > 1:
            return (compose(template, {member: texts[0] for member, texts in values.items()}),)
        ((member, texts),) = values.items()
        names = (self._one(template, member, text) for text in texts)
        return tuple(dict.fromkeys(names))

    def _one(self, template: str, member: str, text: str) -> ChannelName:
        prefixed = any(text.startswith(prefix) for prefix in self._prefixes())
        return ChannelName.parse(text) if prefixed else compose(template, {member: text})

    def _prefixes(self) -> tuple[str, ...]:
        """Such as `project.`, of each template that begins with a plain word."""
        words = (template.partition(".") for template in self.templates)
        return tuple(word + dot for word, dot, _ in words if dot and "{" not in word)


def _texts(value: object) -> tuple[str, ...]:
    """The values of one member; a number is one too, for ids are often integers."""
    if value is None:
        return ()
    if isinstance(value, list):
        return tuple(text for item in value for text in _texts(item))
    if isinstance(value, str | int) and not isinstance(value, bool):
        return (str(value),) if value != "" else ()
    raise InvalidChannel("a member that names a channel is a text or a number")
