"""What there is to measure, and how long it takes: the topics, for a quick run and a full one.

Pure. A topic is one question to several servers; topics that share servers and subscribers are
asked in turns, so that their servers start once.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from benchmarks.subscribers import Mode, Segment


@dataclass(frozen=True, slots=True)
class Effort:
    """How thorough a run is.

    Attributes:
        cycles: rounds over all servers.
        seconds: of a closed loop.
        paced: seconds of a modest rate.
        overload: seconds of more than a server can do.
        fresh: how often memory is measured, each time on new processes.
        idle: seconds for which idle clients stay.
        quick: whether long topics are left out unless they are asked for.
    """

    cycles: int
    seconds: float
    paced: float
    overload: float
    fresh: int
    idle: float
    quick: bool


FULL = Effort(cycles=7, seconds=1.0, paced=2.5, overload=1.0, fresh=3, idle=30.0, quick=False)
QUICK = Effort(cycles=3, seconds=0.3, paced=0.6, overload=0.25, fresh=1, idle=5.0, quick=True)

LIMITS = ("C limit", "C limit, coalescing")
BRIDGES = ("bridge", "bridge, stepped")
GUARDED = "bridge, JWT"
"""The bridge where each client shows a token of its own, which is verified."""

UNBARRED = frozenset({"Node.js", "websockets.broadcast"})
"""In no bar, so a quick run does without them."""


@dataclass(frozen=True, slots=True)
class Topic:
    """One question.

    Attributes:
        name: the wire, a dash, and what is asked.
        segment: what is published.
        peers: who is asked.
    """

    name: str
    segment: Segment
    peers: Sequence[str]


def fan_out(mode: Mode, effort: Effort) -> list[Topic]:
    """One channel and 1,000 clients."""
    closed, main = effort.seconds, ("nchan", "bridge")
    everyone = ("C limit", "nchan", "Node.js", "websockets.broadcast", "naive", *BRIDGES)
    burst = Segment("burst", closed, burst=8)
    paced = Segment("paced", effort.paced, rate=10, warm=effort.paced / 10)
    topics = [
        Topic(f"{mode}-single", Segment("single", closed), everyone),
        Topic(f"{mode}-burst", burst, (LIMITS[1], "Node.js", *main)),
        Topic(f"{mode}-paced", paced, (LIMITS[0], *main)),
    ]
    if mode == "sse":
        overload = Segment("overload", effort.overload, rate=1000)
        topics.append(Topic("sse-overload", overload, (LIMITS[1], *main)))
    return _hurried(topics) if effort.quick else topics


def _hurried(topics: Sequence[Topic]) -> list[Topic]:
    return [
        replace(topic, peers=tuple(peer for peer in topic.peers if peer not in UNBARRED))
        for topic in topics
    ]


def proxy(mode: Mode, effort: Effort) -> list[Topic]:
    """One stream for each of 100 clients."""
    everyone: tuple[str, ...] = ("nginx", "naive", "bridge")
    if not effort.quick:
        everyone += ("splice", "bridge, stepped")
    paced = Segment("paced", effort.paced, rate=10, warm=effort.paced / 10)
    return [
        Topic(f"{mode}-proxy", Segment("closed", effort.seconds), everyone),
        Topic(f"{mode}-proxypaced", paced, ("direct", *everyone)),
    ]


SCALE = ("C limit", "bridge")
"""Who is asked at 1,000 and at 10,000 clients."""

MEMORY = {
    True: ("nchan", "bridge", GUARDED),
    False: ("nchan", "Node.js", "naive", *BRIDGES, GUARDED),
}
"""Who is asked for memory and opened connections, by whether the run is quick."""

ALL: tuple[str, ...] = (
    *(topic.name for mode in ("sse", "ws") for topic in fan_out(mode, FULL)),
    *("sse-memory", "ws-memory", "sse-scale", "sse-idle15000", "sse-idle50000"),
    *(topic.name for mode in ("sse", "ws") for topic in proxy(mode, FULL)),
    "reading",
)
"""Every topic that can be selected; `sse-scale` gives two, at 1,000 and 10,000 clients."""

LONG = frozenset(
    {"ws-memory", "sse-scale", "sse-idle15000", "sse-idle50000", "ws-proxy", "ws-proxypaced"}
)
"""Left out of a quick run."""


def selected(words: Iterable[str], *, quick: bool) -> list[str]:
    """The topics that words ask for: a whole name, or one side of its dash; all where none is.

    Raises:
        ValueError: a word asks for nothing.
    """
    asked = list(words)
    unknown = [word for word in asked if not any(_is_meant(word, name) for name in ALL)]
    if unknown:
        raise ValueError(f"nothing is called {', '.join(unknown)}; choose from {', '.join(ALL)}")
    if asked:
        return [name for name in ALL if any(_is_meant(word, name) for word in asked)]
    return [name for name in ALL if not (quick and name in LONG)]


def _is_meant(word: str, name: str) -> bool:
    return word == name or word in name.split("-")
