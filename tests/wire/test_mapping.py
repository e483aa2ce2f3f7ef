"""Messages are enriched and wrapped only where a setting asks for it."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from bridge.wire.event import Event
from bridge.wire.mapping import Envelope, EnvelopeOptions, Mapping, content_type
from bridge.wire.names import ChannelName

NAME = ChannelName("file.f1")
FILE = {"id": "f1", "type": "video", "url": "https://h/a.mp4?X-Amz-Signature=a%2Fb.png#t=1.jpg"}
TASK = {"type": "task", "object": {"id": "t1", "status": "completed"}}
EVERYTHING = EnvelopeOptions(
    add={"projectId": "{id}"},
    copy={"requestId": "object.request_id"},
    content_type=True,
    task_status="add",
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters()),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


def incoming(message: object, **settings: Any) -> list[Any]:
    text = message if isinstance(message, str) else json.dumps(message)
    events = Envelope(EnvelopeOptions(**settings)).incoming(Event(text), NAME)
    return [json.loads(event.data) for event in events]


def outgoing(text: str, event_type: str, wrap: str) -> str:
    (frame,) = Envelope(EnvelopeOptions(wrap=wrap)).outgoing(Event(text, event_type), NAME)
    assert isinstance(frame, str)
    return frame


@given(st.text() | st.binary(), st.sampled_from(["message", "status"]))
def test_by_default_a_payload_stays_the_very_same_object(data: str | bytes, kind: str) -> None:
    mapping: Mapping = Envelope()
    event = Event(data, kind)
    assert mapping.incoming(event, NAME)[0] is event
    assert mapping.outgoing(event, NAME)[0] is data


@pytest.mark.parametrize(
    "data",
    [
        "not json",
        "[1]",
        '"text"',
        '{"type":"task","object":"text"}',
        '{"type":"task","object":{"status":7}}',
        '{"projectId":"x","object":{"url":"https://h/a.mp4","contentType":"video/mp4"}}',
        '{"projectId":"x","object":{"url":null,"type":"video"}}',
        '{"a":NaN}',
        "[" * 100_000,
        b'{"type":"task"}',
    ],
)
def test_a_message_that_gives_no_occasion_stays_the_very_same_object(data: str | bytes) -> None:
    options = EnvelopeOptions(
        content_type=True, task_status="rename", copy={"requestId": "request.id"}
    )
    event = Event(data)
    assert Envelope(options).incoming(event, NAME)[0] is event


def test_what_json_cannot_hold_is_left_as_it_is() -> None:
    event = Event('{"a":1e999}')
    assert Envelope(EVERYTHING).incoming(event, NAME) == (event,)


def test_the_bridges_own_notices_are_left_as_they_are() -> None:
    event = Event('{"old":null}', "bridge.gap", origin="bridge")
    mapping = Envelope(EnvelopeOptions(wrap='{"object":{data}}', add={"projectId": "{id}"}))
    assert mapping.incoming(event, NAME) == (event,)
    assert mapping.outgoing(event, NAME) == (event.data,)


# Adding members.


def test_members_are_added_by_the_channels_name_where_they_are_absent() -> None:
    settings = {"add": {"projectId": "{id}", "channel": "{kind}.{id}={channel}"}}
    assert incoming({"type": "file"}, **settings) == [
        {"type": "file", "projectId": "f1", "channel": "file.f1=file.f1"}
    ]
    assert incoming({"projectId": None}, add={"projectId": "{id}"}) == [{"projectId": None}]


def test_members_are_copied_from_within_the_message() -> None:
    message = {"type": "render_progress", "object": {"progress": 40, "request_id": "img_1"}}
    copy = {"progress": "object.progress", "requestId": "object.request_id", "x": "object.none"}
    assert incoming(message, copy=copy) == [message | {"progress": 40, "requestId": "img_1"}]


@given(JSON)
def test_a_changed_message_keeps_every_value_and_can_be_sent(value: object) -> None:
    text = json.dumps({"value": value})
    (event,) = Envelope(EnvelopeOptions(add={"projectId": "{id}"})).incoming(Event(text), NAME)
    assert isinstance(event.data, str)
    event.data.encode()
    if event.data != text:  # what JSON cannot hold stays as it came
        assert json.loads(event.data) == json.loads(text) | {"projectId": "f1"}


def test_a_changed_message_keeps_great_numbers_and_letters() -> None:
    text = '{"n":123456789012345678901234567890,"я":"🤖"}'
    (event,) = Envelope(EnvelopeOptions(add={"p": "{id}"})).incoming(Event(text), NAME)
    assert event.data == '{"p":"f1","n":123456789012345678901234567890,"я":"🤖"}'


def test_a_changed_event_keeps_all_else() -> None:
    event = Event('{"a":1}', "status", "k", "sse", 5.0, "7")
    (changed,) = Envelope(EVERYTHING).incoming(event, NAME)
    assert changed == Event('{"projectId":"f1","a":1}', "status", "k", "sse", 5.0, "7")


# The type of a file's content.


def test_a_files_content_type_is_added_to_its_object() -> None:
    message = {"type": "file", "object": FILE}
    assert incoming(message, content_type=True) == [
        {"type": "file", "object": FILE | {"contentType": "video/mp4"}}
    ]


@pytest.mark.parametrize(
    ("file", "media"),
    [
        (FILE, "video/mp4"),
        ({"url": "https://h/a.WEBP?sig=x"}, "image/webp"),
        ({"file_url": "https://h/a.mp3"}, "audio/mpeg"),
        ({"url": None, "file_url": "https://h/a.png"}, "image/png"),
        ({"type": "video", "url": "https://h/get?name=a.png"}, "video/mp4"),
        ({"type": "video", "url": "https://h/preview.png"}, "video/mp4"),
        ({"type": "video", "url": "https://h/a.webm"}, "video/webm"),
        ({"type": "image", "url": "https://h/a"}, "image/webp"),
        ({"type": "voiceover", "url": "https://h/a"}, "audio/mpeg"),
        ({"type": "other", "url": "https://h/a.mov"}, "video/quicktime"),
        ({"type": "other", "url": "https://h/a"}, None),
        ({"type": [], "url": "http://[/a.gif"}, "image/gif"),
        ({"type": "video"}, None),
        ({"type": "video", "url": ""}, None),
        ({"type": "video", "url": 7}, None),
    ],
)
def test_the_content_type_follows_the_address_unless_the_files_type_disagrees(
    file: dict[str, Any], media: str | None
) -> None:
    assert content_type(file) == media


# Task and task_status.


def test_a_task_is_told_a_second_time_as_clients_wait_for_it() -> None:
    told = {"type": "task_status", "object": {"id": "t1", "status": "COMPLETED"}}
    assert incoming(TASK, task_status="add") == [TASK, told]
    assert incoming(TASK, task_status="rename") == [told]
    assert incoming(TASK) == [TASK]


def test_the_first_of_two_tellings_is_untouched_and_the_second_has_its_own_key() -> None:
    event = Event(json.dumps(TASK), key="k", id="7")
    first, second = Envelope(EnvelopeOptions(task_status="add")).incoming(event, NAME)
    assert first is event
    assert (second.key, second.id) == ("k:task_status", "")


def test_an_event_without_a_key_gets_none() -> None:
    _, second = Envelope(EnvelopeOptions(task_status="add")).incoming(Event(json.dumps(TASK)), NAME)
    assert second.key == ""


def test_both_tellings_are_enriched() -> None:
    first, second = incoming(TASK, task_status="add", add={"projectId": "{id}"})
    assert first["projectId"] == second["projectId"] == "f1"


# Wrapping named events.


WRAP = '{"type":"{event}","object":{data},"id":"{id}"}'


def test_a_named_event_is_wrapped_for_websocket_clients() -> None:
    assert outgoing('{"a": 1.10}', "status", WRAP) == (
        '{"type":"status","object":{"a": 1.10},"id":"f1"}'
    )


def test_an_unnamed_event_is_not_wrapped() -> None:
    assert outgoing('{"a":1}', "message", WRAP) == '{"a":1}'


@given(st.text(), st.text())
def test_a_wrapped_event_is_json_whatever_it_holds(text: str, event_type: str) -> None:
    frame = outgoing(text, f"x{event_type}", WRAP)
    told = json.loads(frame)
    assert told["type"] == f"x{event_type}"
    assert told["object"] == text or told["object"] == json.loads(text)


@pytest.mark.parametrize("text", ["NaN", "[Infinity]", "{", "[" * 100_000])
def test_what_is_no_json_is_wrapped_as_text(text: str) -> None:
    assert json.loads(outgoing(text, "status", WRAP))["object"] == text


def test_a_binary_message_is_not_wrapped() -> None:
    event = Event(b"\x00", "status")
    assert Envelope(EnvelopeOptions(wrap=WRAP)).outgoing(event, NAME) == (b"\x00",)


# The settings.


def test_the_settings_make_a_configuration_schema() -> None:
    given_settings = {"add": {"projectId": "{id}"}, "task_status": "rename"}
    options = TypeAdapter(EnvelopeOptions).validate_python(given_settings)
    assert options == EnvelopeOptions(add={"projectId": "{id}"}, task_status="rename")


@pytest.mark.parametrize(
    ("settings", "complaint"),
    [
        ({"wrap": '{"type":"{event}"}'}, r"lacks \{data\}"),
        ({"wrap": '{"object":"{data}"}'}, "wrap: .* no valid JSON"),
        ({"wrap": "{data}{typo}"}, r"wrap: .* unknown field \{typo\}"),
        ({"add": {"projectId": "{event}"}}, r"add.projectId: .* unknown field \{event\}"),
        ({"copy": {"x": "object..id"}}, "copy.x: 'object..id' is no path"),
        ({"copy": {"x": ""}}, "copy.x: '' is no path"),
        ({"task_status": "both"}, "task_status is 'both'"),
    ],
)
def test_a_setting_that_cannot_be_used_is_named(settings: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        EnvelopeOptions(**settings)
