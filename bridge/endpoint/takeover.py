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
from collections.abc import Iterable, Mapping
from types import FunctionType
from typing import Any

from starlette.types import ASGIApp, Message
from uvicorn.config import Config
from uvicorn.protocols.http.flow_control import FlowControl
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from uvicorn.server import ServerState

from bridge.endpoint.front import Front
from bridge.endpoint.handshake import is_shared, shared_deflate
from bridge.endpoint.head import Fields, Head
from bridge.endpoint.offer import Make, Offering
from bridge.endpoint.pipelined import AttentiveProtocol
from bridge.endpoint.unreadable import AnsweringSocket

RELIED_ON: Mapping[type, Iterable[str]] = {
    Config: (
        "asgi_version",
        "limit_concurrency",
        "load",
        "loaded",
        "loaded_app",
        "root_path",
        "ws_per_message_deflate",
        "ws_protocol_class",
    ),
    ServerState: ("connections", "default_headers", "tasks"),
    HttpToolsProtocol: (
        "app",
        "connection_made",
        "connections",
        "cycle",
        "data_received",
        "flow",
        "handle_websocket_upgrade",
        "on_headers_complete",
        "parser",
        "pipeline",
        "scope",
        "server_state",
        "transport",
    ),
    FlowControl: ("resume_reading", "write_paused"),
    RequestResponseCycle: (
        "chunked_encoding",
        "disconnected",
        "message_event",
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
        "handshake_initiated",
        "loop",
        "scope",
        "stop_keepalive",
        "transport",
        "writable",
    ),
}
"""Attributes of uvicorn's protocols that this file reads or sets."""


class StreamProtocol(AttentiveProtocol):
    """uvicorn's HTTP protocol, offering its connection once a response has begun."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """As uvicorn, with the offer."""
        super().connection_made(transport)
        self.app = Offering(self.app, self._take)

    def _take(self, make: Make, *begin: Message) -> Any:  # noqa: ANN401 - what `make` makes
        if begin:  # uvicorn writes its own heads
            return None
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
        if not self.transport.is_closing():
            self._let_go()

    def _let_go(self) -> None:
        """Break the ring of references, so that what uvicorn held is freed with the task."""
        del self.app, self.cycle, self.flow, self.parser, self.scope, self.transport
        del self._unanswered


class SocketProtocol(AnsweringSocket):
    """uvicorn's WebSocket protocol, offering its connection once it is accepted."""

    _reads = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """As uvicorn, with the offer, and with a compression that can be shared."""
        if self.config.ws_per_message_deflate:
            self.conn.available_extensions = [shared_deflate()]
        super().connection_made(transport)
        self.app = Offering(self.app, self._take)

    def data_received(self, data: bytes) -> None:
        """As uvicorn, noting whether the client says anything after its handshake."""
        self._reads += 1
        super().data_received(data)

    def _take(self, make: Make, *begin: Message) -> Any:  # noqa: ANN401 - what `make` makes
        if begin:  # uvicorn writes its own heads
            return None
        is_open = self.handshake_complete and not (self.close_sent or self.disconnected)
        if not is_open or self.transport.is_closing() or not self.writable.is_set():
            return None
        if not all(map(is_shared, self.conn.extensions)):
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


class UvicornBehind:
    """uvicorn as the complete server behind `Front`: see `bridge.endpoint.front.Server`.

    Args:
        config: of one server.
        state: of the same.
        lifespan: what the application's start has left for its requests.
    """

    def __init__(self, config: Config, state: ServerState, lifespan: dict[str, Any]) -> None:
        if not config.loaded:
            config.load()
        self._config, self.state, self._lifespan = config, state, lifespan
        self.app: ASGIApp = config.loaded_app
        self.connections: set[Any] = state.connections
        self.tasks = state.tasks
        self.deflate = shared_deflate() if config.ws_per_message_deflate else None
        self.enabled = config.limit_concurrency is None  # uvicorn's own counts are its own

    @property
    def fields(self) -> Fields:
        """The date, anew each second, and what was configured."""
        return self.state.default_headers

    def scope(self, transport: asyncio.Transport, head: Head, *, socket: bool) -> dict[str, Any]:
        """As uvicorn's protocols make it."""
        root, secure = self._config.root_path, bool(transport.get_extra_info("sslcontext"))
        scope: dict[str, Any] = {
            "type": "websocket" if socket else "http",
            "asgi": {
                "version": self._config.asgi_version,
                "spec_version": "2.4" if socket else "2.3",
            },
            "http_version": "1.1",
            "server": _address(transport, "sockname"),
            "client": _address(transport, "peername"),
            "scheme": ("wss" if secure else "ws") if socket else ("https" if secure else "http"),
            "root_path": root,
            "path": root + head.path,
            "raw_path": root.encode() + head.raw_path,
            "query_string": head.query,
            "headers": head.fields,
            "state": self._lifespan.copy(),
        }
        if not socket:
            scope["method"] = "GET"
        return scope

    def give(
        self, transport: asyncio.Transport, data: bytes, app: ASGIApp | None, *, socket: bool
    ) -> bool:
        """Make the protocol that uvicorn would have made at the start, and let it catch up."""
        kind: Any = self._config.ws_protocol_class if socket else StreamProtocol
        protocol = kind(self._config, self.state, self._lifespan)
        whole, protocol.app = protocol.app, app or protocol.app
        protocol.connection_made(transport)
        transport.set_protocol(protocol)
        protocol.data_received(data)
        if socket:
            return not protocol.handshake_complete
        if app is None or protocol.cycle is None:
            return False
        protocol.app = Offering(whole, protocol._take)  # noqa: SLF001 - `app` was for one request
        return True


def _address(transport: asyncio.Transport, which: str) -> tuple[str, int | None] | None:
    """As ASGI has it: host and port, or the path of a socket that has one."""
    found = transport.get_extra_info(which)
    if isinstance(found, tuple):
        return str(found[0]), int(found[1])
    return (found, None) if found and isinstance(found, str) else None


class Entrance:
    """What uvicorn makes each connection's protocol by."""

    def __init__(self) -> None:
        self._server: UvicornBehind | None = None

    def __call__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> Front:
        """A connection that nothing was read from yet."""
        if self._server is None or self._server.state is not server_state:
            self._server = UvicornBehind(config, server_state, app_state)
        return Front(self._server)


def _nothing() -> None:
    """What is due once a taken connection's application has returned."""


def protocols() -> dict[str, Any]:
    """The options that make uvicorn offer its connections."""
    return {"http": Entrance(), "ws": SocketProtocol}


def missing(relied_on: Mapping[type, Iterable[str]] = RELIED_ON) -> Iterable[str]:
    """What the installed uvicorn lacks of that, as `Class.name`."""
    for protocol, names in relied_on.items():
        made = (each for each in vars(protocol).values() if isinstance(each, FunctionType))
        known = set(dir(protocol)).union(*(each.__code__.co_names for each in made))
        for name in names:
            if name not in known:
                yield f"{protocol.__name__}.{name}"
