"""The codec against the standard's words: vectors, an independent reading, and every chunking."""

import json
import tracemalloc
from collections.abc import Callable, Iterator
from dataclasses import FrozenInstanceError, replace
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bridge.errors import EventTooLarge, InvalidField
from bridge.wire.sse import Decoder, ServerSentEvent, comment, encode, encode_id, encode_retry
from tests.wire.event_streams import (
    BOM,
    ONE_LINE,
    RETRIES,
    SIZES,
    STREAMS,
    TEXT,
    Reading,
    bytewise,
    cut,
    pending,
    pieces,
    read,
    read_until_breach,
    reference,
)

MEGABYTE = 1_000_000


def held_after(act: Callable[[], object]) -> int:
    """How many bytes of memory more there are in use after the act than before."""
    tracemalloc.start()
    try:
        act()
        return tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()


def vectors() -> Iterator[Any]:
    folder = Path(__file__).parent.parent / "vectors" / "sse"
    for file in sorted(folder.glob("*.json")):
        for case in json.loads(file.read_text()):
            yield pytest.param(case, id=f"{file.stem}: {case['name']}")


@pytest.mark.parametrize("case", list(vectors()))
def test_each_vector_reads_as_the_standard_says_whole_and_byte_by_byte(
    case: dict[str, Any],
) -> None:
    stream = case["input"].encode("latin-1")
    events = [ServerSentEvent(**event) for event in case["events"]]
    expected = Reading(events, case.get("last_id", ""), case.get("retry"))
    assert reference(stream) == expected, "the test's own reading disagrees with the vector"
    assert read([stream]) == expected
    assert read(bytewise(stream)) == expected


@given(STREAMS, SIZES)
@example(BOM + b"data: a\r\n\r\n", [1, 1, 8, 1, 1])
@example(b"data: a\r\n\r\n", [8, 0, 1, 0])
@example("data: \U0001f600\n\n".encode(), [7, 1, 1, 1])
def test_any_chunking_reads_as_the_reference_does(stream: bytes, sizes: list[int]) -> None:
    expected = reference(stream)
    assert read([stream]) == expected
    assert read(cut(stream, sizes)) == expected
    assert read(bytewise(stream)) == expected


@given(STREAMS)
@example(b"data: x\r\r")
@example(b"data: x\r\n\r")
def test_every_state_after_every_byte_is_that_of_the_stream_so_far(stream: bytes) -> None:
    decoder, events = Decoder(), []
    for end in range(1, len(stream) + 1):
        events += decoder.feed(stream[end - 1 : end])
        so_far = Reading(events, decoder.last_event_id, decoder.retry)
        assert so_far == reference(stream[:end])


@pytest.mark.parametrize(
    "block", [b"data: x\n\n", b"data: x\r\r", b"data: x\r\n\r", b"data: x\n\r", b"data\r\n\n"]
)
def test_an_event_is_out_at_the_byte_that_completes_it(block: bytes) -> None:
    decoder = Decoder()
    given_out = [len(decoder.feed(byte)) for byte in bytewise(block)]
    assert given_out == [0] * (len(block) - 1) + [1]


def test_the_lf_of_a_crlf_cut_in_two_ends_no_second_line_even_after_an_empty_chunk() -> None:
    for chunks in (b"data: x\r", b"\ndata: y\n\n"), (b"data: x\r", b"", b"\ndata: y\n\n"):
        assert read(chunks).events == [ServerSentEvent("x\ny")]


def test_every_event_of_a_chunk_is_given_in_order() -> None:
    stream = b"".join(encode(str(n), id=str(n)) for n in range(1000))
    expected = [ServerSentEvent(str(n), id=str(n)) for n in range(1000)]
    assert Decoder().feed(stream) == expected
    assert Decoder().feed(stream.replace(b"\n", b"\r\n")) == expected


@given(STREAMS, SIZES, st.integers(1, 40))
@example(BOM + b"data: 123", [3], 11)
@example(b"data: 1\n\ndata: 123456789\n\ndata: 2\n\n", [], 10)
def test_a_limit_is_breached_at_the_same_place_for_any_chunking(
    stream: bytes, sizes: list[int], limit: int
) -> None:
    expected = read_until_breach(bytewise(stream), limit)
    assert read_until_breach([stream], limit) == expected
    assert read_until_breach(cut(stream, sizes), limit) == expected


