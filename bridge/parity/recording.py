"""Recordings: what taps saw, as lines of JSON (docs/verifying.md), and back.

Decides what a line says and what of a damaged recording can still be used; never opens a file.
A reader takes what it can: whatever it cannot is counted and told with the file and the line.
"""

from __future__ import annotations

import math
from base64 import b64decode, b64encode
from codecs import BOM_UTF8
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, get_args

import orjson

from bridge.errors import NotARecording
from bridge.parity.observation import Mark, Observation, Side, Sight, Turn, Wire

FORMAT = "ws2sse-recording"
VERSION = 1
"""What this program writes; it reads this version and no other."""

_LATEST = 1e11
"""Seconds, three thousand years; what lies beyond is no time, and no clock follows it."""

RESTARTED = 1.0
"""A clock that falls by more seconds than this was set anew, or another recording was appended."""

_SIDES: Mapping[str, Side] = {side.value: side for side in Side}
_TURNS: Mapping[str, Turn] = {turn.value: turn for turn in Turn}
_WIRES = frozenset(get_args(Wire))
_DIGITS = 6


@dataclass(frozen=True, slots=True)
class Header:
    """The first line of a recording.

    Attributes:
        created: when it began, in UTC, as ISO 8601 (`2026-11-25T10:00:00.123Z`): the wall clock
            that the lines' `at` counts from. Empty where it is not known.
        channels: what was recorded.
        sides: the wire of each side that was recorded, by the side's name. Never a URL, since
            that may hold a secret.
    """

    created: str = ""
    channels: tuple[str, ...] = ()
    sides: Mapping[str, str] = field(default_factory=dict)

    @property
    def began(self) -> float | None:
        """`created` in seconds since the epoch; None where it says nothing usable."""
        try:
            return datetime.fromisoformat(self.created).timestamp() if self.created else None
        except (ValueError, OverflowError):
            return None


def heading(header: Header) -> bytes:
    """The header's line."""
    said = {
        "format": FORMAT,
        "version": VERSION,
        "created": header.created,
        "clock": "seconds since created, monotonic",
        "channels": header.channels,
        "sides": dict(header.sides),
    }
    return orjson.dumps(said, option=orjson.OPT_APPEND_NEWLINE)


def line(sight: Sight) -> bytes:
    """One sight's line; members that say the usual are left out."""
    said: dict[str, object] = {
        "at": round(sight.at, _DIGITS),
        "side": sight.side.value,
        "channel": sight.channel,
    }
    said |= _of_mark(sight) if isinstance(sight, Mark) else _of_observation(sight)
    if sight.connection:
        said["connection"] = sight.connection
    return orjson.dumps(said, option=orjson.OPT_APPEND_NEWLINE)


def _of_mark(mark: Mark) -> dict[str, object]:
    said: dict[str, object] = {"mark": mark.turn.value}
    return said | {"reason": mark.reason} if mark.reason else said


def _of_observation(seen: Observation) -> dict[str, object]:
    said: dict[str, object] = {"wire": seen.wire}
    if seen.type != "message":
        said["type"] = seen.type
    if seen.id:
        said["id"] = seen.id
    if isinstance(seen.data, bytes):
        return said | {"base64": b64encode(seen.data).decode()}
    return said | {"data": seen.data}


@dataclass(slots=True)
class _Complaint:
    """One sort of trouble: where it was first seen, and on how many lines."""

    line: int
    count: int = 0


