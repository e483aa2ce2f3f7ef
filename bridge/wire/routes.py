"""Routes: the URL paths on which channels are served, and the channel that a path means.

Decides from a path's parameters; the web framework matches the URLs. A field is one whole segment
(RFC 3986, 3.3), since a channel name never holds a slash.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType

from bridge.errors import InvalidChannel
from bridge.wire.names import ChannelName, check_template, compose, fields

_SEGMENT_FIELD = re.compile(r"\{([A-Za-z_]\w*)(?::(\w+))?\}", re.ASCII)
_LITERAL = re.compile(r"(?!\.\.?\Z)[A-Za-z0-9._~@:+=,-]+", re.ASCII)
PATTERNS = {
    "str": r"[^/]+",
    "int": r"[0-9]{1,18}",
    "uuid": r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}",
}
"""What a field's value looks like, by its converter. The integers are bounded: a server that turns
an endless one into a number first fails with an error of its own instead of finding no channel."""

_CONVERTERS = {name: re.compile(pattern, re.ASCII) for name, pattern in PATTERNS.items()}


@dataclass(frozen=True, slots=True)
class RouteOptions:
    """One route (`[[routes]]`): where a family of channels is served, on both wires.

    Attributes:
        ws: the WebSocket path, such as `/api/v1/ws/{channel}`; empty serves none.
        sse: the SSE path, such as `/api/v1/events/{channel}`; empty serves none.
        aliases: more SSE paths.
        channel: the channel template over the paths' fields, such as `project.{id}`; empty where
            the path names no channel, and a query or a subscribe frame does.
        auth: which of `[[auths]]` lets clients in here; empty for `[auth]`.

    A path's field is `{id}`, `{id:str}`, `{id:int}` or `{id:uuid}`.

    Raises:
        ValueError: a path or the template cannot be used, or a path lacks one of its fields.
    """

    ws: str = ""
    sse: str = ""
    aliases: tuple[str, ...] = ()
    channel: str = "{channel}"
    auth: str = ""

    def __post_init__(self) -> None:
        if not self.paths:
            raise ValueError("a route without a path serves nothing; set `ws` or `sse`")
        if self.channel:
            check_template(self.channel)
        for path in self.paths:
            missing = sorted(fields(self.channel) - converters(path).keys())
            if missing:
                raise ValueError(
                    f"{path!r} lacks the field {{{missing[0]}}} of the channel {self.channel!r}; "
                    "add it to the path or change `channel`"
                )

    @property
    def paths(self) -> tuple[str, ...]:
        """All paths of both wires."""
        return tuple(filter(None, (self.ws, *self.sse_paths)))

    @property
    def sse_paths(self) -> tuple[str, ...]:
        """The SSE path and its aliases."""
        return tuple(filter(None, (self.sse, *self.aliases)))


@cache
def converters(path: str) -> Mapping[str, str]:
    """The fields of a path template, each with its converter.

    Raises:
        ValueError: the path is no absolute path of plain segments and whole-segment fields.
    """
    if not path.startswith("/"):
        raise ValueError(f"the path {path!r} has to begin with a slash")
    found: dict[str, str] = {}
    for segment in path[1:].removesuffix("/").split("/") if path != "/" else ():
        field = _SEGMENT_FIELD.fullmatch(segment)
        if field:
            _add(found, path, field[1], field[2] or "str")
        elif not _LITERAL.fullmatch(segment):
            raise ValueError(
                f"the path {path!r} has the segment {segment!r}; use plain text or one {{field}}"
            )
    return MappingProxyType(found)


def plain(path: str) -> str:
    """A path without its converters, for a framework whose own ones fail on endless numbers.

    `channel_of` checks the values, so nothing is lost but the choice between two routes that
    differ in converters alone.
    """
    return _SEGMENT_FIELD.sub(r"{\1}", path)


def channel_of(route: RouteOptions, path: Mapping[str, object]) -> ChannelName | None:
    """The channel that a matched path means; None where the route names none by its path.

    Args:
        route: the route that matched.
        path: the path's parameters, percent-decoded; converted ones are written out again.

    Raises:
        InvalidChannel: a parameter is missing, does not fit its converter, or makes no valid name.
    """
    if not route.channel:
        return None
    values = {name: str(value) for name, value in path.items()}
    expected = converters(route.paths[0])
    for name in fields(route.channel):
        if not _CONVERTERS[expected[name]].fullmatch(values.get(name, "")):
            raise InvalidChannel("the path names no channel")
    return compose(route.channel, values)


def _add(found: dict[str, str], path: str, name: str, converter: str) -> None:
    if name in found:
        raise ValueError(f"the path {path!r} has {{{name}}} twice; give each field its own name")
    if converter not in _CONVERTERS:
        raise ValueError(
            f"the path {path!r} has the converter {converter!r}; use {', '.join(_CONVERTERS)}"
        )
    found[name] = converter


DEFAULT_ROUTES = (
    RouteOptions("/api/v1/ws/{channel}", "/api/v1/events/{channel}", ("/api/events/{channel}",)),
    RouteOptions("/api/v1/ws", "/api/v1/events", ("/api/events",), channel=""),
)
"""What real clients open. The second one serves sockets that subscribe later and streams that
name their channel in the query."""
