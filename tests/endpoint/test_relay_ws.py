"""`bridge.endpoint.relay_ws`: a frame opens a stream, whose events come back as frames."""

import asyncio
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.types import Message
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosedError, InvalidStatus

from bridge.endpoint.relay import RelayOptions
from bridge.endpoint.relay_ws import RelaySocket, filled
from tests.support.ports import reserved_port
from tests.support.relays import (
    EVENT_STREAM,
    STREAM_HEAD,
    StepBackend,
    Tally,
    chunk,
    cookieless,
    logged,
    raw_backend,
    relaying,
)
from tests.support.waiting import until


async def drained(socket: ClientConnection) -> None:
    while True:
        await socket.recv()


async def closing(url: str, frame: str | bytes = "{}", **options: Any) -> tuple[int, str, Tally]:
    """The close that one frame earns."""
    tally = Tally()
    async with (
        relaying(RelayOptions("/a", url, **options), tally) as bridge,
        connect(f"ws://{bridge}/a") as socket,
    ):
        await socket.send(frame)
        with pytest.raises(ConnectionClosedError):
            await drained(socket)
        assert socket.close_code is not None
        return socket.close_code, socket.close_reason or "", tally


async def test_a_frame_is_a_body_and_each_event_is_back_before_the_next_is_said() -> None:
    backend, tally = StepBackend(), Tally()
    async with (
        backend.running() as url,
        relaying(RelayOptions("/v2/{kind}", url + "/{kind}"), tally) as bridge,
        connect(f"ws://{bridge}/v2/echat?lang=en") as socket,
    ):
        await socket.send('{"text":"é"}')
        for said, heard in [
            (b'data: {"a": "\xc3\xa9"}\n\n', '{"a": "é"}'),
            (b": ping\r\n\r\nid: 7\r\nevent: stream\r\ndata: 2\r\n\r\n", "2"),
            (b"data: a\ndata: b\n\n", "a\nb"),
            (b"data: [DONE]\n\n", "[DONE]"),
        ]:
            backend.say(said)
            assert await socket.recv() == heard
        backend.finish()
        await until(lambda: tally.outcomes() == {"completed": 1})
    (call,) = backend.calls
    assert (call.path, call.query, call.body) == ("/echat", "lang=en", '{"text":"é"}'.encode())
    assert call.headers["content-type"] == "application/json"
    assert "upgrade" not in call.headers
    assert not [name for name in call.headers if name.startswith("sec-")]


async def test_frames_are_served_one_after_the_other_in_their_order() -> None:
    backend = StepBackend()
    async with (
        backend.running() as url,
        relaying(RelayOptions("/a", url, queue=1, done="over"), Tally()) as bridge,
        connect(f"ws://{bridge}/a") as socket,
    ):
        for number in range(8):
            await socket.send(str(number))
        for number in range(8):
            await until(lambda: len(backend.calls) == number + 1)  # noqa: B023 - awaited at once
            backend.say(b"data: %d\n\n" % number)
            assert await socket.recv() == str(number)
            assert len(backend.calls) == number + 1
            backend.finish()
            assert await socket.recv() == "over"
    assert [call.body for call in backend.calls] == [b"%d" % number for number in range(8)]


async def test_a_binary_frame_is_a_body_too() -> None:
    backend = StepBackend()
    backend.finish()
    async with (
        backend.running() as url,
        relaying(RelayOptions("/a", url, done="over"), Tally()) as bridge,
        connect(f"ws://{bridge}/a") as socket,
    ):
        await socket.send(b"\xff\x00")
        assert await socket.recv() == "over"
    assert backend.calls[0].body == b"\xff\x00"


@pytest.mark.parametrize(
    "tail", [b"data: last", b"data: last\n", b"data: last\r", b"data: last\r\n"]
)
async def test_the_last_event_arrives_without_its_empty_line(tail: bytes) -> None:
    backend = StepBackend()
    backend.say(tail)
    backend.finish()
    async with (
        backend.running() as url,
        relaying(RelayOptions("/a", url, done="over"), Tally()) as bridge,
        connect(f"ws://{bridge}/a") as socket,
    ):
        await socket.send("{}")
        assert [await socket.recv(), await socket.recv()] == ["last", "over"]


