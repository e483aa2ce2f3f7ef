"""A taken-over SSE connection: the transport's protocol, and an outlet, in one small object.

Decides what happens on the connection once the web server has handed it over: flow control, the
end of the response, and the client's leaving. Nothing is read: an SSE client has said all.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from bridge.endpoint.batch import Form
from bridge.endpoint.farewell import farewell
from bridge.endpoint.notices import gap_block
from bridge.endpoint.reader import Reader
from bridge.history.log import Gap
from bridge.wire.endings import Ending
from bridge.wire.framing import LAST_CHUNK, chunk


class TakenStream(asyncio.Protocol):
    """One SSE client.

    Args:
        transport: of the connection; its response has begun, chunked.
        connections: the server's, which this leaves when its own is lost.
        closed: called once, when the connection is gone.

    Attributes:
        closed: as given.
        ending: by its name; `left` where the client went, `dropped` where it was cut off.
        transport: as uvicorn's own connections have it.
        write: hands over a chunk.
        reader: set once it is served.
    """

    __slots__ = ("_connections", "closed", "ending", "reader", "transport", "write")

    form = Form.CHUNK
    reader: Reader

    def __init__(
        self,
        transport: asyncio.Transport,
        connections: set[Any],
        closed: Callable[[TakenStream], None],
    ) -> None:
        self.transport, self._connections, self.closed = transport, connections, closed
        self.ending = "left"
        self.write: Callable[[object], None] = transport.write  # type: ignore[assignment]

    # What the fan-out asks for.

    def say(self, block: bytes) -> None:
        """Send a block to this client alone."""
        self.write(chunk(block))

    def gap(self, gap: Gap) -> None:
        """Tell of a hole."""
        self.say(gap_block(gap))

    def end(self, ending: Ending, reason: str) -> None:
        """Say why, and finish the response."""
        self.ending = ending.name
        self.write(chunk(farewell(ending, reason)) + LAST_CHUNK)
        self.transport.close()

    def abort(self) -> None:
        """Drop the connection and what is still to be written."""
        self.ending = "dropped"
        self.transport.abort()

    # What the transport tells.

    def pause_writing(self) -> None:
        """The transport holds as much as it should."""
        self.reader.full()

    def resume_writing(self) -> None:
        """The transport has room again."""
        self.reader.room()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002
        """The client has left, or the end is out."""
        self._connections.discard(self)
        self.reader.left()
        self.closed(self)

    # What uvicorn tells its connections.

    def shutdown(self) -> None:
        """The server stops; the drain has ended the session before."""
        self.transport.close()
