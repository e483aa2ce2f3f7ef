"""One message that waits for its twin, and what was read of it so far.

Decides nothing; a `Reader` reads it when somebody first asks, since most messages find their twin
by their bare text.
"""

from __future__ import annotations

from enum import IntEnum

from bridge.parity.envelope import Message
from bridge.parity.observation import Observation, Side
from bridge.parity.tally import SAME, Leaf, Signature


class State(IntEnum):
    """Where a message stands."""

    OPEN = 0
    """It waits for its twin."""

    PAIRED = 1
    """It has its twin, and both take part in the order."""

    AGED = 2
    """It waited its time; what is left of both sides may be paired."""

    SINGLE = 3
    """It was counted as having no twin; one may still come late."""

    DONE = 4
    """It takes part in nothing any more."""


class Item:
    """One message on its way through the comparison.

    Args:
        seen: the message.
        seq: its place on its side of the channel, dense from 0.
    """

    __slots__ = (
        "digest",
        "entity",
        "features",
        "leaf",
        "message",
        "repeated",
        "seen",
        "seq",
        "signature",
        "state",
        "successor",
        "twin",
    )

    def __init__(self, seen: Observation, seq: int) -> None:
        self.seen = seen
        self.seq = seq
        self.state = State.OPEN
        self.twin: Item | None = None
        self.message: Message | None = None
        self.digest: bytes | None = None
        self.entity: tuple[str, str] | None = None
        self.features: frozenset[tuple[str, str]] | None = None
        self.successor: Item | None = None
        self.leaf: Leaf | None = None
        self.repeated = False
        self.signature: Signature = SAME

    def put_away(self) -> None:
        """Let go of what was read that is large and seldom asked for again."""
        self.message = self.features = None

    def leave(self) -> None:
        """Nobody asks for its twin any more; twins that hold each other are garbage for longer."""
        if self.twin is not None:
            self.twin = GONE


GONE = Item(Observation(Side.LEGACY, "", "", 0.0), -1)
"""Stands for a twin that is not kept."""
