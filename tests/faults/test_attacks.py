"""Attacks by bytes, each with its right answer: one, and nothing of it reaches anybody else.

What was smuggled would show as a second answer, as a frame at the backend, or in the streams of the
witnesses, who are served throughout.
"""

import json
from collections.abc import Iterator

import pytest

from bridge.errors import InvalidField
from bridge.wire.sse import encode
from tests.endpoint.parts import EVENTS, SOCKET, ask
from tests.endpoint.raw import closing_frame, get, line, socket_line, upgrade
from tests.faults.attacked import Attacked, attacked, statuses
from tests.support.waiting import until

pytestmark = pytest.mark.usefixtures("errors", "way")

SMUGGLED = (
    b"POST /api/v1/events/project.smuggled HTTP/1.1\r\nHost: b\r\nContent-Length: 2\r\n\r\n{}"
)


def _post(*fields: str, body: bytes = b"") -> bytes:
    head = "".join(f"{field}\r\n" for field in ("Host: b", *fields))
    return f"POST {EVENTS} HTTP/1.1\r\n{head}\r\n".encode() + body


CHUNKED = "Transfer-Encoding: chunked"
LAST = b"0\r\n\r\n"
AMBIGUOUS = {
    "a length and a coding": _post("Content-Length: 4", CHUNKED, body=LAST + SMUGGLED),
    "a coding and a length": _post(CHUNKED, "Content-Length: 4", body=LAST + SMUGGLED),
    "two lengths": _post("Content-Length: 0", "Content-Length: 9", body=SMUGGLED),
    "the same length twice": _post("Content-Length: 4", "Content-Length: 4", body=b"abcd"),
    "a list of lengths": _post("Content-Length: 4, 4", body=b"abcd"),
    "a signed length": _post("Content-Length: +4", body=b"abcd"),
    "a negative length": _post("Content-Length: -1", body=SMUGGLED),
    "a hexadecimal length": _post("Content-Length: 0x4", body=b"abcd"),
    "an endless length": _post("Content-Length: " + "9" * 40, body=b"abcd"),
    "an unknown coding": _post("Transfer-Encoding: xchunked", body=LAST + SMUGGLED),
    "a coding on top of chunks": _post("Transfer-Encoding: chunked, identity", body=LAST),
    "a coding behind a vertical tab": _post("Transfer-Encoding:\x0bchunked", body=LAST),
    "a space before the colon": _post("Transfer-Encoding : chunked", body=LAST + SMUGGLED),
    "a folded line": _post("X: a\r\n b", body=b""),
    "a folded coding": _post("Transfer-Encoding:\r\n chunked", body=LAST + SMUGGLED),
    "bare line feeds": b"GET /healthz HTTP/1.1\nHost: b\n\n",
    "a bare carriage return": _post("X: a\rContent-Length: 4", body=b"abcd"),
    "a NUL in a field": _post("X: a\0b"),
    "a field without a name": _post(": a"),
    "a field without a colon": _post("X"),
    "chunks of bare line feeds": _post(CHUNKED, body=b"1\nx\n0\n\n"),
    "a negative chunk": _post(CHUNKED, body=b"-1\r\nx\r\n" + LAST),
    "an endless chunk": _post(CHUNKED, body=b"f" * 20 + b"\r\nx\r\n"),
    "a chunk longer than it says": _post(CHUNKED, body=b"1\r\nxyz\r\n" + LAST),
    "another version": b"GET /healthz HTTP/1.2\r\nHost: b\r\n\r\n",
    "the preface of HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "a tunnel": b"CONNECT evil:443 HTTP/1.1\r\nHost: evil:443\r\n\r\n",
    "raw bytes in the path": b"GET /api/v1/events/project.\xff HTTP/1.1\r\nHost: b\r\n\r\n",
    "a backslash for a slash": b"GET \\healthz HTTP/1.1\r\nHost: b\r\n\r\n",
    "an endless path": b"GET /" + b"a" * 200_000 + b" HTTP/1.1\r\nHost: b\r\n\r\n",
    "a coding in HTTP/1.0": _post(CHUNKED, body=LAST).replace(b"HTTP/1.1", b"HTTP/1.0"),
    "no HTTP": bytes(range(256)),
    "TLS": bytes.fromhex("16030100a5010000a10303") + bytes(160),
    "no host": b"GET /healthz HTTP/1.1\r\n\r\n",
    "two hosts": b"GET /healthz HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
    "a host with markup": b'GET /healthz HTTP/1.1\r\nHost: "><script>\r\n\r\n',
    "a host with a path": b"GET /healthz HTTP/1.1\r\nHost: b/../c\r\n\r\n",
    "a handshake with a body": upgrade(extra=f"Content-Length: {len(SMUGGLED)}\r\n") + SMUGGLED,
    "a handshake in chunks": upgrade(extra=f"{CHUNKED}\r\n") + LAST + SMUGGLED,
    "a handshake without a key": upgrade().replace(b"Sec-WebSocket-Key: ", b"X-Key: "),
    "a handshake with half a key": upgrade().replace(b"dGhlIHNhbXBsZSBub25jZQ==", b"dGhl"),
}


