"""What stands before a complete server: ordinary requests whose connections are taken over.

Decides which requests are tried here: a GET that asks for an event stream, or a WebSocket's
handshake, whole and alone. The application is called for it as by any ASGI server, and may take the
connection before anything was said on it; then the head is written here, and the server was never
troubled. Where the application sends or receives instead, or the client says more, the request is
given to the server as if it had been there from the start. So all that is rare is the server's.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import MutableMapping
from types import MappingProxyType
from typing import Any, Protocol

from starlette.types import ASGIApp, Message, Receive, Scope, Send
from websockets.extensions.permessage_deflate import ServerPerMessageDeflateFactory

from bridge.endpoint.door import Door, Watch
from bridge.endpoint.handshake import Handshake, handshake
from bridge.endpoint.head import Fields, Head, ordinary
from bridge.endpoint.offer import EXTENSION, Make, Takeover, offered
from bridge.wire.framing import chunk

STREAM = b"text/event-stream"

_FIRST = b"HTTP/1.1 200 OK\r\n"
_CLOSE = b"connection: close\r\n"
_LAST = b"transfer-encoding: chunked\r\n\r\n"
_SERVERS = frozenset({b"connection", b"content-length", b"transfer-encoding"})
"""Fields that change how a server frames its answer."""


class ClientGoneError(OSError):
    """The client has left: what servers tell an application that sends nevertheless."""


class Server(Protocol):
    """The complete server.

    Attributes:
        app: the application.
        connections: all that are open.
        tasks: those that a stop waits for.
        deflate: the compression that WebSockets may agree on.
        enabled: whether anything is to be tried before it.
        door: limits connections that are no clients yet.
    """

    app: ASGIApp
    connections: set[Any]
    tasks: set[asyncio.Task[None]]
    deflate: ServerPerMessageDeflateFactory | None
    enabled: bool
    door: Door | None

    @property
    def fields(self) -> Fields:
        """Header fields of every answer, such as the date."""

    def scope(self, front: Front, head: Head, *, socket: bool) -> dict[str, Any]:
        """What the server tells an application of a request."""

    def give(self, front: Front, data: bytes, app: ASGIApp | None, *, socket: bool) -> bool:
        """Serve a connection from its first bytes on, by `app` where one is given.

        Answers whether the application is being called for them.
        """


class Front(asyncio.Protocol):
    """One connection until its first request is given on or its connection taken over.

    Attributes:
        transport: as the server's own connections have it.
        watch: bounds how long and how much it may say before that.
        call: the application's look at the first request, while it takes.
    """

    __slots__ = ("__weakref__", "_server", "call", "transport", "watch")

    transport: asyncio.Transport

    def __init__(self, server: Server) -> None:
        self._server = server
        self.call: _Call | None = None
        self.watch: Watch | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A client has come."""
        self.transport = transport  # type: ignore[assignment]
        self._server.connections.add(self)
        if self._server.door:
            self.watch = self._server.door.watch(self.transport, len(self._server.connections))

    def data_received(self, data: bytes) -> None:
        """Its first request; or it says more before that is answered."""
        if self.call:
            self.call.give()
            self.transport.get_protocol().data_received(data)  # type: ignore[attr-defined]
            return
        data = self.watch.introduce(data) if self.watch else data
        head = ordinary(data) if self._server.enabled else None
        call = _Call.of(self, self._server, head, data) if head else None
        if call:
            self._begin(call)
        elif data:
            self.leave()
            self._server.give(self, data, None, socket=False)

    def _begin(self, call: _Call) -> None:
        self.call = call
        if self.watch:  # its head is whole; how long an answer takes is the application's
            self.watch.close()
        task = asyncio.get_running_loop().create_task(call.run())
        self._server.tasks.add(task)
        task.add_done_callback(self._server.tasks.discard)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002
        """The client has left before it was answered."""
        self.leave()
        if self.call:
            self.call.gone = True
            self.call = None

    def shutdown(self) -> None:
        """The server stops: whoever waits for an answer is told by the server."""
        if self.call:
            self.call.give()
            self.transport.get_protocol().shutdown()  # type: ignore[attr-defined]
        else:
            self.transport.close()

    def leave(self) -> None:
        """This is not the connection's protocol any more."""
        self._server.connections.discard(self)
        if self.watch:
            self.watch.close()


