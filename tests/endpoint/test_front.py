"""What stands before the complete server: nobody can tell that it does."""

import asyncio
import logging
import re
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from starlette.types import Message, Receive, Scope, Send

from bridge.endpoint.offer import offered
from tests.endpoint.parts import EVENTS, bridging
from tests.endpoint.raw import get, line, upgrade
from tests.support.servers import serving, ways
from tests.support.waiting import until

SAMPLE = "dGhlIHNhbXBsZSBub25jZQ=="

HEADS = {
    "a stream": get(),
    "a stream that closes": get(extra="Connection: close\r\n"),
    "a stream without a word of what it accepts": get().replace(b"Accept", b"X-Accept"),
    "a stream with two accepts": get(extra="Accept: */*\r\n"),
    "a stream and an expectation": get(extra="Expect: 100-continue\r\n"),
    "a stream with an empty body": get(extra="Content-Length: 0\r\n"),
    "a stream of an old client": get(version="1.0"),
    "a stream that would upgrade to something else": get(
        extra="Upgrade: h2c\r\nConnection: Upgrade\r\n"
    ),
    "a name that is none": get("/api/v1/events/project..1"),
    "a path that is none": get("/nowhere"),
    "a path in absolute form": get(f"http://bridge{EVENTS}"),
    "a head alone": get(method="HEAD"),
    "an unknown method": get(method="BREW"),
    "another endpoint": get("/healthz"),
    "noise": b"\x00\x01\r\n\r\n",
    "a bad field": get(extra="X-Bad : a\r\n"),
    "a socket": upgrade(),
    "a socket with a subprotocol": upgrade(extra="Sec-WebSocket-Protocol: bearer, x\r\n"),
    "a socket with a subprotocol that is none": upgrade(extra="Sec-WebSocket-Protocol: a b\r\n"),
    "a socket with compression": upgrade(
        extra="Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n"
    ),
    "a socket at a path that is none": upgrade("/nowhere"),
    "a socket at a name that is none": upgrade("/api/v1/ws/project..1"),
    "a socket without a key": upgrade().replace(f"Sec-WebSocket-Key: {SAMPLE}\r\n".encode(), b""),
    "a socket with a bad key": upgrade().replace(SAMPLE.encode(), b"####"),
    "a socket with two keys": upgrade(extra=f"Sec-WebSocket-Key: {SAMPLE}\r\n"),
    "a socket without a version": upgrade().replace(b"Sec-WebSocket-Version: 13\r\n", b""),
    "a socket with two origins": upgrade(extra="Origin: http://a\r\nOrigin: http://b\r\n"),
    "a socket by POST": upgrade().replace(b"GET", b"POST"),
    "a socket by an old version of HTTP": upgrade().replace(b"HTTP/1.1", b"HTTP/1.0"),
    "a socket without a connection": upgrade().replace(b"Connection: Upgrade\r\n", b""),
}


@pytest.mark.parametrize("request_", HEADS.values(), ids=HEADS.keys())
@pytest.mark.parametrize("deflate", [False, True])
async def test_every_answer_begins_as_the_complete_server_begins_it(
    request_: bytes, deflate: bool
) -> None:
    heads = []
    for fast in (True, False):
        server = ways(fast=fast) | {"ws_per_message_deflate": deflate}
        async with bridging(server=server) as bridge, line(bridge.authority) as client:
            client.send(request_)
            head = await client.until(b"\r\n\r\n")
            heads.append(sorted(re.sub(rb"(?i)\r\ndate: [^\r]*", b"", head).lower().split(b"\r\n")))
    if deflate and b"permessage-deflate" in request_:  # ours is without context, to be shared
        heads = [[each for each in head if b"permessage-deflate" not in each] for head in heads]
    assert heads[0] == heads[1]


async def test_a_handshake_with_a_body_is_refused() -> None:
    async with bridging(server=ways(fast=True)) as bridge, line(bridge.authority) as client:
        client.send(upgrade(extra="Content-Length: 3\r\n") + b"abc")
        assert (await client.rest()).startswith(b"HTTP/1.1 400 ")


async def test_a_handshake_of_another_version_is_told_ours() -> None:
    async with bridging(server=ways(fast=True)) as bridge, line(bridge.authority) as client:
        client.send(upgrade().replace(b"Version: 13", b"Version: 8"))
        answer = await client.rest()
    assert answer.startswith(b"HTTP/1.1 426 ")
    assert b"\r\nsec-websocket-version: 13\r\n" in answer
    assert b"\r\nupgrade: websocket\r\n" in answer