async def test_what_two_servers_could_read_differently_is_refused() -> None:
    async with attacked() as under:
        for name, request in AMBIGUOUS.items():
            assert (name, statuses(await under.exchange(request))) == (name, [400])
            await under.still_serves()
        assert not under.backend.received


async def test_a_handshake_of_another_version_is_told_ours() -> None:
    async with attacked() as under:
        answer = await under.exchange(upgrade().replace(b"Version: 13", b"Version: 8"))
        assert statuses(answer) == [426]
        assert b"sec-websocket-version: 13" in answer.lower()


@pytest.mark.parametrize("extension", [b"a=b", b'a="\r', b"a" * 50_000])
async def test_chunk_extensions_carry_nothing(extension: bytes) -> None:
    body = b"2;" + extension + b"\r\n{}\r\n" + LAST
    async with attacked() as under:
        answer = await under.exchange(_post(CHUNKED, body=body))
        assert statuses(answer) in ([202], [400], [413])
        assert [received.raw for received in under.backend.received] in ([b"{}"], [])


async def test_requests_behind_a_stream_are_not_answered_within_it() -> None:
    async with attacked() as under, line(under.bridge.authority) as attacker:
        attacker.send(get(), b"GET /healthz HTTP/1.1\r\nHost: b\r\n\r\n", SMUGGLED)
        await attacker.until(b"\n\n")
        await until(lambda: under.bridge.readers == 3)
        under.bridge.publish('{"mine":1}', name="project.1")
        got = await attacker.until(b'{"mine":1}')
        assert b"HTTP/1.1" not in got
        assert b"healthy" not in got
        assert not under.backend.received


async def test_a_request_behind_a_taken_stream_changes_nothing() -> None:
    async with attacked() as under, line(under.bridge.authority) as attacker:
        attacker.send(get())
        await attacker.until(b"\n\n")
        await until(lambda: under.bridge.readers == 3)
        attacker.send(SMUGGLED)
        under.bridge.publish('{"mine":1}', name="project.1")
        assert b"HTTP/1.1" not in await attacker.until(b'{"mine":1}')
        assert not under.backend.received


TRAVERSALS = (
    "../../etc/passwd",
    "%2e%2e%2fproject.1",
    "project.1%2f..%2f..%2fsecret",
    "project.%2e%2e",
    "project..1",
    "project.%00",
    "project.1%0d%0aX-Injected:%20yes",
    "project.%252e%252e",
    "project.%zz",
    "project.%ff%fe",
    "project.%e2%82",
    "project.1;jsessionid=1",
    "project.1%3Fadmin=1",
    "project.1%23",
    "project.%E2%80%AE1",
    ".project.1",
    "project." + "a" * 300,
    "*",
    "project.*",
    "%20",
    "admin.1",
)


def _ways_to(name: str) -> Iterator[bytes]:
    """All requests in which a channel's name may stand."""
    for path in ("events", "ws", "transport"):
        yield get(f"/api/v1/{path}/{name}")
    yield upgrade(f"/api/v1/ws/{name}")
    yield get(f"/api/v1/events?channel={name}")


async def test_no_path_leads_out_of_the_grammar_of_names() -> None:
    async with attacked() as under:
        opened = len(under.backend.openings)
        for request in (each for name in TRAVERSALS for each in _ways_to(name)):
            assert (request, statuses(await under.exchange(request))) == (request, [404])
        assert len(under.backend.openings) == opened


NEARLY = ("//evil/healthz", "/healthz;x", "/./healthz", "/healthz/", "/HEALTHZ", "/%68ealthz/..")


