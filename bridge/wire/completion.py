"""Which messages tell a result, and that each result is told once whichever source wins.

Decides whether an event of a channel may pass when a stream, a poll and a snapshot can all tell
the same result; never asks anyone and never changes a payload. Two tellings mean one result where

* both name the entity and it is the same, or at least one of them names none, and
* their addresses are equal once the parameters that only sign them are taken away (signed URLs
  differ from fetch to fetch). An entity told with another address was rendered anew: that passes.

Where two rules could apply, the one that shows a result twice beats the one that loses it:
legacy clients treat messages as upserts, and nobody can upsert what never came.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal

import orjson

from bridge.wire.event import Event
from bridge.wire.lookup import SIGNATURES, address, first_text
from bridge.wire.names import ChannelName

FETCHED = frozenset({"poll", "snapshot"})
"""Origins that fetch a state; all other origins tell what happens."""

_MESSAGE = "message"


@dataclass(frozen=True, slots=True)
class CompletionRule:
    """One kind of message that tells a result.

    Paths are dotted; `*` is every element and a number one of them (`-1` the last).

    Attributes:
        types: values of the type field; one of them must match exactly.
        values: where the result's address is, the first that holds text wins; while none does,
            the message tells no result. Empty: the message is terminal without an address.
        entities: where the entity's id is, the first that holds text or a number wins; where
            none does, the message speaks of the channel itself.
    """

    types: tuple[str, ...]
    values: tuple[str, ...] = ("object.url",)
    entities: tuple[str, ...] = ("object.id", "object.file_id")

    def __post_init__(self) -> None:
        if not self.types or not all(self.types):
            raise ValueError('types names no message; write the kinds, as ["render_result"]')
        if not all((*self.values, *self.entities)):
            raise ValueError('values and entities hold an empty path; write "object.url" or none')


LEGACY_RULES = (
    CompletionRule(("render_result",), ("object.url", "object.file_url")),
    CompletionRule(("file",)),
    CompletionRule(("file_updated",), ("data.url",), ("data.id",)),
    *(
        CompletionRule(
            (kind, f"{kind}_ready", f"{kind}_completed"),
            (f"{kind}Url", f"data.{kind}Url", "url", "data.url", "object.url"),
            ("object.id", "object.file_id", "data.id", "data.file_id"),
        )
        for kind in ("image", "video", "audio")
    ),
)
"""What legacy generation backends send. Left out on purpose: `task` and `task_status`, which say
that the work is over but hold no result (their readers go and fetch the file, so the last resort
must stay armed), and `error`, after which a retry may still bring a result."""


@dataclass(frozen=True, slots=True)
class CompletionOptions:
    """Which messages are results, and what becomes of those told again.

    Attributes:
        rules: the messages that tell a result.
        type_fields: where a message says its type; each is tried.
        names: SSE event names that are terminal by themselves, whatever their data.
        repeat: `keep` passes what a stream itself repeats; `drop` passes a result once only.
        subjects: kinds of channels whose id is the entity: `file.f1` speaks of `f1`.
        signatures: query parameters that sign an address and do not tell results apart, in lower
            case; `*` matches any run, and `*` alone leaves the whole query out.
        remember: how many results of one channel are remembered; older ones may pass again.
    """

    rules: tuple[CompletionRule, ...] = LEGACY_RULES
    type_fields: tuple[str, ...] = ("type",)
    names: tuple[str, ...] = ("complete",)
    repeat: Literal["keep", "drop"] = "keep"
    subjects: tuple[str, ...] = ("file",)
    signatures: tuple[str, ...] = SIGNATURES
    remember: int = 256

    def __post_init__(self) -> None:
        if self.rules and not (self.type_fields and all(self.type_fields)):
            raise ValueError('type_fields names no field; write where the type is, as ["type"]')
        if self.repeat not in ("keep", "drop"):
            raise ValueError('repeat is neither known word; write "keep" or "drop"')
        if self.remember < 1:
            raise ValueError("remember must be at least 1 result")


LEGACY = CompletionOptions()
"""The options as they come."""


@dataclass(frozen=True, slots=True)
class Completion:
    """A result, as one message tells it.

    Attributes:
        entity: whose result; empty for the channel itself.
        value: the result's address as it came; empty where the message is terminal without one.
    """

    entity: str
    value: str


def terminal(
    payload: str, options: CompletionOptions = LEGACY, *, name: str = _MESSAGE
) -> Completion | None:
    """The result that a message tells, or None. Parses JSON only where the text looks like one.

    Args:
        payload: the message's text; need not be JSON.
        options: the rules.
        name: the SSE event name.
    """
    if name in options.names:
        return Completion("", "")
    if not _screen(options.type_fields, options.rules).search(payload):
        return None
    reading = _read(payload, options)
    return reading.completion if reading else None


@dataclass(frozen=True, slots=True)
class _Told:
    """When a result was told, and whether by a stream."""

    seq: int
    streamed: bool


class Latch:
    """Lets each result of one channel pass once, whichever source brings it first.

    A stream's event passes unless a poll or a snapshot told the same result before (or, with
    `repeat = "drop"`, anyone did). A fetched event passes unless anyone told the same result; if
    it tells none although its entity is completed, it is stale (fetched before, delivered after)
    and is dropped too, because it would take the result away from clients that upsert.

    Only what every reader of the channel gets may be admitted here: an event shown to a single
    reader must not silence the stream for the others.

    Args:
        options: what is a result.
        name: the channel, whose id stands for unnamed entities where `options.subjects` says so.
    """

    __slots__ = ("_latest", "_options", "_screen", "_subject", "_told")

    def __init__(
        self, options: CompletionOptions = LEGACY, name: ChannelName | None = None
    ) -> None:
        self._options = options
        self._screen = _screen(options.type_fields, options.rules)
        self._subject = name.id if name and name.kind in options.subjects else ""
        self._told: dict[tuple[str, str], _Told] = {}
        self._latest: int | None = None

    def admit(self, event: Event, seq: int = 0) -> bool:
        """Whether `event` may take the place `seq`; remembers the result that it tells."""
        streamed = event.origin not in FETCHED
        reading = self._read(event)
        if reading is None:
            return True
        if reading.completion is None:
            return streamed or not self._is_completed(reading.entity)
        key = self._key(reading.completion)
        if not self._may_pass(self._find(key), streamed=streamed):
            return False
        self._remember(key, _Told(seq, streamed))
        return True

    def tells(self, event: Event) -> bool:
        """Whether `event` tells a result. Remembers nothing."""
        reading = self._read(event)
        return reading is not None and reading.completion is not None

    def told(self, event: Event) -> int | None:
        """The place at which the result that `event` tells was admitted; None if it was not.

        Remembers nothing: a joiner whose snapshot is already in the log can begin there.
        """
        reading = self._read(event)
        if reading is None or reading.completion is None:
            return None
        told = self._find(self._key(reading.completion))
        return told.seq if told else None

    def completed_at(self, entity: str = "") -> int | None:
        """The place of the entity's last admitted result, of any result where `entity` is empty.

        None where there was none or it is no longer remembered.
        """
        if not entity:
            return self._latest
        places = [told.seq for (_, known), told in self._told.items() if known == entity]
        return places[-1] if places else None

    def _read(self, event: Event) -> _Reading | None:
        if event.is_notice or not isinstance(event.data, str):
            return None
        if event.type in self._options.names:
            return _Reading("", Completion("", ""))
        return _read(event.data, self._options) if self._screen.search(event.data) else None

    def _is_completed(self, entity: str) -> bool:
        named = entity or self._subject
        return bool(named) and self.completed_at(named) is not None

    def _key(self, completion: Completion) -> tuple[str, str]:
        where = address(completion.value, self._options.signatures)
        return where, completion.entity or self._subject

    def _find(self, key: tuple[str, str]) -> _Told | None:
        where, entity = key
        if entity:
            return self._told.get(key) or self._told.get((where, ""))
        same = [told for (known, _), told in self._told.items() if known == where]
        return same[-1] if same else None

    def _may_pass(self, told: _Told | None, *, streamed: bool) -> bool:
        if told is None:
            return True
        return streamed and told.streamed and self._options.repeat == "keep"

    def _remember(self, key: tuple[str, str], told: _Told) -> None:
        self._latest = told.seq
        self._told.pop(key, None)
        self._told[key] = told
        if len(self._told) > self._options.remember:
            del self._told[next(iter(self._told))]


@dataclass(frozen=True, slots=True)
class _Reading:
    """What a recognised message says: whom it is about, and the result if it tells one."""

    entity: str
    completion: Completion | None


def _read(payload: str, options: CompletionOptions) -> _Reading | None:
    try:
        document = orjson.loads(payload)
    except orjson.JSONDecodeError:
        return None
    types = {first_text(document, (field,)) for field in options.type_fields}
    readings = [_apply(rule, document) for rule in options.rules if types & set(rule.types)]
    telling = [reading for reading in readings if reading.completion]
    return next(iter(telling or readings), None)


def _apply(rule: CompletionRule, document: Any) -> _Reading:  # noqa: ANN401 - as above
    entity, value = first_text(document, rule.entities), first_text(document, rule.values)
    return _Reading(entity, None if rule.values and not value else Completion(entity, value))


@lru_cache(maxsize=64)
def _screen(fields: tuple[str, ...], rules: tuple[CompletionRule, ...]) -> re.Pattern[str]:
    """What a payload must contain to be worth parsing: a type field with one of the types."""
    keys = "|".join(re.escape(field.rpartition(".")[2]) for field in fields)
    types = "|".join(re.escape(kind) for rule in rules for kind in rule.types)
    return re.compile(rf'"(?:{keys})"\s*:\s*"(?:{types})"' if types else r"(?!)")
