"""What the frames of one connection to a WebSocket backend mean to the channel.

Decides which are events, which are acknowledgements, pings and pongs of the legacy protocol, and
where in an event its place stands; opens and times nothing. Payloads stay exactly as they came,
and what is not understood is an event.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from enum import Enum
from typing import Any

from bridge.seams import Got
from bridge.wire.event import Event
from bridge.wire.frame import Frame

LARGEST_CONTROL = 4096
"""Longer frames, in characters, are events without a look inside, unless a place is wanted."""

_SHORT = 8  # shorter ones may be the text ping or pong

_NOTHING: Mapping[str, Any] = {}


class Meaning(Enum):
    """What one frame is."""

    EVENT = "event"
    ACKNOWLEDGEMENT = "acknowledgement"
    PING = "ping"
    PONG = "pong"


class FrameReading:
    """Reads the messages of one connection.

    Args:
        resume: the place that an earlier connection reached.
        clock: monotonic, in seconds; asked once for each batch.
        acknowledgement: the members of the frame that answers our subscription, consumed once;
            empty where none is expected.
        pings: the members of a backend's ping; empty where its pings are events.
        pong: the text of a pong.
        resume_field: dotted path to the place in a payload, empty for none.
    """

    def __init__(
        self,
        resume: str | None,
        clock: Callable[[], float],
        *,
        acknowledgement: Mapping[str, str],
        pings: Mapping[str, str],
        pong: str = "",
        resume_field: str = "",
    ) -> None:
        self._clock = clock
        self._place = resume
        self._acknowledgement, self._pings = acknowledgement, pings
        self._pong = pong
        self._pong_members = _members(_parsed(pong))
        self._path = tuple(resume_field.split(".")) if resume_field else ()
        wanted = (acknowledgement, pings, self._pong_members)
        self._words = ("\\", *(_word(members) for members in wanted if members))

    def take(self, messages: Iterable[str | bytes]) -> tuple[Got, list[str]]:
        """One `Got` for a batch, and the answers to the pings in it."""
        events: list[Event] = []
        answers: list[str] = []
        at = self._clock()
        for raw in messages:
            if self._is_plain(raw):
                events.append(Event(raw, "message", "", "ws", at))
                continue
            document = self._document(raw)
            meaning = self._meaning(raw, _members(document))
            if meaning is Meaning.EVENT:
                events.append(Event(raw, origin="ws", at=at, id=self._advance(document)))
            elif meaning is Meaning.PING:
                answers.append("pong" if raw == "ping" else self._pong)
        return Got(tuple(events), self._place), answers

    def _document(self, raw: str | bytes) -> object:
        """The payload as JSON, where a look inside is wanted and possible."""
        if isinstance(raw, bytes) or not (self._path or len(raw) <= LARGEST_CONTROL):
            return None
        return _parsed(raw)

    def _is_plain(self, raw: str | bytes) -> bool:
        """Whether this is an event for certain, without parsing it: nearly always.

        Each frame of the dialect's own holds its word, unless that is written by escapes.
        """
        if self._path or isinstance(raw, bytes) or len(raw) < _SHORT:
            return False
        for word in self._words:
            if word in raw:
                return False
        return raw != self._pong

    def _meaning(self, raw: str | bytes, members: Mapping[str, Any]) -> Meaning:
        if _holds(members, self._acknowledgement):
            self._acknowledgement = {}
            return Meaning.ACKNOWLEDGEMENT
        if not self._pings:
            return Meaning.EVENT
        if raw == "ping" or _holds(members, self._pings):
            return Meaning.PING
        if raw in ("pong", self._pong) or _holds(members, self._pong_members):
            return Meaning.PONG
        return Meaning.EVENT

    def _advance(self, document: object) -> str:
        """The place that an event names, empty where it names none."""
        if not self._path:
            return ""
        for step in self._path:
            document = _members(document).get(step)
        if isinstance(document, bool) or not isinstance(document, str | int | float):
            return ""
        place = str(document)
        self._place = place or self._place
        return place


def _word(members: Mapping[str, Any]) -> str:
    """What every frame with these members holds, the longest of its kind."""
    said = [value for value in members.values() if isinstance(value, str)]
    return max(said or members, key=len)


def _parsed(text: str) -> object:
    """JSON as objects, None where it is none."""
    return Frame(text).parse()


def _members(document: object) -> Mapping[str, Any]:
    return document if isinstance(document, dict) else _NOTHING


def _holds(members: Mapping[str, Any], wanted: Mapping[str, Any]) -> bool:
    return bool(wanted) and wanted.items() <= members.items()
