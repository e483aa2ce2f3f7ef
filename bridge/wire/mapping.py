"""What is added to a backend's messages on their way to clients: by default nothing at all.

Decides at two stops: `incoming`, before an event gets its place, for all clients alike; and
`outgoing`, where named SSE events become frames for WebSocket clients. Never touches a message
that no setting asks to change: its text stays the very same object. A changed one is written
anew: numbers keep their value, spaces and the spelling of numbers do not stay.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from typing import Any, Literal, Protocol

from bridge.wire.event import Event
from bridge.wire.lookup import found
from bridge.wire.names import ChannelName
from bridge.wire.template import Value, Verbatim, check, fields, fill

_UNNAMED = "message"
_NAME_FIELDS = ("channel", "kind", "id")
_WRAP_SAMPLES: dict[str, Value] = {
    "event": "status",
    "data": Verbatim('{"a":"b"}'),
    **dict.fromkeys(_NAME_FIELDS, "42"),
}

_BY_SUFFIX = {
    "avif": "image/avif",
    "gif": "image/gif",
    "jpeg": "image/jpeg",
    "jpg": "image/jpeg",
    "png": "image/png",
    "svg": "image/svg+xml",
    "webp": "image/webp",
    "avi": "video/x-msvideo",
    "mkv": "video/x-matroska",
    "mov": "video/quicktime",
    "mp4": "video/mp4",
    "webm": "video/webm",
    "aac": "audio/aac",
    "flac": "audio/flac",
    "m4a": "audio/mp4",
    "mp3": "audio/mpeg",
    "ogg": "audio/ogg",
    "wav": "audio/wav",
    "txt": "text/plain",
}
_BY_TYPE = {
    "image": "image/webp",
    "video": "video/mp4",
    "audio": "audio/mpeg",
    "voiceover": "audio/mpeg",
    "sound_effect": "audio/mpeg",
    "music": "audio/mpeg",
    "text": "text/plain",
}
"""For files whose address tells nothing. Clients look at what stands before the slash."""


class Mapping(Protocol):
    """What a user may plug in instead of `Envelope`. Both methods must be pure and must not raise.

    To leave a message alone, return what came.
    """

    def incoming(self, event: Event, name: ChannelName) -> tuple[Event, ...]:
        """What to append to the channel's log for a backend's event."""

    def outgoing(self, event: Event, name: ChannelName) -> tuple[str | bytes, ...]:
        """The frames by which a WebSocket client is told of an event."""


@dataclass(frozen=True, slots=True)
class EnvelopeOptions:
    """What is added to messages (`[envelope]`); the defaults add nothing.

    Only JSON objects are ever changed, and no member that is there already.

    Attributes:
        wrap: how a WebSocket client is told of a named SSE event, such as
            `{"type":"{event}","object":{data}}`, with `{data}` outside quotes (it is put in as
            JSON) and `{channel}`, `{kind}`, `{id}`; empty sends the data alone.
        add: members to add to the message, each with a template over `{channel}`, `{kind}` and
            `{id}`, such as `projectId = "{id}"`.
        copy: members to add, each with the dotted path of its value in the message, such as
            `requestId = "object.request_id"` or `progress = "object.progress"`.
        content_type: whether to add `contentType` to an `object` that has a `url`, from the
            address without its query, else from the file's `type`.
        task_status: clients wait for `task_status` with an upper-case status, backends send
            `task`: `add` such a message after it, `rename` it, or leave it `off`.

    Raises:
        ValueError: a template or a path cannot be used.
    """

    wrap: str = ""
    add: dict[str, str] = field(default_factory=dict)
    copy: dict[str, str] = field(default_factory=dict)
    content_type: bool = False
    task_status: Literal["off", "add", "rename"] = "off"

    def __post_init__(self) -> None:
        if self.wrap:
            _check_wrap(self.wrap)
        for member, template in self.add.items():
            try:
                fields(template, _NAME_FIELDS)
            except ValueError as fault:
                raise ValueError(f"add.{member}: {fault}") from None
        for member, path in self.copy.items():
            if not all(path.split(".")):
                raise ValueError(f"copy.{member}: {path!r} is no path; write it like object.id")
        if self.task_status not in ("off", "add", "rename"):
            raise ValueError(f"task_status is {self.task_status!r}; use off, add or rename")

    @property
    def changes_incoming(self) -> bool:
        """Whether any backend's event may become another one, or several."""
        return replace(self, wrap="") != EnvelopeOptions()


