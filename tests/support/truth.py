"""Pairs of streams whose every difference is known: a legacy side, a candidate, a second tap.

The streams look like a real project's: files and tasks told again and again, scenes, progress,
and messages that repeat themselves word for word. Everything comes from a seed.
"""

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from heapq import merge
from random import Random
from typing import Any, Literal

from bridge.parity.comparison import Comparison
from bridge.parity.finding import Kind
from bridge.parity.noise import Noise
from bridge.parity.observation import Mark, Observation, Side, Sight, Turn
from bridge.parity.options import CompareOptions
from bridge.parity.report import Report

CHANNEL = "project.42"
_TYPES = ("file", "task", "scene", "entity")
_WORDS = ("the", "of", "and", "to", "in", "is", "you", "that", "it", "he", "was", "for")
Values = dict[str, Any]


@dataclass(frozen=True)
class Scenario:
    """What a pair of streams is like; times in seconds.

    Attributes:
        seed: of everything.
        count: messages of the source.
        rate: messages a second.
        faults: kinds put in, each with its share of messages.
        noise: whether timestamps and signed addresses differ on every tap.
        skew: by how much the candidate's clock is ahead.
        jitter: by how much messages of different entities may overtake each other.
        edge: how long no fault is put in at either end, so that none falls outside.
        reconnects: how often the candidate's connection is lost, with the last five said again.
        lag: how much later the candidate says the same than the legacy side.
        later: how many seconds after the candidate's the legacy tap begins; below 0, before it.
        speech: what the source says: of a `project`, of one `busy` entity, or `words` that recur.
    """

    seed: int
    count: int = 2000
    rate: float = 50.0
    faults: dict[Kind, float] = field(default_factory=dict)
    noise: bool = False
    skew: float = 0.0
    jitter: float = 0.0
    edge: float = 3.0
    reconnects: int = 0
    lag: float = 0.0
    later: float = 0.0
    speech: Literal["project", "busy", "words"] = "project"


@dataclass
class Streams:
    """The sights of each side in the order of arrival, and what a comparison has to find."""

    legacy: list[Sight]
    candidate: list[Sight]
    control: list[Sight]
    truth: Counter[Kind]


@dataclass
class _Said:
    """One message of the source, and what becomes of it on the candidate's side."""

    at: float
    values: Values
    entity: str
    delay: float = 0.0
    dropped: bool = False
    again: float | None = None
    text: str | None = None
    silent: bool = False


def streams(scenario: Scenario) -> Streams:
    """The pair that a scenario describes."""
    chance = Random(scenario.seed)
    said = list(_source(scenario, chance))
    truth: Counter[Kind] = Counter()
    for kind in scenario.faults:
        _put_in(said, kind, scenario, truth, chance)
    said.sort(key=lambda each: each.at)
    return Streams(
        _told(said, Side.LEGACY, scenario, Random(scenario.seed + 1)),
        _told(said, Side.CANDIDATE, scenario, Random(scenario.seed + 2)),
        _told(said, Side.CONTROL, scenario, Random(scenario.seed + 3)) if scenario.noise else [],
        truth,
    )


def interleaved(found: Streams) -> Iterator[Sight]:
    """The sights of all sides by their own clocks."""
    yield from merge(found.legacy, found.candidate, found.control, key=lambda sight: sight.at)


def compared(found: Streams, options: CompareOptions, noise: Noise | None = None) -> Report:
    """What a comparison says about the streams."""
    comparison = Comparison(options, noise)
    for sight in interleaved(found):
        comparison.take(sight)
    comparison.close()
    return comparison.report()


def by_kind(report: Report) -> Counter[Kind]:
    """How often each kind was found and not excused."""
    counts: Counter[Kind] = Counter()
    for finding in report.findings:
        if finding.excused is None:
            counts[finding.kind] += finding.count
    return counts


@dataclass
class Score:
    """How much of what was put in was found, and how much of what was found was put in."""

    truth: Counter[Kind] = field(default_factory=Counter)
    found: Counter[Kind] = field(default_factory=Counter)
    right: Counter[Kind] = field(default_factory=Counter)

    def add(self, truth: Counter[Kind], found: Counter[Kind]) -> None:
        self.truth += truth
        self.found += found
        self.right += truth & found

    def recall(self, kind: Kind) -> float:
        return self.right[kind] / self.truth[kind] if self.truth[kind] else 1.0

    def precision(self, kind: Kind) -> float:
        return self.right[kind] / self.found[kind] if self.found[kind] else 1.0


