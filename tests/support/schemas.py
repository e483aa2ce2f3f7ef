"""Schemas for tests: of every keyword that the generator knows, recursion and both drafts included.

Also the structure of an AsyncAPI 3.0 document, as far as what is written here uses it.
"""

from typing import Any

REF = {"type": "object", "required": ["$ref"], "properties": {"$ref": {"pattern": "^#/"}}}
_KEYS = {"pattern": r"^[A-Za-z0-9.\-_]+$"}


def _closed(required: list[str], **members: object) -> dict[str, Any]:
    return {
        "type": "object",
        "required": required,
        "properties": members,
        "patternProperties": {"^x-": {}},
        "additionalProperties": False,
    }


def _named(each: object) -> dict[str, Any]:
    return {"type": "object", "propertyNames": _KEYS, "additionalProperties": each}


TEXT = {"type": "string"}
PAYLOAD = {
    "if": {"required": ["schemaFormat"]},
    "then": _closed(["schemaFormat", "schema"], schemaFormat=TEXT, schema={}),
    "else": {"type": ["object", "boolean"], "not": {"required": ["$defs"]}},
}
MESSAGE = _closed([], name=TEXT, title=TEXT, summary=TEXT, contentType=TEXT, payload=PAYLOAD)

ASYNCAPI = _closed(
    ["asyncapi", "info"],
    asyncapi={"const": "3.0.0"},
    info=_closed(["title", "version"], title=TEXT, version=TEXT),
    defaultContentType=TEXT,
    servers=_named(_closed(["host", "protocol"], host=TEXT, protocol=TEXT, pathname=TEXT)),
    channels=_named(
        _closed(
            [],
            address={"type": ["string", "null"]},
            servers={"type": "array", "items": REF, "uniqueItems": True},
            messages=_named(REF),
            parameters=_named(_closed([], description=TEXT)),
            bindings=_closed(
                [],
                ws=_closed([], method={"enum": ["GET", "POST"]}, bindingVersion={"const": "0.1.0"}),
            ),
        )
    ),
    operations=_named(
        _closed(
            ["action", "channel"],
            action={"enum": ["send", "receive"]},
            channel=REF,
            messages={"type": "array", "items": REF},
        )
    ),
    components=_closed([], messages=_named(MESSAGE), schemas=_named(PAYLOAD)),
)
"""After the specification of AsyncAPI 3.0.0, narrowed to what is written here."""

TREE = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "$ref": "#/$defs/node",
    "$defs": {
        "node": {
            "type": "object",
            "required": ["value"],
            "properties": {
                "value": {"type": "integer"},
                "children": {"type": "array", "items": {"$ref": "#/$defs/node"}},
            },
            "additionalProperties": False,
        }
    },
}