@given(STREAMS, st.integers(1, 40))
def test_a_breach_comes_with_the_byte_that_makes_line_and_data_too_large(
    stream: bytes, limit: int
) -> None:
    decoder = Decoder(max_event_bytes=limit)
    for end in range(1, len(stream) + 1):
        if pending(stream[:end]) > limit:
            with pytest.raises(EventTooLarge):
                decoder.feed(stream[end - 1 : end])
            return
        decoder.feed(stream[end - 1 : end])


@pytest.mark.parametrize("prefix", [b"data: ", b": ", b"foo: ", b"id: ", b""])
def test_an_endless_line_is_refused_whatever_it_is(prefix: bytes) -> None:
    decoder = Decoder(max_event_bytes=100)
    decoder.feed(prefix.ljust(100, b"x"))
    with pytest.raises(EventTooLarge) as caught:
        decoder.feed(b"x")
    assert caught.value.limit == 100


def test_an_event_of_exactly_the_limit_passes() -> None:
    block = b"data:" + b"x" * 95
    assert Decoder(max_event_bytes=100).feed(block + b"\n\n") == [ServerSentEvent("x" * 95)]
    with pytest.raises(EventTooLarge):
        Decoder(max_event_bytes=100).feed(block + b"x\n\n")


def test_a_refusing_decoder_refuses_for_good() -> None:
    decoder = Decoder(max_event_bytes=10)
    for chunk in (b"data: 12345", b"\n\n", b"", b"data: 1\n\n"):
        with pytest.raises(EventTooLarge):
            decoder.feed(chunk)


def test_events_before_a_breach_in_the_same_chunk_are_not_lost() -> None:
    decoder = Decoder(max_event_bytes=20)
    assert decoder.feed(b"id: 7\ndata: 1\n\ndata: 123456789012345\n\n") == [
        ServerSentEvent("1", id="7")
    ]
    with pytest.raises(EventTooLarge):
        decoder.feed(b"")
    assert decoder.last_event_id == "7"


@pytest.mark.parametrize("limit", [0, -1])
def test_a_limit_below_one_byte_is_refused(limit: int) -> None:
    with pytest.raises(ValueError, match="at least 1"):
        Decoder(max_event_bytes=limit)


