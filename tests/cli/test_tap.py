"""`ws2sse tap` against real servers."""

import json
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from typing import Any

import anyio
import pytest
from anyio import to_thread
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route
from websockets.asyncio.server import ServerConnection, serve

from bridge.cli import main
from tests.support.servers import free_port, serving

Captured = pytest.CaptureFixture[str]


async def tapped(*arguments: str) -> int:
    """The command, in a thread, so that the servers of the test go on."""
    return await to_thread.run_sync(main, ["tap", *arguments])


def application(respond: Callable[[Request], Response]) -> Any:
    return Starlette(routes=[Route("/{rest:path}", respond)])


def events(*blocks: bytes, endless: bool = False) -> Any:
    async def body() -> AsyncIterator[bytes]:
        for block in blocks:
            yield block
        if endless:
            await anyio.sleep_forever()

    return application(lambda _: StreamingResponse(body(), media_type="text/event-stream"))


def summary(captured: Captured) -> str:
    return captured.readouterr().err.splitlines()[-1]


async def test_events_are_printed_with_time_size_id_and_name(capsys: Captured) -> None:
    async with serving(events(b'id: 7\nevent: a\ndata: {"b":1}\n\n', b"data: x\n\n")) as host:
        assert await tapped(f"http://{host}/") == 0
    captured = capsys.readouterr()
    first, second = (line.split() for line in captured.out.splitlines())
    assert first[1:] == ["7", "7", "a", '{"b":1}']
    assert second[1:] == ["1", "7", "message", "x"]
    assert 0 <= float(first[0]) <= float(second[0])
    assert captured.err.startswith(f"ws2sse: http://{host}/: 2 events, 8 bytes in ")
    assert captured.err.endswith(" s; the server ended the stream\n")


async def test_machines_get_one_object_a_line(capsys: Captured) -> None:
    async with serving(events(b"id: 7\ndata: a\ndata: b\n\n")) as host:
        assert await tapped(f"http://{host}/", "--json") == 0
    (line,) = capsys.readouterr().out.splitlines()
    event = json.loads(line)
    assert event.pop("at") >= 0
    assert event == {"size": 3, "id": "7", "event": "message", "data": "a\nb"}


async def test_it_stops_after_so_many_events_of_an_endless_stream(capsys: Captured) -> None:
    async with serving(events(b"data: a\n\ndata: b\n\ndata: c\n\n", endless=True)) as host:
        assert await tapped(f"http://{host}/", "--count", "2") == 0
    captured = capsys.readouterr()
    assert len(captured.out.splitlines()) == 2
    assert "2 events, 2 bytes" in captured.err


async def test_it_stops_after_some_time(capsys: Captured) -> None:
    async with serving(events(b"data: a\n\n", endless=True)) as host:
        assert await tapped(f"http://{host}/", "--for", "0.3") == 0
    assert "1 event, 1 byte" in summary(capsys)


async def test_time_that_ends_before_any_answer_is_a_failure(capsys: Captured) -> None:
    listener = await anyio.create_tcp_listener(local_host="127.0.0.1")
    port = listener.extra(anyio.abc.SocketAttribute.local_port)
    async with listener:
        assert await tapped(f"http://127.0.0.1:{port}/", "--for", "0.1") == 1
    assert summary(capsys).endswith(": no answer within 0.1 s")


async def test_ids_and_retry_times_are_shown_on_demand(capsys: Captured) -> None:
    async with serving(events(b"id: 7\n\nretry: 50\n\n", b": comment\n\ndata: x\n\n")) as host:
        assert await tapped(f"http://{host}/", "--verbose") == 0
        shown = capsys.readouterr().out
        assert await tapped(f"http://{host}/") == 0
    assert "(id: 7)" in shown
    assert "(retry: 50)" in shown
    assert "comment" not in shown
    assert len(capsys.readouterr().out.splitlines()) == 1


async def test_headers_and_the_place_are_sent(capsys: Captured) -> None:
    def echo(request: Request) -> Response:
        said = f"{request.headers['authorization']} {request.headers['last-event-id']}"
        return Response(f"data: {said}\n\n", media_type="text/event-stream")

    async with serving(application(echo)) as host:
        options = ["--header", "Authorization: Bearer abcdef", "--last-event-id", "e-5"]
        assert await tapped(f"http://{host}/", *options) == 0
    assert "Bearer abcdef e-5" in capsys.readouterr().out


async def test_a_refusal_is_one_line_that_hides_credentials(capsys: Captured) -> None:
    async with serving(application(lambda _: PlainTextResponse("no", 403))) as host:
        url = f"http://ada:pass-word@{host}/?token=s3cret-value"
        assert await tapped(url, "--header", "X-Any: s3cret-value") == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err == f"ws2sse: http://***@{host}/?token=***: 403 Forbidden\n"


async def test_a_stream_that_is_declared_over_is_no_failure(capsys: Captured) -> None:
    async with serving(application(lambda _: Response(status_code=204))) as host:
        assert await tapped(f"http://{host}/", "--reconnect") == 0
    assert summary(capsys).endswith("(204)")


def test_nobody_listening_is_one_line(capsys: Captured) -> None:
    url = f"ws://127.0.0.1:{free_port()}/"
    assert main(["tap", url]) == 1
    assert capsys.readouterr().err == f"ws2sse: {url}: cannot connect: connection refused\n"


