"""A contract as an AsyncAPI 3 document (AsyncAPI 3.0.0).

Decides how the two wires are written down: both are servers of the same channels, the WebSocket
by its binding, Server-Sent Events by an `x-sse` extension, since no binding for them exists. The
document takes the backend's view: it sends the events and receives what clients say. The way
back is `bridge.parity.asyncapi_in`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from bridge.errors import ConfigError
from bridge.parity.contract import Contract, Schema
from bridge.parity.references import moved_references, subschemas

VERSION = "3.0.0"

_DRAFT_7_KEYWORDS = """
    $schema $id $ref $comment title description default examples type enum const multipleOf
    maximum exclusiveMaximum minimum exclusiveMinimum maxLength minLength pattern items
    additionalItems maxItems minItems uniqueItems contains maxProperties minProperties
    required properties patternProperties additionalProperties propertyNames if then else
    allOf anyOf oneOf not format contentEncoding contentMediaType definitions readOnly
    writeOnly deprecated
"""

DRAFT_7_KEYWORDS = frozenset(_DRAFT_7_KEYWORDS.split())
"""What AsyncAPI's own Schema Object knows; a schema that needs more is marked with its dialect."""

SCHEMA_FORMAT = "application/schema+json;version=draft-2020-12"

_UNSAFE = re.compile(r"[^A-Za-z0-9.\-_]")
_FIELD = re.compile(r"\{([^{}]+)\}")

_SUBSCRIBE = {
    "name": "subscribe",
    "title": "subscribe",
    "summary": "What legacy clients say on every opening of a socket; it is acknowledged.",
    "contentType": "application/json",
    "payload": {
        "type": "object",
        "required": ["type"],
        "properties": {"type": {"const": "subscribe"}, "projectId": {"type": "string"}},
    },
}

_BINDING = {"ws": {"method": "GET", "bindingVersion": "0.1.0"}}

_X_SSE = {
    "method": "GET",
    "contentType": "text/event-stream",
    "event": "message",
    "resume": {"header": "Last-Event-ID", "query": "last_event_id"},
    "upwards": {"method": "POST", "contentType": "application/json"},
}
"""How a channel is read and spoken to without a socket."""


@dataclass(frozen=True, slots=True)
class Description:
    """What a document says beside the schemas.

    Attributes:
        channels: addresses, with fields in braces.
        ws: where sockets are, without the channel.
        sse: where event streams are, without the channel.
    """

    channels: tuple[str, ...] = ("project.{id}", "file.{id}", "user.{id}")
    ws: str = "wss://example.com/api/v1/ws"
    sse: str = "https://example.com/api/v1/events"


def document(contract: Contract, description: Description | None = None) -> dict[str, Any]:
    """The AsyncAPI document of a contract, ready to be written as JSON.

    Raises:
        ConfigError: a schema refers to itself in a way that has no place in a document.
    """
    about = description or Description()
    kinds = _identified(contract.schemas)
    channels = _identified(about.channels, lambda address: _FIELD.sub("", address).strip("./"))
    return {
        "asyncapi": VERSION,
        "info": {"title": contract.title, "version": contract.version},
        "defaultContentType": "application/json",
        "servers": {"ws": _server(about.ws), "sse": _server(about.sse)},
        "channels": {name: _channel(address, kinds) for name, address in channels.items()},
        "operations": dict(both for name in channels for both in _operations(name, kinds)),
        "components": {
            "messages": {name: _message(name, kind) for name, kind in kinds.items()}
            | {_SAID: _SUBSCRIBE},
            "schemas": {
                name: _payload(name, contract.schemas[kind]) for name, kind in kinds.items()
            },
        },
    }


_SAID = "client.subscribe"


def _identified(
    texts: Iterable[str], short: Callable[[str], str] = lambda text: text
) -> dict[str, str]:
    """A key of the allowed alphabet for each text, none twice."""
    found: dict[str, str] = {}
    for text in texts:
        name = plain = _UNSAFE.sub("_", short(text)) or "events"
        number = 1
        while name in found:
            number += 1
            name = f"{plain}_{number}"
        found[name] = text
    return found


def _server(url: str) -> dict[str, Any]:
    parts = urlsplit(url)
    server: dict[str, Any] = {"host": parts.netloc, "protocol": parts.scheme}
    return server | ({"pathname": parts.path} if parts.path else {})


def _channel(address: str, kinds: Iterable[str]) -> dict[str, Any]:
    fields = _FIELD.findall(address)
    channel: dict[str, Any] = {
        "address": address,
        "servers": [{"$ref": "#/servers/ws"}, {"$ref": "#/servers/sse"}],
        "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in (*kinds, _SAID)},
        "bindings": _BINDING,
        "x-sse": _X_SSE,
    }
    return channel | ({"parameters": {name: {} for name in fields}} if fields else {})


def _operations(channel: str, kinds: Iterable[str]) -> Iterator[tuple[str, dict[str, Any]]]:
    for action, names in (("send", tuple(kinds)), ("receive", (_SAID,))):
        messages = [{"$ref": f"#/channels/{channel}/messages/{name}"} for name in names]
        yield (
            f"{action}.{channel}",
            {
                "action": action,
                "channel": {"$ref": f"#/channels/{channel}"},
                "messages": messages,
            },
        )


def _message(name: str, kind: str) -> dict[str, Any]:
    return {
        "name": kind,
        "title": kind,
        "contentType": "application/json",
        "payload": {"$ref": f"#/components/schemas/{name}"},
    }


def _payload(name: str, schema: Schema) -> dict[str, Any]:
    """A schema at its place in the document, its references to itself moved along."""
    place = f"#/components/schemas/{name}"
    plain = all(set(each) <= DRAFT_7_KEYWORDS for each in subschemas(schema))
    moved: dict[str, Any] = moved_references(
        schema, lambda target: _moved(name, target, place, plain=plain)
    )
    if plain:
        return moved
    return {"schemaFormat": SCHEMA_FORMAT, "schema": moved}


def _moved(name: str, target: str, place: str, *, plain: bool) -> str:
    if target != "#" and not target.startswith("#/"):
        where = f"contract: {name}"
        raise ConfigError(where, f"{target!r} is no JSON pointer", "refer by '#/$defs/NAME'")
    return place + ("" if plain else "/schema") + target[1:]
