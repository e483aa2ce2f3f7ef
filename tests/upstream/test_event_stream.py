"""One SSE response, byte by byte: what is a stream, and how it ends."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st
from yarl import URL

from bridge.seams import Got, Lost, Opened, Signal
from bridge.upstream.event_stream import EventStream
from bridge.upstream.reading import Reading

URL_ = URL("http://a.example/")
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"


def chunked(*parts: bytes) -> bytes:
    return b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in parts)


WHOLE = CHUNKED + chunked(
    b"id: 1\r\nda", b"ta: \xf0\x9f\xa4", b"\x96\r", b"\n\r", b"\nid: 2\rdata: b\r\r", b": c\n"
)
"""Cut within a field, a character and a line ending, and ended by CR alone."""


class Wire(asyncio.Transport):
    """A transport that nobody is behind."""

    def __init__(self) -> None:
        super().__init__()
        self.written = b""
        self.aborted = False

    def write(self, data: object) -> None:
        assert isinstance(data, bytes)
        self.written += data

    def pause_reading(self) -> None:
        """Nothing more is fed by itself."""

    def abort(self) -> None:
        self.aborted = True


class Sink:
    """Keeps what it is told."""

    has_room = True

    def __init__(self) -> None:
        self.said: list[Signal] = []

    def take(self, signal: Opened | Got) -> None:
        self.said.append(signal)

    @property
    def events(self) -> list[tuple[str, str | bytes]]:
        got = [signal for signal in self.said if isinstance(signal, Got)]
        return [(event.id, event.data) for signal in got for event in signal.events]


def opened() -> tuple[EventStream, Sink]:
    sink = Sink()
    reading = Reading(None, lambda: 0.0, max_event_bytes=1000)
    stream = EventStream(URL_, b"GET", sink, reading, silence=60)
    stream.connection_made(Wire())
    return stream, sink


def fed(*pieces: bytes, error: Exception | None = None) -> tuple[Lost, Sink]:
    """What these reads say, and then the close."""

    async def read() -> tuple[Lost, Sink]:
        stream, sink = opened()
        for piece in pieces:
            stream.data_received(piece)
        stream.connection_lost(error)
        assert stream.gone.done()
        return stream.over.result(), sink

    return asyncio.run(read())


def test_the_request_is_the_first_that_is_said() -> None:
    async def ask() -> bytes:
        stream, _ = opened()
        wire = stream._transport
        stream.connection_lost(None)
        assert isinstance(wire, Wire)
        return wire.written

    assert asyncio.run(ask()) == b"GET"


@pytest.mark.parametrize("size", [1, 2, 3, 7, len(WHOLE)])
def test_any_cut_gives_the_same_events_at_once(size: int) -> None:
    pieces = [WHOLE[at : at + size] for at in range(0, len(WHOLE), size)]
    lost, sink = fed(*pieces, b"0\r\n\r\n")
    assert sink.events == [("1", "🤖"), ("2", "b")]
    assert sink.said[0] == Opened()
    assert (lost.ending.name, lost.reason) == ("no-status", "the backend ended the stream")


@given(st.integers(0, len(WHOLE)))
def test_a_cut_at_any_byte_gives_what_was_whole(cut: int) -> None:
    lost, sink = fed(WHOLE[:cut])
    assert sink.events == [("1", "🤖"), ("2", "b")][: len(sink.events)]
    if cut < len(CHUNKED):
        assert (lost.ending.name, sink.said) == ("bad-gateway", [])
    else:
        assert sink.said[0] == Opened()
        assert (lost.ending.name, lost.reason) == (
            "abnormal",
            "the stream broke off: its end is missing",
        )
    assert lost.ending.reconnect


def test_events_before_a_fault_of_the_framing_are_delivered() -> None:
    lost, sink = fed(CHUNKED + chunked(b"data: a\n\n") + b"zz\r\n")
    assert sink.events == [("", "a")]
    assert lost.ending.name == "abnormal"
    assert lost.reason.startswith("the stream broke off: no HTTP response")


def test_nothing_is_read_after_the_end() -> None:
    lost, sink = fed(CHUNKED + chunked(b"data: a\n\n") + b"0\r\n\r\n", chunked(b"data: b\n\n"))
    assert sink.events == [("", "a")]
    assert lost.ending.name == "no-status"


@pytest.mark.parametrize(
    ("framing", "body", "name"),
    [
        (b"\r\n", b"data: a\n\n", "no-status"),
        (b"Content-Length: 9\r\n\r\n", b"data: a\n\n", "no-status"),
        (b"Content-Length: 10\r\n\r\n", b"data: a\n\n", "abnormal"),
    ],
)
def test_a_close_is_an_end_where_the_framing_allows_it(
    framing: bytes, body: bytes, name: str
) -> None:
    lost, sink = fed(HEAD + framing + body)
    assert sink.events == [("", "a")]
    assert lost.ending.name == name


def test_a_reset_is_no_end() -> None:
    lost, _ = fed(HEAD + b"\r\n", error=ConnectionResetError("reset"))
    assert (lost.ending.name, lost.reason) == ("abnormal", "the stream broke off: reset")


@pytest.mark.parametrize("coding", [b"gzip", b"GZIP, br", b"identity, gzip"])
def test_an_encoded_stream_is_refused_by_name(coding: bytes) -> None:
    lost, sink = fed(HEAD + b"Content-Encoding: " + coding + b"\r\n\r\nx")
    assert lost.ending.name == "bad-gateway"
    said = coding.decode().lower()
    assert lost.reason == f"the backend encoded its stream ({said}), unasked"
    assert sink.said == []


def test_an_encoding_that_changes_nothing_is_none() -> None:
    _, sink = fed(HEAD + b"Content-Encoding: Identity\r\n\r\ndata: a\n\n")
    assert sink.events == [("", "a")]


def test_a_transfer_coding_that_is_not_known_is_refused() -> None:
    lost, sink = fed(HEAD + b"Transfer-Encoding: gzip, chunked\r\n\r\n5\r\nxxxxx\r\n")
    assert (lost.ending.name, sink.said) == ("bad-gateway", [])


def test_no_type_at_all_is_said_clearly() -> None:
    lost, _ = fed(b"HTTP/1.1 200 OK\r\n\r\n")
    assert lost.reason == "the backend answered no type, not text/event-stream"
