"""Taking connections over from uvicorn: the one file that knows its internals.

Decides when a connection can be taken (its response has begun, nothing is outstanding) and hands
its transport to a protocol of ours; what happens on it then is `taken`'s and `taken_socket`'s.
The two classes go into `uvicorn.Config(http=..., ws=...)`, which documents them as options, and
offer themselves to endpoints as an ASGI extension. Nothing is patched. What is relied on beyond
the documented options is listed in `RELIED_ON` and checked by a test, by name, against the
installed uvicorn.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from types import FunctionType
from typing import Any, Protocol

from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.protocols.http.flow_control import FlowControl
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.extensions import Extension
from websockets.extensions.permessage_deflate import ServerPerMessageDeflateFactory

from bridge.endpoint.door import Door, Guarded
from bridge.wire.framing import DEFLATE_BITS

EXTENSION = "ws2sse.takeover"

RELIED_ON: Mapping[type, Iterable[str]] = {
    HttpToolsProtocol: (
        "app",
        "client",
        "connection_lost",
        "connection_made",
        "connections",
        "cycle",
        "data_received",
        "flow",
        "handle_websocket_upgrade",
        "on_headers_complete",
        "on_message_complete",
        "parser",
        "pipeline",
        "scope",
        "transport",
    ),
    FlowControl: ("resume_reading", "write_paused"),
    RequestResponseCycle: (
        "chunked_encoding",
        "disconnected",
        "response_complete",
        "response_started",
    ),
    WebSocketsSansIOProtocol: (
        "app",
        "close_sent",
        "close_timer",
        "conn",
        "connection_made",
        "connections",
        "data_received",
        "disconnected",
        "handshake_complete",
        "loop",
        "scope",
        "stop_keepalive",
        "transport",
        "writable",
    ),
}
"""Attributes of uvicorn's protocols that this file reads or sets."""


class Successor(Protocol):
    """What serves a connection after uvicorn: an asyncio protocol that a stop can close."""

    def shutdown(self) -> None:
        """The server stops."""


Make = Callable[[asyncio.Transport, set[Any]], Any]
"""Makes a successor of a transport and of the server's set of connections, which it is in from
then on and leaves by itself when its connection is lost."""


class Takeover(Protocol):
    """What an endpoint finds in `scope["extensions"]["ws2sse.takeover"]`."""

    def __call__(self, make: Make) -> Any:  # noqa: ANN401 - what `make` makes
        """Hand the connection to what `make` makes of its transport; None where it cannot be.

        After it the endpoint returns at once and neither sends nor receives.
        """


def offered(scope: Scope) -> Takeover | None:
    """The server's offer, None where it makes none."""
    offer: Takeover | None = (scope.get("extensions") or {}).get(EXTENSION)
    return offer


class _Offering:
    """The application as one connection calls it: with the offer in its scope."""

    __slots__ = ("_app", "_take")

    def __init__(self, app: ASGIApp, take: Takeover) -> None:
        self._app, self._take = app, take

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope["extensions"] = {**(scope.get("extensions") or {}), EXTENSION: self._take}
        await self._app(scope, receive, send)


class PlainProtocol(Guarded, HttpToolsProtocol):
    """uvicorn's HTTP protocol, with limits on what is no request yet."""


class StreamProtocol(PlainProtocol):
    """The same, offering its connection once a response has begun."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """As uvicorn, with the offer."""
        super().connection_made(transport)
        self.app = _Offering(self.app, self._take)

    def _take(self, make: Make) -> Any:  # noqa: ANN401 - what `make` makes
        cycle, transport = self.cycle, self.transport
        begun = cycle.response_started and not cycle.response_complete and cycle.chunked_encoding
        if not begun or cycle.disconnected or transport.is_closing() or self.pipeline:
            return None
        if self.flow.write_paused:  # a successor would never hear of it
            return None
        successor = make(transport, self.connections)
        transport.set_protocol(successor)
        self.connections.discard(self)
        self.connections.add(successor)
        self.flow.resume_reading()
        cycle.disconnected = True  # so that the application may return without a last body
        self._let_go()
        return successor

    def handle_websocket_upgrade(self) -> None:
        """As uvicorn, but without leaving a parser behind that keeps all of this alive."""
        super().handle_websocket_upgrade()
        self._let_go()

    def _let_go(self) -> None:
        """Break the ring of references, so that what uvicorn held is freed with the task."""
        del self.app, self.cycle, self.flow, self.parser, self.scope, self.transport


class SocketProtocol(WebSocketsSansIOProtocol):
    """uvicorn's WebSocket protocol, offering its connection once it is accepted."""

    _reads = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """As uvicorn, with the offer, and with a compression that can be shared."""
        if self.config.ws_per_message_deflate:
            self.conn.available_extensions = [_shared_deflate()]
        super().connection_made(transport)
        self.app = _Offering(self.app, self._take)

    def data_received(self, data: bytes) -> None:
        """As uvicorn, noting whether the client says anything after its handshake."""
        self._reads += 1
        super().data_received(data)

    def _take(self, make: Make) -> Any:  # noqa: ANN401 - what `make` makes
        is_open = self.handshake_complete and not (self.close_sent or self.disconnected)
        if not is_open or self.transport.is_closing() or not self.writable.is_set():
            return None
        if not all(map(_is_shared, self.conn.extensions)):
            return None
        if self._reads > 1:  # uvicorn's parser has begun with the client's frames
            return None
        self.stop_keepalive()
        transport = self.transport
        successor = make(transport, self.connections)
        if self.conn.extensions:
            successor.negotiate(self.conn.extensions)
        transport.set_protocol(successor)
        self.connections.discard(self)
        self.connections.add(successor)
        # When the application returns, uvicorn closes the transport unless a close is pending.
        self.close_timer = self.loop.call_later(0, _nothing)
        self._let_go()
        return successor

    def _let_go(self) -> None:
        del self.app, self.conn, self.scope, self.transport


def _shared_deflate() -> ServerPerMessageDeflateFactory:
    """Without context, so that one compressed message serves all who negotiated it."""
    return ServerPerMessageDeflateFactory(
        server_no_context_takeover=True,
        client_no_context_takeover=True,
        server_max_window_bits=DEFLATE_BITS,
        client_max_window_bits=DEFLATE_BITS,
    )


def _is_shared(extension: Extension) -> bool:
    """Whether the client agreed to the window that messages are compressed with."""
    return getattr(extension, "local_max_window_bits", None) == DEFLATE_BITS


def _nothing() -> None:
    """What is due once a taken connection's application has returned."""


def protocols(door: Door | None = None, *, offer: bool = True) -> dict[str, Any]:
    """The options that make uvicorn guard its connections, and offer them.

    Args:
        door: limits what is no request yet; None leaves that to uvicorn.
        offer: whether connections are offered; else uvicorn keeps them.
    """
    http = StreamProtocol if offer else PlainProtocol
    guarded = type(http.__name__, (http,), {"door": door}) if door else http
    return {"http": guarded, "ws": SocketProtocol if offer else "websockets-sansio"}


def missing(relied_on: Mapping[type, Iterable[str]] = RELIED_ON) -> Iterable[str]:
    """What the installed uvicorn lacks of that, as `Class.name`."""
    for protocol, names in relied_on.items():
        made = (each for each in vars(protocol).values() if isinstance(each, FunctionType))
        known = set(dir(protocol)).union(*(each.__code__.co_names for each in made))
        for name in names:
            if name not in known:
                yield f"{protocol.__name__}.{name}"
