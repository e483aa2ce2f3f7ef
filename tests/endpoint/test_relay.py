"""`bridge.endpoint.relay`: a body in, a backend's bytes out, and the honest end of both."""

import asyncio

import aiohttp
import orjson
import pytest
from starlette.types import Message

from bridge.endpoint.relay import Relay, RelayOptions
from bridge.wire.sse import Decoder
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

BODY = b'{"contents":[{"text":"hi"}],"stream":true}'


async def test_each_piece_reaches_the_client_before_the_backend_says_the_next() -> None:
    backend, tally = StepBackend(), Tally()
    pieces = [
        b'data: {"a":"\xf0\x9f',
        b'\xa4\x96"}\r\n\r\n',
        b": ping\n\n",
        b"data: [DONE]\n",
        b"x",
    ]
    async with (
        backend.running() as url,
        relaying(RelayOptions("/v2/echat", f"{url}/v2/echat"), tally) as bridge,
        aiohttp.ClientSession() as client,
        client.post(f"http://{bridge}/v2/echat", data=BODY) as answer,
    ):
        assert answer.status == 200  # and the backend has not said a byte
        for piece in pieces:
            backend.say(piece)
            assert await answer.content.readany() == piece
        backend.finish()
        assert await answer.content.readany() == b""
    assert backend.calls[0].body == BODY
    assert tally.outcomes() == {"completed": 1}
    assert tally.counts["relay_bytes", ""] == sum(map(len, pieces))


async def test_a_stream_tells_proxies_to_keep_their_hands_off() -> None:
    backend = StepBackend(headers=EVENT_STREAM | {"cache-control": "max-age=9", "x-own": "1"})
    backend.finish()
    async with (
        backend.running() as url,
        relaying(RelayOptions("/a", url), Tally()) as bridge,
        aiohttp.ClientSession() as client,
        client.post(f"http://{bridge}/a") as answer,
    ):
        assert answer.headers.getall("Cache-Control") == ["no-cache, no-transform"]
        assert answer.headers["X-Accel-Buffering"] == "no"
        assert answer.headers["Content-Type"] == EVENT_STREAM["content-type"]
        assert answer.headers["X-Own"] == "1"
        assert len(answer.headers.getall("Date")) == 1


async def test_an_answer_that_is_no_stream_passes_as_it_is() -> None:
    backend = StepBackend(201, {"content-type": "application/json", "content-length": "2"})
    backend.say(b"{}")
    backend.finish()
    async with (
        backend.running() as url,
        relaying(RelayOptions("/a", url), Tally()) as bridge,
        aiohttp.ClientSession() as client,
        client.post(f"http://{bridge}/a") as answer,
    ):
        assert (answer.status, await answer.read()) == (201, b"{}")
        assert answer.headers["Content-Length"] == "2"
        assert "X-Accel-Buffering" not in answer.headers


async def test_a_five_megabyte_line_passes_whole() -> None:
    line = b"data: " + "é🤖".encode() * 900_000 + b"\r\n\r\n"

    async def speak(writer: asyncio.StreamWriter) -> None:
        writer.write(STREAM_HEAD)
        for at in range(0, len(line), 65_521):  # a prime cuts characters everywhere
            writer.write(chunk(line[at : at + 65_521]))
            await writer.drain()
        writer.write(chunk(b""))

    async with (
        raw_backend(speak) as url,
        relaying(RelayOptions("/a", url), Tally()) as bridge,
        aiohttp.ClientSession() as client,
        client.post(f"http://{bridge}/a") as answer,
    ):
        assert await answer.read() == line


async def test_a_refusal_passes_with_status_type_and_words() -> None:
    backend = StepBackend(401, {"content-type": "application/json", "www-authenticate": "Bearer"})
    backend.say(b'{"detail":"who?"}')
    backend.finish()
    tally = Tally()
    async with (
        backend.running() as url,
        relaying(RelayOptions("/a", url), tally) as bridge,
        aiohttp.ClientSession() as client,
        client.post(f"http://{bridge}/a") as answer,
    ):
        assert (answer.status, await answer.read()) == (401, b'{"detail":"who?"}')
        assert answer.headers.getall("Content-Type") == ["application/json"]
        assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert tally.outcomes() == {"refused": 1}


async def test_a_backend_that_is_away_is_one_clear_line() -> None:
    tally = Tally()
    with reserved_port() as port:
        async with (
            relaying(RelayOptions("/a", f"http://127.0.0.1:{port}"), tally) as bridge,
            aiohttp.ClientSession() as client,
            client.post(f"http://{bridge}/a") as answer,
        ):
            assert answer.status == 502
            assert await answer.read() == b'{"error":"the backend cannot be reached"}\n'
    assert tally.outcomes() == {"unreachable": 1}


