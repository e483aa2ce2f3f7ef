"""Drafts a contract from messages that were seen: a start for people, not the last word.

Decides which messages count and which type each has; what they have in common,
`bridge.parity.outline` says. The same messages in any order make the same draft.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

from bridge.parity.contract import DIALECT, TYPE_MEMBERS, Contract, parsed, type_of
from bridge.parity.observation import Observation, Sight
from bridge.parity.outline import Outline


class Draft:
    """A contract in the making.

    Attributes:
        counts: messages by type.
        skipped: messages that are no JSON.
    """

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.skipped = 0
        self._outlines: dict[str, Outline] = {}

    def take(self, sight: Sight) -> None:
        """Look at one more message, whichever side said it."""
        if not isinstance(sight, Observation):
            return
        try:
            message = parsed(sight)
        except ValueError:
            self.skipped += 1
            return
        kind = type_of(message, sight.type)
        self.counts[kind] += 1
        self._outlines.setdefault(kind, Outline()).take(message)

    def contract(self) -> Contract:
        """What was seen so far."""
        return Contract({kind: self._schema(kind) for kind in sorted(self._outlines)})

    def _schema(self, kind: str) -> dict[str, Any]:
        schema = self._outlines[kind].schema()
        for name in self._outlines[kind].constants(kind):
            if name in TYPE_MEMBERS:
                schema["properties"][name] = {"const": kind}
        return {"$schema": DIALECT, "title": kind} | schema


def learn(observations: Iterable[Sight]) -> Contract:
    """Draft a contract from observations, of one side or of both."""
    draft = Draft()
    for sight in observations:
        draft.take(sight)
    return draft.contract()
