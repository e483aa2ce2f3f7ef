"""What each wire sends for an entry, made once."""

import base64
from dataclasses import FrozenInstanceError

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.history.cursor import Cursor
from bridge.history.entry import Entry, payload_size
from bridge.wire.event import BINARY, GAP, Event
from bridge.wire.sse import Decoder


def at_place(event: Event, seq: int = 7) -> Entry:
    return Entry("e1", seq, event, at=0.0)


def test_an_entry_knows_the_place_after_itself() -> None:
    assert at_place(Event("x")).cursor == Cursor("e1", 7)


def test_the_sse_block_carries_the_place_as_its_id() -> None:
    assert at_place(Event('{"a":1}')).sse == b'id: e1-7\ndata: {"a":1}\n\n'


def test_an_upstream_event_type_reaches_sse_unchanged() -> None:
    (read,) = Decoder().feed(at_place(Event("x", type="stream.chunk é")).sse)
    assert read.event == "stream.chunk é"


@given(st.binary())
def test_a_binary_payload_is_base64_in_an_event_of_its_own_name(payload: bytes) -> None:
    (read,) = Decoder().feed(at_place(Event(payload, type="anything")).sse)
    assert (read.event, base64.b64decode(read.data), read.id) == (BINARY, payload, "e1-7")


@given(st.text(st.characters(codec="utf-8", exclude_characters="\r")))
def test_a_text_payload_is_read_back_identically(payload: str) -> None:
    (read,) = Decoder().feed(at_place(Event(payload)).sse)
    assert read.data == payload


def test_a_block_is_encoded_once_however_many_read_it() -> None:
    entry = at_place(Event("x"))
    assert entry.sse is entry.sse


@pytest.mark.parametrize("payload", ["text", b"bytes", "", b""])
def test_a_websocket_gets_the_very_payload_that_came(payload: str | bytes) -> None:
    assert at_place(Event(payload)).ws is payload


def test_a_websocket_gets_no_notice() -> None:
    assert at_place(Event("{}", type=GAP, origin="bridge")).ws is None


@given(st.text() | st.binary())
def test_the_size_is_that_of_the_payload_in_bytes(payload: str | bytes) -> None:
    expected = len(payload) if isinstance(payload, bytes) else len(payload.encode())
    assert payload_size(payload) == at_place(Event(payload)).size == expected


def test_an_entry_cannot_be_changed() -> None:
    entry = at_place(Event("x"))
    with pytest.raises(FrozenInstanceError):
        entry.seq = 8  # type: ignore[misc]
