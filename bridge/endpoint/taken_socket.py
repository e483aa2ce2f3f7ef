"""A taken-over WebSocket connection: the transport's protocol and a conversation's wire in one.

Decides what happens on the connection once the web server has handed it over: flow control,
frames in, pings, and the close handshake (RFC 6455, 7). What comes in is parsed by the sans-I/O
protocol of `websockets`; between two messages an idle connection keeps no parser. What goes out
is framed once for all (`wire.framing`). While the client does not read, it is not read from
either, so nothing that it asks for gathers here; and what it says at once is heard in slices, so
that others have their turn in between.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from typing import Any

import structlog
from websockets.extensions import Extension
from websockets.frames import Frame as WireFrame
from websockets.frames import Opcode
from websockets.protocol import Protocol, Side, State

from bridge.endpoint.batch import Form
from bridge.endpoint.conversation import Conversation
from bridge.endpoint.fragments import DATA, Fragments
from bridge.endpoint.gateway import RESTARTS
from bridge.endpoint.wheel import Due, Wheel
from bridge.wire.dialect import Dialect
from bridge.wire.endings import INTERNAL, INVALID_DATA, RESTART, Ending
from bridge.wire.frame import Frame
from bridge.wire.framing import PING, Boundary, close_frame, frame

_SLICE = 8192
"""Bytes that are parsed in one turn of the loop: in frames of six bytes that takes a few ms."""

_SILENT = logging.getLogger("websockets.server")


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
        closed: as given.
        ending: by its name; `left` where the client went, `dropped` where it was cut off.
        transport: as uvicorn's own connections have it.
        write: hands over frames; never called once the conversation is over.
    """

    __slots__ = (
        "_boundary",
        "_closing",
        "_connections",
        "_deadline",
        "_dialect",
        "_extensions",
        "_fragments",
        "_full",
        "_heard",
        "_limit",
        "_parser",
        "_rest",
        "_timeout",
        "_turn",
        "_wanted",
        "_wheel",
        "closed",
        "conversation",
        "ending",
        "form",
        "transport",
        "write",
    )

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
        self._dialect, self.closed = dialect, closed
        self.ending = "left"
        self._limit, self._timeout, self._wheel = limit, timeout, wheel
        self.write: Callable[[object], None] = transport.write  # type: ignore[assignment]
        self.form = Form.FRAMES
        self._extensions: Sequence[Extension] = ()
        self._parser: Protocol | None = None
        self._boundary: Boundary | None = None
        self._fragments = Fragments()
        self._rest = b""  # what was read and is not heard yet
        self._turn: asyncio.Handle | None = None  # in which the next slice of it is heard
        self._closing = self._full = False
        self._wanted = True  # whether the conversation takes more
        self._heard = True  # whether the client gave a sign of life since the last pulse
        self._deadline: Due | None = None

    def negotiate(self, extensions: Sequence[Extension]) -> None:
        """Compress from now on, as the handshake agreed."""
        self._extensions, self.form = extensions, Form.DEFLATED

    # What the conversation asks for.

    def deliver(self, payload: str | bytes) -> None:
        """Send one message."""
        if not self._closing:
            self.write(frame(payload))

    def close(self, ending: Ending, reason: str) -> None:
        """Send a close frame and wait, for a bounded time, for the client's."""
        if self._closing:
            return
        self.ending = ending.name
        if ending.reconnect and self._dialect.options.transient == "cut":
            self._finish(b"")
        else:
            self._begin_close(close_frame(self._dialect.close_code(ending), reason))

    def abort(self) -> None:
        """Drop the connection and what is still to be written."""
        self.ending = "dropped"
        self.transport.abort()

    def listen(self, *, wanted: bool) -> None:
        """Read on, or let TCP slow the client down."""
        self._wanted = wanted
        if not self._closing:
            self._regulate()

    def pulse(self) -> None:
        """Ping; a client that has been silent since the last one is gone.

        One that is not read from cannot be heard, so it is not judged.
        """
        if self._closing or not self._is_read:
            return
        if not self._heard:
            self.abort()
            return
        self._heard = False
        self.write(PING)

    # What the transport tells.

    def pause_writing(self) -> None:
        """The transport holds as much as it should."""
        self._full = True
        self._regulate()
        self.conversation.full()

    def resume_writing(self) -> None:
        """The transport has room again."""
        self._full, self._heard = False, True
        self._regulate()
        self.conversation.room()

    def data_received(self, data: bytes) -> None:
        """Hear the client; a fault of ours closes this socket and is logged."""
        self._heard = True
        if self._rest or len(data) > _SLICE:
            self._rest += data
            self._go_on()
        else:
            self._listen_to(data)

    def _go_on(self) -> None:
        """Hear the next slice, and no more in this turn of the loop."""
        self._turn = None
        if not self._rest or not self._is_read:
            return
        data, self._rest = self._rest[:_SLICE], self._rest[_SLICE:]
        self._listen_to(data)
        self._regulate()

    def _listen_to(self, data: bytes) -> None:
        try:
            self._parse(data)
        except Exception:  # noqa: BLE001 - uvloop would drop the connection without a word
            structlog.get_logger().exception("a client's frame could not be dealt with")
            self._fail(INTERNAL)

    def eof_received(self) -> None:
        """The client closes its side; asyncio then closes ours."""
        self._hear_out()

    def _hear_out(self) -> None:
        """What the client said before it left still counts; no more than one read is left."""
        data, self._rest = self._rest, b""
        if data and not self._closing:
            self._listen_to(data)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002
        """The connection is gone."""
        self._hear_out()
        self._connections.discard(self)
        self._closing = True
        if self._deadline:
            self._deadline.cancel()
        self.conversation.closed()
        self.closed(self)

    # What uvicorn tells its connections.

    def shutdown(self) -> None:
        """The server stops. The drain has ended all that reads; a socket that does not is told."""
        self.close(RESTART, RESTARTS)

    # Frames of the client.

    def _parse(self, data: bytes) -> None:
        """Keep the parser only while a message is unfinished."""
        parser, boundary = self._parser, self._boundary
        if parser is None or boundary is None:
            parser = Protocol(Side.SERVER, state=State.OPEN, max_size=self._limit, logger=_SILENT)
            parser.extensions = list(self._extensions)
            boundary = Boundary()
        parser.receive_data(data)
        ended = boundary.feed(data)
        self._parser, self._boundary = (None, None) if ended else (parser, boundary)
        replies = b"".join(parser.data_to_send())  # pongs, or a close
        is_open = parser.state is State.OPEN
        if replies and is_open and not self._closing:
            self.write(replies)
        for each in parser.events_received():
            self._take(each)  # type: ignore[arg-type]
        if not is_open:  # the client closed, or broke the protocol, after all of these
            self._finish(replies)

    def _take(self, each: WireFrame) -> None:
        """Gather data frames into messages (RFC 6455, 5.4); the parser answers the others."""
        if self._closing:
            return
        whole = self._fragments.take(each) if each.opcode in DATA else None
        if whole:
            self._hear(*whole)
        elif each.opcode is not Opcode.CLOSE:
            self.conversation.counts(0)

    def _hear(self, opcode: Opcode, raw: bytes) -> None:
        if opcode is Opcode.BINARY:
            self.conversation.hear(Frame(raw))
            return
        try:
            text = raw.decode()
        except UnicodeDecodeError:
            self._fail(INVALID_DATA)
        else:
            self.conversation.hear(Frame(text))

    # The end.

    def _fail(self, ending: Ending) -> None:
        self.ending = ending.name
        self._finish(close_frame(ending.ws, ""))

    def _begin_close(self, last: bytes) -> None:
        """Say the last word; from now on only the client's answer matters."""
        self._closing = True
        self.conversation.over()
        self.transport.write(last)
        self._regulate()
        self._deadline = self._wheel.after(self._timeout, self.transport.abort)

    def _finish(self, last: bytes) -> None:
        """Say the last word, unless it was said, and close as soon as it is out."""
        if not self._closing:
            self._begin_close(last)
        self.transport.close()

    @property
    def _is_read(self) -> bool:
        return self._closing or (self._wanted and not self._full)

    def _regulate(self) -> None:
        if self._rest and self._is_read:
            self.transport.pause_reading()
            self._turn = self._turn or asyncio.get_running_loop().call_soon(self._go_on)
        elif self._is_read:
            self.transport.resume_reading()
        else:
            self.transport.pause_reading()
