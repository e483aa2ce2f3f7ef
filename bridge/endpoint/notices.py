"""What the bridge itself says: holes and heartbeats in an SSE stream, notices on a WebSocket.

Decides their names and shapes only; the end of a stream is `farewell`'s. On SSE all are named
events, which no legacy `onmessage` ever sees.
"""

from __future__ import annotations

import orjson

from bridge.history.cursor import Cursor
from bridge.history.log import Gap
from bridge.wire.event import GAP, PING, Event
from bridge.wire.names import ChannelName
from bridge.wire.sse import encode


def gap_block(gap: Gap) -> bytes:
    """A hole; the block's id is the place from which the stream goes on."""
    return encode(gap.data, event=GAP, id=str(gap.new))


def heartbeat_block(cursor: Cursor) -> bytes:
    """A heartbeat that scripts can see, so that a page can tell silence from death."""
    place = str(cursor)
    return encode(orjson.dumps({"id": place}).decode(), event=PING, id=place)


def block_at(event: Event, cursor: Cursor) -> bytes:
    """An event that one client alone gets: its block leaves the client's place as it is."""
    return encode(str(event.data), event=event.type, id=str(cursor))


def notice(kind: str, name: ChannelName, **members: object) -> str:
    """A WebSocket's message for clients that asked for such: `type`, `channel`, then `members`."""
    return orjson.dumps({"type": kind, "channel": name.text, **members}).decode()
