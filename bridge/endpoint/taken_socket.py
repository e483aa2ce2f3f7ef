"""A taken-over WebSocket connection: the transport's protocol and a conversation's wire in one.

Decides what happens on the connection once the web server has handed it over: flow control,
frames in, pings, and the close handshake (RFC 6455, 7). What comes in is parsed by the sans-I/O
protocol of `websockets`; between two messages an idle connection keeps no parser. What goes out
is framed once for all (`wire.framing`).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from websockets.frames import Frame as WireFrame
from websockets.frames import Opcode
from websockets.protocol import Protocol, Side, State

from bridge.endpoint.batch import Form
from bridge.endpoint.conversation import Conversation
from bridge.endpoint.gateway import RESTARTS
from bridge.endpoint.wheel import Wheel
from bridge.wire.dialect import Dialect
from bridge.wire.endings import RESTART, Ending
from bridge.wire.frame import Frame
from bridge.wire.framing import PING, Boundary, close_frame, frame

_INVALID_TEXT = 1007


class TakenSocket(asyncio.Protocol):
    """One WebSocket client.

    Args:
        transport: of the connection; the handshake is complete and nothing was read since.
        connections: the server's, which this leaves when its own is lost.
        dialect: close codes.
        limit: the largest message in bytes.
        timeout: seconds for the close handshake.
        wheel: times it.
        closed: called once, when the connection is gone.

    Attributes:
        conversation: set before anything is read.
        transport: as uvicorn's own connections have it.
        write: hands over frames.
    """

    __slots__ = (
        "_boundary",
        "_closed",
        "_closing",
        "_connections",
        "_dialect",
        "_heard",
        "_limit",
        "_message",
        "_parser",
        "_timeout",
        "_wheel",
        "conversation",
        "transport",
        "write",
    )

    form = Form.FRAMES
    conversation: Conversation

    def __init__(
        self,
        transport: asyncio.Transport,
        connections: set[Any],
        dialect: Dialect,
        *,
        limit: int,
        timeout: float,
        wheel: Wheel,
        closed: Callable[[TakenSocket], None],
    ) -> None:
        self.transport, self._connections = transport, connections
        self._dialect, self._closed = dialect, closed
        self._limit, self._timeout, self._wheel = limit, timeout, wheel
        self.write: Callable[[object], None] = transport.write  # type: ignore[assignment]
        self._parser: Protocol | None = None
        self._boundary: Boundary | None = None
        self._message: list[WireFrame] | None = None  # fragments of an unfinished message
        self._closing = False
        self._heard = True  # whether the client gave a sign of life since the last pulse

    # What the conversation asks for.

    def deliver(self, payload: str | bytes) -> None:
        """Send one message."""
        if not self._closing:
            self.write(frame(payload))

    def close(self, ending: Ending, reason: str) -> None:
        """Send a close frame and wait, for a bounded time, for the client's."""
        if self._closing:
            return
        self._closing = True
        if ending.reconnect and self._dialect.options.transient == "cut":
            self.transport.close()
        else:
            self.transport.write(close_frame(self._dialect.close_code(ending), reason))
            self.transport.resume_reading()
        self._wheel.after(self._timeout, self.transport.abort)

    def abort(self) -> None:
        """Drop the connection and what is still to be written."""
        self.transport.abort()

    def listen(self, *, wanted: bool) -> None:
        """Read on, or let TCP slow the client down."""
        if wanted or self._closing:
            self.transport.resume_reading()
        else:
            self.transport.pause_reading()

    def pulse(self) -> None:
        """Ping; a client that has been silent since the last one is gone."""
        if not self._heard:
            self.transport.abort()
        elif not self._closing:
            self._heard = False
            self.transport.write(PING)

    # What the transport tells.

    def pause_writing(self) -> None:
        """The transport holds as much as it should."""
        self.conversation.full()

    def resume_writing(self) -> None:
        """The transport has room again."""
        self.conversation.room()

    def data_received(self, data: bytes) -> None:
        """Parse; keep the parser only while a message is unfinished."""
        self._heard = True
        parser = self._parser
        if parser is None:
            parser = self._parser = Protocol(Side.SERVER, state=State.OPEN, max_size=self._limit)
            self._boundary = Boundary()
        parser.receive_data(data)
        for each in parser.events_received():
            self._take(each)  # type: ignore[arg-type]
        self._answer(parser)
        if self._boundary and self._boundary.feed(data):
            self._parser = self._boundary = None

    def eof_received(self) -> None:
        """The client closes its side; asyncio then closes ours."""

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002
        """The connection is gone."""
        self._connections.discard(self)
        self._closing = True
        self.conversation.closed()
        self._closed(self)

    # What uvicorn tells its connections.

    def shutdown(self) -> None:
        """The server stops. The drain has ended all that reads; a socket that does not is told."""
        self.close(RESTART, RESTARTS)

    # Frames of the client.

    def _take(self, each: WireFrame) -> None:
        """Gather data frames into messages (RFC 6455, 5.4); the parser answers the others."""
        if each.opcode not in (Opcode.TEXT, Opcode.BINARY, Opcode.CONT) or self._closing:
            return
        fragments = self._message or []
        fragments.append(each)
        if not each.fin:
            self._message = fragments
            return
        self._message = None
        self._hear(fragments)

    def _hear(self, fragments: list[WireFrame]) -> None:
        raw = b"".join([each.data for each in fragments])
        if fragments[0].opcode is Opcode.BINARY:
            self.conversation.hear(Frame(raw))
            return
        try:
            text = raw.decode()
        except UnicodeDecodeError:
            self._fail(_INVALID_TEXT)
        else:
            self.conversation.hear(Frame(text))

    def _answer(self, parser: Protocol) -> None:
        """Send pongs and the answer to a close, or the close that a broken frame calls for."""
        replies = b"".join(parser.data_to_send())
        if parser.state is State.OPEN:
            if replies:
                self.transport.write(replies)
            return
        if not self._closing:
            self._closing = True
            self.transport.write(replies)
        self.transport.close()

    def _fail(self, code: int) -> None:
        self._closing = True
        self.transport.write(close_frame(code, ""))
        self.transport.close()
