"""The places at which faults strike, byte for byte."""

import pytest

from tests.faults import places
from tests.faults.places import Message, Place, messages

HEAD = b"HTTP/1.1 200 OK\r\nA: b\r\n\r\n"
PAYLOAD = 'data: {"mark":"a€b"}\r\n\r\n'.encode()
CHUNKS = HEAD + b"3\r\n: a\r\n" + b"%x\r\n" % len(PAYLOAD) + PAYLOAD + b"\r\n"
UPGRADE = b"HTTP/1.1 101 Switching Protocols\r\n\r\n"
TEXT = '{"mark":"a€b"}'.encode()
FRAMES = UPGRADE + b"\x81\x02hi" + bytes((0x81, len(TEXT))) + TEXT


def _split(place: Place, stream: bytes) -> tuple[bytes, bytes]:
    at = place(stream)
    assert at is not None
    return stream[:at], stream[at:]


@pytest.mark.parametrize(
    ("place", "stream", "before", "after"),
    [
        (places.at_offset(0), CHUNKS, b"", b"HTTP"),
        (places.after_headers, CHUNKS, b"\r\n\r\n", b"3\r\n"),
        (places.before_last_line_feed, FRAMES, b"\r\n\r", b"\n\x81"),
        (places.at_pattern(places.MARK, 3), CHUNKS, b'{"ma', b'rk"'),
        (places.at_pattern(places.LETTER, 1), FRAMES, b"a\xe2", b"\x82\xacb"),
        (places.after_carriage_return, CHUNKS, b'b"}\r', b"\n\r\n"),
        (places.inside_header, CHUNKS, b": a\r\n1", b"a\r\ndata"),
        (places.inside_header, FRAMES, b"hi\x81", bytes((len(TEXT),)) + b'{"mark'),
    ],
)
def test_a_place_lies_between_these_bytes(
    place: Place, stream: bytes, before: bytes, after: bytes
) -> None:
    head, rest = _split(place, stream)
    assert head.endswith(before)
    assert rest.startswith(after)


@pytest.mark.parametrize("stream", [CHUNKS, FRAMES])
@pytest.mark.parametrize("place", [places.inside_header, places.at_pattern(places.LETTER, 1)])
def test_a_place_is_found_once_it_has_come_by_and_stays(place: Place, stream: bytes) -> None:
    found = [place(stream[:length]) for length in range(len(stream) + 1)]
    where = next(at for at in found if at is not None)
    assert set(found[found.index(where) :]) == {where}


def test_messages_are_whole_chunks_or_frames() -> None:
    first = len(HEAD)
    assert messages(CHUNKS)[0] == Message(first, first + 3, first + 8)
    assert messages(CHUNKS)[-1].end == len(CHUNKS)
    assert len(messages(CHUNKS[:-1])) == 1
    assert [FRAMES[m.body : m.end] for m in messages(FRAMES)] == [b"hi", TEXT]


def test_a_long_frame_has_its_length_in_more_bytes() -> None:
    long = UPGRADE + b"\x81\x7e\x01\x00" + b"a" * 256
    assert messages(long) == [Message(len(UPGRADE), len(UPGRADE) + 4, len(long))]