class Transcript:
    """Reads the lines of one recording, in order.

    Args:
        name: what the file is called in what is told of it.

    Attributes:
        name: as given.
        header: the first usable one; an empty one until it was read.
        unreadable: how many lines could not be used.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self._number = 0
        self._complaints: dict[str, _Complaint] = {}
        self._is_foreign = False  # lines of a version that nobody here can read
        self._last, self._shift = -math.inf, 0.0
        self.header = Header()
        self.unreadable = 0

    def take(self, text: bytes) -> Sight | None:
        """What a line says; None for a header, an empty line and one that cannot be used.

        Args:
            text: the line with its line end; a last one without it is half written.

        Raises:
            NotARecording: the first line already belongs to something else.
        """
        self._number += 1
        said = _parsed(text.removeprefix(BOM_UTF8) if self._number == 1 else text)
        if isinstance(said, dict):
            if said.get("format") == FORMAT:
                self._begin(said)
                return None
            if not self._is_foreign:
                return self._sight(said)
            self.unreadable += 1
        elif text.strip():
            self._refuse("not JSON" if text.endswith(b"\n") else "a half-written line")
        return None

    def complain(self, what: str) -> None:
        """Note trouble with the file itself, behind the last line that was taken."""
        complaint = self._complaints.setdefault(what, _Complaint(self._number + 1))
        complaint.count += 1

    def notes(self) -> tuple[str, ...]:
        """A line for each sort of trouble: `name:line: what`, by line; none where all is well."""
        found = sorted(self._complaints.items(), key=lambda each: each[1].line)
        return tuple(
            f"{self.name}:{each.line}: {what}" + (f" ({each.count} times)" * (each.count > 1))
            for what, each in found
        )

    def _begin(self, said: Mapping[str, Any]) -> None:
        version = said.get("version")
        self._is_foreign = version != VERSION
        if self._is_foreign:
            self._blame(f"version {version!r:.20} of the format; this program reads {VERSION}")
        elif not self.header.channels:
            self.header = _header(said)

    def _sight(self, said: Mapping[str, Any]) -> Sight | None:
        try:
            at = _time(said)
            sight = _mark(said, at) if "mark" in said else _observation(said, at)
        except (KeyError, TypeError, ValueError, AttributeError):
            self._refuse("not a line of a recording")
            return None
        settled = self._settled(at)
        return sight if settled == at else replace(sight, at=settled)

    def _refuse(self, what: str) -> None:
        if self._number == 1:
            raise NotARecording(f"{self.name}:1: not a recording; `ws2sse record` writes one")
        self.unreadable += 1
        self._blame(what)

    def _blame(self, what: str) -> None:
        complaint = self._complaints.setdefault(what, _Complaint(self._number))
        complaint.count += 1

    def _settled(self, at: float) -> float:
        """The time on a clock that never falls: a small step back waits, a large one is undone."""
        now = at + self._shift
        if now < self._last:
            self._blame("the clock runs backwards")
            if self._last - now > RESTARTED:
                self._shift = self._last - at
            now = self._last
        self._last = now
        return now


def _parsed(text: bytes) -> object:
    try:
        return orjson.loads(text) if text else None
    except orjson.JSONDecodeError:
        return None


def _header(said: Mapping[str, Any]) -> Header:
    channels, sides = said.get("channels"), said.get("sides")
    return Header(
        str(said.get("created") or ""),
        tuple(map(str, channels)) if isinstance(channels, list) else (),
        {str(side): str(wire) for side, wire in sides.items()} if isinstance(sides, dict) else {},
    )


def _time(said: Mapping[str, Any]) -> float:
    at = said["at"]
    if type(at) not in (float, int):
        raise TypeError
    if not -_LATEST <= at <= _LATEST:
        raise ValueError(at)
    return float(at)


def _texts(*values: object) -> None:
    for value in values:
        if type(value) is not str:
            raise TypeError


def _connection(said: Mapping[str, Any]) -> int:
    connection = said.get("connection", 0)
    if type(connection) is not int or connection < 0:
        raise TypeError
    return connection


def _mark(said: Mapping[str, Any], at: float) -> Mark:
    channel, reason = said["channel"], said.get("reason", "")
    _texts(channel, reason)
    side, turn = _SIDES[said["side"]], _TURNS[said["mark"]]
    return Mark(side, channel, at, turn, _connection(said), reason)


def _observation(said: Mapping[str, Any], at: float) -> Observation:
    get = said.get
    channel, name, own = said["channel"], get("type", "message"), get("id", "")
    data: str | bytes
    if "base64" in said:
        data = b64decode(said["base64"], validate=True)
    else:
        _texts(data := said["data"])
    _texts(channel, name, own)
    wire: Wire = said["wire"]
    if wire not in _WIRES:
        raise ValueError(wire)
    return Observation(_SIDES[said["side"]], channel, data, at, wire, name, own, _connection(said))


def foreign(channels: Iterable[str], others: Iterable[str]) -> tuple[str, ...]:
    """The channels of one recording that the other does not have."""
    return tuple(sorted(set(channels) - set(others)))
