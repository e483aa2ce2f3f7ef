"""How much of a channel is kept, and where (`[history]`).

Decides which settings are possible; the log and the stores decide by them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class LogOptions:
    """How much of a channel is kept, where newcomers begin, and what outlives the process.

    The newest entry is always kept, whatever the limits say.

    Attributes:
        max_events: the most entries that are kept.
        max_bytes: the most payload bytes that are kept. Memory may reach twice that, since the
            encoded form of an entry is kept beside it once somebody has read it by SSE.
        max_age: seconds that an entry is kept.
        start: where a reader without a cursor begins: 0 with what comes from now on, N with the
            last N entries.
        persist: `sqlite` keeps the logs over a restart on one machine, in the file `path`;
            `memory` forgets them with the process.
        path: the database file of `persist = "sqlite"`. Two more stand beside it (`-wal` and,
            while another program reads it, `-shm`).
        flush: seconds for which new entries gather before they are written to the file together.
            So many a crash may cost; clients that had them are told of the gap.
        on_corrupt: what to do where the file is damaged or of another version: `refuse` to start,
            or put it aside (nothing is deleted) and start with a `fresh` one.
    """

    max_events: int = 10_000
    max_bytes: int = 64 * 1024 * 1024
    max_age: float = 300.0
    start: int = 0
    persist: Literal["memory", "sqlite"] = "memory"
    path: str = ""
    flush: float = 0.05
    on_corrupt: Literal["refuse", "fresh"] = "refuse"

    def __post_init__(self) -> None:
        if self.max_events < 1:
            raise ValueError("max_events must be 1 or more; the newest event is always kept")
        if self.max_bytes < 1:
            raise ValueError("max_bytes must be 1 or more; the newest event is always kept")
        if not self.max_age > 0:
            raise ValueError("max_age must be more than 0 seconds; use inf to keep any age")
        if self.start < 0:
            raise ValueError("start must be 0 (only what is new) or a number of last events")
        if self.start > self.max_events:
            raise ValueError("start exceeds max_events; lower start or raise max_events")
        if self.persist == "sqlite" and not self.path:
            raise ValueError('path is not given; persist = "sqlite" needs a file to write to')
        if "\0" in self.path:
            raise ValueError("path holds a NUL character, which no file's name may")
        if self.persist == "memory" and self.path:
            raise ValueError('path is given, but nothing is kept there; set persist = "sqlite"')
        if not 0 < self.flush <= 60:
            raise ValueError("flush must be more than 0 and at most 60 seconds")