async def test_a_path_that_is_nearly_another_is_unknown() -> None:
    async with attacked() as under:
        for path in NEARLY:
            assert (path, statuses(await under.exchange(get(path)))) == (path, [404])


CURSORS = (
    "a%0d%0adata:%20injected%0d%0a",
    "a%0a%0adata:x",
    "%00",
    "a-1%00",
    "-1",
    "a-" + "9" * 400,
    "e" * 5000,
    "%ff%fe",
    "%F0%9F%98%80-1",
    "<script>",
    "a-1,a-2",
)


async def test_a_hostile_cursor_injects_no_line() -> None:
    async with attacked() as under:
        for cursor in CURSORS:
            answer = await under.exchange(get(f"{EVENTS}?last_event_id={cursor}"))
            assert statuses(answer) == [200]
            _assert_one_gap(answer)


def _assert_one_gap(answer: bytes) -> None:
    block = answer.partition(b"event: bridge.gap")[2].partition(b"\n\n")[0]
    fields = [row.partition(b": ")[0] for row in block.strip().split(b"\n")]
    assert fields == [b"id", b"data"]
    said = json.loads(block.partition(b"data: ")[2].partition(b"\n")[0])
    assert said["reason"] in {"unreadable", "other-epoch"}
    assert len(said["old"]) <= 64


async def test_bytes_in_a_cursor_header_are_unreadable_and_no_more() -> None:
    async with attacked() as under, line(under.bridge.authority) as attacker:
        head = get().replace(b"Accept:", b"Last-Event-ID: \xff\xfe\x80\r\nAccept:")
        attacker.send(head)
        assert b'"reason":"unreadable"' in await attacker.until(b"\n\n")


async def test_a_backends_odd_event_name_ends_nobodys_stream() -> None:
    async with attacked() as under:
        under.backend.publish("project.witness", "x", event="a\0b")
        event = await under.stream.event()
        assert (event.event, event.data) == ("a\0b", "x")
        assert await under.socket.recv() == "x"


@pytest.mark.parametrize("field", ["a\nb", "a\rb", "a\r\ndata: x"])
def test_an_event_cannot_be_written_with_a_field_that_injects_lines(field: str) -> None:
    with pytest.raises(InvalidField):
        encode("x", event=field)
    with pytest.raises(InvalidField):
        encode("x", id=field)
    with pytest.raises(InvalidField):
        encode("x", id="a\0b")


async def test_what_a_backend_says_cannot_forge_an_event_of_the_bridge() -> None:
    forged = 'x\n\nevent: bridge.end\ndata: {"code":"gone"}\n\nid: stolen-9'
    async with attacked() as under:
        under.bridge.channel("project.witness")
        under.bridge.publish(forged, name="project.witness")
        event = await under.stream.event()
        assert event.event == "message"
        assert event.data == forged
        assert not event.id.startswith("stolen")
        assert await under.socket.recv() == forged


async def test_an_upgrade_to_anything_else_is_an_ordinary_request() -> None:
    head = "Upgrade: h2c\r\nConnection: Upgrade, HTTP2-Settings\r\nHTTP2-Settings: AA\r\n"
    async with attacked() as under:
        assert statuses(await under.exchange(get("/healthz", head))) == [200]


async def test_other_methods_are_not_served_and_echo_nothing() -> None:
    async with attacked() as under:
        for method in ("TRACE", "PUT", "DELETE", "PATCH"):
            for path in (EVENTS, "/healthz"):
                request = get(path, "X-Secret: s3cret\r\n", method=method)
                answer = await under.exchange(request)
                assert (method, path, statuses(answer)) == (method, path, [405])
                assert b"s3cret" not in answer


async def test_a_host_decides_nothing() -> None:
    async with attacked() as under:
        for host in ("evil.example", "127.0.0.1:1", "localhost"):
            head = f"GET /api/v1/transport/project.1 HTTP/1.1\r\nHost: {host}\r\n\r\n".encode()
            assert host.encode() not in (await under.exchange(head)).partition(b"\r\n\r\n")[2]
        absolute = b"GET http://evil.example/healthz HTTP/1.1\r\nHost: b\r\n\r\n"
        assert statuses(await under.exchange(absolute)) == [200]


TEXT = {"Content-Type": "text/plain"}


async def test_a_body_that_is_not_text_goes_nowhere() -> None:
    async with attacked() as under:
        for body in (b"\xff\xfe", b"\xed\xa0\x80", b"\xc0\xaf", b"{\xf8}"):
            answered = await ask(under.bridge.authority, "POST", EVENTS, data=body, headers=TEXT)
            assert answered.status == 422
        assert not under.backend.received


