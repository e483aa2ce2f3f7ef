"""Short ways to say what two sides said, for the tests of the comparison."""

import json
from collections.abc import Iterable
from itertools import count

from hypothesis import strategies as st

from bridge.parity.comparison import Comparison
from bridge.parity.envelope import EnvelopeRules
from bridge.parity.finding import Kind
from bridge.parity.item import Item
from bridge.parity.lane import Lane
from bridge.parity.observation import Mark, Observation, Side, Sight, Turn
from bridge.parity.options import CompareOptions
from bridge.parity.reader import Reader
from bridge.parity.report import Report
from bridge.parity.volatile import Volatile

CHANNEL = "project.42"

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner),
    max_leaves=12,
)
"""Any JSON value, as Python has it."""


def task(name: object, **body: object) -> str:
    """A message about a task, as the legacy backend tells it."""
    return json.dumps({"type": "task", "object": {"id": name, **body}}, separators=(",", ":"))


def old(data: str | bytes, at: float = 0.0, **more: object) -> Observation:
    """The legacy side says something."""
    return Observation(Side.LEGACY, CHANNEL, data, at, "ws", **more)  # type: ignore[arg-type]


def new(data: str | bytes, at: float = 0.0, **more: object) -> Observation:
    """The candidate says something."""
    return Observation(Side.CANDIDATE, CHANNEL, data, at, "sse", **more)  # type: ignore[arg-type]


def turn(side: Side, at: float, what: Turn, connection: int = 0, reason: str = "") -> Mark:
    """Something becomes of a side's connection."""
    return Mark(side, CHANNEL, at, what, connection, reason)


def item(seen: Observation | str, seq: int = 0) -> Item:
    """A message on its way through the comparison; a bare text is the legacy side's."""
    return Item(old(seen) if isinstance(seen, str) else seen, seq)


def lane(*seen: Observation) -> Lane:
    """One side of a channel that said all this."""
    made = Lane()
    for each in seen:
        made.add(each)
    return made


def reader(options: CompareOptions | None = None, envelope: EnvelopeRules | None = None) -> Reader:
    """A reader that has read nothing yet."""
    return Reader(options or CompareOptions(), envelope or EnvelopeRules(), Volatile())


def report(sights: Iterable[Sight], options: CompareOptions | None = None) -> Report:
    """What a comparison says about sights, in the order of their time."""
    comparison = Comparison(options or CompareOptions(min_messages=1))
    for sight in sorted(sights, key=lambda each: each.at):
        comparison.take(sight)
    comparison.close()
    return comparison.report()


def kinds(found: Report) -> dict[Kind, int]:
    """How often each kind was found and not excused."""
    counts: dict[Kind, int] = {}
    for finding in found.findings:
        if finding.excused is None:
            counts[finding.kind] = counts.get(finding.kind, 0) + finding.count
    return counts


def both(data: Iterable[str], start: float = 0.0, step: float = 1.0) -> list[Sight]:
    """Both sides say the same, the candidate 20 ms later."""
    times = count(0)
    return [
        sight
        for text, place in zip(data, times, strict=False)
        for sight in (old(text, start + place * step), new(text, start + place * step + 0.02))
    ]
