"""`bridge.upstream.relay`: one request to a backend, its answer, and each way it can fail."""

import asyncio
import gzip

import aiohttp
import pytest

from bridge.errors import BridgeError, RelayLost, RelayRefused
from bridge.upstream.relay import (
    REFUSAL_BYTES,
    RelayBackend,
    RelayCall,
    end_to_end,
    nominated,
)
from tests.support.ports import reserved_port
from tests.support.relays import (
    EVENT_STREAM,
    STREAM_HEAD,
    Speaker,
    StepBackend,
    chunk,
    cookieless,
    raw_backend,
)
from tests.support.waiting import until


def says(answer: bytes) -> Speaker:
    async def speak(writer: asyncio.StreamWriter) -> None:
        writer.write(answer)
        await writer.drain()

    return speak


async def drained(call: RelayCall) -> None:
    async with cookieless() as session, RelayBackend(session).open(call) as answer:
        while await answer.read():
            pass


async def fate(url: str, *, connect_timeout: float = 10, silence: float = 300) -> BridgeError:
    call = RelayCall(url, connect_timeout=connect_timeout, silence=silence)
    with pytest.raises((RelayLost, RelayRefused)) as caught:
        await drained(call)
    return caught.value


async def test_the_answer_is_here_before_the_first_byte_and_each_piece_before_the_next() -> None:
    backend = StepBackend()
    async with backend.running() as url, cookieless() as session:
        call = RelayCall(f"{url}/v2/echat?a=%2F", (("x-a", "1"), ("x-a", "2")), b"body")
        async with RelayBackend(session).open(call) as answer:
            assert answer.status == 200
            assert answer.is_event_stream
            assert answer.encoding == ""
            for piece in (b"data: 1\n\n", b"da", b"ta: 2\r\n\r\n"):
                backend.say(piece)
                assert await answer.read() == piece
            backend.finish()
            assert await answer.read() == b""
    assert backend.calls[0].query == "a=%2F"
    assert backend.calls[0].body == b"body"
    assert backend.left == 0


async def test_a_large_body_goes_out_whole() -> None:
    backend = StepBackend()
    backend.finish()
    body = bytes(range(256)) * 4096 * 8
    async with (
        backend.running() as url,
        cookieless() as session,
        RelayBackend(session).open(RelayCall(url, body=body)) as answer,
    ):
        assert await answer.read() == b""
    assert backend.calls[0].body == body


async def test_leaving_the_block_early_drops_the_backends_request() -> None:
    backend = StepBackend()
    async with backend.running() as url, cookieless() as session:
        async with RelayBackend(session).open(RelayCall(url)):
            pass
        await until(lambda: backend.left == 1)


async def test_a_refusal_carries_status_body_and_the_headers_that_may_pass() -> None:
    backend = StepBackend(422, {"content-type": "application/json", "set-cookie": "a=b"})
    backend.say(b'{"detail":"no"}')
    backend.finish()
    async with backend.running() as url:
        fault = await fate(url)
    assert isinstance(fault, RelayRefused)
    assert (fault.status, fault.body) == (422, b'{"detail":"no"}')
    assert fault.headers == ((b"content-type", b"application/json"),)


async def test_a_refusals_body_is_bounded() -> None:
    backend = StepBackend(500)
    backend.say(b"x" * (REFUSAL_BYTES + 1))
    async with backend.running() as url:
        fault = await fate(url)
    assert isinstance(fault, RelayRefused)
    assert fault.body == b"x" * REFUSAL_BYTES


async def test_a_refusal_that_never_ends_is_passed_on_as_far_as_it_came() -> None:
    backend = StepBackend(503)
    backend.say(b"so far")
    async with backend.running() as url:
        fault = await fate(url, connect_timeout=0.2)
    assert isinstance(fault, RelayRefused)
    assert (fault.status, fault.body) == (503, b"so far")


async def test_a_redirect_is_not_followed() -> None:
    backend = StepBackend(307, {"location": "/elsewhere"})
    async with backend.running() as url:
        fault = await fate(url)
    assert isinstance(fault, RelayLost)
    assert fault.status == 502
    assert "redirects (307)" in str(fault)
    assert len(backend.calls) == 1


async def test_a_backend_that_is_away_is_told_without_its_address() -> None:
    with reserved_port() as port:
        fault = await fate(f"http://127.0.0.1:{port}/secret")
    assert isinstance(fault, RelayLost)
    assert (fault.status, str(fault)) == (502, "the backend cannot be reached")


