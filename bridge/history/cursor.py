"""A place in one channel's log, as clients carry it: `epoch-seq`.

Decides what a written cursor means; never whether the log still has that place.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_WRITTEN = re.compile(r"([A-Za-z0-9]{1,32})-([0-9]{1,19})", re.ASCII)


@dataclass(frozen=True, slots=True)
class Cursor:
    """The place just after one event. Ordered within an epoch only.

    Attributes:
        epoch: names one life of the log; letters and digits.
        seq: the last event that the holder has; 0 is before the first.
    """

    epoch: str
    seq: int

    @classmethod
    def parse(cls, text: str) -> Cursor | None:
        """Read `epoch-seq`; None where it is anything else."""
        match = _WRITTEN.fullmatch(text)
        return cls(match[1], int(match[2])) if match else None

    def __str__(self) -> str:
        return f"{self.epoch}-{self.seq}"
