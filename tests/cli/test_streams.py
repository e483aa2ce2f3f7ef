"""Looking at real streams: what is told of their openings, contents and ends."""

import socket
from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Any

import anyio
import pytest
import websockets
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route
from websockets.asyncio.server import ServerConnection, serve

from bridge.cli import streams
from bridge.cli.arrivals import Arrival, Remark
from bridge.cli.streams import Sight, Target, why
from bridge.seams import Lost, Opened
from bridge.wire import endings
from tests.support.servers import free_port, serving


def target(url: str, *, frames: tuple[str, ...] = (), any_: str = "") -> Target:
    return Target(url, {"X-Any": any_} if any_ else {}, frames, lambda: 1.5)


async def seen(looked: Target, last_event_id: str = "") -> list[Sight]:
    async with aclosing(looked.look(last_event_id)) as sights:  # type: ignore[type-var]
        return [sight async for sight in sights]


def stream(*chunks: bytes) -> Any:
    async def body() -> AsyncIterator[bytes]:
        for chunk in chunks:
            yield chunk

    def respond(_: Request) -> Response:
        return StreamingResponse(body(), media_type="text/event-stream")

    return Starlette(routes=[Route("/", respond)])


def answering(status: int, **headers: str) -> Any:
    def respond(_: Request) -> Response:
        return PlainTextResponse("no", status, headers=headers)

    return Starlette(routes=[Route("/", respond)])


async def test_an_event_stream_is_opened_read_and_over() -> None:
    async with serving(stream(b": hello\n\nid: 7\nevent: a\ndata: x\n\n", b"data: y\n\n")) as host:
        assert await seen(target(f"http://{host}/")) == [
            Opened(),
            Arrival(1.5, "a", "x", "7"),
            Arrival(1.5, "message", "y", "7"),
            Lost(endings.NO_STATUS, "the server ended the stream"),
        ]


async def test_ids_and_retry_times_without_an_event_are_remarks() -> None:
    async with serving(stream(b"id: 7\n\n", b"retry: 50\n\n", b"id: 8\ndata: x\n\n")) as host:
        sights = await seen(target(f"http://{host}/"))
    remarks = [sight for sight in sights if isinstance(sight, Remark)]
    assert {(remark.field, remark.value) for remark in remarks} <= {("id", "7"), ("retry", "50")}
    assert Remark(1.5, "retry", "50") in remarks
    assert Arrival(1.5, "message", "x", "8") in sights


async def test_the_request_says_what_an_event_source_would_and_what_is_asked() -> None:
    def echo(request: Request) -> Response:
        named = ("accept", "last-event-id", "x-any")
        said = ",".join(request.headers[name] for name in named)
        return Response(f"data: {said}\n\n", media_type="text/event-stream")

    async with serving(Starlette(routes=[Route("/", echo)])) as host:
        sights = await seen(target(f"http://{host}/", any_="1"), "e-5")
    assert Arrival(1.5, "message", "text/event-stream,e-5,1") in sights


@pytest.mark.parametrize(
    ("status", "ending", "reason"),
    [
        (204, endings.COMPLETE, "the server has no more for us (204)"),
        (403, endings.for_status(403), "403 Forbidden"),
        (503, endings.for_status(503), "503 Service Unavailable"),
    ],
)
async def test_a_refusal_is_told_by_its_status(
    status: int, ending: endings.Ending, reason: str
) -> None:
    async with serving(answering(status)) as host:
        assert await seen(target(f"http://{host}/")) == [Lost(ending, reason)]


async def test_a_refusal_s_delay_is_kept() -> None:
    async with serving(answering(503, **{"Retry-After": "2"})) as host:
        (lost,) = await seen(target(f"http://{host}/"))
    assert isinstance(lost, Lost)
    assert lost.retry == 2000


async def test_what_is_no_event_stream_is_refused() -> None:
    async with serving(answering(200)) as host:
        assert await seen(target(f"http://{host}/")) == [
            Lost(endings.UNSUPPORTED, "not an event stream, but text/plain")
        ]


async def test_a_stream_that_breaks_off_is_told_from_one_that_ends() -> None:
    async def cut(reader: anyio.abc.SocketStream) -> None:
        async with reader:
            await reader.receive()
            head = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
            await reader.send(head + b"Transfer-Encoding: chunked\r\n\r\n9\r\ndata: x\n\n\r\n")

    listener = await anyio.create_tcp_listener(local_host="127.0.0.1")
    port = listener.extra(anyio.abc.SocketAttribute.local_port)
    async with anyio.create_task_group() as group:
        group.start_soon(listener.serve, cut)
        sights = await seen(target(f"http://127.0.0.1:{port}/"))
        group.cancel_scope.cancel()
    await listener.aclose()
    assert sights[-1] == Lost(endings.ABNORMAL, "the connection broke off")