async def test_a_five_megabyte_line_cut_within_characters_passes_whole() -> None:
    text = "é🤖" * 900_000
    line = f"data: {text}\r\n\r\n".encode()

    async def speak(writer: asyncio.StreamWriter) -> None:
        writer.write(STREAM_HEAD)
        for at in range(0, len(line), 65_521):  # a prime cuts characters everywhere
            writer.write(chunk(line[at : at + 65_521]))
            await writer.drain()
        writer.write(chunk(b""))

    async with (
        raw_backend(speak) as url,
        relaying(RelayOptions("/a", url), Tally()) as bridge,
        connect(f"ws://{bridge}/a", max_size=None) as socket,
    ):
        await socket.send("{}")
        assert await socket.recv() == text


async def test_an_answer_that_is_no_stream_is_one_frame() -> None:
    backend = StepBackend(headers={"content-type": "application/json"})
    async with (
        backend.running() as url,
        relaying(RelayOptions("/a", url, done="over"), Tally()) as bridge,
        connect(f"ws://{bridge}/a") as socket,
    ):
        backend.say(b'{"a":')
        backend.say(b"1}")
        backend.finish()
        await socket.send("{}")
        assert [await socket.recv(), await socket.recv()] == ['{"a":1}', "over"]
        backend.finish()
        await socket.send("{}")
        assert await socket.recv() == "over"


async def test_a_refusal_closes_with_the_code_that_it_maps_to() -> None:
    backend = StepBackend(401, {})
    backend.finish()
    async with backend.running() as url:
        code, reason, tally = await closing(url)
    assert (code, reason) == (4401, "the backend answered 401")
    assert tally.outcomes() == {"refused": 1}


async def test_a_backend_that_is_away_closes_as_a_bad_gateway() -> None:
    with reserved_port() as port:
        code, reason, tally = await closing(f"http://127.0.0.1:{port}")
    assert (code, reason) == (1014, "the backend cannot be reached")
    assert tally.outcomes() == {"unreachable": 1}


async def test_a_backend_that_dies_in_mid_stream_is_no_clean_end() -> None:
    async def speak(writer: asyncio.StreamWriter) -> None:
        writer.write(STREAM_HEAD + chunk(b"data: 1\n\ndata: half"))

    async with raw_backend(speak) as url:
        code, reason, tally = await closing(url, done="over")
    assert (code, reason) == (1014, "the backend broke off before its answer was whole")
    assert tally.outcomes() == {"broken": 1}


@pytest.mark.parametrize("headers", [EVENT_STREAM, {"content-type": "text/plain"}])
async def test_an_event_or_answer_over_the_limit_closes_as_too_big(headers: dict[str, str]) -> None:
    backend = StepBackend(headers=headers)
    backend.say(b"data: " + b"x" * 100)
    async with backend.running() as url:
        code, _, tally = await closing(url, max_event_bytes=50)
        await until(lambda: backend.left == 1)
    assert code == 1009
    assert tally.outcomes() == {"broken": 1}


async def test_a_compressed_answer_is_refused_rather_than_misread() -> None:
    backend = StepBackend(headers=EVENT_STREAM | {"content-encoding": "gzip"})
    async with backend.running() as url:
        code, reason, _ = await closing(url)
    assert code == 1014
    assert "compressed" in reason


async def test_a_frame_over_the_limit_closes_as_too_big_and_ends_the_running_stream() -> None:
    backend, tally = StepBackend(), Tally()
    async with (
        backend.running() as url,
        relaying(RelayOptions("/a", url, max_body=4), tally) as bridge,
        connect(f"ws://{bridge}/a") as socket,
    ):
        await socket.send("1234")
        await until(lambda: backend.calls)
        await socket.send("ééé")
        with pytest.raises(ConnectionClosedError):
            await socket.recv()
        assert (socket.close_code, socket.close_reason) == (1009, "a frame exceeds 4 bytes")
        await until(lambda: backend.left == 1)
    assert tally.outcomes() == {"rejected": 1, "left": 1}


async def test_a_failure_can_be_a_frame_after_which_the_socket_goes_on() -> None:
    backend, tally = StepBackend(429, {}), Tally()
    template = '{"type":"error","status":{status},"code":"{code}","why":"{reason}","said":"{body}"}'
    async with (
        backend.running() as url,
        relaying(RelayOptions("/a", url, error=template, done="over"), tally) as bridge,
        connect(f"ws://{bridge}/a") as socket,
    ):
        backend.say(b'"slow\n{status}"')
        backend.finish()
        await socket.send("{}")
        assert json.loads(await socket.recv()) == {
            "type": "error",
            "status": 429,
            "code": "try-later",
            "why": "the backend answered 429",
            "said": '"slow\n{status}"',
        }
        backend.status, backend.headers = 200, EVENT_STREAM
        backend.say(b"data: 1\n\n")
        backend.finish()
        await socket.send("{}")
        assert [await socket.recv(), await socket.recv()] == ["1", "over"]
    assert tally.outcomes() == {"refused": 1, "completed": 1}