async def test_a_socket_is_sent_frames_and_shown(capsys: Captured) -> None:
    async def talk(connection: ServerConnection) -> None:
        await connection.send(await connection.recv())
        await connection.send(await connection.recv())
        await connection.send(b"\xca\xfe")
        await connection.close(4401, "who are you")

    async with serve(talk, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        frames = ["--send", '{"type":"subscribe"}', "--send", "ping"]
        assert await tapped(f"ws://127.0.0.1:{port}/", *frames) == 0
    captured = capsys.readouterr()
    assert [line.split()[1:] for line in captured.out.splitlines()] == [
        ["20", "-", "message", '{"type":"subscribe"}'],
        ["4", "-", "message", "ping"],
        ["2", "-", "binary", "ca", "fe"],
    ]
    assert captured.err.endswith("; closed 4401 who are you\n")


async def test_a_socket_that_vanishes_is_a_failure(capsys: Captured) -> None:
    async def vanish(connection: ServerConnection) -> None:
        await connection.send("x")
        connection.transport.abort()

    async with serve(vanish, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        assert await tapped(f"ws://127.0.0.1:{port}/") == 1
    assert "closed 1006" in summary(capsys)


async def test_it_connects_again_after_the_last_id_and_the_asked_delay(capsys: Captured) -> None:
    asked: list[str | None] = []

    def respond(request: Request) -> Response:
        asked.append(request.headers.get("last-event-id"))
        number = len(asked)
        block = f"retry: 1\nid: {number}\n\ndata: x\n\n" if number < 3 else f"id: {number}\n\n"
        if number == 4:
            return PlainTextResponse("no", 403)
        return Response(block, media_type="text/event-stream")

    async with serving(application(respond)) as host:
        assert await tapped(f"http://{host}/", "--reconnect") == 0
    captured = capsys.readouterr()
    assert asked == [None, "1", "2", "3"]
    assert len(captured.out.splitlines()) == 2
    assert captured.err.count("connecting again in") == 3
    assert captured.err.endswith("; 403 Forbidden\n")


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["project.1"], "invalid value for URL: must be a full URL beginning with ws://"),
        (["http://"], "invalid value for URL"),
        (["http://["], "invalid value for URL"),
        (["http://h/", "--send", "x"], "invalid value for --send: only a WebSocket can be sent"),
        (["http://h/", "--header", "no colon"], "invalid value for --header: write 'Name: value'"),
        (["http://h/", "--header", "A: b\r\nC: d"], "invalid value for --header"),
        (["http://h/", "--count", "0"], "invalid value for '--count'"),
        (["http://h/", "--for", "-1"], "invalid value for '--for'"),
    ],
)
def test_misuse_is_one_line(arguments: list[str], complaint: str, capsys: Captured) -> None:
    assert main(["tap", *arguments]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"ws2sse: {complaint}")
    assert line.endswith("; try 'ws2sse tap --help'")


async def test_lines_are_cut_to_the_terminal_unless_they_are_wanted_whole(
    capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    async with serving(events(b"data: " + b"x" * 1000 + b"\n\n")) as host:
        assert await tapped(f"http://{host}/") == 0
        cut = capsys.readouterr().out
        assert await tapped(f"http://{host}/", "--full") == 0
        whole = capsys.readouterr().out
    assert len(cut.rstrip("\n")) == 60
    assert "x" * 1000 in whole


async def test_a_pipe_gets_whole_lines(capsys: Captured, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)
    async with serving(events(b"data: " + b"x" * 1000 + b"\n\n")) as host:
        assert await tapped(f"http://{host}/") == 0
    assert "x" * 1000 in capsys.readouterr().out


def process(url: str, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "bridge.cli", "tap", url, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={"PATH": "/usr/bin"},
    )


async def test_ctrl_c_ends_with_a_summary_and_status_zero() -> None:
    def interrupt(running: subprocess.Popen[str]) -> str:
        with running:
            assert running.stdout
            assert running.stderr
            running.stdout.readline()
            running.send_signal(signal.SIGINT)
            return running.stderr.read()

    async with serving(events(b"data: a\n\n", endless=True)) as host:
        running = process(f"http://{host}/")
        said = await to_thread.run_sync(interrupt, running)
    assert running.returncode == 0
    assert said.startswith(f"ws2sse: http://{host}/: 1 event, 1 byte in ")
    assert said.count("\n") == 1


async def test_a_reader_that_leaves_gets_no_traceback() -> None:
    more = anyio.Event()

    async def body() -> AsyncIterator[bytes]:
        yield b"data: a\n\n"
        await more.wait()
        yield b"data: b\n\n"
        await anyio.sleep_forever()

    def leave(running: subprocess.Popen[str]) -> None:
        assert running.stdout
        running.stdout.readline()
        running.stdout.close()

    def wait(running: subprocess.Popen[str]) -> str:
        with running:
            assert running.stderr
            return running.stderr.read()

    respond = application(lambda _: StreamingResponse(body(), media_type="text/event-stream"))
    async with serving(respond) as host:
        running = process(f"http://{host}/")
        await to_thread.run_sync(leave, running)
        more.set()
        said = await to_thread.run_sync(wait, running)
    assert (running.returncode, said) == (0, "")
