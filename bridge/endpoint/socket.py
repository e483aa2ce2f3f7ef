"""A client's WebSocket as the bridge writes it: frames out, frames in, one close.

Decides only that nothing follows a close and that a close code may stand on the wire; never what
is said.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import anyio
import orjson
from starlette.websockets import WebSocket, WebSocketDisconnect

from bridge.history.cursor import Cursor
from bridge.history.log import Entry, Gap
from bridge.wire.dialect import Dialect
from bridge.wire.endings import Ending
from bridge.wire.event import GAP, Event
from bridge.wire.frame import Frame
from bridge.wire.names import ChannelName

CURSOR = "bridge.cursor"
"""`type` of the notice that carries a client's place, for clients that asked for notices."""

_REASON_BYTES = 123  # RFC 6455, 5.5: a control frame holds 125 bytes, two are the code


Outgoing = Callable[[Event, ChannelName], tuple[str | bytes, ...]]
"""The frames that an event becomes for WebSocket clients of a channel."""


class Socket:
    """One client's socket.

    Args:
        websocket: not yet accepted.
        dialect: its subprotocols, close codes and templates.
        send_timeout: seconds that a single frame may take.

    Attributes:
        wants_notices: whether the client asked, by `?notices=true`, to be told its place, holes
            and endings in frames of the bridge's own; legacy clients do not and never see one.
    """

    def __init__(self, websocket: WebSocket, dialect: Dialect, send_timeout: float) -> None:
        self._websocket, self.dialect, self._timeout = websocket, dialect, send_timeout
        self._closed = False
        self.wants_notices = self.query("notices") in ("1", "true")

    def query(self, name: str) -> str | None:
        """A query parameter, None where it is absent or empty."""
        return self._websocket.query_params.get(name) or None

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
        """Send a payload exactly as it is, text as text and bytes as bytes."""
        if self._closed:
            raise WebSocketDisconnect(1006)
        if isinstance(payload, str):
            await self._websocket.send_text(payload)
        else:
            await self._websocket.send_bytes(payload)

    async def say(self, text: str | None) -> None:
        """Send a frame of the dialect's own; None says nothing."""
        if text:
            with anyio.fail_after(self._timeout):
                await self.deliver(text)

    async def notify(self, kind: str, **members: object) -> None:
        """Send a notice of the bridge's own, if the client asked for notices."""
        if self.wants_notices:
            await self.deliver(orjson.dumps({"type": kind, **members}).decode())

    async def close(self, ending: Ending, reason: str) -> None:
        """Close once; the reason is cut to what a close frame holds."""
        if self._closed:
            return
        self._closed = True
        cut = reason.encode()[:_REASON_BYTES].decode(errors="ignore")
        with anyio.move_on_after(self._timeout):
            await self._websocket.close(self.dialect.close_code(ending), cut)


class SocketSink:
    """Writes one subscription's stream to a socket.

    Args:
        socket: where to.
        name: the subscribed channel.
        outgoing: the frames that an event becomes; by default its payload and nothing else.
        is_last: whether the socket has no other subscription, so that this one's end closes it.
    """

    def __init__(
        self,
        socket: Socket,
        name: ChannelName,
        outgoing: Outgoing,
        is_last: Callable[[], bool],
    ) -> None:
        self._socket, self._name = socket, name
        self._outgoing, self._is_last = outgoing, is_last

    async def begin(self, cursor: Cursor) -> None:
        """Tell the place where delivery begins, to clients that asked."""
        await self._socket.notify(CURSOR, channel=str(self._name), id=str(cursor))

    async def send(self, entries: Sequence[Entry], cursor: Cursor) -> None:
        """Each entry's payload as a frame of its own."""
        for entry in entries:
            if entry.event.is_notice:
                await self._tell_gap(str(entry.event.data))
            else:
                for payload in self._outgoing(entry.event, self._name):
                    await self._socket.deliver(payload)
        await self.begin(cursor)

    async def gap(self, gap: Gap) -> None:
        """Tell of a hole, as the dialect asks or to clients that asked for notices."""
        await self._tell_gap(gap.data)

    async def heartbeat(self, cursor: Cursor) -> None:
        """Nothing: the protocol's own ping keeps a WebSocket alive."""

    async def end(self, ending: Ending, reason: str) -> None:
        """Close the socket, unless it still has another subscription."""
        if self._is_last():
            await self._socket.close(ending, reason)
        else:
            await self._socket.say(self._socket.dialect.error(ending, reason))

    async def _tell_gap(self, data: str) -> None:
        said = orjson.loads(data)
        told = said | {"old": said["old"] or ""}
        await self._socket.say(self._socket.dialect.gap(**told))
        await self._socket.notify(GAP, channel=str(self._name), **said)
