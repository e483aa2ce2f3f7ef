"""What the bridge frames by itself, held against a well-kept library, and where messages end."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.frames import Close, Frame, Opcode
from websockets.protocol import Protocol, Side

from bridge.wire.framing import LAST_CHUNK, PING, Boundary, chunk, close_frame, frame

LENGTHS = st.sampled_from([0, 1, 125, 126, 127, 65535, 65536, 70000])


def heard_by_client(data: bytes) -> list[Frame]:
    """What a client's library makes of bytes from a server."""
    client = Protocol(Side.CLIENT, max_size=None)
    client.receive_data(data)
    assert client.parser_exc is None
    return [each for each in client.events_received() if isinstance(each, Frame)]


@given(LENGTHS, st.booleans())
def test_a_client_reads_every_frame_whole(length: int, is_text: bool) -> None:
    payload = "x" * length if is_text else b"x" * length
    [heard] = heard_by_client(frame(payload))
    assert heard.fin
    assert heard.opcode is (Opcode.TEXT if is_text else Opcode.BINARY)
    assert bytes(heard.data) == b"x" * length


def test_text_is_utf_8() -> None:
    [heard] = heard_by_client(frame("ü€😀"))
    assert bytes(heard.data).decode() == "ü€😀"


@given(st.sampled_from([1000, 1001, 1012, 4404]), st.text())
def test_a_close_frame_holds_its_code_and_as_much_reason_as_fits(code: int, reason: str) -> None:
    [heard] = heard_by_client(close_frame(code, reason.replace("\ud800", "")))
    close = Close.parse(bytes(heard.data))
    assert close.code == code
    assert len(close.reason.encode()) <= 123
    assert reason.startswith(close.reason)
    if len(reason.encode()) <= 123:
        assert close.reason == reason


def test_a_ping_is_a_ping() -> None:
    [heard] = heard_by_client(PING)
    assert (heard.opcode, bytes(heard.data)) == (Opcode.PING, b"")


@pytest.mark.parametrize("body", [b"a", b"x" * 16, b"\r\n", b"y" * 5000])
def test_a_chunk_says_its_length_in_hexadecimal(body: bytes) -> None:
    head, _, rest = chunk(body).partition(b"\r\n")
    assert int(head, 16) == len(body)
    assert rest == body + b"\r\n"


def test_no_body_makes_no_chunk_since_that_would_end_the_response() -> None:
    assert chunk(b"") == b""
    assert LAST_CHUNK == b"0\r\n\r\n"


def frames() -> st.SearchStrategy[Frame]:
    """Frames of a client, in any order; a parser may object, a boundary may not."""
    data = st.builds(
        Frame,
        st.sampled_from([Opcode.TEXT, Opcode.BINARY, Opcode.CONT]),
        LENGTHS.map(bytes),
        st.booleans(),
    )
    control = st.builds(
        Frame,
        st.sampled_from([Opcode.PING, Opcode.PONG, Opcode.CLOSE]),
        st.integers(0, 125).map(bytes),
    )
    return st.one_of(data, control)


def ends_between_messages(sent: list[Frame]) -> bool:
    """The plain account: the last data frame is a final one."""
    data = [each for each in sent if each.opcode in (Opcode.TEXT, Opcode.BINARY, Opcode.CONT)]
    return not data or data[-1].fin


@given(st.lists(frames(), max_size=6), st.booleans(), st.data())
def test_a_boundary_is_seen_however_the_bytes_are_cut(
    sent: list[Frame],
    mask: bool,
    data: st.DataObject,
) -> None:
    raw = b"".join(each.serialize(mask=mask) for each in sent)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(raw)), max_size=8)))
    boundary = Boundary()
    assert boundary.reached
    for start, end in zip([0, *cuts], [*cuts, len(raw)], strict=True):
        boundary.feed(raw[start:end])
    assert boundary.reached == ends_between_messages(sent)


@given(frames())
def test_no_place_within_a_frame_is_a_boundary(sent: Frame) -> None:
    raw = sent.serialize(mask=True)
    for end in (*range(1, min(len(raw), 20)), len(raw) - 1):
        boundary = Boundary()
        assert not boundary.feed(raw[:end])
        assert boundary.feed(raw[end:]) == ends_between_messages([sent])


def test_a_control_frame_between_fragments_does_not_end_the_message() -> None:
    boundary = Boundary()
    assert not boundary.feed(Frame(Opcode.TEXT, b"a", fin=False).serialize(mask=True))
    assert not boundary.feed(Frame(Opcode.PING, b"").serialize(mask=True))
    assert boundary.feed(Frame(Opcode.CONT, b"b").serialize(mask=True))
