"""Taking connections over from uvicorn: the one file that knows its internals.

Decides when a connection can be taken (its response has begun, nothing is outstanding) and hands
its transport to a protocol of ours; what happens on it then is `taken`'s and `taken_socket`'s.
The two classes go into `uvicorn.Config(http=..., ws=...)`, which documents them as options, and
offer themselves to endpoints as an ASGI extension. Nothing is patched. What is relied on beyond
the documented options is listed in `bridge.endpoint.relied_on`.
"""

from __future__ import annotations

import asyncio
from typing import Any

from starlette.types import ASGIApp, Message
from uvicorn.config import Config
from uvicorn.server import ServerState

from bridge.endpoint.door import Door, Watch
from bridge.endpoint.front import Front
from bridge.endpoint.handshake import is_shared, shared_deflate
from bridge.endpoint.head import BYTES, Fields, Head
from bridge.endpoint.offer import Make, Offering
from bridge.endpoint.pipelined import AttentiveProtocol
from bridge.endpoint.unreadable import AnsweringSocket


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
        self.watch = None


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
        door: limits connections that are no clients yet.
    """

    def __init__(
        self, config: Config, state: ServerState, lifespan: dict[str, Any], door: Door | None
    ) -> None:
        if not config.loaded:
            config.load()
        self._config, self.state, self._lifespan = config, state, lifespan
        self.door = door
        self.app: ASGIApp = config.loaded_app
        self.connections: set[Any] = state.connections
        self.tasks = state.tasks
        self.deflate = shared_deflate() if config.ws_per_message_deflate else None
        # uvicorn's own counts are its own, and so is a head that not every ordinary one is as short
        longest = door.options.head_bytes if door else BYTES
        self.enabled = config.limit_concurrency is None and longest >= BYTES

    @property
    def fields(self) -> Fields:
        """The date, anew each second, and what was configured."""
        return self.state.default_headers

    def scope(self, front: Front, head: Head, *, socket: bool) -> dict[str, Any]:
        """As uvicorn's protocols make it."""
        transport, source = front.transport, front.watch.source if front.watch else None
        root, secure = self._config.root_path, bool(transport.get_extra_info("sslcontext"))
        scope: dict[str, Any] = {
            "type": "websocket" if socket else "http",
            "asgi": {
                "version": self._config.asgi_version,
                "spec_version": "2.4" if socket else "2.3",
            },
            "http_version": "1.1",
            "server": _address(transport, "sockname"),
            "client": source or _address(transport, "peername"),
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

    def give(self, front: Front, data: bytes, app: ASGIApp | None, *, socket: bool) -> bool:
        """Make the protocol that uvicorn would have made at the start, and let it catch up."""
        transport, watch = front.transport, front.watch
        if socket:
            protocol = self._new_socket(watch)
        else:
            protocol = StreamProtocol(self._config, self.state, self._lifespan)
            protocol.watch = watch
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

    def _new_socket(self, watch: Watch | None) -> Any:  # noqa: ANN401 - as configured
        kind: Any = self._config.ws_protocol_class
        more = {"source": watch.source} if watch else {}
        return kind(self._config, self.state, self._lifespan, **more)


def _address(transport: asyncio.Transport, which: str) -> tuple[str, int | None] | None:
    """As ASGI has it: host and port, or the path of a socket that has one."""
    found = transport.get_extra_info(which)
    if isinstance(found, tuple):
        return str(found[0]), int(found[1])
    return (found, None) if found and isinstance(found, str) else None


class Entrance:
    """What uvicorn makes each connection's protocol by.

    Args:
        door: limits connections that are no clients yet.
    """

    def __init__(self, door: Door | None = None) -> None:
        self._door, self._server = door, None  # type: Door | None, UvicornBehind | None

    def __call__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> Front:
        """A connection that nothing was read from yet."""
        if self._server is None or self._server.state is not server_state:
            self._server = UvicornBehind(config, server_state, app_state, self._door)
        return Front(self._server)


def _nothing() -> None:
    """What is due once a taken connection's application has returned."""


def protocols(door: Door | None = None, *, offer: bool = True) -> dict[str, Any]:
    """The options that make uvicorn watch its connections, and offer them.

    Args:
        door: limits connections that are no clients yet.
        offer: whether they are offered; else uvicorn keeps them.
    """
    if offer:
        return {"http": Entrance(door), "ws": SocketProtocol}
    watched = type(AttentiveProtocol.__name__, (AttentiveProtocol,), {"door": door})
    return {"http": watched, "ws": AnsweringSocket}
