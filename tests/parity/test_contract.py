"""What a contract is: types of messages, usable schemas, and the seven that ship."""

import json

import pytest

from bridge.errors import ConfigError
from bridge.parity.contract import Contract, legacy, parsed, type_of
from bridge.parity.observation import Observation, Side

EXAMPLES = [
    {"type": "task", "object": {"id": "t1", "type": "image-generation-flow",
                                "status": "in_progress", "file_id": "f1", "project_id": None}},
    {"type": "file", "object": {"id": "f1", "type": "image", "url": "https://host/a.webp?sig=1",
                                "thumbnail_url": None, "image_generation": {}, "tasks": []}},
    {"type": "file", "object": {"file_id": "f1"}},
    {"type": "data", "object": {"id": "d1", "project_id": "p1", "type": "storyboard", "value": {}}},
    {"type": "entity", "object": {"id": "e1", "name": "Ada", "type": "character"}},
    {"type": "scene", "object": {"id": "s1", "order": 1, "file_id": None, "duration": 2.5}},
    {"type": "render_progress", "object": {"progress": 40}},
    {"type": "render_result", "object": {"url": "https://host/film.mp4"}},
]  # fmt: skip


def test_the_seven_legacy_types_ship() -> None:
    types = {"data", "entity", "file", "render_progress", "render_result", "scene", "task"}
    assert set(legacy().schemas) == set(legacy().validators()) == types


@pytest.mark.parametrize("message", EXAMPLES, ids=lambda message: message["type"])
def test_what_legacy_backends_send_is_valid(message: dict[str, object]) -> None:
    legacy().validators()[type_of(message)].validate(message)


@pytest.mark.parametrize(
    "message",
    [
        {"type": "task", "object": {"id": "t1", "type": "x", "status": "COMPLETED"}},
        {"type": "file", "object": {"id": "f1", "type": "image", "url": "not an address"}},
        {"type": "file", "object": {"type": "image"}},
        {"type": "render_progress", "object": {"progress": "40"}},
        {"type": "render_result", "object": {}},
        {"type": "data", "object": {"id": "d1", "type": "unheard"}},
        {"type": "entity"},
    ],
)
def test_what_clients_cannot_read_is_not(message: dict[str, object]) -> None:
    assert not legacy().validators()[type_of(message)].is_valid(message)


@pytest.mark.parametrize(
    ("message", "event", "kind"),
    [
        ({"type": "file"}, "message", "file"),
        ({"event": "file"}, "message", "file"),
        ({"event_type": "file", "kind": "no"}, "message", "file"),
        ({"type": 1, "kind": "file"}, "message", "file"),
        ({"type": "file"}, "file", "file"),
        ({"type": "text"}, "chunk", "chunk"),
        ({}, "message", "message"),
        ([], "chunk", "chunk"),
        ({}, "", "message"),
    ],
)
def test_the_type_is_what_the_message_or_its_event_says(
    message: object, event: str, kind: str
) -> None:
    assert type_of(message, event) == kind


def test_what_is_no_json_is_a_value_error() -> None:
    with pytest.raises(ValueError, match="expected"):
        parsed(Observation(Side.LEGACY, "c", "no", 0.0))
    assert parsed(Observation(Side.LEGACY, "c", json.dumps({"a": 1}), 0.0)) == {"a": 1}


@pytest.mark.parametrize(
    ("schema", "what"),
    [
        ({"type": "text"}, r"contract: x: no JSON Schema at /type"),
        ({"$ref": "http://127.0.0.1:1/schema"}, r"may refer to parts of itself only"),
        ({"$ref": "#/$defs/none"}, r"may refer to parts of itself only"),
    ],
)
def test_what_is_no_usable_schema_is_told(schema: dict[str, object], what: str) -> None:
    with pytest.raises(ConfigError, match=what):
        Contract({"x": schema}).validators()
