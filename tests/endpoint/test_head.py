"""Which bytes are an ordinary GET, and which are left to a complete server."""

import httptools
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.endpoint.head import BYTES, FIELDS, ordinary
from tests.endpoint.raw import get, upgrade

PLAIN = b"GET /a%20b?c=%20d HTTP/1.1\r\nHost: x\r\nX-Trim: y \t\r\n\r\n"

ODD = {
    "another method": PLAIN.replace(b"GET", b"POST"),
    "another version": PLAIN.replace(b"1.1", b"1.0"),
    "no version": b"GET /\r\n\r\n",
    "half a head": PLAIN[:-1],
    "a second request": PLAIN + PLAIN,
    "a body": PLAIN + b"x",
    "a length": get(extra="Content-Length: 0\r\n"),
    "chunks": get(extra="Transfer-Encoding: chunked\r\n"),
    "an expectation": get(extra="Expect: 100-continue\r\n"),
    "an absolute form": PLAIN.replace(b"/a", b"http://x/a"),
    "an authority in the path": PLAIN.replace(b"/a", b"//a"),
    "a fragment": PLAIN.replace(b"/a", b"/a#b"),
    "bytes beyond ASCII": PLAIN.replace(b"/a", b"/\xe9"),
    "a bare line feed": b"GET / HTTP/1.1\nHost: x\n\r\n\r\n",
    "two heads by line feeds": b"GET / HTTP/1.1\n\nGET / HTTP/1.1\r\nHost: x\r\n\r\n",
    "a folded field": get(extra="X-Long: a\r\n b\r\n"),
    "a space before the colon": get(extra="X-Bad : a\r\n"),
    "a nul": get(extra="X-Bad: a\x00b\r\n"),
    "no colon": get(extra="nothing\r\n"),
    "an empty name": get(extra=": a\r\n"),
    "two hosts": get(extra="Host: other\r\n"),
    "two keys": upgrade(extra="Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"),
    "too many fields": get(extra="X: y\r\n" * FIELDS),
    "too long": get(extra=f"X: {'y' * BYTES}\r\n"),
    "nothing": b"",
    "an end alone": b"\r\n\r\n",
}


@pytest.mark.parametrize("data", ODD.values(), ids=ODD.keys())
def test_what_is_not_ordinary_is_left_alone(data: bytes) -> None:
    assert ordinary(data) is None


def test_an_ordinary_head_is_read() -> None:
    head = ordinary(PLAIN)
    assert head
    assert (head.path, head.raw_path, head.query) == ("/a b", b"/a%20b", b"c=%20d")
    assert list(head.fields) == [(b"host", b"x"), (b"x-trim", b"y")]
    assert head.named[b"host"] == b"x"
    assert (head.keep_alive, head.upgrade) == (True, False)


@pytest.mark.parametrize("value", ["close", "Close", "x, close"])
def test_a_client_that_closes_says_so(value: str) -> None:
    head = ordinary(get(extra=f"Connection: {value}\r\n"))
    assert head
    assert not head.keep_alive


def test_an_upgrade_to_nothing_is_none() -> None:
    head = ordinary(get(extra="Connection: Upgrade\r\nUpgrade: \r\n"))
    assert head
    assert not head.upgrade


def test_an_upgrade_is_noticed() -> None:
    head = ordinary(upgrade())
    assert head
    assert head.upgrade


@given(st.integers(0, len(PLAIN) - 1))
def test_no_piece_of_a_head_is_one(length: int) -> None:
    assert ordinary(PLAIN[:length]) is None


@given(st.binary(max_size=200))
def test_no_bytes_raise(noise: bytes) -> None:
    for data in (noise, b"GET /" + noise + b"\r\n\r\n", PLAIN[:-2] + noise + b"\r\n\r\n"):
        ordinary(data)


class Heard:
    """What a well-kept parser makes of the same bytes."""

    def __init__(self, data: bytes) -> None:
        self.url, self.complete, self.upgraded_at = b"", 0, 0
        self.fields: list[tuple[bytes, bytes]] = []
        self.keep_alive: bool | None = None
        self.parser = httptools.HttpRequestParser(self)
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade as upgrade:
            self.upgraded_at = upgrade.args[0]

    def on_url(self, url: bytes) -> None:
        self.url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        self.fields.append((name.lower(), value.strip(b" \t")))

    def on_headers_complete(self) -> None:
        self.keep_alive = self.parser.should_keep_alive()

    def on_message_complete(self) -> None:
        self.complete += 1


PIECES = [
    *(
        b"GET / HTTP/1.1\r\n",
        b"Host: x\r\n",
        b"\r\n",
        b"\r",
        b"\n",
        b" ",
        b"\t",
        b":",
        b",",
        b"\x00",
    ),
    *(
        b"Connection:",
        b"Upgrade",
        b"Upgrade: websocket\r\n",
        b"close",
        b"keep-alive",
        b"a",
        b"\xff",
    ),
    *(b"Content-Length: 0\r\n", b"Transfer-Encoding: chunked\r\n", b"GET /a?b HTTP/1.1\r\n"),
    *(b"Connection: Upgrade\r\n", b"Connection: close , Upgrade\r\n", b"X:y\r\n", b"X:\r\n"),
]


@settings(max_examples=1000)
@given(st.lists(st.sampled_from(PIECES), max_size=8).map(b"".join))
def test_a_well_kept_parser_reads_the_same(noise: bytes) -> None:
    for data in (noise + b"\r\n", b"GET /a?b HTTP/1.1\r\nHost: x\r\n" + noise + b"\r\n"):
        head = ordinary(data)
        if head:
            heard = Heard(data)
            assert heard.complete == 1
            assert heard.fields == list(head.fields)
            assert heard.url == head.raw_path + (b"?" + head.query if b"?" in heard.url else b"")
            assert heard.upgraded_at == (len(data) if head.upgrade else 0)
            assert heard.keep_alive == head.keep_alive
