"""Which connections are handed over by a real server, and what becomes of those that are not."""

import asyncio
from typing import Any

import anyio
from starlette.types import Message, Receive, Scope, Send
from websockets.asyncio.client import connect

from bridge.endpoint.takeover import missing, offered, protocols
from tests.endpoint.parts import raw_exchange
from tests.support.servers import serving
from tests.support.waiting import until

OPTIONS: dict[str, Any] = {"ws_per_message_deflate": False, **protocols()}
START: Message = {"type": "http.response.start", "status": 200, "headers": []}


class Successor(asyncio.Protocol):
    """Notes what becomes of a connection."""

    def __init__(self, transport: asyncio.Transport, connections: set[Any]) -> None:
        self.transport, self.connections = transport, connections
        self.data, self.is_lost = b"", False

    def data_received(self, data: bytes) -> None:
        self.data += data

    def connection_lost(self, exc: Exception | None) -> None:
        self.is_lost = True
        self.connections.discard(self)

    def shutdown(self) -> None:
        self.transport.close()


class App:
    """Begins an answer, then takes the connection if it can; else finishes the answer itself."""

    def __init__(self) -> None:
        self.tries: list[Successor | None] = []
        self.go = anyio.Event()
        self.accepted = anyio.Event()
        self.heard: list[Message] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        take = offered(scope)
        assert take
        if scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.accept"})
            self.accepted.set()
        else:
            await send(START)
        await self.go.wait()
        self.tries.append(take(Successor))
        if self.tries[-1] is None:
            await self._finish(scope, receive, send)

    async def _finish(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            self.heard.append(await receive())
            await send({"type": "websocket.close", "code": 1000})
        else:
            await send({"type": "http.response.body", "body": b"portable"})


def test_the_installed_uvicorn_has_all_that_is_relied_on() -> None:
    lacking = ", ".join(missing())
    assert not lacking, f"the installed uvicorn lacks {lacking}, on which the takeover relies"


def test_what_is_not_there_is_named() -> None:
    class Changed:
        def __init__(self) -> None:
            self.transport = None

        def stop(self) -> None: ...

    assert list(missing({Changed: ("transport", "stop", "conn")})) == ["Changed.conn"]


def test_a_server_of_another_kind_offers_nothing() -> None:
    assert offered({"type": "http"}) is None
    assert offered({"type": "http", "extensions": None}) is None


async def test_a_taken_stream_is_in_the_servers_set_until_its_connection_is_gone() -> None:
    app = App()
    app.go.set()
    async with serving(app, **OPTIONS) as authority:
        host, _, port = authority.rpartition(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(b"GET / HTTP/1.1\r\nHost: b\r\n\r\n")
        await until(lambda: app.tries)
        taken = app.tries[0]
        assert taken
        assert taken.connections == {taken}
        taken.transport.write(b"2\r\nhi\r\n")
        with anyio.fail_after(10):
            assert (await reader.readuntil(b"hi\r\n")).startswith(b"HTTP/1.1 200")
        writer.close()
        await writer.wait_closed()
        await until(lambda: taken.is_lost)
        assert not taken.connections


async def test_an_answer_without_a_body_is_left_to_the_server() -> None:
    app = App()
    app.go.set()
    async with serving(app, **OPTIONS) as authority:
        head = b"HEAD / HTTP/1.1\r\nHost: b\r\nConnection: close\r\n\r\n"
        answer = await raw_exchange(authority, head)
    assert app.tries == [None]
    assert answer.startswith(b"HTTP/1.1 200")


async def test_a_request_behind_which_another_waits_is_left_to_the_server() -> None:
    app = App()
    app.go.set()
    async with serving(app, **OPTIONS) as authority:
        host, _, port = authority.rpartition(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(b"GET / HTTP/1.1\r\nHost: b\r\n\r\n" * 2)
        with anyio.fail_after(10):
            await reader.readuntil(b"portable")
        assert app.tries[0] is None
        writer.close()
        await writer.wait_closed()
        await until(lambda: len(app.tries) == 2)


async def test_a_taken_socket_hears_from_the_first_byte_on() -> None:
    app = App()
    app.go.set()
    async with serving(app, **OPTIONS) as authority:
        async with connect(f"ws://{authority}/", proxy=None, close_timeout=0.1) as socket:
            await until(lambda: app.tries)
            taken = app.tries[0]
            assert taken
            assert taken.connections == {taken}
            await socket.send("a")
            await until(lambda: taken.data)
            assert len(taken.data) == 7
            taken.transport.abort()
        await until(lambda: taken.is_lost)
        assert not taken.connections


async def test_a_socket_whose_client_spoke_before_is_left_to_the_server() -> None:
    app = App()
    async with (
        serving(app, **OPTIONS) as authority,
        connect(f"ws://{authority}/", proxy=None, ping_interval=None) as socket,
    ):
        await app.accepted.wait()
        pong = await socket.ping()
        await pong  # the server has read from the client
        await socket.send("early")
        app.go.set()
        await until(lambda: app.heard)
        assert app.tries == [None]
        assert app.heard[0]["text"] == "early"