async def test_what_the_application_hides_the_servers_log_does_not_show(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        scope["query_string"] = b""
        await receive()
        await send({"type": "websocket.accept"})
        await send({"type": "websocket.close"})

    quiet = ways(fast=True) | {"log_level": "info"}
    async with (
        serving(app, lifespan="off", **quiet) as authority,
        line(authority) as client,
    ):
        caplog.set_level("INFO", "uvicorn.error")
        logging.getLogger("uvicorn.error").addHandler(caplog.handler)
        client.send(upgrade("/here?token=hush"))
        await client.until(b"\r\n\r\n")
    logging.getLogger("uvicorn.error").removeHandler(caplog.handler)
    assert "/here" in caplog.text
    assert "hush" not in caplog.text


Endpoint = Callable[[Scope, Receive, Send], Awaitable[None]]


async def asked(app: Endpoint, request_: bytes) -> bytes:
    """What an application's client gets until the connection ends."""
    async with (
        serving(app, lifespan="off", **ways(fast=True)) as authority,
        line(authority) as client,
    ):
        client.send(request_)
        return await client.rest()


class Successor(asyncio.Protocol):
    """Serves nothing."""

    def __init__(self, transport: asyncio.Transport, connections: set[Any]) -> None:
        self.transport, self.connections = transport, connections

    def connection_lost(self, exc: Exception | None) -> None:
        self.connections.discard(self)

    def shutdown(self) -> None:
        self.transport.close()


START: Message = {"type": "http.response.start", "status": 200, "headers": []}


@pytest.mark.parametrize("request_", [get(), upgrade()])
async def test_an_application_that_fails_is_the_servers(request_: bytes, errors: list[str]) -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        raise RuntimeError("a fault")

    assert (await asked(app, request_)).startswith(b"HTTP/1.1 500 ")
    assert "a fault" in errors[0]
    errors.clear()


@pytest.mark.parametrize("request_", [get(), upgrade()])
async def test_an_application_that_says_nothing_is_the_servers(
    request_: bytes, errors: list[str]
) -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        pass

    assert (await asked(app, request_)).startswith(b"HTTP/1.1 500 ")
    errors.clear()


async def test_an_application_that_fails_after_taking_closes(errors: list[str]) -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        take = offered(scope)
        assert take
        assert take(Successor, START)
        raise RuntimeError("a fault")

    assert (await asked(app, get())).startswith(b"HTTP/1.1 200 ")
    assert "a fault" in errors[0]
    errors.clear()


BEGINNINGS: dict[str, dict[str, Any]] = {
    "another status": {"status": 201},
    "a length": {"headers": [(b"content-length", b"0")]},
    "a break in a field": {"headers": [(b"x", b"a\r\nb")]},
}


@pytest.mark.parametrize("part", BEGINNINGS.values(), ids=BEGINNINGS.keys())
async def test_a_beginning_of_another_kind_is_the_servers_to_write(part: dict[str, Any]) -> None:
    found: list[object] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        take = offered(scope)
        assert take
        found.append(take(Successor, {**START, **part}))
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    assert (await asked(app, get(extra="Connection: close\r\n"))).startswith(b"HTTP/1.1 204 ")
    assert found == [None]


@pytest.mark.parametrize("request_", [get(), upgrade()])
async def test_a_client_that_leaves_before_its_answer_is_heard_of_in_time(
    request_: bytes, errors: list[str]
) -> None:
    heard: list[object] = []
    calls: list[Any] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        take: Any = offered(scope)
        calls.append(take.__self__)
        await until(lambda: calls[0].gone)
        heard.append(take(Successor, START))
        heard.append((await receive())["type"])
        try:
            await send(START)
        except OSError:
            heard.append("raised")
            raise
        heard.append("ignored")

    async with serving(app, lifespan="off", **ways(fast=True)) as authority:
        async with line(authority) as client:
            client.send(request_)
            await until(lambda: calls)
        await until(lambda: len(heard) == 3)
    if request_ == get():
        assert heard == [None, "http.disconnect", "ignored"]
    else:
        assert heard == [None, "websocket.disconnect", "raised"]
