"""What messages a channel may carry: one JSON Schema for each type of message.

Decides how a message names its type and whether schemas are usable; what breaks one,
`bridge.parity.breach` says. Reads nothing but the schemas of the legacy protocol, which ship
beside it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import jsonschema_rs
import orjson

from bridge.errors import ConfigError
from bridge.parity.observation import Observation

Schema = Mapping[str, Any]

TYPE_MEMBERS = ("type", "event", "event_type", "kind")
"""Where messages name their type, by what real backends send; the first that is there counts."""

UNTYPED = "message"
"""The type of what names none: the SSE event name that an unnamed event has."""

DIALECT = "https://json-schema.org/draft/2020-12/schema"


@dataclass(frozen=True, slots=True)
class Contract:
    """What both backends promise to send.

    Attributes:
        schemas: by type of message; each stands alone, without references to others.
        title: what it is about.
        version: the contract's own.
    """

    schemas: Mapping[str, Schema]
    title: str = "Events"
    version: str = "1.0.0"

    def validators(self) -> dict[str, jsonschema_rs.Validator]:
        """A validator for each type, which also checks formats and never fetches anything.

        Raises:
            ConfigError: a schema is not one, or refers to another document.
        """
        return {name: _validator(name, schema) for name, schema in self.schemas.items()}


def _validator(name: str, schema: Schema) -> jsonschema_rs.Validator:
    where = f"contract: {name}"
    try:
        # the library's default draft is the newest it knows
        return jsonschema_rs.validator_for(dict(schema), validate_formats=True, offline=True)
    except jsonschema_rs.ValidationError as error:
        if error.kind.name == "$ref":
            remedy = "a schema may refer to parts of itself only"
            raise ConfigError(where, error.message, remedy) from None
        at = "".join(f"/{step}" for step in error.instance_path)
        raise ConfigError(where, f"no JSON Schema at {at or '/'}: {error.message}") from None


def type_of(message: object, event: str = UNTYPED) -> str:
    """The type of a message.

    Args:
        message: what was parsed.
        event: the SSE event name; it counts where the message says nothing, or something else.
    """
    found = message if isinstance(message, dict) else {}
    texts = (found.get(member) for member in TYPE_MEMBERS)
    named = next((text for text in texts if isinstance(text, str)), "")
    # beside an event name of its own, what looks like a type is a member of the body
    return named if named and event in {UNTYPED, named, ""} else event or UNTYPED


def parsed(observation: Observation) -> Any:  # noqa: ANN401 - JSON is anything
    """The message as JSON says it.

    Raises:
        ValueError: it is no JSON.
    """
    return orjson.loads(observation.data)


@cache
def legacy() -> Contract:
    """The seven types of the legacy protocol, as its clients read them."""
    folder = files("bridge.parity") / "schemas"
    found = sorted((each.name, each.read_bytes()) for each in folder.iterdir())
    schemas = {
        name.removesuffix(".json"): orjson.loads(text)
        for name, text in found
        if name.endswith(".json")
    }
    return Contract(schemas, title="Legacy project events")
