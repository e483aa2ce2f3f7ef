"""A run of log entries as each wire sends it, made once however many clients get it.

Decides which bytes stand for the run on a wire; never who gets them. Making is lazy: a form that
no client of the channel uses is never made.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum

from starlette.types import Message

from bridge.endpoint.outgoing import Outgoing
from bridge.history.cursor import Cursor
from bridge.history.entry import Entry
from bridge.wire.framing import chunk, deflated_frame, frame
from bridge.wire.names import ChannelName


class Form(Enum):
    """What a client's outlet writes."""

    __hash__ = object.__hash__  # by identity, in C; the enumeration's own is Python

    CHUNK = "chunk"
    """SSE blocks as one HTTP chunk, straight to a transport."""

    BLOCKS = "blocks"
    """SSE blocks as one ASGI body message, which the server frames."""

    FRAMES = "frames"
    """WebSocket frames, straight to a transport."""

    DEFLATED = "deflated"
    """WebSocket frames with compressed messages, straight to a transport."""

    PAYLOADS = "payloads"
    """Payloads as ASGI messages, one by one, which the server frames."""

    ENTRIES = "entries"
    """The batch itself, for a client that is told more than payloads."""


class Batch:
    """Entries in order, and the place after the last.

    Args:
        name: the channel.
        entries: at least one.
        cursor: the place after them.
        outgoing: the frames of an event.
    """

    __slots__ = ("_made", "_name", "_outgoing", "cursor", "entries")

    def __init__(
        self, name: ChannelName, entries: Sequence[Entry], cursor: Cursor, outgoing: Outgoing
    ) -> None:
        self.entries, self.cursor = entries, cursor
        self._name, self._outgoing = name, outgoing
        self._made: dict[Form, object] = {}

    def form(self, form: Form) -> object:
        """The run in a form: `bytes`, an ASGI message, several, or for `ENTRIES` the batch."""
        made = self._made.get(form)
        if made is None:
            made = self._made[form] = self._make(form)
        return made

    def payloads(self, entry: Entry) -> tuple[str | bytes, ...]:
        """The WebSocket messages of one entry; none of a notice, which legacy clients never see."""
        return () if entry.event.is_notice else self._outgoing(entry.event, self._name)

    def _make(self, form: Form) -> object:
        if form is Form.BLOCKS:
            return body(b"".join([entry.sse for entry in self.entries]))
        if form is Form.CHUNK:
            entries = self.entries
            whole = (
                entries[0].sse if len(entries) == 1 else b"".join([each.sse for each in entries])
            )
            return chunk(whole)
        if form is Form.ENTRIES:
            return self
        payloads = [each for entry in self.entries for each in self.payloads(entry)]
        if form is Form.PAYLOADS:
            return [message(each) for each in payloads]
        return b"".join(map(deflated_frame if form is Form.DEFLATED else frame, payloads))


def body(block: bytes) -> Message:
    """The ASGI message that carries SSE blocks. Shared by clients; a server must not change it."""
    return {"type": "http.response.body", "body": block, "more_body": True}


def message(payload: str | bytes) -> Message:
    """The ASGI message that carries one WebSocket message. Shared likewise."""
    return {"type": "websocket.send", "text" if isinstance(payload, str) else "bytes": payload}
