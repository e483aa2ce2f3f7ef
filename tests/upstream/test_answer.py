"""One bounded request for a JSON state."""

import gzip
import json
import tracemalloc
import zlib
from collections.abc import AsyncIterator

import aiohttp
import anyio
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response, StreamingResponse
from starlette.routing import Route

from bridge.upstream.answer import (
    WRAP,
    Answer,
    ask,
    check_positive,
    check_source,
    message,
    retry_after,
)
from tests.support.ports import reserved_port
from tests.support.servers import serving
from tests.upstream.record import raw_server, saying

BODY = b' {"id": "f1",\r\n "url":null, "n":1.10}\n'


async def echo_headers(request: Request) -> Response:
    return Response(json.dumps(dict(request.headers)))


async def zipped(request: Request) -> Response:
    return Response(
        gzip.compress(b'"' + b"a" * 100_000 + b'"'), headers={"content-encoding": "gzip"}
    )


async def endless(request: Request) -> Response:
    async def drops() -> AsyncIterator[bytes]:
        yield b"["
        await anyio.sleep_forever()

    return StreamingResponse(drops())


def fixed(path: str, body: bytes = b"", status: int = 200, **headers: str) -> Route:
    async def give(request: Request) -> Response:
        names = {name.replace("_", "-"): value for name, value in headers.items()}
        return Response(body, status, names)

    return Route(path, give)


async def elsewhere(request: Request) -> Response:
    return RedirectResponse("/body")


APP = Starlette(
    routes=[
        fixed("/body", BODY),
        fixed("/bom", b"\xef\xbb\xbf[]"),
        fixed("/html", b"<html>"),
        fixed("/latin", b'"\xe9"'),
        fixed("/large", b'"' + b"a" * 1022 + b'"'),
        fixed("/busy", status=429, retry_after="7"),
        fixed("/absent", b"{}", status=404),
        Route("/headers", echo_headers),
        Route("/zipped", zipped),
        Route("/endless", endless),
        Route("/elsewhere", elsewhere),
    ]
)


async def asked(
    path: str, *, deadline: float = 10, max_bytes: int = 1024, **headers: str
) -> Answer:
    async with serving(APP) as host, aiohttp.ClientSession() as session:
        url = f"http://{host}{path}"
        return await ask(session, url, headers, deadline=deadline, max_bytes=max_bytes)


async def test_a_state_keeps_the_backends_own_text() -> None:
    answer = await asked("/body")
    assert answer.usable
    assert answer.body == BODY.decode().strip()
    assert answer.document == {"id": "f1", "url": None, "n": 1.1}


async def test_a_byte_order_mark_is_not_part_of_the_json() -> None:
    assert (await asked("/bom")).body == "[]"


async def test_configured_headers_win_over_our_own() -> None:
    received = (await asked("/headers", accept="text/json", authorization="Bearer t")).document
    assert received["accept"] == "text/json"
    assert received["authorization"] == "Bearer t"


@pytest.mark.parametrize("path", ["/html", "/latin"])
async def test_what_is_not_json_is_a_fault(path: str) -> None:
    answer = await asked(path)
    assert not answer.usable
    assert answer.fault == "an answer is not JSON"


async def test_the_limit_itself_is_allowed() -> None:
    assert (await asked("/large", max_bytes=1024)).usable
    assert (await asked("/large", max_bytes=1023)).fault == "an answer exceeds 1023 bytes"


async def test_the_limit_counts_what_comes_out_of_compression() -> None:
    assert (await asked("/zipped", max_bytes=2048)).fault == "an answer exceeds 2048 bytes"


async def test_a_status_says_whether_to_wait() -> None:
    busy, absent = await asked("/busy"), await asked("/absent")
    assert (busy.status, busy.retry_after, busy.absent) == (429, 7.0, False)
    assert (absent.status, absent.retry_after, absent.absent) == (404, None, True)
    assert not absent.usable


async def test_a_redirect_is_not_followed() -> None:
    assert (await asked("/elsewhere")).fault == "the backend answered 307"


async def test_an_answer_that_never_ends_is_given_up() -> None:
    assert (await asked("/endless", deadline=0.2)).fault == "no whole answer in 0.2 s"


async def test_a_backend_that_is_down_is_a_fault_and_no_exception() -> None:
    with reserved_port() as port:
        async with aiohttp.ClientSession() as session:
            url = f"http://127.0.0.1:{port}/secret"
            answer = await ask(session, url, {}, deadline=5, max_bytes=1)
    assert answer.status == 0
    assert "ClientConnectorError" in answer.fault
    assert "secret" not in answer.fault