def _source(scenario: Scenario, chance: Random) -> Iterator[_Said]:
    if scenario.speech == "project":
        yield from _project(scenario, chance)
        return
    at = max(0.0, -scenario.lag)
    for number in range(scenario.count):
        at += chance.expovariate(scenario.rate)
        body: Values = {"id": "e1", "status": chance.choice(("queued", "running")), "step": number}
        if scenario.speech == "words":
            body = {"id": "e1", "text": chance.choice(_WORDS)}
        yield _Said(at, {"type": "task", "object": body}, "e1")


def _project(scenario: Scenario, chance: Random) -> Iterator[_Said]:
    entities = max(4, int(scenario.rate * 3))
    for number in range(scenario.count):
        at = number / scenario.rate + chance.random() / scenario.rate
        if number % 97 == 50:
            repeated = {"type": "data", "object": {"project_id": "42", "type": "storyboard"}}
            yield _Said(at, repeated, "data")
            continue
        entity = number % entities
        kind = _TYPES[entity % len(_TYPES)]
        name = f"{kind[0]}{entity}"
        body = {
            "id": name,
            "type": ("image", "video", "audio")[entity % 3],
            "status": ("in_progress", "completed")[number % 2],
            "progress": chance.randrange(100),
            "step": number,
            "tasks": [{"id": f"t{each}", "status": "ok"} for each in range(number % 3)],
            "prompt": f"prompt {number} of {name}",
        }
        yield _Said(at, {"type": kind, "object": body}, name)


def _put_in(
    said: list[_Said], kind: Kind, scenario: Scenario, truth: Counter[Kind], chance: Random
) -> None:
    wanted = sum(chance.random() < scenario.faults[kind] for _ in said) or 1
    end = max(each.at for each in said)
    free = [
        place
        for place, each in enumerate(said)
        if scenario.edge < each.at < end - scenario.edge
        and not each.silent
        and "id" in each.values["object"]
    ]
    for place in sorted(chance.sample(free, min(wanted, len(free)))):
        _FAULTS[kind](said, said[place], truth, chance)
        said[place].silent = True


def _missing(said: list[_Said], one: _Said, truth: Counter[Kind], chance: Random) -> None:
    one.dropped = True
    truth[Kind.MISSING] += 1


def _extra(said: list[_Said], one: _Said, truth: Counter[Kind], chance: Random) -> None:
    number = chance.randrange(10**9)
    body = {"id": f"n{number}", "type": "text", "prompt": f"never asked for {number}"}
    said.append(_Said(one.at, {"type": "file", "object": body}, f"n{number}", silent=True))
    said[-1].text = json.dumps({"type": "file", "object": body})
    truth[Kind.EXTRA] += 1


def _changed(one: _Said, **values: object) -> None:
    body = {**one.values["object"], **values}
    one.text = _text({**one.values, "object": body})


def _altered(said: list[_Said], one: _Said, truth: Counter[Kind], chance: Random) -> None:
    name = chance.choice(("status", "progress", "prompt"))
    _changed(one, **{name: {"status": "lost", "progress": 1000, "prompt": "else"}[name]})
    truth[Kind.ALTERED] += 1


def _drifted(said: list[_Said], one: _Said, truth: Counter[Kind], chance: Random) -> None:
    changes: tuple[Values, ...] = ({"progress": "7"}, {"status": None}, {"more": 1})
    _changed(one, **chance.choice(changes))
    truth[Kind.TYPE_DRIFT] += 1


def _reordered(said: list[_Said], one: _Said, truth: Counter[Kind], chance: Random) -> None:
    one.delay = chance.uniform(4.5, 8)
    truth[Kind.REORDERED] += 1


def _duplicated(said: list[_Said], one: _Said, truth: Counter[Kind], chance: Random) -> None:
    one.again = chance.uniform(0.01, 1)
    truth[Kind.DUPLICATED] += 1


def _late(said: list[_Said], one: _Said, truth: Counter[Kind], chance: Random) -> None:
    one.delay = chance.uniform(13, 20)
    truth[Kind.LATE] += 1


def _coalesced(said: list[_Said], one: _Said, truth: Counter[Kind], chance: Random) -> None:
    steps = chance.randrange(1, 4)
    for step in range(steps):
        body = {**one.values["object"], "progress": -1 - step, "step": -1 - chance.randrange(10**9)}
        earlier = _Said(one.at - 0.1 * (step + 1), {**one.values, "object": body}, one.entity)
        earlier.dropped = earlier.silent = True
        said.append(earlier)
    truth[Kind.COALESCED] += steps


