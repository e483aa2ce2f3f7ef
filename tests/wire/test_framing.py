"""The bytes of frames and chunks, held against a well-kept parser, and where messages end."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.frames import Frame, Opcode
from websockets.protocol import Protocol, Side, State

from bridge.wire.framing import LAST_CHUNK, PING, Boundary, chunk, close_frame, frame

SIZES = [0, 1, 125, 126, 127, 65535, 65536, 70000]


def parsed(data: bytes) -> list[Frame]:
    """What a client's parser makes of the bytes that a server sends."""
    client = Protocol(Side.CLIENT, state=State.OPEN, max_size=None)
    client.receive_data(data)
    assert client.parser_exc is None
    return [each for each in client.events_received() if isinstance(each, Frame)]


# What goes out.


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("letter", ["x", b"\xff"])
def test_a_payload_of_any_size_is_one_frame_of_its_kind(size: int, letter: str | bytes) -> None:
    (found,) = parsed(frame(letter * size))
    is_text = isinstance(letter, str)
    assert found.opcode is (Opcode.TEXT if is_text else Opcode.BINARY)
    assert found.fin
    assert bytes(found.data) == (b"x" if is_text else b"\xff") * size


@pytest.mark.parametrize(("size", "header"), [(125, 2), (126, 4), (65535, 4), (65536, 10)], ids=str)
def test_a_length_is_written_in_the_fewest_bytes(size: int, header: int) -> None:
    assert len(frame(b"x" * size)) == header + size


def test_a_texts_length_is_counted_in_bytes() -> None:
    (found,) = parsed(frame("\u00e9" * 63))
    assert (len(found.data), bytes(found.data).decode()) == (126, "\u00e9" * 63)


def test_frames_may_be_joined() -> None:
    joined = parsed(frame("a") + PING + frame(b"") + frame("b" * 126))
    assert [each.opcode for each in joined] == [
        Opcode.TEXT,
        Opcode.PING,
        Opcode.BINARY,
        Opcode.TEXT,
    ]


@given(st.sampled_from([1000, 1012, 4404]), st.text(max_size=200))
def test_a_close_reason_is_cut_at_a_character_to_what_a_control_frame_holds(
    code: int, reason: str
) -> None:
    (found,) = parsed(close_frame(code, reason))
    told = bytes(found.data[2:]).decode()
    assert (found.opcode, int.from_bytes(found.data[:2], "big")) == (Opcode.CLOSE, code)
    assert reason.startswith(told)
    assert len(told.encode()) <= 123
    if told != reason:
        assert len((told + reason[len(told)]).encode()) > 123


def test_a_chunk_says_its_length_and_an_empty_one_is_none() -> None:
    assert chunk(b"x" * 26) == b"1a\r\n" + b"x" * 26 + b"\r\n"
    assert chunk(b"") == b""
    assert LAST_CHUNK == b"0\r\n\r\n"


# Where messages end.

OPCODES = st.sampled_from([0x0, 0x1, 0x2, 0x8, 0x9, 0xA])
LENGTHS = st.integers(0, 12) | st.sampled_from([125, 126, 300, 65535, 65536])


@st.composite
def frames(draw: st.DrawFn) -> tuple[bytes, bool | None]:
    """A frame's bytes; whether it leaves a message unfinished, None where it says nothing."""
    opcode, length = draw(OPCODES), draw(LENGTHS)
    is_final, is_masked = draw(st.booleans()), draw(st.booleans())
    first, mask = opcode | (0x80 if is_final else 0), 0x80 if is_masked else 0
    if length < 126 and not draw(st.booleans()):
        size = bytes((mask | length,))
    elif length < 65536 and not draw(st.booleans()):
        size = bytes((mask | 126,)) + length.to_bytes(2, "big")
    else:
        size = bytes((mask | 127,)) + length.to_bytes(8, "big")
    key = b"\xff" * 4 if is_masked else b""
    says_nothing = opcode >= 0x8
    return bytes((first,)) + size + key + b"\x81" * length, None if says_nothing else not is_final


def ends(each: list[tuple[bytes, bool | None]]) -> dict[int, bool]:
    """Whether the whole is between two messages, for each length at which a frame ends."""
    at, is_open, found = 0, False, {0: True}
    for data, leaves_open in each:
        at += len(data)
        is_open = is_open if leaves_open is None else leaves_open
        found[at] = not is_open
    return found


@given(st.lists(frames(), max_size=5), st.data())
def test_a_boundary_is_found_however_the_bytes_are_cut(
    each: list[tuple[bytes, bool | None]], data: st.DataObject
) -> None:
    whole, expected = b"".join(one for one, _ in each), ends(each)
    near = st.sampled_from(sorted(expected)).flatmap(lambda end: st.integers(end - 3, end + 3))
    cuts = data.draw(st.lists(near | st.integers(0, len(whole)), max_size=8))
    boundary, begin = Boundary(), 0
    assert boundary.reached
    for end in [*sorted(cut for cut in cuts if 0 <= cut <= len(whole)), len(whole)]:
        assert boundary.feed(whole[begin:end]) is expected.get(end, False)
        assert boundary.reached is expected.get(end, False)
        begin = end


@given(st.lists(frames(), min_size=1, max_size=3).filter(lambda each: len(each[0][0]) < 40))
def test_a_boundary_is_found_byte_by_byte(each: list[tuple[bytes, bool | None]]) -> None:
    first = each[0][0]
    boundary = Boundary()
    reached = [boundary.feed(first[at : at + 1]) for at in range(len(first))]
    assert not any(reached[:-1])
    assert reached[-1] is ends(each)[len(first)]


@given(st.binary(max_size=200))
def test_bytes_that_are_no_frames_are_no_fault(data: bytes) -> None:
    assert Boundary().feed(data) in (True, False)