def test_five_megabytes_in_one_line_pass_in_small_chunks() -> None:
    payload = "0123456789" * (MEGABYTE // 2)
    assert read(pieces(encode(payload), 1024)).events == [ServerSentEvent(payload)]


def test_a_megabyte_line_passes_byte_by_byte() -> None:
    decoder = Decoder()
    decoder.feed(b"data:")
    for _ in range(MEGABYTE):
        decoder.feed(b"x")
    assert decoder.feed(b"\n\n") == [ServerSentEvent("x" * MEGABYTE)]


@pytest.mark.parametrize("size", [7, 64 * 1024])
def test_a_hundred_thousand_tiny_data_lines_make_one_event(size: int) -> None:
    payload = "\n".join(["ab"] * 100_000)
    assert read(pieces(encode(payload), size)).events == [ServerSentEvent(payload)]


@pytest.mark.parametrize(
    ("line", "bound"),
    [(b": note\n", 4096), (b"foo: bar\n", 4096), (b"id: 1\n", 4096), (b"data\n", 100_000)],
    ids=["comments", "unknown fields", "ids", "empty data lines"],
)
def test_a_decoder_holds_no_more_than_what_it_will_dispatch(line: bytes, bound: int) -> None:
    decoder, chunk = Decoder(), line * 1000
    assert held_after(lambda: [decoder.feed(chunk) for _ in range(60)]) < bound


def test_a_refusing_decoder_lets_go_of_the_block() -> None:
    decoder, line = Decoder(max_event_bytes=MEGABYTE), b"data:" + b"x" * (MEGABYTE // 2) + b"\n"

    def overfill() -> None:
        decoder.feed(line + line[:9])
        with pytest.raises(EventTooLarge):
            decoder.feed(line)

    assert held_after(overfill) < MEGABYTE // 4


def test_an_event_is_immutable_comparable_and_replaceable() -> None:
    event = ServerSentEvent("x", id="1")
    with pytest.raises(FrozenInstanceError):
        event.data = "y"  # type: ignore[misc]
    assert not hasattr(event, "__dict__")
    assert replace(event, retry=5) == ServerSentEvent("x", "message", "1", 5)
    assert hash(event) == hash(ServerSentEvent(data="x", event="message", id="1", retry=None))


@given(TEXT, ONE_LINE, st.none() | ONE_LINE, RETRIES, SIZES)
def test_what_is_encoded_decodes_to_itself_but_for_the_kind_of_line_ending(
    data: str, event: str, id_: str | None, retry: int | None, sizes: list[int]
) -> None:
    block = encode(data, event=event, id=id_, retry=retry)
    lines = data.replace("\r\n", "\n").replace("\r", "\n")
    expected = ServerSentEvent(lines, event or "message", id_ or "", retry)
    assert read(cut(block, sizes)) == Reading([expected], id_ or "", retry)


@given(st.lists(st.tuples(TEXT, ONE_LINE, ONE_LINE), max_size=5), TEXT, SIZES)
def test_encoded_blocks_stay_apart_whatever_stands_between(
    items: list[tuple[str, str, str]], note: str, sizes: list[int]
) -> None:
    blocks = (encode(data, event=event, id=id_) for data, event, id_ in items)
    reading = read(cut(comment(note).join(blocks), sizes))
    assert [(event.event, event.id) for event in reading.events] == [
        (event or "message", id_) for _, event, id_ in items
    ]


def test_fields_are_written_in_a_fixed_order_with_one_data_line_per_line() -> None:
    block = encode("a\r\nb\rc\n", event="update", id="1-2", retry=3000)
    assert block == (b"event: update\nid: 1-2\nretry: 3000\ndata: a\ndata: b\ndata: c\ndata: \n\n")


@pytest.mark.parametrize("event", ["message", ""])
def test_the_default_type_is_not_written(event: str) -> None:
    assert encode("x", event=event) == b"data: x\n\n"


def test_empty_data_still_dispatches() -> None:
    assert encode("") == b"data: \n\n"
    assert Decoder().feed(encode("")) == [ServerSentEvent("")]


def test_an_empty_id_is_written_and_resets_the_readers() -> None:
    assert encode("x", id="") == b"id: \ndata: x\n\n"
    assert read([encode_id("5"), encode("x", id="")]).last_id == ""


def test_blocks_without_data_change_the_reader_and_dispatch_nothing() -> None:
    assert encode_id("1-2") == b"id: 1-2\n\n"
    assert encode_retry(0) == b"retry: 0\n\n"
    assert comment("a\r\ndata: b") == b": a\n: data: b\n\n"
    assert comment() == b": \n\n"
    assert read([encode_id("1-2"), encode_retry(10), comment("x")]) == Reading([], "1-2", 10)


@pytest.mark.parametrize(
    ("field", "poison"),
    [*product(["event", "id"], ["\n", "\r", "\r\n"]), ("id", "\0")],
)
@pytest.mark.parametrize("text", ["{}", "{}data: forged", "x{}{}data: forged{}{}", "x{}"])
def test_a_field_that_would_inject_a_line_is_refused(field: str, poison: str, text: str) -> None:
    hostile: dict[str, Any] = {field: text.replace("{}", poison)}
    with pytest.raises(InvalidField, match=f"^{field} holds CR, LF or NUL"):
        encode("x", **hostile)
    with pytest.raises(InvalidField):
        encode_id(text.replace("{}", poison))


def test_a_type_may_hold_a_nul_which_ends_nothing() -> None:
    assert read([encode("x", event="a\0b")]).events == [ServerSentEvent("x", "a\0b")]


def test_a_negative_retry_is_refused() -> None:
    with pytest.raises(InvalidField):
        encode("x", retry=-1)
    with pytest.raises(InvalidField):
        encode_retry(-1)


def test_a_lone_surrogate_is_an_encoding_error_and_not_garbage_on_the_wire() -> None:
    with pytest.raises(UnicodeEncodeError):
        encode("\ud800")