async def test_a_closed_client_is_a_fault_and_no_exception() -> None:
    session = aiohttp.ClientSession()
    await session.close()
    answer = await ask(session, "http://127.0.0.1/", {}, deadline=5, max_bytes=1)
    assert answer.fault == "the HTTP client is closed"


@pytest.mark.parametrize(
    ("value", "date", "seconds"),
    [
        ("120", None, 120.0),
        (" 0 ", None, 0.0),
        ("9" * 40, None, 999_999_999.0),
        ("Fri, 31 Dec 1999 23:59:59 GMT", "Fri, 31 Dec 1999 23:59:49 GMT", 10.0),
        ("Fri, 31 Dec 1999 23:59:39 GMT", "Fri, 31 Dec 1999 23:59:49 GMT", 0.0),
        ("Fri, 31 Dec 1999 23:59:59 GMT", None, None),
        ("Fri, 31 Dec 1999 23:59:59 -0000", "Fri, 31 Dec 1999 23:59:49 GMT", None),
        ("-1", None, None),
        ("soon", None, None),
        ("1_0", None, None),
        (None, None, None),
    ],
)
def test_retry_after_is_seconds_or_a_date(
    value: str | None, date: str | None, seconds: float | None
) -> None:
    assert retry_after(value, date) == seconds


def test_the_wrap_takes_the_answer_verbatim() -> None:
    body = r'{"url": "u",  "n": 1.10, "t": "{result}{body}\\1"}'
    answer = Answer(200, body, json.loads(body))
    assert message(WRAP, answer, ("url",)) == f'{{"type":"file","object":{body}}}'


def test_the_wrap_can_take_the_result_alone() -> None:
    template = '{"type":"render_result","object":{"url":{result}}}'
    document = {"data": [{"value": {"url": 'a"b'}}]}
    told = message(template, Answer(200, "", document), ("url", "data.*.value.url"))
    assert told == '{"type":"render_result","object":{"url":"a\\"b"}}'
    assert message(template, Answer(200, "", {}), ("url",)) is None


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"match": ()}, "match names no channel"),
        ({"match": ("file.*", "")}, "match names no channel"),
        ({"url": "file/{id}"}, "url is not a full URL"),
        ({"url": "http://h/{name}"}, "unknown field {name}"),
        ({"headers": {"X": "a\r\nb"}}, "headers: X"),
        ({"wrap": "{body"}, "wrap is not JSON"),
        ({"wrap": '{"object":"{body}"}'}, "wrap is not JSON"),
        ({"wrap": "{}"}, "wrap says nothing"),
    ],
)
def test_a_source_that_cannot_be_asked_is_refused(
    change: dict[str, object], complaint: str
) -> None:
    settings: dict[str, object] = {
        "match": ("file.*",),
        "url": "http://h/{id}",
        "headers": {"X": "a"},
        "wrap": WRAP,
    }
    check_source(**settings)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=complaint):
        check_source(**(settings | change))  # type: ignore[arg-type]


@pytest.mark.parametrize("value", [0, -1, float("inf"), float("nan")])
def test_only_finite_amounts_above_nothing_are_taken(value: float) -> None:
    check_positive(deadline=0.1)
    with pytest.raises(ValueError, match="deadline must be above 0"):
        check_positive(deadline=value)


# Hostile answers.


def bomb(mebibytes: int) -> bytes:
    """Zeros, compressed about a thousand to one."""
    compressing = zlib.compressobj(9, wbits=31)
    zeros = bytes(1 << 20)
    return b"".join(compressing.compress(zeros) for _ in range(mebibytes)) + compressing.flush()


async def fate(answer: bytes, max_bytes: int = 1 << 20) -> Answer:
    """What comes of a backend that says just this."""
    async with raw_server(saying(answer)) as address, aiohttp.ClientSession() as session:
        return await ask(session, f"http://{address}/", {}, deadline=20, max_bytes=max_bytes)


async def test_a_decompression_bomb_is_refused_before_it_takes_memory() -> None:
    body = bomb(256)
    head = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(body)
    tracemalloc.start()
    try:
        answer = await fate(head + body)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert answer.fault == "an answer exceeds 1048576 bytes"
    assert peak < 16 << 20


@pytest.mark.parametrize(
    "head",
    [
        b"HTTP/1.1 200 OK\r\nX: " + b"x" * 10_000 + b"\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 200,
        b"HTTP/1.1 200 " + b"x" * 100_000 + b"\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n",
    ],
)
async def test_a_head_past_the_limits_is_refused_in_one_line(head: bytes) -> None:
    answer = await fate(head + b"\r\n{}{}")
    assert answer.fault.startswith("cannot reach the backend: ")
    assert "\n" not in answer.fault
    assert not answer.usable
