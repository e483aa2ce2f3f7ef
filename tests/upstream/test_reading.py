"""What the bytes of one SSE connection mean."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.seams import Got, Lost, Signal
from bridge.upstream.reading import Reading, farewell
from bridge.wire.event import Event
from bridge.wire.sse import encode, encode_id
from tests.upstream.record import payloads


def reading(resume: str | None = None, *, limit: int = 1000) -> Reading:
    return Reading(resume, lambda: 7.0, max_event_bytes=limit, heartbeats=["beat"])


def got(events: list[Event] = [], last_id: str | None = None, missed: int | None = None) -> Got:  # noqa: B006
    return Got(tuple(events), last_id, missed)


def event(data: str | bytes, type: str = "message", id: str = "") -> Event:  # noqa: A002
    return Event(data, type, origin="sse", at=7.0, id=id)


def test_one_read_is_one_batch() -> None:
    chunk = b"data: a\n\nevent: named\ndata: b\nid: 5\n\ndata: half"
    expected = got([event("a"), event("b", "named", "5")], last_id="5")
    assert reading().take(chunk) == [expected]


def test_a_read_without_an_event_is_a_life_sign() -> None:
    assert reading("4").take(b": ping\n\n") == [got(last_id="4")]
    assert reading().take(b": ping\n\n") == [got()]


def test_an_id_without_data_moves_the_place() -> None:
    assert reading("4").take(encode_id("6")) == [got(last_id="6")]


def test_an_emptied_id_empties_the_place() -> None:
    reads = reading("4")
    assert reads.take(b"id: 5\n\n") == [got(last_id="5")]
    assert reads.take(b"id\n\n") == [got(last_id="")]


def test_the_place_of_an_earlier_connection_stays_until_an_id_comes() -> None:
    assert reading("4").take(b"data: a\n\n") == [got([event("a")], last_id="4")]


def test_an_id_that_repeats_for_want_of_an_id_field_is_not_the_events_own() -> None:
    (signal,) = reading().take(b"id: 5\ndata: a\n\ndata: a\n\n")
    assert signal == got([event("a", id="5"), event("a")], last_id="5")


@pytest.mark.parametrize("cut", range(len(b"id: 5\n\ndata: a\n\n")))
def test_an_id_that_stood_alone_is_no_later_events_own_however_the_bytes_are_cut(cut: int) -> None:
    reads, stream = reading(), b"id: 5\n\ndata: a\n\n"
    signals = [*reads.take(stream[:cut]), *reads.take(stream[cut:])]
    assert [each for signal in signals if isinstance(signal, Got) for each in signal.events] == [
        event("a")
    ]
    assert signals[-1] == got([event("a")], last_id="5")


def test_the_first_id_is_the_events_own_even_where_the_request_named_it() -> None:
    (signal,) = reading("5").take(b"id: 5\ndata: a\n\n")
    assert signal == got([event("a", id="5")], last_id="5")


def test_heartbeats_are_dropped_but_their_ids_count() -> None:
    chunk = encode("x", event="beat", id="8") + encode("{}", event="bridge.ping", id="9")
    assert reading().take(chunk) == [got(last_id="9")]


@pytest.mark.parametrize(
    ("data", "missed"),
    [('{"lost":3}', 3), ('{"lost":0}', 0), ('{"lost":null}', -1), ('{"lost":-2}', -1), ("?", -1)],
)
def test_a_gap_event_is_a_hole_in_its_place(data: str, missed: int) -> None:
    chunk = encode("a", id="1") + encode(data, event="bridge.gap", id="4") + encode("b", id="5")
    assert reading().take(chunk) == [
        got([event("a", id="1")], last_id="1"),
        got([event("b", id="5")], last_id="5", missed=missed),
    ]


def test_two_gaps_in_a_row_are_two_holes() -> None:
    gap = encode('{"lost":1}', event="bridge.gap")
    assert reading().take(gap + gap) == [got(missed=1), got(missed=1)]


def test_binary_messages_are_unwrapped() -> None:
    raw = bytes(range(256))
    chunk = encode(base64.b64encode(raw).decode(), event="bridge.binary", id="1")
    assert reading().take(chunk) == [got([event(raw, id="1")], last_id="1")]


@pytest.mark.parametrize("text", ["no base64!", "ä", "YQ"])
def test_what_is_no_base64_stays_text(text: str) -> None:
    (signal,) = reading().take(encode(text, event="bridge.binary"))
    assert signal == got([event(text, "bridge.binary")])


def test_the_farewell_is_the_last_signal() -> None:
    said = '{"code":"restart","close":1012,"reason":"new\\nversion","reconnect":true,"delay":250}'
    chunk = encode("a") + encode(said, event="bridge.end") + encode("late")
    first, last = reading().take(chunk)
    assert first == got([event("a")])
    assert isinstance(last, Lost)
    assert (last.ending.name, last.reason, last.retry) == ("restart", "new version", 250)


@pytest.mark.parametrize(
    ("data", "name", "reconnect", "retry"),
    [
        ('{"code":"complete","reconnect":false,"delay":null}', "complete", False, None),
        ('{"code":"complete","reconnect":true}', "complete", True, None),
        ('{"code":"close-4123","reconnect":"yes","delay":-1}', "close-4123", True, None),
        ("not JSON", "abnormal", True, None),
        ("[]", "abnormal", True, None),
    ],
)
def test_a_farewell_says_what_its_members_say(
    data: str, name: str, reconnect: bool, retry: int | None
) -> None:
    lost = farewell(data)
    assert (lost.ending.name, lost.ending.reconnect, lost.retry) == (name, reconnect, retry)


@pytest.mark.parametrize("chunks", [[b"data: " + b"x" * 30], [b"data: " + b"x" * 15] * 2])
def test_an_event_past_the_limit_gives_up_the_place(chunks: list[bytes]) -> None:
    reads = reading("4", limit=20)
    signals = [signal for chunk in chunks for signal in reads.take(chunk)]
    assert signals[-2] == got(last_id="")
    assert isinstance(signals[-1], Lost)
    assert (signals[-1].ending.name, signals[-1].ending.reconnect) == ("too-big", True)


def test_what_precedes_an_event_past_the_limit_in_its_chunk_is_not_lost() -> None:
    first, emptied, lost = reading(limit=20).take(b"id: 1\ndata: a\n\ndata: " + b"x" * 30)
    assert first == got([event("a", id="1")], last_id="1")
    assert emptied == got(last_id="")
    assert isinstance(lost, Lost)


def test_a_chunk_may_be_larger_than_the_largest_event() -> None:
    assert payloads(reading(limit=20).take(b"data: a\n\n" * 10)) == ["a"] * 10


def test_the_reconnection_time_is_kept() -> None:
    reads = reading()
    assert reads.retry is None
    reads.take(b"retry: 1500\n\n")
    assert reads.retry == 1500


@given(st.lists(st.text(alphabet="ab\n"), max_size=8), st.lists(st.integers(1, 9), max_size=30))
def test_batches_say_the_same_however_the_stream_is_cut(
    messages: list[str], cuts: list[int]
) -> None:
    stream = b"".join(encode(text, id=str(number)) for number, text in enumerate(messages))
    reads, signals = reading(), list[Signal]()
    for cut in [*cuts, len(stream)]:
        signals += reads.take(stream[:cut])
        stream = stream[cut:]
    assert payloads(signals) == messages
