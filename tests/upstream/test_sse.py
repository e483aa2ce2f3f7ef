"""An SSE backend as an upstream: real servers, well-behaved and not."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing
from typing import Any

import aiohttp
import pytest
from sse_starlette import EventSourceResponse
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from bridge.seams import Got, Lost, Opened, Signal
from bridge.upstream.sse import SseOptions, SseUpstream
from bridge.wire.endings import UNSUPPORTED
from bridge.wire.frame import Frame
from bridge.wire.names import ChannelName
from tests.support.servers import free_port, serving
from tests.support.waiting import until
from tests.upstream.record import STREAM, Tally, payloads, raw_server, saying

NAME = ChannelName.parse("project.42")
Make = Callable[..., SseUpstream]


@pytest.fixture
def tally() -> Tally:
    return Tally()


@pytest.fixture
async def make(tally: Tally) -> AsyncIterator[Make]:
    async with aiohttp.ClientSession() as session:

        def build(address: str, path: str = "/{channel}", **options: Any) -> SseUpstream:
            made = SseOptions(f"http://{address}{path}", **options)
            return SseUpstream(made, NAME, session, lambda: 7.0, tally)

        yield build


async def read(upstream: SseUpstream, resume: str | None = None) -> list[Signal]:
    """All signals of one opening."""
    return [signal async for signal in upstream.open(resume)]


def lost(signals: list[Signal]) -> Lost:
    assert isinstance(signals[-1], Lost)
    assert not [signal for signal in signals[:-1] if isinstance(signal, Lost)]
    return signals[-1]


def app(endpoint: Callable[[Request], Any], path: str = "/{name:path}") -> Starlette:
    return Starlette(routes=[Route(path, endpoint, methods=["GET", "POST"])])


# A backend made with sse-starlette.


async def test_payloads_arrive_exactly_as_they_were_sent(make: Make) -> None:
    sent = ['{"a": 1 }', "two\nlines", "ünï 🤖", "", "x" * 300_000]

    async def endpoint(request: Request) -> Response:
        async def events() -> AsyncIterator[dict[str, str]]:
            for number, data in enumerate(sent):
                yield {"data": data, "id": f"{number}", "event": "named" if number == 1 else ""}

        return EventSourceResponse(events())

    async with serving(app(endpoint)) as address:
        signals = await read(make(address))
    assert signals[0] == Opened()
    assert payloads(signals) == sent
    events = [event for signal in signals if isinstance(signal, Got) for event in signal.events]
    assert [event.id for event in events] == ["0", "1", "2", "3", "4"]
    assert [event.type for event in events][:3] == ["message", "named", "message"]
    assert {(event.origin, event.at) for event in events} == {("sse", 7.0)}
    assert lost(signals).ending.name == "no-status"
    assert lost(signals).ending.reconnect


async def test_the_request_is_that_of_an_event_source(make: Make) -> None:
    seen: list[Request] = []

    async def endpoint(request: Request) -> Response:
        seen.append(request)
        return Response(status_code=204)

    async with serving(app(endpoint)) as address:
        upstream = make(
            address,
            "/v1/{kind}/{id}?c={channel}",
            headers={"Authorization": "Bearer t", "Accept": "*/*"},
        )
        assert lost(await read(upstream)).ending.name == "complete"
        await read(upstream, "a b-7")
    first, second = seen
    assert str(first.url).endswith("/v1/project/42?c=project.42")
    assert first.headers["accept"] == "text/event-stream"
    assert first.headers["cache-control"] == "no-cache"
    assert first.headers["accept-encoding"] == "identity"
    assert first.headers["authorization"] == "Bearer t"
    assert "last-event-id" not in first.headers
    assert second.headers["last-event-id"] == "a b-7"


async def test_names_are_percent_encoded_once(make: Make, tally: Tally) -> None:
    seen: list[bytes] = []

    async def endpoint(request: Request) -> Response:
        seen.append(request.scope["raw_path"])
        return Response(status_code=204)

    async with serving(app(endpoint)) as address, aiohttp.ClientSession() as session:
        options = SseOptions(f"http://{address}/{{channel}}/a%2Fb")
        name = ChannelName.parse("a@b:c+d=e,f~g")
        upstream = SseUpstream(options, name, session, lambda: 0.0, tally)
        await read(upstream)
    assert seen == [b"/a%40b%3Ac%2Bd%3De%2Cf~g/a%2Fb"]


async def test_leaving_the_iterator_closes_the_connection_at_once(make: Make) -> None:
    left = asyncio.Event()

    async def endpoint(request: Request) -> Response:
        async def events() -> AsyncIterator[dict[str, str]]:
            try:
                yield {"data": "a"}
                await asyncio.Event().wait()
            finally:
                left.set()

        return EventSourceResponse(events())

    async with serving(app(endpoint)) as address:
        async with aclosing(make(address).open(None)) as signals:
            async for signal in signals:
                if payloads([signal]):
                    break
        await until(left.is_set)


async def test_cancelling_the_reader_closes_the_connection_at_once(make: Make) -> None:
    entered, left = asyncio.Event(), asyncio.Event()

    async def endpoint(request: Request) -> Response:
        async def events() -> AsyncIterator[dict[str, str]]:
            try:
                entered.set()
                await asyncio.Event().wait()
                yield {}
            finally:
                left.set()

        return EventSourceResponse(events())

    async with serving(app(endpoint)) as address:
        task = asyncio.create_task(read(make(address)))
        await entered.wait()
        task.cancel()
        await until(left.is_set)


# What is no stream.


@pytest.mark.parametrize(
    ("status", "name", "reconnect"),
    [
        (204, "complete", False),
        (201, "bad-gateway", True),
        (304, "bad-gateway", True),
        (401, "unauthorized", False),
        (403, "forbidden", False),
        (404, "not-found", False),
        (408, "timeout", True),
        (429, "try-later", True),
        (500, "internal", True),
        (503, "restart", True),
    ],
)
async def test_a_status_is_an_ending(make: Make, status: int, name: str, reconnect: bool) -> None:
    async def endpoint(request: Request) -> Response:
        return Response(status_code=status, headers={"Retry-After": "3"} if status >= 400 else {})

    async with serving(app(endpoint)) as address:
        signals = await read(make(address))
    assert len(signals) == 1
    assert (lost(signals).ending.name, lost(signals).ending.reconnect) == (name, reconnect)
    assert lost(signals).retry == (3000 if status >= 400 else None)


async def test_another_content_type_is_said_clearly(make: Make) -> None:
    async def endpoint(request: Request) -> Response:
        return PlainTextResponse("<html>", media_type="text/html")

    async with serving(app(endpoint)) as address:
        gone = lost(await read(make(address)))
    assert (gone.ending.name, gone.ending.reconnect) == ("bad-gateway", True)
    assert gone.reason == "the backend answered text/html, not text/event-stream"


async def test_the_content_type_may_have_parameters_and_any_case(make: Make) -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Type: Text/Event-Stream ; charset=UTF-8\r\n\r\n"
    async with raw_server(saying(head, b"data: a\n\n")) as address:
        assert payloads(await read(make(address))) == ["a"]


async def test_nobody_there_is_a_bad_gateway(make: Make) -> None:
    gone = lost(await read(make(f"127.0.0.1:{free_port()}", "/?token=hunter2")))
    assert (gone.ending.name, gone.ending.reconnect) == ("bad-gateway", True)
    assert "hunter2" not in gone.reason


async def test_a_peer_that_speaks_no_http_is_a_bad_gateway(make: Make) -> None:
    async with raw_server(saying(b"SSH-2.0-OpenSSH_9\r\n")) as address:
        assert lost(await read(make(address))).ending.name == "bad-gateway"


# Redirects.


async def test_redirects_within_the_origin_are_followed(make: Make) -> None:
    async def endpoint(request: Request) -> Response:
        hops = int(request.path_params["name"])
        return RedirectResponse(f"/{hops - 1}") if hops else Response(status_code=204)

    async with serving(app(endpoint)) as address:
        assert lost(await read(make(address, "/3"))).ending.name == "complete"
        assert lost(await read(make(address, "/4"))).ending.name == "bad-gateway"


@pytest.mark.parametrize("location", ["http://[", "", "mailto:a@b.example", "http://localhost:1/"])
async def test_redirects_elsewhere_are_not(make: Make, location: str) -> None:
    async def endpoint(request: Request) -> Response:
        return Response(status_code=302, headers={"Location": location})

    async with serving(app(endpoint)) as address:
        gone = lost(await read(make(address)))
    assert (gone.ending.name, gone.reason) == ("bad-gateway", "the backend answered 302")


# Streams that go wrong.


async def test_a_stream_cut_in_mid_event_gives_what_was_whole(make: Make) -> None:
    async with raw_server(saying(STREAM, b"id: 1\ndata: a\n\nid: 2\ndata: b")) as address:
        signals = await read(make(address))
    assert payloads(signals) == ["a"]
    assert lost(signals).ending.reconnect
    places = [signal.last_id for signal in signals if isinstance(signal, Got)]
    assert places[-1] == "1"


async def test_a_chunked_stream_that_breaks_off_is_abnormal(make: Make) -> None:
    head = STREAM.replace(b"Connection: close", b"Transfer-Encoding: chunked")
    async with raw_server(saying(head, b"9\r\ndata: a\n\n\r\n", b"ff\r\nhalf")) as address:
        gone = lost(await read(make(address)))
    assert (gone.ending.name, gone.ending.reconnect) == ("abnormal", True)


async def test_silence_is_death(make: Make) -> None:
    async with raw_server(saying(STREAM, b"data: a\n\n", stay=True)) as address:
        signals = await read(make(address, silence=0.05))
    assert payloads(signals) == ["a"]
    assert lost(signals).ending.name == "timeout"


async def test_silence_before_the_response_is_death_too(make: Make) -> None:
    async with raw_server(saying(stay=True)) as address:
        assert lost(await read(make(address, silence=0.05))).ending.name == "timeout"


async def test_an_oversized_event_gives_up_its_place_and_is_counted(
    make: Make, tally: Tally
) -> None:
    pieces = (b"id: 1\ndata: a\n\n", b"id: 2\ndata: " + b"x" * 100_000, b"x" * 100)
    async with raw_server(saying(STREAM, *pieces, stay=True)) as address:
        signals = await read(make(address, max_event_bytes=50_000))
    assert payloads(signals) == ["a"]
    assert signals[-2] == Got(last_id="")
    assert (lost(signals).ending.name, lost(signals).ending.reconnect) == ("too-big", True)
    assert tally["upstream_oversized"] == 1


async def test_the_reconnection_time_outlives_its_connection(make: Make) -> None:
    answers = [
        STREAM + b"retry: 1500\n\n",
        STREAM + b"data: a\n\n",
        b"HTTP/1.1 503 Busy\r\nRetry-After: 9\r\nConnection: close\r\n\r\n",
        b"HTTP/1.1 503 Busy\r\nConnection: close\r\n\r\n",
    ]

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await saying(answers.pop(0))(reader, writer)

    async with raw_server(talk) as address:
        upstream = make(address)
        delays = [lost(await read(upstream)).retry for _ in range(4)]
    assert delays == [1500, 1500, 9000, 1500]


async def test_a_farewell_ends_the_stream(make: Make) -> None:
    end = b'event: bridge.end\ndata: {"code":"restart","reconnect":true,"delay":40}\n\n'
    async with raw_server(saying(STREAM, b"data: a\n\n" + end, stay=True)) as address:
        signals = await read(make(address))
    assert payloads(signals) == ["a"]
    assert (lost(signals).ending.name, lost(signals).retry) == ("restart", 40)


async def test_configured_heartbeats_are_dropped(make: Make) -> None:
    async with raw_server(saying(STREAM, b"event: beat\ndata: 1\n\ndata: a\n\n")) as address:
        assert payloads(await read(make(address, heartbeats=("beat",)))) == ["a"]


# Client to server.


@pytest.mark.parametrize(
    ("raw", "content_type"),
    [
        ('{"type": "cancel" }', "application/json"),
        ("null", "application/json"),
        ("cancel, please ü", "text/plain; charset=utf-8"),
        (b"\x00\xff", "application/octet-stream"),
    ],
)
async def test_a_frame_is_posted_as_it_is(make: Make, raw: str | bytes, content_type: str) -> None:
    seen: list[tuple[str, str, str, bytes]] = []

    async def endpoint(request: Request) -> Response:
        kind, secret = request.headers["content-type"], request.headers["authorization"]
        seen.append((request.url.path, kind, secret, await request.body()))
        return Response(status_code=202)

    async with serving(app(endpoint)) as address:
        send_url, headers = f"http://{address}/send/{{id}}", {"Authorization": "Bearer t"}
        upstream = make(address, send_url=send_url, headers=headers)
        assert upstream.can_send
        assert await upstream.send(Frame(raw)) is None
    body = raw if isinstance(raw, bytes) else raw.encode()
    assert seen == [("/send/42", content_type, "Bearer t", body)]


@pytest.mark.parametrize(
    ("status", "name"),
    [
        (403, "forbidden"),
        (413, "too-big"),
        (429, "try-later"),
        (500, "internal"),
        (302, "bad-gateway"),
    ],
)
async def test_a_refused_frame_is_told(make: Make, status: int, name: str) -> None:
    async def endpoint(request: Request) -> Response:
        return Response(status_code=status, headers={"Location": "/elsewhere"})

    async with serving(app(endpoint)) as address:
        ending = await make(address, send_url=f"http://{address}/send").send(Frame("x"))
    assert ending is not None
    assert ending.name == name


async def test_a_frame_for_nobody_is_a_bad_gateway(make: Make) -> None:
    address = f"127.0.0.1:{free_port()}"
    ending = await make(address, send_url=f"http://{address}/send").send(Frame("x"))
    assert ending is not None
    assert ending.name == "bad-gateway"


async def test_a_frame_that_may_have_arrived_is_not_sent_again(make: Make) -> None:
    requests: list[bytes] = []

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        requests.append(await reader.readuntil(b"\r\n\r\n"))

    async with raw_server(talk) as address:
        ending = await make(address, send_url=f"http://{address}/send").send(Frame("x"))
    assert ending is not None
    assert ending.name == "bad-gateway"
    assert len(requests) == 1


async def test_a_backend_that_does_not_answer_a_frame_is_a_bad_gateway(make: Make) -> None:
    async with raw_server(saying(stay=True)) as address:
        upstream = make(address, send_url=f"http://{address}/send", send_timeout=0.05)
        ending = await upstream.send(Frame("x"))
    assert ending is not None
    assert ending.name == "bad-gateway"


async def test_without_a_send_url_nothing_can_be_sent(make: Make) -> None:
    upstream = make("127.0.0.1:1")
    assert not upstream.can_send
    assert await upstream.send(Frame("x")) is UNSUPPORTED
    assert upstream.kind == "sse"


# Options.


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"url": "http://a.example/{project}"}, "{project}"),
        ({"url": "ws://a.example"}, "http://"),
        ({"send_url": "a.example"}, "send_url"),
        ({"headers": {"X": "\n"}}, "headers"),
        ({"silence": -1}, "silence"),
        ({"connect_timeout": -1}, "connect_timeout"),
        ({"send_timeout": -1}, "send_timeout"),
        ({"max_event_bytes": 0}, "max_event_bytes"),
        ({"replay": "maybe"}, "replay"),
    ],
)
def test_unusable_options_are_refused_by_name(wrong: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=r".") as refusal:
        SseOptions(**{"url": "http://a.example/{channel}", **wrong})
    assert said in str(refusal.value)


def test_options_do_not_show_secrets() -> None:
    secret = "hunter2"
    options = SseOptions(
        f"http://a.example/?token={secret}",
        send_url=f"http://a.example/{secret}",
        headers={"Authorization": secret},
    )
    assert secret not in repr(options)


async def test_an_upstream_can_be_opened_again(make: Make) -> None:
    async with raw_server(saying(STREAM, b"data: a\n\n")) as address:
        upstream = make(address)
        generator: AsyncGenerator[Signal, None] = upstream.open(None)
        assert payloads([signal async for signal in generator]) == ["a"]
        assert payloads(await read(upstream)) == ["a"]