async def test_an_event_past_every_limit_ends_the_look(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams, "MAX_EVENT_BYTES", 10)
    async with serving(stream(b"data: " + b"x" * 20 + b"\n\n")) as host:
        assert (await seen(target(f"http://{host}/")))[-1] == Lost(
            endings.TOO_BIG, "an event exceeds 10 bytes"
        )


@pytest.mark.parametrize("scheme", ["http", "ws"])
async def test_nobody_listening_is_told(scheme: str) -> None:
    assert await seen(target(f"{scheme}://127.0.0.1:{free_port()}/")) == [
        Lost(endings.ABNORMAL, "cannot connect: connection refused")
    ]


async def talk(connection: ServerConnection) -> None:
    async for message in connection:
        await connection.send(message)
        await connection.send(b"\x00\x01")
        await connection.close(4401, "who are you")


async def test_a_socket_is_sent_frames_read_and_its_close_is_told() -> None:
    async with serve(talk, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        sights = await seen(target(f"ws://127.0.0.1:{port}/", frames=("hello",)))
    assert sights == [
        Opened(),
        Arrival(1.5, "message", "hello"),
        Arrival(1.5, "binary", b"\x00\x01"),
        Lost(endings.UNAUTHORIZED, "closed 4401 who are you"),
    ]


async def test_a_close_without_a_reason_is_told_by_its_name() -> None:
    async def leave(connection: ServerConnection) -> None:
        await connection.close()

    async with serve(leave, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        sights = await seen(target(f"ws://127.0.0.1:{port}/"))
    assert sights[-1] == Lost(endings.COMPLETE, "closed 1000 complete")


async def test_a_socket_s_handshake_carries_headers_and_the_place() -> None:
    async def echo(connection: ServerConnection) -> None:
        assert connection.request
        headers = connection.request.headers
        await connection.send(f"{headers['Last-Event-ID']},{headers['X-Any']}")

    async with serve(echo, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        sights = await seen(target(f"ws://127.0.0.1:{port}/", any_="1"), "e-5")
    assert Arrival(1.5, "message", "e-5,1") in sights


@pytest.mark.parametrize(
    ("status", "reason"), [(403, "403 Forbidden"), (200, "no WebSocket, but 200 OK")]
)
async def test_a_refused_handshake_is_told_by_its_status(status: int, reason: str) -> None:
    def refuse(connection: ServerConnection, _: object) -> websockets.Response:
        return connection.respond(status, "no\n")

    async with serve(talk, "127.0.0.1", 0, process_request=refuse) as server:
        port = server.sockets[0].getsockname()[1]
        (lost,) = await seen(target(f"ws://127.0.0.1:{port}/"))
    assert isinstance(lost, Lost)
    assert lost.reason == reason


async def test_what_speaks_no_http_is_told_so() -> None:
    async def babble(peer: anyio.abc.SocketStream) -> None:
        async with peer:
            await peer.receive()
            await peer.send(b"220 mail ready\r\n")

    listener = await anyio.create_tcp_listener(local_host="127.0.0.1")
    port = listener.extra(anyio.abc.SocketAttribute.local_port)
    async with anyio.create_task_group() as group:
        group.start_soon(listener.serve, babble)
        over_http = await seen(target(f"http://127.0.0.1:{port}/"))
        over_ws = await seen(target(f"ws://127.0.0.1:{port}/"))
        group.cancel_scope.cancel()
    await listener.aclose()
    for sights in (over_http, over_ws):
        (lost,) = sights
        assert isinstance(lost, Lost)
        assert lost.ending in {endings.ABNORMAL, endings.PROTOCOL_ERROR}


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (TimeoutError("during opening handshake"), "timed out"),
        (socket.gaierror(-2, "Name or service not known"), "host not found"),
        (ConnectionRefusedError(111, "Connect call failed"), "connection refused"),
        (OSError("Multiple exceptions: [Errno 111] a, [Errno 101] b"), "connection refused"),
        (ValueError("odd\n words"), "odd words"),
        (ValueError(), "ValueError"),
    ],
)
def test_errors_are_told_in_a_few_words(error: Exception, words: str) -> None:
    assert why(error) == words
