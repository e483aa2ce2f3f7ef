"""What the frames of a WebSocket backend mean."""

import pytest

from bridge.seams import Got
from bridge.upstream.frames import LARGEST_CONTROL, FrameReading
from bridge.wire.event import Event

ACK = '{"type":"subscribe","projectId":"project.1"}'
PING = '{"type":"ping","at":5}'
PONG = '{"type":"pong"}'


def reading(
    resume: str | None = None,
    *,
    acknowledgement: dict[str, str] | None = None,
    pings: dict[str, str] | None = None,
    pong: str = PONG,
    resume_field: str = "",
) -> FrameReading:
    return FrameReading(
        resume,
        lambda: 7.0,
        acknowledgement={"type": "subscribe"} if acknowledgement is None else acknowledgement,
        pings={"type": "ping"} if pings is None else pings,
        pong=pong,
        resume_field=resume_field,
    )


def data(got: Got) -> list[str | bytes]:
    return [event.data for event in got.events]


def test_a_batch_of_frames_is_a_batch_of_events_as_they_came() -> None:
    frames: list[str | bytes] = ['{"type": "task" }', "not JSON", b"\x00\xff", "[1]", "null", ""]
    got, answers = reading().take(frames)
    assert got.events == tuple(Event(raw, origin="ws", at=7.0) for raw in frames)
    assert (got.last_id, answers) == (None, [])


def test_the_acknowledgement_is_consumed_once() -> None:
    reads = reading()
    assert data(reads.take(["before", ACK, "after"])[0]) == ["before", "after"]
    assert data(reads.take([ACK])[0]) == [ACK]


def test_all_members_of_the_acknowledgement_have_to_match() -> None:
    reads = reading(acknowledgement={"type": "ok", "for": "subscribe"})
    wrong = '{"type":"ok","for":"ping"}'
    assert data(reads.take([wrong, '{"for":"subscribe","type":"ok"}'])[0]) == [wrong]


def test_without_an_acknowledgement_to_expect_none_is_consumed() -> None:
    assert data(reading(acknowledgement={}).take([ACK])[0]) == [ACK]


def test_pings_are_answered_in_their_own_form_and_not_published() -> None:
    got, answers = reading(pong='{"type":"pong","x":1}').take([PING, "ping", PING])
    assert data(got) == []
    assert answers == ['{"type":"pong","x":1}', "pong", '{"type":"pong","x":1}']


@pytest.mark.parametrize("pong", [PONG, "alive"])
def test_pongs_are_ignored(pong: str) -> None:
    assert data(reading(pong=pong).take(["pong", pong])[0]) == []


def test_a_plain_text_pong_does_not_swallow_other_json() -> None:
    assert data(reading(pong="alive").take(["{}", PONG])[0]) == ["{}", PONG]


def test_without_pings_they_are_events() -> None:
    frames = [PING, "ping", PONG, "pong"]
    got, answers = reading(pings={}).take(frames)
    assert (data(got), answers) == (frames, [])


def test_large_frames_are_events_without_a_look_inside() -> None:
    large = '{"type":"ping","filler":"' + "x" * LARGEST_CONTROL + '"}'
    assert data(reading().take([large])[0]) == [large]


@pytest.mark.parametrize(
    ("path", "payload", "place"),
    [
        ("seq", '{"seq":7}', "7"),
        ("payload.seq", '{"payload":{"seq":"a-7"}}', "a-7"),
        ("timestamp", '{"timestamp":1.5}', "1.5"),
        ("seq", '{"seq":"7","filler":"' + "x" * LARGEST_CONTROL + '"}', "7"),
    ],
)
def test_the_place_is_taken_from_the_payload(path: str, payload: str, place: str) -> None:
    got, _ = reading("4", resume_field=path).take([payload])
    assert got.events == (Event(payload, origin="ws", at=7.0, id=place),)
    assert got.last_id == place


@pytest.mark.parametrize(
    "payload",
    ["{}", '{"a":3}', '{"a":{"b":true}}', '{"a":{"b":null}}', "[]", "x", '{"a":{"b":""}}'],
)
def test_a_payload_without_a_place_keeps_the_earlier_one(payload: str) -> None:
    got, _ = reading("4", resume_field="a.b").take([payload, b"{}"])
    assert [event.id for event in got.events] == ["", ""]
    assert got.last_id == "4"
