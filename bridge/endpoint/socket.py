"""A client's WebSocket as the bridge writes it: frames out, frames in, one close.

Decides only that nothing follows a close and that a close code may stand on the wire; never what
is said.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress

import anyio
import orjson
from starlette.websockets import WebSocket, WebSocketDisconnect

from bridge.endpoint.farewell import told
from bridge.endpoint.outgoing import Outgoing
from bridge.endpoint.pump import SLOW
from bridge.endpoint.sse import written_cursor
from bridge.history.cursor import Cursor
from bridge.history.log import Entry, Gap
from bridge.wire.dialect import Dialect
from bridge.wire.endings import TRY_LATER, Ending
from bridge.wire.event import END, GAP
from bridge.wire.frame import Frame
from bridge.wire.names import ChannelName

CURSOR = "bridge.cursor"
"""`type` of the notice that carries a client's place, for clients that asked for notices."""

_REASON_BYTES = 123  # RFC 6455, 5.5: a control frame holds 125 bytes, two are the code


class Socket:
    """One client's socket.

    Args:
        websocket: not yet accepted.
        dialect: its subprotocols, close codes and templates.
        send_timeout: seconds that a single frame may take.

    Attributes:
        place: the client's place as its handshake gives it, None where it does not.
        on_close: called once this side has closed, or has given up trying.
        wants_notices: whether the client asked, by `?notices=true`, to be told its place, holes
            and endings in frames of the bridge's own; legacy clients do not and never see one.
    """

    def __init__(self, websocket: WebSocket, dialect: Dialect, send_timeout: float) -> None:
        self._websocket, self.dialect, self._timeout = websocket, dialect, send_timeout
        self._closed = False
        self.on_close: Callable[[], None] = lambda: None
        self.place = written_cursor(websocket)
        self.wants_notices = websocket.query_params.get("notices") in ("1", "true")

    @property
    def closed(self) -> bool:
        """Whether this side has closed it."""
        return self._closed

    async def accept(self) -> None:
        """Accept, echoing the offered subprotocol that the dialect knows (RFC 6455, 4.2.2)."""
        offered = self._websocket.scope.get("subprotocols", ())
        await self._websocket.accept(self.dialect.subprotocol(offered))

    async def receive(self) -> Frame | None:
        """The next frame; None once the socket is closed."""
        message = await self._websocket.receive()
        if message["type"] != "websocket.receive":
            return None
        text = message.get("text")
        return Frame(text if text is not None else message["bytes"])

    async def deliver(self, payload: str | bytes) -> None:
        """Send a payload exactly as it is, text as text and bytes as bytes.

        Raises:
            WebSocketDisconnect: either side has closed; servers say so in several ways.
        """
        if self._closed:
            raise WebSocketDisconnect(1006)
        try:
            if isinstance(payload, str):
                await self._websocket.send_text(payload)
            else:
                await self._websocket.send_bytes(payload)
        except (OSError, RuntimeError):
            # uvicorn closes by itself (a frame too large, a ping unanswered), and then takes a
            # frame that crosses its close for a mistake of the application
            raise WebSocketDisconnect(1006) from None

    async def say(self, text: str | None) -> None:
        """Send a frame of the dialect's own, None says nothing; a client that lets it wait ends."""
        if not text:
            return
        with anyio.move_on_after(self._timeout) as waited:
            await self.deliver(text)
        if waited.cancelled_caught:
            await self.close(TRY_LATER, SLOW)

    async def notify(self, kind: str, **members: object) -> None:
        """Send a notice of the bridge's own, if the client asked for notices."""
        if self.wants_notices:
            await self.say(orjson.dumps({"type": kind, **members}).decode())

    async def close(self, ending: Ending, reason: str) -> None:
        """Close once; the reason is cut to what a close frame holds."""
        if self._closed:
            return
        self._closed = True
        cut = reason.encode()[:_REASON_BYTES].decode(errors="ignore")
        try:
            with (
                anyio.move_on_after(self._timeout),
                suppress(OSError, RuntimeError, WebSocketDisconnect),  # it was closed before
            ):
                await self._websocket.close(self.dialect.close_code(ending), cut)
        finally:
            self.on_close()


class SocketSink:
    """Writes one subscription's stream to a socket.

    Args:
        socket: where to.
        name: the subscribed channel.
        outgoing: the frames that an event becomes; by default its payload and nothing else.
        drop: takes the subscription off the socket; whether that was its last one.
    """

    def __init__(
        self, socket: Socket, name: ChannelName, outgoing: Outgoing, drop: Callable[[], bool]
    ) -> None:
        self._socket, self._name = socket, name
        self._outgoing, self._drop = outgoing, drop

    async def begin(self, place: Cursor | Gap) -> None:
        """Tell the place, and the hole before it, as far as the client wants to know."""
        if isinstance(place, Gap):
            await self._tell_gap(place.data)
            place = place.new
        await self._tell_place(place)

    async def send(self, entries: Sequence[Entry], cursor: Cursor) -> None:
        """Each entry's payload as a frame of its own."""
        for entry in entries:
            if entry.event.is_notice:
                await self._tell_gap(str(entry.event.data))
                continue
            for payload in self._outgoing(entry.event, self._name):
                await self._socket.deliver(payload)
        await self._tell_place(cursor)

    async def heartbeat(self, cursor: Cursor) -> None:
        """Nothing: the protocol's own ping keeps a WebSocket alive."""

    async def end(self, ending: Ending, reason: str) -> None:
        """Close the socket, unless other subscriptions go on.

        Where the client should come back, it has to come back for all of them: a subscription
        that stops on an open socket would be a hole that nobody tells of.
        """
        closes = self._drop() or ending.reconnect
        try:
            await self._socket.notify(END, channel=str(self._name), **told(ending, reason))
            if not closes:
                await self._socket.say(self._socket.dialect.error(ending, reason))
        finally:
            if closes:
                await self._socket.close(ending, reason)

    async def _tell_place(self, cursor: Cursor) -> None:
        await self._socket.notify(CURSOR, channel=str(self._name), id=str(cursor))

    async def _tell_gap(self, data: str) -> None:
        said = orjson.loads(data)
        await self._socket.say(self._socket.dialect.gap(**said))
        await self._socket.notify(GAP, channel=str(self._name), **said)