@pytest.mark.parametrize("head", [STREAM_HEAD, b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n"])
async def test_a_backend_that_dies_in_mid_stream_cuts_the_response(head: bytes) -> None:
    async def speak(writer: asyncio.StreamWriter) -> None:
        writer.write(head + (chunk(b"data: 1\n\n") if head is STREAM_HEAD else b"data: 1\n\n"))

    tally = Tally()
    async with (
        raw_backend(speak) as url,
        relaying(RelayOptions("/a", url), tally) as bridge,
        aiohttp.ClientSession() as client,
        client.post(f"http://{bridge}/a") as answer,
    ):
        assert answer.status == 200
        assert await answer.content.readany() == b"data: 1\n\n"
        with pytest.raises(aiohttp.ClientPayloadError):
            await answer.content.readany()
    assert tally.outcomes() == {"broken": 1}


@pytest.mark.parametrize("answering", [False, True])
async def test_a_client_that_leaves_takes_the_backends_request_along(answering: bool) -> None:
    backend, tally = StepBackend(), Tally()
    if not answering:
        backend.answering.clear()
    async with backend.running() as url, relaying(RelayOptions("/a", url), tally) as bridge:
        host, port = bridge.split(":")
        _, writer = await asyncio.open_connection(host, int(port))
        writer.write(b"POST /a HTTP/1.1\r\nHost: b\r\nContent-Length: 2\r\n\r\n{}")
        await until(lambda: backend.calls)
        writer.close()
        await until(lambda: backend.left == 1)
        await until(lambda: tally.outcomes() == {"left": 1})


async def test_a_client_that_leaves_within_its_body_costs_the_backend_nothing() -> None:
    backend, tally = StepBackend(), Tally()
    async with backend.running() as url, relaying(RelayOptions("/a", url), tally) as bridge:
        host, port = bridge.split(":")
        _, writer = await asyncio.open_connection(host, int(port))
        writer.write(b"POST /a HTTP/1.1\r\nHost: b\r\nContent-Length: 9\r\n\r\nhalf")
        await writer.drain()
        writer.close()
        await until(lambda: tally.outcomes() == {"left": 1})
    assert backend.calls == []


@pytest.mark.parametrize("declared", [True, False])
async def test_a_body_over_the_limit_is_refused_before_it_is_whole(declared: bool) -> None:
    backend, tally = StepBackend(), Tally()
    async with (
        backend.running() as url,
        relaying(RelayOptions("/a", url, max_body=10), tally) as bridge,
    ):
        host, port = bridge.split(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        length = b"Content-Length: 11" if declared else b"Transfer-Encoding: chunked"
        writer.write(b"POST /a HTTP/1.1\r\nHost: b\r\n" + length + b"\r\n\r\n")
        if not declared:
            writer.write(chunk(b"123456") + chunk(b"78901"))  # and no last chunk
        assert (await reader.readline()).startswith(b"HTTP/1.1 413 ")
        await reader.readuntil(b"\r\n\r\n")
        assert await reader.readline() == b'{"error":"the body exceeds 10 bytes"}\n'
        writer.close()
    assert backend.calls == []
    assert tally.outcomes() == {"rejected": 1}


async def test_a_body_of_exactly_the_limit_passes() -> None:
    backend = StepBackend()
    backend.finish()
    async with (
        backend.running() as url,
        relaying(RelayOptions("/a", url, max_body=10), Tally()) as bridge,
        aiohttp.ClientSession() as client,
        client.post(f"http://{bridge}/a", data=b"1234567890") as answer,
    ):
        assert answer.status == 200


async def test_a_parameter_that_is_no_name_is_not_found() -> None:
    backend, tally = StepBackend(), Tally()
    async with (
        backend.running() as url,
        relaying(RelayOptions("/{id}", url + "/{id}"), tally) as bridge,
        aiohttp.ClientSession() as client,
        client.post(f"http://{bridge}/a%20b") as answer,
    ):
        assert answer.status == 404
        assert "error" in await answer.json()
    assert backend.calls == []


async def test_get_is_served_only_where_it_is_asked_for() -> None:
    async with (
        relaying(RelayOptions("/a", "http://127.0.0.1:1"), Tally()) as bridge,
        aiohttp.ClientSession() as client,
        client.get(f"http://{bridge}/a?data=1") as answer,
    ):
        assert answer.status == 405


async def test_head_opens_no_stream() -> None:
    backend = StepBackend()
    async with (
        backend.running() as url,
        relaying(RelayOptions("/a", url, get=True), Tally()) as bridge,
        aiohttp.ClientSession() as client,
        client.head(f"http://{bridge}/a?data=1") as answer,
    ):
        assert answer.status == 405
        assert answer.headers["Allow"] == "POST, GET"
    assert backend.calls == []


async def test_an_eventsource_gets_its_stream_and_no_log_its_token() -> None:
    backend = StepBackend()
    backend.say(b"data: 1\n\n")
    backend.finish()
    options = {"access_log": True, "log_level": "info", "log_config": None}
    async with (
        backend.running() as url,
        relaying(RelayOptions("/a", f"{url}/b", get=True), Tally(), **options) as bridge,
        aiohttp.ClientSession() as client,
    ):
        with logged("uvicorn.access") as log:
            asked = f"http://{bridge}/a?x=1&data=%7B%22private%22:1%7D&auth=t0ken"
            async with client.get(asked) as answer:
                assert await answer.read() == b"data: 1\n\n"
    (call,) = backend.calls
    assert (call.path, call.query, call.body) == ("/b", "x=1", b'{"private":1}')
    assert call.headers["authorization"] == "Bearer t0ken"
    assert call.headers["accept"] == "text/event-stream"
    assert '"GET /a?x=1 HTTP/1.1" 200' in log.getvalue()
    assert "t0ken" not in log.getvalue()
    assert "private" not in log.getvalue()


@pytest.mark.parametrize(("query", "limit", "status"), [("", 9, 400), ("?data=12", 1, 413)])
async def test_an_eventsource_without_a_fitting_body_is_refused(
    query: str, limit: int, status: int
) -> None:
    options = RelayOptions("/a", "http://127.0.0.1:1", get=True, max_body=limit)
    async with (
        relaying(options, Tally()) as bridge,
        aiohttp.ClientSession() as client,
        client.get(f"http://{bridge}/a{query}") as answer,
    ):
        assert answer.status == status


@pytest.mark.parametrize(("retry_after", "delay"), [("7", 7000), ("", None)])
async def test_passing_trouble_does_not_make_eventsource_give_up(
    retry_after: str, delay: int | None
) -> None:
    backend = StepBackend(503, {"retry-after": retry_after} if retry_after else {})
    backend.finish()
    async with (
        backend.running() as url,
        relaying(RelayOptions("/a", url, get=True), Tally()) as bridge,
        aiohttp.ClientSession() as client,
        client.get(f"http://{bridge}/a?data=1") as answer,
    ):
        assert (answer.status, answer.content_type) == (200, "text/event-stream")
        (event,) = Decoder().feed(await answer.read())
    assert (event.event, event.retry) == ("bridge.end", delay)
    said = orjson.loads(event.data)
    assert (said["code"], said["reconnect"], said["delay"]) == ("restart", True, delay)


async def test_a_final_word_reaches_eventsource_as_a_status() -> None:
    backend = StepBackend(403, {})
    backend.finish()
    async with (
        backend.running() as url,
        relaying(RelayOptions("/a", url, get=True), Tally()) as bridge,
        aiohttp.ClientSession() as client,
        client.get(f"http://{bridge}/a?data=1") as answer,
    ):
        assert answer.status == 403


async def test_the_first_message_follows_the_backends_headers_and_each_piece_is_one() -> None:
    backend, messages = StepBackend(), list[Message]()
    arrived = asyncio.Event()
    scope = {"type": "http", "method": "POST", "path": "/a", "query_string": b"", "headers": []}
    requests: list[Message] = [{"type": "http.request", "body": b"", "more_body": False}]

    async def receive() -> Message:
        if requests:
            return requests.pop()
        await asyncio.Event().wait()
        raise AssertionError

    async def send(message: Message) -> None:
        messages.append(message)
        arrived.set()

    async with backend.running() as url, cookieless() as session:
        relay = Relay(RelayOptions("/a", url), session, Tally())
        relayed = asyncio.ensure_future(relay(scope, receive, send))
        for count, piece in enumerate([b"a", b"b", b"c"], start=1):
            await until(lambda: len(messages) == count)  # noqa: B023 - awaited at once
            backend.say(piece)
        await until(lambda: len(messages) == 4)
        backend.finish()
        await relayed
    assert [message.get("body") for message in messages] == [None, b"a", b"b", b"c", b""]
    assert [message.get("more_body") for message in messages] == [None, True, True, True, False]
