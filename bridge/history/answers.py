"""What a reader is answered that names its place: what follows it, or the hole that does.

Decides nothing; the log answers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import orjson

from bridge.history.cursor import Cursor
from bridge.history.entry import Entry

TRIMMED = "trimmed"
"""Reason of a gap: the reader's place is behind what is retained."""

OTHER_EPOCH = "other-epoch"
"""Reason of a gap: the place belongs to another life of the log."""

BEYOND_TOP = "beyond-top"
"""Reason of a gap: the place was never given out in this life of the log."""

UNREADABLE = "unreadable"
"""Reason of a gap: what the reader wrote is no cursor."""

_ECHO_LENGTH = 64  # A cursor has at most 52 characters; hostile text is not sent back at length.


@dataclass(frozen=True, slots=True)
class Slice:
    """What follows a reader's place, without a hole.

    Attributes:
        entries: oldest first; empty where the reader has everything.
        cursor: the place after the last of them, from which to read on.
    """

    entries: Sequence[Entry]
    cursor: Cursor


@dataclass(frozen=True, slots=True)
class Gap:
    """A hole in what a reader gets.

    Attributes:
        old: the reader's place as it named it, cut where it is no cursor.
        new: the place from which to read on.
        lost: how many entries are in the hole, None where that is not known.
        reason: why, in one word or line.
    """

    old: str | None
    new: Cursor
    lost: int | None
    reason: str

    @property
    def data(self) -> str:
        """The JSON of the `bridge.gap` event: `old`, `new`, `lost` and `reason`."""
        said = {"old": self.old, "new": str(self.new), "lost": self.lost, "reason": self.reason}
        return orjson.dumps(said).decode()


def echo(written: str) -> str:
    """Foreign text as it may stand in JSON: short, and without lone surrogates."""
    return written[:_ECHO_LENGTH].encode(errors="replace").decode()
