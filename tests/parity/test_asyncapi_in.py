"""Contracts from AsyncAPI documents of other people, and what is wrong with some."""

from typing import Any

import pytest

from bridge.errors import ConfigError
from bridge.parity.asyncapi_in import DRAFT_7, contract_of


def written(**members: object) -> dict[str, Any]:
    """A document with a channel `c` that has a message `m`, both elsewhere."""
    return {
        "asyncapi": "3.1.0",
        "info": {"title": "T", "version": "2"},
        "channels": {"c": {"messages": {"m": {"$ref": "#/components/messages/M"}}}},
        "components": {
            "messages": {"M": {"payload": {"$ref": "#/components/schemas/S"}}},
            "schemas": {
                "S": {
                    "type": "object",
                    "properties": {"child": {"$ref": "#/components/schemas/T"}},
                },
                "T": {
                    "items": {"$ref": "#/components/schemas/T"},
                    "not": {"$ref": "#/components/schemas/S"},
                },
            },
        },
    } | members  # fmt: skip


def test_references_are_followed_and_the_schema_stands_alone() -> None:
    contract = contract_of(written())
    assert (contract.title, contract.version) == ("T", "2")
    assert contract.schemas == {
        "M": {
            "$schema": DRAFT_7,
            "type": "object",
            "properties": {"child": {"$ref": "#/$defs/T"}},
            "$defs": {"T": {"items": {"$ref": "#/$defs/T"}, "not": {"$ref": "#"}}},
        }
    }
    validator = contract.validators()["M"]
    assert validator.is_valid({"child": []})
    assert not validator.is_valid({"child": {}})


def test_a_message_is_called_by_its_name() -> None:
    document = written()
    document["components"]["messages"]["M"]["name"] = "file"
    assert list(contract_of(document).schemas) == ["file"]


@pytest.mark.parametrize(
    ("actions", "types"),
    [
        ({"send": "m", "receive": "n"}, ["M"]),
        ({"receive": "n"}, ["n"]),
        ({"send": None}, ["M", "n"]),
    ],
)
def test_operations_tell_which_messages_are_the_backends(
    actions: dict[str, str | None], types: list[str]
) -> None:
    document = written()
    document["channels"]["c"]["messages"]["n"] = {}
    document["operations"] = {
        action: {"action": action, "channel": {"$ref": "#/channels/c"}}
        | ({"messages": [{"$ref": f"#/channels/c/messages/{name}"}]} if name else {})
        for action, name in actions.items()
    }
    assert list(contract_of(document).schemas) == types


def test_one_type_with_two_schemas_may_be_either() -> None:
    document = written()
    messages = document["channels"]["c"]["messages"]
    null = {"schemaFormat": "application/schema+json", "schema": {"type": "null"}}
    messages["m"] = {"name": "x", "payload": null}
    messages["n"] = {"name": "x", "payload": False}
    messages["o"] = {"name": "x"}
    assert contract_of(document).schemas["x"] == {"anyOf": [{"type": "null"}, {"not": {}}, {}]}


def changed(place: str, value: object) -> dict[str, Any]:
    document = written()
    *way, last = place.split("/")
    found = document
    for step in way:
        found = found[step]
    found[last] = value
    return document


MESSAGE = "components/messages/M/payload"


@pytest.mark.parametrize(
    ("document", "what"),
    [
        ([], "doc: #: is no object"),
        ({}, "doc: #/asyncapi: has no `asyncapi` member"),
        ({"asyncapi": "2.6.0"}, "doc: #/asyncapi: is AsyncAPI 2.6.0 .write AsyncAPI 3"),
        (changed("channels", []), "#/channels: is no object"),
        (changed(MESSAGE, {"$ref": "#/none"}), "refers to '#/none', which is not there"),
        (changed(MESSAGE, {"$ref": "http://x/y"}), "refers to 'http://x/y' .only references"),
        (changed(MESSAGE, {"$ref": f"#/{MESSAGE}"}), "refers to itself"),
        (changed(MESSAGE, {"properties": {"a": {"$ref": "b.json"}}}), "refers to 'b.json'"),
        (changed(MESSAGE, {"schemaFormat": "application/avro", "schema": {}}), "has the format"),
        (changed("operations", {"o": {"action": "send"}}), "without `.ref`"),
    ],
)
def test_what_is_wrong_is_told_with_its_place(document: object, what: str) -> None:
    with pytest.raises(ConfigError, match=what):
        contract_of(document, "doc")