@pytest.mark.parametrize("answering", [False, True])
async def test_a_client_that_leaves_takes_the_backends_request_along(answering: bool) -> None:
    backend, tally = StepBackend(), Tally()
    if not answering:
        backend.answering.clear()
    async with backend.running() as url, relaying(RelayOptions("/a", url), tally) as bridge:
        async with connect(f"ws://{bridge}/a") as socket:
            await socket.send("{}")
            await until(lambda: backend.calls)
        await until(lambda: backend.left == 1)
        await until(lambda: tally.outcomes() == {"left": 1})


async def test_a_client_that_leaves_behind_a_full_queue_is_found_by_the_next_write() -> None:
    backend, tally = StepBackend(), Tally()
    async with (
        backend.running() as url,
        relaying(RelayOptions("/a", url, queue=1), tally) as bridge,
        connect(f"ws://{bridge}/a") as socket,
    ):
        for _ in range(4):
            await socket.send("{}")
        await until(lambda: backend.calls)
        socket.transport.abort()

        def found() -> bool:
            backend.say(b"data: anyone?\n\n")
            return backend.left == 1

        await until(found)
        await until(lambda: tally.outcomes() == {"left": 1})
    assert len(backend.calls) == 1


async def test_a_client_that_asks_nothing_costs_the_backend_nothing() -> None:
    backend, tally = StepBackend(), Tally()
    async with (
        backend.running() as url,
        relaying(RelayOptions("/a", url), tally) as bridge,
        connect(f"ws://{bridge}/a") as socket,
    ):
        assert socket.subprotocol is None
    assert backend.calls == []
    assert tally.outcomes() == {}


async def test_a_token_in_the_query_goes_into_the_header_and_no_log() -> None:
    backend = StepBackend()
    backend.finish()
    server = {"log_level": "info", "log_config": None}
    async with (
        backend.running() as url,
        relaying(RelayOptions("/a", url, done="over"), Tally(), **server) as bridge,
    ):
        with logged("uvicorn.error") as log:
            async with connect(f"ws://{bridge}/a?auth=t0ken&x=1") as socket:
                await socket.send("{}")
                assert await socket.recv() == "over"
    assert backend.calls[0].headers["authorization"] == "Bearer t0ken"
    assert backend.calls[0].query == "x=1"
    assert '"WebSocket /a?x=1" [accepted]' in log.getvalue()
    assert "t0ken" not in log.getvalue()


@pytest.mark.parametrize(("query", "status"), [("?auth=a%0d%0ab", 401), ("", 404)])
async def test_what_may_not_go_upstream_is_refused_before_the_handshake(
    query: str, status: int
) -> None:
    options = RelayOptions("/{id}", "http://127.0.0.1:1/{id}")
    async with relaying(options, Tally()) as bridge:
        path = "a" if query else "a%20b"
        with pytest.raises(InvalidStatus) as caught:
            await connect(f"ws://{bridge}/{path}{query}")
    assert caught.value.response.status_code == status
    assert "error" in json.loads(caught.value.response.body or b"")


async def test_a_server_without_such_answers_gets_a_close() -> None:
    messages: list[Message] = []
    scope = {"type": "websocket", "path": "/a", "query_string": b"auth=%00", "headers": []}

    async def receive() -> Message:
        return {"type": "websocket.connect"}

    async def send(message: Message) -> None:
        messages.append(message)

    async with cookieless() as session:
        endpoint = RelaySocket(RelayOptions("/a", "http://127.0.0.1:1"), session, Tally())
        await endpoint(scope, receive, send)
    assert [(message["type"], message["code"]) for message in messages] == [
        ("websocket.close", 4401)
    ]


@given(st.text())
def test_a_template_stays_json_whatever_is_filled_in(reason: str) -> None:
    assert json.loads(filled('{"a":{"why":"{reason}"}}', {"reason": reason})) == {
        "a": {"why": reason}
    }


def test_braces_that_name_nothing_stay() -> None:
    assert filled("{a}{code}{", {"code": "x"}) == "{a}x{"
