"""A contract as an AsyncAPI document: its structure, both wires, and that nothing is lost in it."""

import json
from typing import Any

import jsonschema
import pytest

from bridge.errors import ConfigError
from bridge.parity.asyncapi import Description, document
from bridge.parity.asyncapi_in import contract_of
from bridge.parity.contract import Contract, legacy
from bridge.parity.references import find
from tests.support.schemas import ASYNCAPI, TREE

NULL = {"$schema": "http://json-schema.org/draft-07/schema#", "type": "null"}
CONTRACTS = [legacy(), Contract({}), Contract({"a b": NULL, "a/b": TREE})]


def pointers(value: object) -> list[str]:
    if isinstance(value, dict):
        own = [value["$ref"]] if isinstance(value.get("$ref"), str) else []
        return own + [target for each in value.values() for target in pointers(each)]
    return (
        [target for each in value for target in pointers(each)] if isinstance(value, list) else []
    )


@pytest.mark.parametrize("contract", CONTRACTS)
def test_a_document_has_the_structure_of_asyncapi_3(contract: Contract) -> None:
    written = json.loads(json.dumps(document(contract)))
    jsonschema.validate(written, ASYNCAPI, jsonschema.Draft202012Validator)
    for target in pointers(written):
        find(written, target)


@pytest.mark.parametrize("contract", CONTRACTS)
def test_what_is_written_is_read_again(contract: Contract) -> None:
    assert contract_of(document(contract)) == contract


def test_both_wires_are_servers_of_each_channel() -> None:
    about = Description(("job.{id}", "job.{id}.{part}", "news"), "ws://a:1/ws", "http://a:1/events")
    written = document(legacy(), about)
    assert written["servers"] == {
        "ws": {"host": "a:1", "protocol": "ws", "pathname": "/ws"},
        "sse": {"host": "a:1", "protocol": "http", "pathname": "/events"},
    }
    channels = written["channels"]
    assert [each["address"] for each in channels.values()] == list(about.channels)
    assert len(channels) == 3
    for channel in channels.values():
        assert [each["$ref"] for each in channel["servers"]] == ["#/servers/ws", "#/servers/sse"]
        assert channel["bindings"]["ws"]["method"] == "GET"
        assert channel["x-sse"]["contentType"] == "text/event-stream"


def test_the_backend_sends_the_events_and_receives_what_clients_say() -> None:
    operations = document(legacy())["operations"]
    assert sorted(operations) == sorted(
        f"{action}.{name}" for action in ("send", "receive") for name in ("project", "file", "user")
    )
    sent = [each["$ref"] for each in operations["send.file"]["messages"]]
    assert sent == [f"#/channels/file/messages/{kind}" for kind in legacy().schemas]
    assert operations["receive.file"]["messages"] == [
        {"$ref": "#/channels/file/messages/client.subscribe"}
    ]


def test_a_schema_beyond_draft_7_is_marked_with_its_dialect() -> None:
    schemas: dict[str, Any] = document(Contract({"a": TREE, "b": {"type": "null"}}))["components"]
    assert schemas["schemas"]["a"]["schemaFormat"].endswith("version=draft-2020-12")
    assert schemas["schemas"]["b"] == {"type": "null"}


def test_an_anchor_cannot_be_written() -> None:
    with pytest.raises(ConfigError, match="'#here' is no JSON pointer"):
        document(Contract({"a": {"$ref": "#here"}}))