async def test_no_free_connection_within_the_time_counts_as_unreachable() -> None:
    backend = StepBackend()
    async with backend.running() as url, cookieless(aiohttp.TCPConnector(limit=1)) as session:
        relay = RelayBackend(session)
        async with relay.open(RelayCall(url)):
            with pytest.raises(RelayLost, match="in time") as caught:
                await relay.open(RelayCall(url, connect_timeout=0.05)).__aenter__()
    assert caught.value.status == 504


async def test_a_backend_without_an_answer_is_given_up_after_the_silence() -> None:
    backend = StepBackend()
    backend.answering.clear()
    async with backend.running() as url:
        fault = await fate(url, silence=0.05)
        await until(lambda: backend.left == 1)
    assert isinstance(fault, RelayLost)
    assert (fault.status, str(fault)) == (504, "the backend does not answer")


async def test_a_backend_that_falls_silent_in_mid_stream_is_given_up() -> None:
    backend = StepBackend()
    backend.say(b"data: 1\n\n")
    async with backend.running() as url:
        fault = await fate(url, silence=0.2)
        await until(lambda: backend.left == 1)
    assert isinstance(fault, RelayLost)
    assert (fault.status, str(fault)) == (504, "the backend fell silent")


@pytest.mark.parametrize("answer", [b"", b"this is not HTTP\r\n\r\n", b"HTTP/1.1 200 OK\r\nCont"])
async def test_a_backend_that_closes_or_babbles_before_its_headers_broke_off(answer: bytes) -> None:
    async with raw_backend(says(answer)) as url:
        fault = await fate(url)
    assert isinstance(fault, RelayLost)
    assert (fault.status, str(fault)) == (502, "the backend broke off before it answered")


@pytest.mark.parametrize(
    "answer",
    [
        STREAM_HEAD + chunk(b"data: 1\n\n"),
        STREAM_HEAD + b"ff\r\ndata: cut in a chunk",
        b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort",
    ],
)
async def test_a_backend_that_dies_in_mid_stream_is_no_clean_end(answer: bytes) -> None:
    async with raw_backend(says(answer)) as url:
        fault = await fate(url)
    assert isinstance(fault, RelayLost)
    assert str(fault) == "the backend broke off before its answer was whole"


async def test_compressed_bytes_are_left_as_they_are() -> None:
    packed = gzip.compress(b"data: 1\n\n")
    backend = StepBackend(headers=EVENT_STREAM | {"content-encoding": "gzip"})
    backend.say(packed)
    backend.finish()
    async with (
        backend.running() as url,
        cookieless() as session,
        RelayBackend(session).open(RelayCall(url)) as answer,
    ):
        assert answer.encoding == "gzip"
        assert await answer.read() == packed


async def test_the_identity_coding_is_none() -> None:
    backend = StepBackend(headers={"content-encoding": "Identity", "content-type": "text/plain"})
    backend.finish()
    async with (
        backend.running() as url,
        cookieless() as session,
        RelayBackend(session).open(RelayCall(url)) as answer,
    ):
        assert answer.encoding == ""
        assert not answer.is_event_stream


async def test_a_session_that_keeps_cookies_is_refused() -> None:
    async with aiohttp.ClientSession() as session:
        with pytest.raises(ValueError, match="DummyCookieJar"):
            RelayBackend(session)


def test_hop_by_hop_and_nominated_fields_end_here() -> None:
    passed = end_to_end(
        (
            (b"Connection", b"close, X-Hop"),
            (b"X-Hop", b"1"),
            (b"Transfer-Encoding", b"chunked"),
            (b"Server", b"b"),
            (b"Set-Cookie", b"a=b"),
            (b"Access-Control-Allow-Origin", b"*"),
            (b"X-Request-ID", b"r"),
            (b"Content-Type", b"text/plain"),
        )
    )
    assert passed == ((b"x-request-id", b"r"), (b"content-type", b"text/plain"))


def test_no_connection_field_nominates_nothing() -> None:
    assert nominated(((b"x-a", b"connection"),)) == frozenset()


def test_a_call_shows_neither_its_headers_nor_its_body() -> None:
    shown = repr(RelayCall("http://b/", (("authorization", "Bearer t0ken"),), b"private"))
    assert "t0ken" not in shown
    assert "private" not in shown
