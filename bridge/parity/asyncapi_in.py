"""A contract from an AsyncAPI 3 document, whoever wrote it.

Decides which messages are the backend's, and makes each payload's schema stand alone: references
are followed within the document and nowhere else.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from bridge.errors import ConfigError
from bridge.parity.contract import Contract, Schema
from bridge.parity.references import find, moved_references, steps

DRAFT_7 = "http://json-schema.org/draft-07/schema#"
"""What AsyncAPI's own Schema Object extends."""

_UNDERSTOOD = ("application/schema+json", "application/vnd.aai.asyncapi")
_MOST_HOPS = 32

_OF_REFERENCES = frozenset({"$ref", "summary", "description"})
"""What is a reference to something else has these; a schema may have `$ref` beside others."""


def contract_of(document: object, name: str = "asyncapi") -> Contract:
    """The contract that a document describes.

    What the backend sends is what its `send` operations name; a document without operations
    means all messages of its channels, and one that only has `receive` operations is a client's
    view and means these.

    Args:
        document: parsed JSON.
        name: what it is called, for complaints.

    Raises:
        ConfigError: it is no AsyncAPI 3 document, or refers to what is not in it.
    """
    return _Document(document, name).contract()


class _Document:
    def __init__(self, root: object, name: str) -> None:
        self._name = name
        self._root = self._mapping(root, "#")
        version = self._root.get("asyncapi")
        if not str(version).startswith("3."):
            found = f"is AsyncAPI {version}" if version else "has no `asyncapi` member"
            raise self._fault("#/asyncapi", found, "write AsyncAPI 3")

    def contract(self) -> Contract:
        info = self._mapping(self._root.get("info", {}), "#/info")
        schemas: dict[str, list[Schema]] = {}
        for place in dict.fromkeys(self._messages()):
            kind, schema = self._schema(place)
            known = schemas.setdefault(kind, [])
            if schema not in known:
                known.append(schema)
        return Contract(
            {
                kind: found[0] if len(found) == 1 else {"anyOf": found}
                for kind, found in sorted(schemas.items())
            },
            title=str(info.get("title", "Events")),
            version=str(info.get("version", "1.0.0")),
        )

    def _messages(self) -> Iterator[str]:
        """Where the backend's messages are, references followed."""
        operations = [
            self._node(f"#/operations/{_escaped(key)}")[0]
            for key in self._mapping(self._root.get("operations", {}), "#/operations")
        ]
        actions = {operation.get("action") for operation in operations}
        wanted = "send" if "send" in actions else "receive"
        if not operations:
            for key in self._mapping(self._root.get("channels", {}), "#/channels"):
                yield from self._of_channel(f"#/channels/{_escaped(key)}")
        for operation in operations:
            if operation.get("action") == wanted:
                yield from self._of_operation(operation)

    def _of_operation(self, operation: Mapping[str, Any]) -> Iterator[str]:
        if "messages" in operation:
            for reference in operation["messages"]:
                yield self._node(self._target(reference, "#/operations"))[1]
        else:
            yield from self._of_channel(self._target(operation.get("channel"), "#/operations"))

    def _of_channel(self, place: str) -> Iterator[str]:
        channel, place = self._node(place)
        for key in self._mapping(channel.get("messages", {}), f"{place}/messages"):
            yield self._node(f"{place}/messages/{_escaped(key)}")[1]

    def _schema(self, place: str) -> tuple[str, Schema]:
        message, place = self._node(place)
        kind = str(message.get("name") or steps(place)[-1])
        if "payload" not in message:
            return kind, {}
        payload = message["payload"]
        if isinstance(payload, bool):
            return kind, {} if payload else {"not": {}}
        payload, place = self._node(f"{place}/payload")
        default: dict[str, Any] = {"$schema": DRAFT_7}
        if "schemaFormat" in payload:
            self._understood(payload, place)
            is_json = str(payload["schemaFormat"]).startswith(_UNDERSTOOD[0])
            default = {} if is_json else default
            payload, place = self._node(f"{place}/schema")
        return kind, default | self._alone(payload, place)

    def _understood(self, payload: Mapping[str, Any], place: str) -> None:
        if not str(payload["schemaFormat"]).startswith(_UNDERSTOOD):
            raise self._fault(
                place, f"has the format {payload['schemaFormat']!r}", "use JSON Schema"
            )

    def _alone(self, schema: Mapping[str, Any], root: str) -> dict[str, Any]:
        """A schema with all that it refers to within it."""
        taken: dict[str, str] = {}
        parts: dict[str, Any] = {}
        own = set(schema.get("$defs", ()))

        def move(target: str) -> str:
            place = self._pointer(target, root)
            if place == root or place.startswith(f"{root}/"):
                return f"#{place.removeprefix(root)}"
            if place not in taken:
                taken[place] = _free(steps(place)[-1], own | set(taken.values()))
                parts[taken[place]] = moved_references(self._at(place, root), move)
            return f"#/$defs/{_escaped(taken[place])}"

        alone: dict[str, Any] = moved_references(schema, move)
        if parts:
            alone["$defs"] = {**alone.get("$defs", {}), **parts}
        return alone

    def _node(self, place: str) -> tuple[Mapping[str, Any], str]:
        """An object of the document and where it really is."""
        for _ in range(_MOST_HOPS):
            found = self._mapping(self._at(place, place), place)
            if not isinstance(found.get("$ref"), str) or not set(found) <= _OF_REFERENCES:
                return found, place
            place = self._pointer(found["$ref"], place)
        raise self._fault(place, "refers to itself")

    def _target(self, reference: object, place: str) -> str:
        target = reference.get("$ref") if isinstance(reference, Mapping) else None
        if not isinstance(target, str):
            raise self._fault(place, "names a message or channel without `$ref`")
        return self._pointer(target, place)

    def _pointer(self, target: str, place: str) -> str:
        if target != "#" and not target.startswith("#/"):
            raise self._fault(
                place, f"refers to {target!r}", "only references within the document are followed"
            )
        return target

    def _at(self, place: str, asked_by: str) -> Any:  # noqa: ANN401 - JSON is anything
        try:
            return find(self._root, place)
        except LookupError:
            raise self._fault(asked_by, f"refers to {place!r}, which is not there") from None

    def _mapping(self, found: object, place: str) -> Mapping[str, Any]:
        if not isinstance(found, Mapping):
            raise self._fault(place, "is no object")
        return found

    def _fault(self, place: str, what: str, remedy: str = "") -> ConfigError:
        return ConfigError(f"{self._name}: {place}", what, remedy)


def _escaped(name: str) -> str:
    return name.replace("~", "~0").replace("/", "~1").replace("%", "%25")


def _free(name: str, taken: set[str]) -> str:
    return name if name not in taken else _free(f"{name}_", taken)