class Envelope:
    """The mapping that the options describe.

    Args:
        options: the settings.
    """

    __slots__ = ("_idle", "_options")

    def __init__(self, options: EnvelopeOptions | None = None) -> None:
        self._options = options or EnvelopeOptions()
        self._idle = not self._options.changes_incoming

    def incoming(self, event: Event, name: ChannelName) -> tuple[Event, ...]:
        """The event itself, enriched where the options ask for it, and what is told beside it."""
        if self._idle or event.is_notice or not isinstance(event.data, str):
            return (event,)
        try:
            return self._enriched(event, event.data, name)
        except (ValueError, RecursionError):
            # No JSON, or some that cannot be written again (NaN, endless numbers or nesting).
            return (event,)

    def _enriched(self, event: Event, text: str, name: ChannelName) -> tuple[Event, ...]:
        message = json.loads(text)
        if not isinstance(message, dict):
            return (event,)
        full = self._completed(message, name)
        status = _task_status(full) if self._options.task_status != "off" else None
        if status and self._options.task_status == "rename":
            return (_rewritten(event, text, status),)
        first = event if full == message else _rewritten(event, text, full)
        return (first, _beside(_rewritten(event, text, status))) if status else (first,)

    def _completed(self, message: dict[str, Any], name: ChannelName) -> dict[str, Any]:
        """The message with the members that it lacks."""
        values = {key: Verbatim(text) for key, text in _name_values(name).items()}
        added: dict[str, Any] = {
            member: fill(template, values) for member, template in self._options.add.items()
        }
        for member, path in self._options.copy.items():
            copies = list(found(message, path))
            if copies:
                added[member] = copies[0]
        full = added | message
        if self._options.content_type and isinstance(file := full.get("object"), dict):
            full["object"] = _with_content_type(file)
        return full

    def outgoing(self, event: Event, name: ChannelName) -> tuple[str | bytes, ...]:
        """One frame: the payload itself, or a named event in its wrapping."""
        text, wrap = event.data, self._options.wrap
        if not wrap or event.type == _UNNAMED or event.is_notice or not isinstance(text, str):
            return (text,)
        data = Verbatim(text if _is_json(text) else json.dumps(text))
        return (fill(wrap, {"event": event.type, "data": data, **_name_values(name)}),)


def content_type(file: dict[str, Any]) -> str | None:
    """The media type of a file message, by its address without the query, else by its `type`."""
    url = file.get("url") or file.get("file_url")
    if not isinstance(url, str) or not url:
        return None
    kind = file.get("type")
    guess = _BY_TYPE.get(kind) if isinstance(kind, str) else None
    suffix = _BY_SUFFIX.get(_suffix(url))
    # An address may be a page or a preview of something else: the type has the last word.
    agrees = suffix and (not guess or suffix.partition("/")[0] == guess.partition("/")[0])
    return suffix if agrees else guess


def _suffix(url: str) -> str:
    path = url.partition("#")[0].partition("?")[0]
    return path.rpartition("/")[2].rpartition(".")[2].lower()


def _with_content_type(file: dict[str, Any]) -> dict[str, Any]:
    media = None if file.get("contentType") else content_type(file)
    return file | {"contentType": media} if media else file


def _task_status(message: dict[str, Any]) -> dict[str, Any] | None:
    """The `task_status` message that a `task` message amounts to, None for any other."""
    task = message.get("object")
    if message.get("type") != "task" or not isinstance(task, dict):
        return None
    status = task.get("status")
    if not isinstance(status, str):
        return None
    return message | {"type": "task_status", "object": task | {"status": status.upper()}}


def _rewritten(event: Event, text: str, message: dict[str, Any]) -> Event:
    """The event with another message. Escapes stay escapes: they may hold lone surrogates.

    Raises:
        ValueError: the message holds what JSON cannot.
    """
    escape = "\\u" in text
    written = json.dumps(message, ensure_ascii=escape, allow_nan=False, separators=(",", ":"))
    return replace(event, data=written)


def _beside(event: Event) -> Event:
    """Without the backend's id, which belongs to the first, and with a key of its own."""
    return replace(event, id="", key=event.key and f"{event.key}:task_status")


def _name_values(name: ChannelName) -> dict[str, str]:
    return {"channel": name.text, "kind": name.kind, "id": name.id}


def _is_json(text: str) -> bool:
    try:
        json.loads(text, parse_constant=_refuse)
    except (ValueError, RecursionError):
        return False
    return True


def _refuse(constant: str) -> None:
    """NaN and the infinities, which Python reads and no browser does (RFC 8259, section 6)."""
    raise ValueError(constant)


def _check_wrap(template: str) -> None:
    try:
        check(template, _WRAP_SAMPLES)
    except ValueError as fault:
        raise ValueError(f"wrap: {fault}") from None
    if "data" not in fields(template, _WRAP_SAMPLES):
        raise ValueError("wrap lacks {data}, so nothing of the event would be told; add it")
