"""What a recording's lines say, and what of a damaged one can still be used."""

import json

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.errors import NotARecording
from bridge.parity import recording
from bridge.parity.observation import Mark, Observation, Side, Sight, Turn
from bridge.parity.recording import Header, Transcript

HEADER = recording.heading(Header("2026-11-25T10:00:00.000Z", ("c",), {"legacy": "ws"}))
SEEN = Observation(Side.LEGACY, "c", '{"a":1}', 1.0)

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
times = st.integers(0, 10**9).map(lambda micros: micros / 1e6)
sides = st.sampled_from(Side)
observations = st.builds(
    Observation,
    side=sides,
    channel=texts,
    data=texts | st.binary(max_size=20),
    at=times,
    wire=st.sampled_from(["ws", "sse"]),
    type=texts,
    id=texts,
    connection=st.integers(0, 1000),
)
marks = st.builds(
    Mark,
    side=sides,
    channel=texts,
    at=times,
    turn=st.sampled_from(Turn),
    connection=st.integers(0, 1000),
    reason=texts,
)


def read(*lines: bytes) -> tuple[list[Sight], Transcript]:
    transcript = Transcript("a.ndjson")
    taken = [transcript.take(each) for each in lines]
    return [each for each in taken if each is not None], transcript


@given(st.lists(observations | marks).map(lambda each: sorted(each, key=lambda s: s.at)))
def test_what_is_written_is_read(sights: list[Sight]) -> None:
    assert read(HEADER, *map(recording.line, sights))[0] == sights


@given(observations | marks)
def test_a_sight_is_one_line(sight: Sight) -> None:
    assert recording.line(sight).count(b"\n") == 1


def test_members_that_say_the_usual_are_left_out() -> None:
    assert json.loads(recording.line(SEEN)) == {
        "at": 1.0,
        "side": "legacy",
        "channel": "c",
        "wire": "ws",
        "data": '{"a":1}',
    }


def test_the_header_is_read_back() -> None:
    _, transcript = read(HEADER)
    assert transcript.header == Header("2026-11-25T10:00:00.000Z", ("c",), {"legacy": "ws"})
    assert transcript.header.began == 1795600800.0
    assert transcript.notes() == ()


@pytest.mark.parametrize("created", ["", "yesterday", "9999-99-99"])
def test_a_header_without_a_usable_time_has_no_beginning(created: str) -> None:
    assert Header(created).began is None


def test_a_half_written_last_line_is_told_and_the_rest_is_read() -> None:
    sights, transcript = read(HEADER, recording.line(SEEN), recording.line(SEEN)[:-9])
    assert sights == [SEEN]
    assert transcript.notes() == ("a.ndjson:3: a half-written line",)
    assert transcript.unreadable == 1


def test_a_whole_last_line_needs_no_line_end() -> None:
    sights, transcript = read(HEADER, recording.line(SEEN)[:-1])
    assert (sights, transcript.notes()) == ([SEEN], ())


@pytest.mark.parametrize(
    "change",
    [
        {"at": "1"},
        {"at": True},
        {"at": None},
        {"side": "other"},
        {"side": None},
        {"side": []},
        {"channel": 1},
        {"wire": "tcp"},
        {"wire": []},
        {"type": 1},
        {"id": 1},
        {"data": 1},
        {"base64": "?"},
        {"base64": 1},
        {"connection": -1},
        {"connection": 1.5},
        {"mark": "exploded"},
        {"mark": []},
        {"mark": "lost", "reason": 1},
    ],
)
def test_a_line_that_says_something_else_is_counted(change: dict[str, object]) -> None:
    wrong = orjson.dumps(orjson.loads(recording.line(SEEN)) | change) + b"\n"
    sights, transcript = read(HEADER, wrong, recording.line(SEEN))
    assert sights == [SEEN]
    assert transcript.notes() == ("a.ndjson:2: not a line of a recording",)


@given(st.binary(max_size=60))
def test_no_line_whatever_brings_the_reader_down(junk: bytes) -> None:
    sights, transcript = read(HEADER, junk, recording.line(SEEN))
    assert sights[-1] == SEEN
    assert transcript.unreadable <= 1


def test_trouble_of_one_sort_is_one_note() -> None:
    _, transcript = read(HEADER, b"x\n", b"y\n", b"[]\n", recording.line(SEEN))
    assert transcript.notes() == ("a.ndjson:2: not JSON (3 times)",)
    assert transcript.unreadable == 3


def test_lines_of_another_version_are_counted_until_a_known_one_begins() -> None:
    newer = HEADER.replace(b'"version":1', b'"version":2')
    sights, transcript = read(newer, recording.line(SEEN), HEADER, recording.line(SEEN))
    assert sights == [SEEN]
    assert transcript.unreadable == 1
    assert transcript.notes() == ("a.ndjson:1: version 2 of the format; this program reads 1",)


def test_a_recording_without_its_head_is_still_read() -> None:
    assert read(recording.line(SEEN))[0] == [SEEN]


@pytest.mark.parametrize("first", [b"hello\n", b"{}\n", b"[1]\n", b"\x7fELF", b'{"at":1}\n'])
def test_what_is_no_recording_is_refused_at_once(first: bytes) -> None:
    with pytest.raises(NotARecording, match=r"a\.ndjson:1: not a recording"):
        read(first)


def test_a_clock_that_steps_back_a_little_waits() -> None:
    lines = [recording.line(Mark(Side.LEGACY, "c", at, Turn.OPENED)) for at in (1.0, 0.5, 1.25)]
    sights, transcript = read(HEADER, *lines)
    assert [each.at for each in sights] == [1.0, 1.0, 1.25]
    assert transcript.notes() == ("a.ndjson:3: the clock runs backwards",)
    assert transcript.unreadable == 0


def test_a_clock_that_was_set_anew_goes_on_from_where_it_was() -> None:
    lines = [recording.line(Mark(Side.LEGACY, "c", at, Turn.OPENED)) for at in (100.0, 5.0, 6.0)]
    sights, _ = read(HEADER, *lines)
    assert [each.at for each in sights] == [100.0, 100.0, 101.0]


def test_a_line_that_cannot_be_used_sets_no_clock() -> None:
    said = recording.line(Mark(Side.LEGACY, "c", 100.0, Turn.OPENED))
    wrong = said.replace(b"100", b"5").replace(b"opened", b"dreamt")
    sights, transcript = read(HEADER, said, wrong, said.replace(b"100", b"101"))
    assert [each.at for each in sights] == [100.0, 101.0]
    assert transcript.notes() == ("a.ndjson:3: not a line of a recording",)


def test_channels_that_only_one_recording_has_are_named() -> None:
    assert recording.foreign(("b", "a", "c"), ("c",)) == ("a", "b")


def test_a_byte_order_mark_before_the_header_is_skipped() -> None:
    found, transcript = read(b"\xef\xbb\xbf" + HEADER, recording.line(SEEN))
    assert (found, transcript.header.channels, transcript.notes()) == ([SEEN], ("c",), ())


@pytest.mark.parametrize("at", ["1e308", "-1e308", "9" * 400, "1e12"])
def test_a_time_beyond_all_time_is_no_line(at: str) -> None:
    wild = recording.line(SEEN).replace(b'"at":1.0', b'"at":' + at.encode())
    found, transcript = read(HEADER, wild, recording.line(SEEN))
    assert (found, transcript.unreadable) == ([SEEN], 1)
