"""One event at its place in a log, with the bytes that each wire sends for it.

Decides how an event looks on either wire; never which place it gets. The entry, not the event,
holds the encodings, because the place is part of the SSE bytes (the `id` line; WHATWG HTML,
9.2.6). Each is made once, however many clients read it.
"""

from __future__ import annotations

from base64 import b64encode
from dataclasses import dataclass, field, fields

from bridge.history.cursor import Cursor
from bridge.wire.event import BINARY, Event
from bridge.wire.sse import encode


@dataclass(frozen=True, slots=True, eq=False, init=False)
class Entry:
    """One event at its place. Immutable; its encodings are made once, when first asked for.

    Attributes:
        epoch: the life of the log that it belongs to.
        seq: its place; 1 is the first.
        event: what happened.
        at: when it was appended, in seconds of a monotonic clock.
        size: its payload in bytes, before any framing.
    """

    epoch: str
    seq: int
    event: Event
    at: float
    size: int = field(init=False)
    _sse: bytes | None = field(init=False, repr=False, default=None)

    def __init__(self, epoch: str, seq: int, event: Event, at: float) -> None:
        # Half the cost of the generated one, which goes through object.__setattr__ by name.
        _put_epoch(self, epoch)
        _put_seq(self, seq)
        _put_event(self, event)
        _put_at(self, at)
        _put_size(self, payload_size(event.data))
        _put_sse(self, None)

    @property
    def cursor(self) -> Cursor:
        """The place just after this entry."""
        return Cursor(self.epoch, self.seq)

    @property
    def sse(self) -> bytes:
        """The whole SSE block with its id line; a binary payload as base64 in `bridge.binary`."""
        block = self._sse
        if block is None:
            block = _encoded(self.event, f"{self.epoch}-{self.seq}")
            _put_sse(self, block)
        return block

    @property
    def ws(self) -> str | bytes | None:
        """The payload exactly as it came; None for notices, which legacy clients do not get."""
        return None if self.event.is_notice else self.event.data


_put_epoch, _put_seq, _put_event, _put_at, _put_size, _put_sse = (
    vars(Entry)[each.name].__set__ for each in fields(Entry)
)


def payload_size(data: str | bytes) -> int:
    """How many bytes a payload has on the wire, before any framing."""
    if isinstance(data, bytes) or data.isascii():
        return len(data)
    return len(data.encode())


def _encoded(event: Event, place: str) -> bytes:
    if isinstance(event.data, bytes):
        return encode(b64encode(event.data).decode(), event=BINARY, id=place)
    return encode(event.data, event=event.type, id=place)