def _spelled(said: list[_Said], one: _Said, truth: Counter[Kind], chance: Random) -> None:
    one.text = "spelled"
    truth[Kind.ENCODING] += 1


def _wrapped(said: list[_Said], one: _Said, truth: Counter[Kind], chance: Random) -> None:
    one.text = "wrapped"
    truth[Kind.ENVELOPE] += 1


_FAULTS = {
    Kind.MISSING: _missing,
    Kind.EXTRA: _extra,
    Kind.ALTERED: _altered,
    Kind.TYPE_DRIFT: _drifted,
    Kind.REORDERED: _reordered,
    Kind.DUPLICATED: _duplicated,
    Kind.LATE: _late,
    Kind.COALESCED: _coalesced,
    Kind.ENCODING: _spelled,
    Kind.ENVELOPE: _wrapped,
}


def _told(said: Iterable[_Said], side: Side, scenario: Scenario, chance: Random) -> list[Sight]:
    """What one tap shows of the source."""
    shift = scenario.skew if side is Side.CANDIDATE else 0.0
    usual = 0.02 + (scenario.lag if side is Side.CANDIDATE else 0.0)
    began = max(0.0, -scenario.later if side is Side.CANDIDATE else scenario.later)
    latest: dict[str, float] = {}
    found: list[Observation] = []
    for each in said:
        is_candidate = side is Side.CANDIDATE
        if (each.dropped and is_candidate) or (_is_extra(each) and not is_candidate):
            continue
        lag = usual + chance.random() * (scenario.jitter if is_candidate else 0.0)
        at = each.at + lag
        if is_candidate and each.delay:
            at += each.delay
        else:
            # One entity's messages keep their order, as with a worker for each.
            at = latest[each.entity] = max(at, latest.get(each.entity, 0.0) + 1e-4)
        text = _written(each, side, scenario, chance)
        seen = Observation(side, CHANNEL, text, at + shift, "sse" if is_candidate else "ws")
        found.append(seen)
        if is_candidate and each.again is not None:
            found.append(replace(seen, at=seen.at + each.again))
    found = sorted((seen for seen in found if seen.at - shift >= began), key=lambda seen: seen.at)
    if side is Side.CANDIDATE and scenario.reconnects:
        return _reconnected(found, scenario.reconnects)
    return list(found)


def _is_extra(each: _Said) -> bool:
    return each.entity.startswith("n") and each.silent


def _written(each: _Said, side: Side, scenario: Scenario, chance: Random) -> str:
    values = each.values
    if side is Side.CANDIDATE and each.text not in (None, "spelled", "wrapped"):
        values = json.loads(each.text or "")
    if scenario.noise and "id" in values["object"]:
        stamp = f"2026-11-25T10:{chance.randrange(60):02}:{chance.randrange(60):02}Z"
        stamp = f"2026-11-25T10:00:{2 + chance.randrange(3):02}.{chance.randrange(1000):03}Z"
        signed = (
            f"https://cdn.example/{values['object']['id']}.webp?sig={chance.getrandbits(64):016x}"
        )
        values = {**values, "object": {**values["object"], "sent_at": stamp, "url": signed}}
    if side is not Side.CANDIDATE or each.text not in ("spelled", "wrapped"):
        return _text(values)
    if each.text == "spelled":
        return json.dumps(values)
    return _text({"type": values["type"], "data": values["object"]})


def _text(values: Values) -> str:
    return json.dumps(values, separators=(",", ":"))


def _calm(found: list[Observation], place: int) -> int:
    """The next place that no duplicate reaches across: who could tell it from a replay?"""
    while True:
        later = {seen.data for seen in found[place + 1 :] if seen.at < found[place].at + 2}
        if not any(seen.data in later for seen in found[: place + 1]):
            return place
        place += 1


def _reconnected(found: list[Observation], times: int) -> list[Sight]:
    """The connection is lost so many times, and each next one says the last five again."""
    sights: list[Sight] = []
    places = {_calm(found, len(found) * (each + 1) // (times + 1)) for each in range(times)}
    connection = 0
    for place, seen in enumerate(found):
        sights.append(replace(seen, connection=connection))
        if place in places:
            at = seen.at
            sights.append(Mark(seen.side, CHANNEL, at, Turn.LOST, connection, "closed"))
            connection += 1
            sights.append(Mark(seen.side, CHANNEL, at, Turn.OPENED, connection))
            replayed = found[max(0, place - 4) : place + 1]
            sights.extend(replace(old, at=at, connection=connection) for old in replayed)
    return sights
