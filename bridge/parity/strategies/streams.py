"""Two streams of one source with the disorder of real connections, and the list of what was put in.

Decides what each disturbance looks like on the wire. Those that prove a candidate wrong carry the
kind that a comparison should find; the others happen to faithful backends as well.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from hypothesis import strategies as st

from bridge.parity.finding import Kind
from bridge.parity.observation import Mark, Observation, Side, Sight, Turn

Message = Mapping[str, Any]

_PAUSES, _INSTANT = 2.5, 0.01
"""The pauses at the edges, in jitters and seconds: lags differ by a jitter either way."""


@dataclass(frozen=True, slots=True)
class Disorder:
    """How much may happen; every duration is in seconds.

    Attributes:
        interval: from one message of the source to the next.
        jitter: by how much an arrival may vary on either side. Each side keeps its own order.
        skew: by how much the candidate's clock may be off, either way.
        reconnects: how often the candidate may lose its connection and repeat, under the same
            ids, what it said last.
        repeated: how many messages each of these repeats at most.
        drops: how many messages the candidate may lose.
        duplicates: how many it may say twice without a reconnect.
        delays: how many it may say too late.
        delay: by how much, then.
    """

    interval: float = 0.1
    jitter: float = 0.5
    skew: float = 0.0
    reconnects: int = 1
    repeated: int = 3
    drops: int = 0
    duplicates: int = 0
    delays: int = 0
    delay: float = 15.0

    def __post_init__(self) -> None:
        wrong = [name for name in self.__slots__ if getattr(self, name) < 0]
        if wrong:
            raise ValueError(f"{wrong[0]} must not be negative")


@dataclass(frozen=True, slots=True)
class Injected:
    """One disturbance.

    Attributes:
        kind: what a comparison should find; None where a faithful backend may do so.
        place: of the message in the source, from 0.
        what: in a word or two.
    """

    kind: Kind | None
    place: int
    what: str


@dataclass(frozen=True, slots=True)
class Scenario:
    """What two taps would have seen.

    Attributes:
        source: the messages that happened, in order.
        sights: of both sides, by arrival.
        injected: what was put in.
    """

    source: tuple[Message, ...]
    sights: tuple[Sight, ...]
    injected: tuple[Injected, ...]

    def expected(self, kind: Kind) -> int:
        """How many disturbances of a kind were put in."""
        return sum(each.kind is kind for each in self.injected)


@st.composite
def scenarios(
    draw: st.DrawFn,
    messages: st.SearchStrategy[Message],
    disorder: Disorder | None = None,
    *,
    least: int = 1,
    most: int = 30,
    channel: str = "project.1",
) -> Scenario:
    """What two taps may have seen of one source.

    The first and the last message arrive on both sides, and so far from the others that no edge
    hides a disturbance.

    Args:
        draw: Hypothesis' own.
        messages: where the source's messages come from.
        disorder: how much may happen.
        least: how many messages at least.
        most: how many at most.
        channel: where they are said.
    """
    much = disorder or Disorder()
    source = draw(st.lists(messages, min_size=least, max_size=most))
    places = draw(st.permutations(range(1, max(1, len(source) - 1))))
    stream = _Candidate(source, much, channel)
    for turn, (limit, disturb) in enumerate(stream.disturbances()):
        some = places[turn :: len(stream.disturbances())]
        for place in some[: draw(st.integers(0, limit))]:
            disturb(place)
    for place in some_of(draw, len(source), much.reconnects):
        stream.reconnect(place, draw(st.integers(1, max(1, much.repeated))))
    skew = draw(st.floats(-much.skew, much.skew))
    sides = [_legacy(draw, source, much, channel), stream.sights(draw, skew)]
    sights = sorted((sight for side in sides for sight in side), key=lambda sight: sight.at)
    return Scenario(tuple(source), tuple(sights), tuple(stream.injected))


def some_of(draw: st.DrawFn, count: int, most: int) -> list[int]:
    """Up to `most` different places of so many, in order."""
    if not count or not most:
        return []
    return sorted(draw(st.sets(st.integers(0, count - 1), max_size=most)))


def _payload(message: Message) -> str:
    return json.dumps(message, separators=(",", ":"), ensure_ascii=False)


def _arrivals(draw: st.DrawFn, count: int, much: Disorder) -> list[float]:
    """When each message of a side arrives: late by up to the jitter, never before an earlier."""
    late = draw(st.lists(st.floats(0, much.jitter), min_size=count, max_size=count))
    pause = _PAUSES * much.jitter + _INSTANT
    times: list[float] = []
    for place, more in enumerate(late):
        said = place * much.interval + pause * ((place > 0) + (place == count - 1))
        times.append(max(said + more, times[-1] if times else 0.0))
    return times


def _legacy(
    draw: st.DrawFn, source: Sequence[Message], much: Disorder, channel: str
) -> list[Sight]:
    times = _arrivals(draw, len(source), much)
    said = zip(source, times, strict=True)
    return [Observation(Side.LEGACY, channel, _payload(each), at) for each, at in said]


class _Candidate:
    """The candidate's stream in the making."""

    def __init__(self, source: Sequence[Message], much: Disorder, channel: str) -> None:
        self._much, self._channel = much, channel
        self._source = source
        self._dropped: set[int] = set()
        self._doubled: set[int] = set()
        self._late: set[int] = set()
        self._reconnects: dict[int, int] = {}
        self.injected: list[Injected] = []

    def disturbances(self) -> list[tuple[int, Any]]:
        """How many of each there may be, and what does one."""
        much = self._much
        return [
            (much.drops, lambda place: self._put(self._dropped, place, Kind.MISSING, "dropped")),
            (
                much.duplicates,
                lambda place: self._put(self._doubled, place, Kind.DUPLICATED, "said twice"),
            ),
            (much.delays, lambda place: self._put(self._late, place, Kind.LATE, "said too late")),
        ]

    def reconnect(self, place: int, repeated: int) -> None:
        """Lose the connection after a message, and say so many again on the next one."""
        self._reconnects[place] = repeated
        self.injected.append(Injected(None, place, "repeated after a reconnect"))

    def _put(self, places: set[int], place: int, kind: Kind, what: str) -> None:
        places.add(place)
        self.injected.append(Injected(kind, place, what))

    def sights(self, draw: st.DrawFn, skew: float) -> list[Sight]:
        """All that the tap on the candidate shows, by its own clock."""
        times = _arrivals(draw, len(self._source), self._much)
        found: list[Sight] = []
        said: list[Observation] = []
        connection = 0
        for place, (message, at) in enumerate(zip(self._source, times, strict=True)):
            late = self._much.delay if place in self._late else 0.0
            seen = self._seen(place, message, at + late + skew, connection)
            copies = 0 if place in self._dropped else 2 if place in self._doubled else 1
            found += [seen] * copies
            said += [seen] * bool(copies and not late)
            if place in self._reconnects:
                found += self._again(said[-self._reconnects[place] :], at + skew, connection)
                connection += 1
        return found

    def _seen(self, place: int, message: Message, at: float, connection: int) -> Observation:
        return Observation(
            Side.CANDIDATE,
            self._channel,
            _payload(message),
            at,
            "sse",
            id=f"e{place}",
            connection=connection,
        )

    def _again(self, said: Sequence[Observation], at: float, connection: int) -> list[Sight]:
        candidate, after = Side.CANDIDATE, connection + 1
        return [
            Mark(candidate, self._channel, at, Turn.LOST, connection, "the connection broke off"),
            Mark(candidate, self._channel, at, Turn.OPENED, after),
            *(replace(each, at=at, connection=after) for each in said),
        ]