async def test_frames_that_do_not_wait_for_the_handshake_harm_their_own_socket_at_most() -> None:
    async with attacked() as under, line(under.bridge.authority) as attacker:
        attacker.send(upgrade(SOCKET) + b"\x81\x82\0\0\0\0")
        assert (await attacker.until(b"\r\n\r\n")).startswith(b"HTTP/1.1 101 ")
        attacker.send(closing_frame(1000))
        assert await attacker.close_code() in {1000, 1002}


BROKEN_FRAMES: dict[str, tuple[bytes, int]] = {
    "unmasked": (b"\x81\x02hi", 1002),
    "a reserved bit": (b"\xc1\x82\0\0\0\0hi", 1002),
    "all reserved bits": (b"\xf1\x82\0\0\0\0hi", 1002),
    "a reserved opcode": (b"\x83\x80\0\0\0\0", 1002),
    "a reserved control opcode": (b"\x8b\x80\0\0\0\0", 1002),
    "a fragmented ping": (b"\x09\x80\0\0\0\0", 1002),
    "a long ping": (b"\x89\xfe\x00\x7e\0\0\0\0" + b"x" * 126, 1002),
    "a continuation of nothing": (b"\x80\x80\0\0\0\0", 1002),
    "a new message within another": (b"\x01\x81\0\0\0\0a\x81\x81\0\0\0\0b", 1002),
    "text that is no UTF-8": (b"\x81\x82\0\0\0\0\xff\xfe", 1007),
    "a lone surrogate": (b"\x81\x83\0\0\0\0\xed\xa0\x80", 1007),
    "UTF-8 that ends early": (b"\x81\x82\0\0\0\0\xe2\x82", 1007),
    "a length of 64 bits": (b"\x82\xff\x7f" + b"\xff" * 7 + b"\0\0\0\0", 1009),
    "a length with its top bit set": (b"\x82\xff\xff" + b"\xff" * 7 + b"\0\0\0\0", 1009),
    "a close with half a code": (b"\x88\x81\0\0\0\0\x03", 1002),
    "a close with a reserved code": (b"\x88\x82\0\0\0\0\x03\xed", 1002),
    "a close with a code out of range": (b"\x88\x82\0\0\0\0\x00\x01", 1002),
    "a close whose reason is no UTF-8": (b"\x88\x84\0\0\0\0\x03\xe8\xff\xfe", 1007),
}


async def test_a_broken_frame_closes_its_own_socket_with_the_right_code() -> None:
    async with attacked() as under:
        for name, (frame, code) in BROKEN_FRAMES.items():
            async with socket_line(under.bridge.authority) as attacker:
                attacker.send(frame)
                assert (name, await attacker.close_code()) == (name, code)
            await under.still_serves()
        assert not under.backend.received


async def _slowly(under: Attacked, pieces: list[bytes]) -> bytes:
    async with line(under.bridge.authority) as attacker:
        for piece in pieces:
            attacker.send(piece)
            await attacker.writer.drain()
            await under.still_serves()
        return await attacker.until(b"}\n")


async def test_a_body_that_comes_byte_by_byte_holds_nobody_up() -> None:
    body = b'{"a":1}'
    head = _post(f"Content-Length: {len(body)}", "Content-Type: application/json")
    async with attacked() as under:
        answer = await _slowly(under, [head, *(bytes((each,)) for each in body)])
        assert statuses(answer) == [202]
        assert under.backend.received[0].raw == body


LARGE = 20 * 1024 * 1024
OVERSIZED = {
    "a length that is too large": _post(f"Content-Length: {LARGE}"),
    "chunks that add up": _post(CHUNKED, body=(b"100000\r\n" + b"x" * 2**20 + b"\r\n") * 17),
}


async def test_a_body_that_is_too_large_is_refused_before_its_end() -> None:
    async with attacked() as under:
        for name, request in OVERSIZED.items():
            assert (name, statuses(await under.exchange(request))) == (name, [413])
        assert not under.backend.received


async def test_a_body_that_stops_coming_is_given_up() -> None:
    async with attacked(send_timeout=0.2) as under:
        answer = await under.exchange(_post("Content-Length: 10", body=b"abc"))
        assert statuses(answer) == [408]
        assert not under.backend.received
