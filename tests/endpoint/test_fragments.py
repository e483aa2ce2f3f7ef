"""Data frames gathered into messages."""

from hypothesis import given
from hypothesis import strategies as st
from websockets.frames import Frame, Opcode

from bridge.endpoint.fragments import Fragments


@given(st.lists(st.lists(st.binary(max_size=9), min_size=1, max_size=6), max_size=6))
def test_messages_are_what_was_sent_however_they_were_cut(messages: list[list[bytes]]) -> None:
    fragments, found = Fragments(), []
    for pieces in messages:
        for place, piece in enumerate(pieces):
            opcode = Opcode.CONT if place else Opcode.BINARY
            found.append(fragments.take(Frame(opcode, piece, fin=place == len(pieces) - 1)))
    whole = [each for each in found if each is not None]
    assert whole == [(Opcode.BINARY, b"".join(pieces)) for pieces in messages]


def test_endless_empty_fragments_are_nothing() -> None:
    fragments = Fragments()
    assert fragments.take(Frame(Opcode.TEXT, b"", fin=False)) is None
    for _ in range(10_000):
        assert fragments.take(Frame(Opcode.CONT, b"", fin=False)) is None
    assert len(fragments._data) == 0
    assert fragments.take(Frame(Opcode.CONT, b"end")) == (Opcode.TEXT, b"end")