class _Call:
    """The application's look at one request."""

    __slots__ = (
        "_data",
        "_front",
        "_handshake",
        "_head",
        "_lent",
        "_outcome",
        "_scope",
        "_server",
        "_servers",
        "_servers_scope",
        "_take",
        "gone",
        "taken",
    )

    def __init__(
        self, front: Front, server: Server, head: Head, data: bytes, shake: Handshake | None
    ) -> None:
        self._front, self._server, self._head, self._data = front, server, head, data
        self._handshake = shake
        self.gone = self.taken = False
        self._lent: asyncio.Event | None = None
        self._servers: tuple[Receive, Send] | None = None
        self._scope = self._servers_scope = _NOTHING
        self._take: Takeover | None = None
        self._outcome: asyncio.Future[BaseException | None] | None = None

    @classmethod
    def of(cls, front: Front, server: Server, head: Head, data: bytes) -> _Call | None:
        """A call for a request that is tried here."""
        shake = handshake(head, server.deflate) if head.upgrade else None
        streams = b"upgrade" not in head.named and STREAM in head.named.get(b"accept", b"")
        return cls(front, server, head, data, shake) if shake or streams else None

    async def run(self) -> None:
        """Call the application, and pass its end on to whoever has the connection then."""
        error: BaseException | None = None
        scope = self._scope = self._asked()
        try:
            await self._server.app(scope, self._receive, self._send)
        except BaseException as raised:  # noqa: BLE001 - the server judges it
            error = raised
        scope["extensions"].clear()  # it leads back to here
        self._end(error)

    def give(self) -> None:
        """Let the server have the request, with this call in the application's place."""
        if self._lent is None:
            front, self._lent = self._front, asyncio.Event()
            self._outcome = asyncio.get_running_loop().create_future()
            front.leave()
            socket = self._handshake is not None
            if not self._server.give(front, self._data, self._stand_in, socket=socket):
                self.gone = True
                self._lent.set()

    # What the application sees.

    def _asked(self) -> MutableMapping[str, Any]:
        shake = self._handshake
        scope = self._server.scope(self._front, self._head, socket=shake is not None)
        scope["extensions"] = {EXTENSION: self._taking}
        if shake:
            scope["subprotocols"] = list(shake.subprotocols)
            scope["extensions"]["websocket.http.response"] = {}
        return scope

    def _taking(self, make: Make, *begin: Message) -> Any:  # noqa: ANN401 - what `make` makes
        if self._lent:
            return self._take(make, *begin) if self._take else None
        transport = self._front.transport
        if not begin or self.gone or transport.is_closing():
            return None
        said = self._said(*begin)
        if said is None:
            return None
        successor = make(transport, self._server.connections)
        if self._handshake and self._handshake.extensions:
            successor.negotiate(self._handshake.extensions)
        transport.set_protocol(successor)
        self._front.leave()
        self._server.connections.add(successor)
        transport.write(said)
        self.taken = True
        return successor

    def _said(self, start: Message, *bodies: Message) -> bytes | None:
        """The answer's beginning; None where it is not for this place to write it."""
        shake, own = self._handshake, start.get("headers", ())
        for _, value in own:
            if b"\r" in value or b"\n" in value:
                return None  # the server has words for it
        fields = [*self._server.fields, *own]
        if shake:
            return shake.answer(fields, start.get("subprotocol"))
        if start["status"] != 200 or not _SERVERS.isdisjoint([name for name, _ in fields]):
            return None
        said = [_FIRST]
        for name, value in fields:
            said += name, b": ", value, b"\r\n"
        said += (_LAST,) if self._head.keep_alive else (_CLOSE, _LAST)
        said += (chunk(each["body"]) for each in bodies)
        return b"".join(said)

    async def _send(self, message: Message) -> None:
        servers = await self._borrowed()
        if servers:  # whose log is to show what the application left there, and nothing more
            self._servers_scope.update((each, self._scope[each]) for each in _SHOWN)
            await servers[1](message)
        elif self._handshake:
            raise ClientGoneError("the client has left")

    async def _receive(self) -> Message:
        servers = await self._borrowed()
        if servers:
            return await servers[0]()
        return {"type": "websocket.disconnect", "code": 1006} if self._handshake else _DISCONNECT

    async def _borrowed(self) -> tuple[Receive, Send] | None:
        """The server's own `receive` and `send`; None where the client has left."""
        if not self.gone:
            self.give()
        if self._lent:
            await self._lent.wait()
        return self._servers

    # What the server sees.

    async def _stand_in(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The application, as the server calls it."""
        self._servers, self._take = (receive, send), offered(scope)
        self._servers_scope = scope
        if self._lent and self._outcome:
            self._lent.set()
            error = await self._outcome
            if error:
                raise error

    def _end(self, error: BaseException | None) -> None:
        if not (self.taken or self.gone):
            self.give()
        if self._outcome and not self._outcome.done():
            self._outcome.set_result(error)
        elif error and not isinstance(error, ClientGoneError):
            logging.getLogger("uvicorn.error").error("fault in the application", exc_info=error)
            self._front.transport.close()
        self._front.call = None
        del self._front


_NOTHING: MutableMapping[str, Any] = MappingProxyType({})  # type: ignore[assignment]
_SHOWN = ("client", "path", "query_string")
_DISCONNECT: Message = {"type": "http.disconnect"}
