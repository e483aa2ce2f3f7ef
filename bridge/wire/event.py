"""One message of a channel, on whichever wire it came and on whichever it leaves.

Decides nothing; the log gives an event its place and `wire.sse` its bytes.
"""
# ruff: noqa: A002 - the names of the fields

from __future__ import annotations

from dataclasses import dataclass, fields

GAP = "bridge.gap"
"""SSE event name that tells a reader about a hole in its stream."""

PING = "bridge.ping"
"""SSE event name of the heartbeat that scripts can see."""

END = "bridge.end"
"""SSE event name of the last event of a stream that ends with a reason."""

CURSOR = "bridge.cursor"
"""`type` of the frame that tells a WebSocket client its place, where it asked for notices."""

BINARY = "bridge.binary"
"""SSE event name under which a binary WebSocket message travels, base64 in `data`."""


@dataclass(frozen=True, slots=True, init=False)
class Event:
    """One logical message.

    Attributes:
        data: the payload exactly as the backend sent it; `bytes` only for binary WS messages.
        type: the SSE event name; the default is what data-only blocks have.
        key: equal keys name the same logical event on both backends; empty where unknown.
        origin: which kind of upstream brought it: `sse`, `ws`, `poll`, `snapshot` or `bridge`.
        at: when it arrived, in seconds of a monotonic clock.
        id: the backend's own event id, empty where it gave none.
    """

    data: str | bytes
    type: str = "message"
    key: str = ""
    origin: str = ""
    at: float = 0.0
    id: str = ""

    def __init__(
        self,
        data: str | bytes,
        type: str = "message",
        key: str = "",
        origin: str = "",
        at: float = 0.0,
        id: str = "",
    ) -> None:
        # Half the cost of the generated one, which goes through object.__setattr__ by name.
        _put_data(self, data)
        _put_type(self, type)
        _put_key(self, key)
        _put_origin(self, origin)
        _put_at(self, at)
        _put_id(self, id)

    @property
    def is_notice(self) -> bool:
        """Whether the bridge itself says this; legacy WebSocket clients do not get notices."""
        return self.origin == "bridge"


_put_data, _put_type, _put_key, _put_origin, _put_at, _put_id = (
    vars(Event)[field.name].__set__ for field in fields(Event)
)
