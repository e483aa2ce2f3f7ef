"""What of a payload is wrapping and what is the message: its type, its body, and how both are told.

Decides which member names the type and which holds the body. Never changes a payload.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from bridge.parity.canonical import Value
from bridge.parity.observation import Observation
from bridge.parity.rules import member

UNNAMED = "message"
"""The event name of an SSE event without one, and of every WebSocket message."""

_ROOT = "$"


@dataclass(frozen=True, slots=True)
class EnvelopeRules:
    """How backends wrap their messages.

    Attributes:
        types: members that name a message's type; the first that holds a text.
        bodies: members that hold a message's body; the first that is there.
        named: whether an SSE event's name may stand for the wrapping, as where the legacy side
            sends `{"type":"file","object":{}}` and the candidate `{}` in an event `file`.
    """

    types: tuple[str, ...] = ("type", "event", "event_type", "kind")
    bodies: tuple[str, ...] = ("object", "data", "payload")
    named: bool = False

    def __post_init__(self) -> None:
        for name in ("types", "bodies"):
            if not all(getattr(self, name)):
                raise ValueError(f"{name} holds an empty name; name members such as object")


@dataclass(frozen=True, slots=True)
class Form:
    """How a message is told.

    Attributes:
        event: the SSE event name.
        type_member: which member names the type, empty where none does.
        body_member: which member holds the body, empty where the payload is the body.
    """

    event: str = UNNAMED
    type_member: str = ""
    body_member: str = ""

    def __str__(self) -> str:
        members = ", ".join(filter(None, (self.type_member, self.body_member))) or "the bare body"
        return members if self.event == UNNAMED else f"{members} in an event {self.event}"


@dataclass(frozen=True, slots=True)
class Message:
    """A payload, unwrapped.

    Attributes:
        type: what the envelope or the event's name calls it; empty where neither does.
        body: the message itself.
        rest: members of the payload beside type and body.
        form: how it is told.
        value: the whole payload.
    """

    type: str
    body: Value
    form: Form
    value: Value
    rest: Mapping[str, Value] = field(default_factory=dict)

    @property
    def base(self) -> str:
        """The JSON path of the body in the payload."""
        return member(_ROOT, self.form.body_member) if self.form.body_member else _ROOT


def unwrap(seen: Observation, value: Value, rules: EnvelopeRules) -> Message:
    """A payload taken apart. One that is no object, or that names no type, is its own body."""
    if not isinstance(value, dict):
        return Message(_named(seen), value, Form(seen.type), value)
    typed = next((name for name in rules.types if isinstance(value.get(name), str)), "")
    kind = value[typed] if typed else ""
    if seen.type not in (UNNAMED, kind):
        # The event's name is the type, and what looks like one is a member of the body.
        return Message(seen.type, value, Form(seen.type), value)
    wrapped = next((name for name in rules.bodies if typed and name in value), "")
    form = Form(seen.type, typed, wrapped)
    if not wrapped:
        return Message(kind, value, form, value)
    rest = {name: each for name, each in value.items() if name not in (typed, wrapped)}
    return Message(kind, value[wrapped], form, value, rest)


def _named(seen: Observation) -> str:
    return "" if seen.type == UNNAMED else seen.type
