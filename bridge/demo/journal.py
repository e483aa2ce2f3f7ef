"""What an emulated backend has said, numbered, for all who listen and for those who come back.

Decides what a follower gets and in which order; never opens a socket.
"""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterator
from dataclasses import dataclass

import anyio

KEPT = 1000


@dataclass(frozen=True, slots=True)
class Numbered:
    """One message.

    Attributes:
        number: its event id; 1, 2, 3 and so on.
        text: the payload.
    """

    number: int
    text: str


class Journal:
    """An append-only run of messages.

    Args:
        keep: how many are kept for replay.

    Attributes:
        top: the number of the newest message; 0 before the first.
        followed: set once anyone follows.
    """

    def __init__(self, keep: int = KEPT) -> None:
        self._kept: deque[Numbered] = deque(maxlen=keep)
        self._news = anyio.Event()
        self.top = 0
        self.followed = anyio.Event()

    @property
    def last(self) -> str:
        """The newest payload; empty before the first."""
        return self._kept[-1].text if self._kept else ""

    def append(self, text: str) -> None:
        """Add a message and wake all followers."""
        self.top += 1
        self._kept.append(Numbered(self.top, text))
        self._news.set()
        self._news = anyio.Event()

    async def follow(self, after: int | None = None) -> AsyncIterator[Numbered]:
        """All messages after this number, as far as they are kept, then what comes, for ever.

        Args:
            after: the last number that the follower has; None begins with what comes next.
        """
        place = self.top if after is None else min(after, self.top)
        self.followed.set()
        while True:
            for message in [each for each in self._kept if each.number > place]:
                place = message.number
                yield message
            if place == self.top:
                await self._news.wait()
