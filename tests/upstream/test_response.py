"""One HTTP response, however its bytes are cut."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.upstream.response import MAX_FIELDS, MAX_HEAD, Response

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
STREAM = CHUNKED + b"5;x=y\r\ndata:\r\n3\r\n a\n\r\n1\r\n\n\r\n0\r\nX-Trailer: t\r\n\r\n"


def read(*pieces: bytes) -> tuple[Response, bytes]:
    """The response and its body."""
    response = Response()
    return response, b"".join(response.feed(piece) for piece in pieces)


def test_head_and_body_are_told_apart() -> None:
    response, body = read(HEAD + b"X: 1\r\nx: 2\r\n\r\ndata: a\n\n")
    assert (response.status, body) == (200, b"data: a\n\n")
    assert response.headers.getall("X") == ["1", "2"]
    assert not response.complete
    assert not response.ends_by_itself
    assert not response.fault


@given(st.lists(st.integers(1, 20), max_size=40))
def test_any_cut_reads_alike(sizes: list[int]) -> None:
    pieces, at = [], 0
    for size in sizes:
        pieces.append(STREAM[at : at + size])
        at += size
    response, body = read(*pieces, STREAM[at:])
    assert (response.status, response.complete, body) == (200, True, b"data: a\n\n")
    assert response.fault == ""
    assert "X-Trailer" not in response.headers


def test_a_body_with_a_length_ends_by_itself() -> None:
    response, body = read(HEAD + b"Content-Length: 3\r\n\r\nab")
    assert (response.ends_by_itself, response.complete, body) == (True, False, b"ab")
    assert response.feed(b"cHTTP/1.1 200 OK\r\n") == b"c"
    assert response.complete
    assert response.fault == ""


def test_interim_responses_are_passed_over() -> None:
    hints = b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"
    response, body = read(hints * 2, HEAD + b"\r\nx")
    assert (response.status, body) == (200, b"x")
    assert "Link" not in response.headers


def test_after_a_switch_the_rest_is_the_new_protocols() -> None:
    head = b"HTTP/1.1 101 Switching\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"
    response, body = read(head[:20], head[20:] + b"\x81\x01a")
    assert (response.status, body, response.rest) == (101, b"", b"\x81\x01a")


def test_what_came_before_a_fault_is_not_lost() -> None:
    response, body = read(CHUNKED + b"1\r\na\r\nzz\r\n")
    assert body == b"a"
    assert response.fault.startswith("no HTTP response")


@pytest.mark.parametrize(
    "data",
    [
        b"SSH-2.0-OpenSSH_9\r\n",
        b"HTTP/1.1 abc\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nA: b\r\n folded\r\nContent-Length : 1\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nA: \0\r\n\r\n",
    ],
)
def test_what_is_no_response_is_a_fault(data: bytes) -> None:
    response, _ = read(data)
    assert response.fault.startswith("no HTTP response")
    assert response.status == 0


@pytest.mark.parametrize(
    "piece", [b"x" * 1000, b"HTTP/1.1 200 " + b"x" * 1000, b"X-Endless: " + b"x" * 990]
)
def test_a_head_without_end_is_a_fault(piece: bytes) -> None:
    start = b"HTTP/1.1 200 OK" if not piece.startswith(b"X-E") else b"HTTP/1.1 200 OK\r\nX: "
    response = Response()
    response.feed(start)
    fed = 0
    while not response.fault:
        response.feed(b"x" * len(piece))
        fed += len(piece)
        assert fed <= MAX_HEAD + len(piece)
    assert str(MAX_HEAD) in response.fault
    assert response.status == 0


def test_a_large_head_in_one_piece_is_a_fault() -> None:
    response, _ = read(HEAD + b"X: " + b"x" * MAX_HEAD + b"\r\n\r\nbody")
    assert str(MAX_HEAD) in response.fault
    assert response.status == 0


def test_too_many_fields_are_a_fault() -> None:
    response, _ = read(HEAD + b"X: y\r\n" * MAX_FIELDS + b"\r\n")
    assert response.fault == f"more than {MAX_FIELDS} header fields"
    assert response.status == 0


def test_interim_responses_without_end_are_a_fault() -> None:
    response, _ = read(b"HTTP/1.1 100 Continue\r\n\r\n" * 20)
    assert "interim" in response.fault


@pytest.mark.parametrize("start", [b"1;", b"0\r\nX-Endless: "])
def test_framing_without_end_is_a_fault(start: bytes) -> None:
    response = Response()
    response.feed(CHUNKED + start)
    for _ in range(MAX_HEAD // 1000 + 1):
        response.feed(b"x" * 1000)
    assert str(MAX_HEAD) in response.fault


def test_a_long_body_is_no_head() -> None:
    response = Response()
    response.feed(HEAD + b"\r\n")
    for _ in range(100):
        response.feed(b"x" * 10_000)
    assert response.fault == ""
