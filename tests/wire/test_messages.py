"""Frames of a server, however they are cut, read as `websockets` reads them."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.frames import Frame, Opcode
from websockets.protocol import Protocol, Side, State

from bridge.wire.messages import NO_STATUS, Breach, Close, MessageDecoder

LIMIT = 300

Said = tuple[list[str | bytes], list[bytes], int | None]
"""Messages, pings, and the code that ends it (None while it goes on)."""


def frame(opcode: int, payload: bytes = b"", *, fin: bool = True, reserved: int = 0) -> bytes:
    """One unmasked frame, right or wrong."""
    first = bytes(((0x80 if fin else 0) | reserved | opcode,))
    length = len(payload)
    if length < 126:
        return first + bytes((length,)) + payload
    if length < 1 << 16:
        return first + b"\x7e" + struct.pack("!H", length) + payload
    return first + b"\x7f" + struct.pack("!Q", length) + payload


def said(*pieces: bytes, limit: int = LIMIT) -> Said:
    """What the decoder makes of these reads."""
    decoder = MessageDecoder(limit)
    messages = [message for piece in pieces for message in decoder.feed(piece)]
    return messages, decoder.pings, decoder.last.code if decoder.last else None


def reference(data: bytes) -> Said:
    """What `websockets` makes of them, fragments joined."""
    parser = Protocol(Side.CLIENT, state=State.OPEN, max_size=LIMIT)
    parser.receive_data(data)
    messages: list[str | bytes] = []
    parts: list[Frame] = []
    pings: list[bytes] = []
    for each in parser.events_received():
        assert isinstance(each, Frame)
        if each.opcode is Opcode.PING:
            pings.append(bytes(each.data))
        elif each.opcode in (Opcode.TEXT, Opcode.BINARY, Opcode.CONT):
            parts.append(each)
            if each.fin:
                whole = b"".join(part.data for part in parts)
                is_text = parts[0].opcode is Opcode.TEXT
                try:
                    messages.append(whole.decode() if is_text else whole)
                except UnicodeDecodeError:
                    return messages, pings, 1007
                parts = []
    if parser.close_rcvd:
        return messages, pings, parser.close_rcvd.code
    return messages, pings, parser.close_sent.code if parser.close_sent else None


FRAMES = st.one_of(
    st.builds(frame, st.sampled_from([0, 1, 2]), st.binary(max_size=140), fin=st.booleans()),
    st.builds(lambda text: frame(1, text.encode()), st.text(max_size=60)),
    st.builds(frame, st.sampled_from([9, 10]), st.binary(max_size=126)),
    st.builds(
        lambda code, reason: frame(8, code.to_bytes(2, "big") + reason),
        st.sampled_from([999, 1000, 1004, 1005, 1006, 1011, 1014, 1015, 2999, 3000, 4999, 5000]),
        st.sampled_from([b"", b"bye", b"\xff"]),
    ),
    st.builds(
        frame,
        st.integers(0, 15),
        st.binary(max_size=4),
        fin=st.booleans(),
        reserved=st.sampled_from([0, 0x10, 0x20, 0x40]),
    ),
    st.binary(max_size=12),
)


@given(st.lists(FRAMES, max_size=8).map(b"".join), st.lists(st.integers(1, 40), max_size=30))
def test_any_bytes_in_any_pieces_read_as_with_websockets(data: bytes, sizes: list[int]) -> None:
    pieces, at = [], 0
    for size in sizes:
        pieces.append(data[at : at + size])
        at += size
    found, expected = said(*pieces, data[at:]), reference(data)
    assert found[:2] == expected[:2]
    # A frame that cannot be right is refused at its header; `websockets` waits for its payload.
    assert found[2] == expected[2] or (expected[2] is None and found[2] in (1002, 1009))


def test_every_cut_of_a_stream_reads_alike() -> None:
    data = (
        frame(1, "ünï 🤖".encode())
        + frame(2, b"\x00" * 200)
        + frame(1, b"a", fin=False)
        + frame(9, b"now")
        + frame(0, b"b")
        + frame(8, b"\x03\xe8bye")
    )
    whole = said(data)
    assert whole == (["ünï 🤖", b"\x00" * 200, "ab"], [b"now"], 1000)
    for cut in range(len(data) + 1):
        assert said(data[:cut], data[cut:]) == whole
    assert said(*(data[at : at + 1] for at in range(len(data)))) == whole


@pytest.mark.parametrize("length", [0, 1, 125, 126, 127, 65_535, 65_536, 70_000])
def test_every_form_of_length_is_read(length: int) -> None:
    assert said(frame(1, b"x" * length), limit=70_000) == (["x" * length], [], None)


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"\x81\x80\0\0\0\0", 1002),  # masked
        (frame(1, reserved=0x40), 1002),  # compressed, which nobody agreed to
        (frame(3), 1002),
        (frame(11), 1002),
        (frame(0), 1002),  # continues nothing
        (frame(1, fin=False) + frame(1), 1002),  # begins within another
        (frame(9, fin=False), 1002),
        (frame(9, b"x" * 126), 1002),
        (frame(8, b"\x03"), 1002),
        (frame(8, b"\x03\xed"), 1002),  # 1005 is never sent
        (frame(8, b"\x03\xe8\xff"), 1007),
        (frame(1, b"\xff"), 1007),
        (frame(1, b"\xe2\x82", fin=False) + frame(0, b"\x28"), 1007),
        (frame(1, b"x" * (LIMIT + 1)), 1009),
        (frame(1, b"x" * LIMIT, fin=False) + frame(0, b"x"), 1009),
        (b"\x82\x7f\xff\xff\xff\xff\xff\xff\xff\xff", 1009),
    ],
)
def test_a_breach_ends_it_with_its_code(data: bytes, code: int) -> None:
    decoder = MessageDecoder(LIMIT)
    assert decoder.feed(frame(1, b"before") + data + frame(1, b"after")) == ["before"]
    assert isinstance(decoder.last, Breach)
    assert (decoder.last.code, bool(decoder.last.reason)) == (code, True)
    assert decoder.feed(frame(1, b"later")) == []


def test_a_length_past_the_limit_is_refused_before_its_payload_is_here() -> None:
    assert said(b"\x81\x7e\x7f\xff")[2] == 1009


def test_a_close_without_a_code_says_so() -> None:
    decoder = MessageDecoder(LIMIT)
    assert decoder.feed(frame(8)) == []
    assert decoder.last == Close(NO_STATUS)


def test_empty_fragments_without_end_gather_nothing() -> None:
    decoder = MessageDecoder(LIMIT)
    decoder.feed(frame(1, fin=False))
    for _ in range(1000):
        decoder.feed(frame(0, fin=False))
    assert decoder._parts == []
    assert decoder.feed(frame(0, b"a")) == ["a"]
