"""What the soak's clients read: the bridge's own bytes, in any chunking."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from benchmarks.soak.wires import Stream, Told, What, number, pong, request


def _chunk(text: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(text), text)


SSE = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n" + b"".join(
    (
        _chunk(b"id: e-0\n\n"),
        _chunk(b'id: e-1\ndata: {"n":1,"t":2}\n\nid: e-2\ndata: x\n\n'),
        _chunk(b'event: bridge.gap\nid: f-0\ndata: {"new":""}\n\n'),
        _chunk(b'event: bridge.end\ndata: {"delay":7}\n\n'),
    )
)
SSE_TOLD = [
    Told(What.OPEN, data=b"200"),
    Told(What.PLACE, "e-0"),
    Told(What.EVENT, "e-1", b'{"n":1,"t":2}'),
    Told(What.EVENT, "e-2", b"x"),
    Told(What.GAP, "f-0", b'{"new":""}'),
    Told(What.END, "", b'{"delay":7}'),
]
CURSOR, GAP = b'{"type":"bridge.cursor","id":"e-1"}', b'{"type":"bridge.gap","new":"f-0"}'
LONG = b'{"n":2,"pad":"' + b"x" * 200 + b'"}'
WS = b"HTTP/1.1 101 Switching Protocols\r\n\r\n" + b"".join(
    (
        b"\x81\x07" + b'{"n":1}',
        b"\x81" + bytes((len(CURSOR),)) + CURSOR,
        b"\x89\x02hi",
        b"\x81\x7e" + len(LONG).to_bytes(2) + LONG,
        b"\x81" + bytes((len(GAP),)) + GAP,
        b"\x88\x02\x03\xe8",
    )
)
WS_TOLD = [
    Told(What.OPEN, data=b"101"),
    Told(What.EVENT, "", b'{"n":1}'),
    Told(What.PLACE, "e-1"),
    Told(What.PING, "", b"hi"),
    Told(What.EVENT, "", LONG),
    Told(What.GAP, "f-0"),
    Told(What.PLACE),
]


def _fed(wire: str, data: bytes, cuts: list[int]) -> list[Told]:
    stream = Stream(wire)
    edges = [0, *sorted(cut % len(data) for cut in cuts), len(data)]
    pieces = [data[start:end] for start, end in pairwise(edges)]
    return [told for piece in pieces for told in stream.feed(piece)]


@given(st.lists(st.integers(min_value=0), max_size=8))
def test_any_chunking_reads_alike(cuts: list[int]) -> None:
    assert _fed("sse", SSE, cuts) == SSE_TOLD
    assert _fed("ws", WS, cuts) == WS_TOLD


def test_a_refusal_is_told_by_its_status() -> None:
    assert Stream("ws").feed(b"HTTP/1.1 429 x\r\n\r\n{}") == [Told(What.REFUSED, data=b"429")]


def test_a_request_names_the_place_where_there_is_one() -> None:
    assert b"Last-Event-ID: e-1\r\n" in request("sse", "h:1", "a.1", "e-1")
    assert b"Last-Event-ID" not in request("sse", "h:1", "a.1", "")
    assert b"/a.1?notices=true&last_event_id=e-1 " in request("ws", "h:1", "a.1", "e-1")


def test_numbers_and_pongs() -> None:
    assert number(b'{"n":17,"t":1}') == 17
    assert pong(b"hi") == b"\x8a\x82\x00\x00\x00\x00hi"
