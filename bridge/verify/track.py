"""What a replayed backend has said on one channel and one wire, for all who follow it.

Decides what a follower gets, and holds the player up while the slowest one is far behind; never
opens a socket.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from dataclasses import dataclass, replace

import anyio

from bridge.verify.faults import Message

KEPT = 50_000
"""Messages that are kept for those who resume."""

AHEAD = 2_000
"""Messages by which the player may be ahead of the slowest follower."""

BATCH = 256


@dataclass(slots=True, eq=False)
class _Follower:
    place: int
    cuts: int


class Track:
    """An append-only run of messages with an end.

    Attributes:
        top: the number of the newest message; 0 before the first.
        is_over: whether nothing more will come.
    """

    def __init__(self) -> None:
        self._kept: dict[int, Message] = {}
        self._numbers: dict[str, int] = {}
        self._followers: set[_Follower] = set()
        self._news, self._room = anyio.Event(), anyio.Event()
        self._cuts = 0
        self.top = 0
        self.is_over = False

    async def append(self, message: Message) -> None:
        """Add a message once no follower is too far behind; one without an id gets its number."""
        while any(self.top - each.place > AHEAD for each in self._followers):
            self._room = anyio.Event()
            await self._room.wait()
        self.top += 1
        own = message.id or str(self.top)
        self._kept[self.top] = replace(message, id=own)
        self._numbers[own] = self.top
        self._trim()
        self._wake()

    def end(self) -> None:
        """Nothing more will come."""
        self.is_over = True
        self._wake()

    def cut(self) -> None:
        """Let every follower's stream end here, as if its connection had broken."""
        self._cuts += 1
        self._wake()

    def has_news_after(self, last_id: str) -> bool:
        """Whether somebody who has this id would get anything, now or later."""
        return not self.is_over or self._numbers.get(last_id, self.top) < self.top

    async def follow(self, last_id: str = "") -> AsyncGenerator[list[Message], None]:
        """Batches of messages after this id, as far as they are kept, then of what comes.

        An unknown id, like none, begins with what comes next. Ends where the track does, or by
        `cut`.
        """
        follower = _Follower(self._numbers.get(last_id, self.top), self._cuts)
        self._followers.add(follower)
        try:
            while True:
                batch = self._after(follower)
                if batch:
                    yield batch
                if follower.place == self.top:
                    if self.is_over or follower.cuts != self._cuts:
                        return
                    await self._news.wait()
        finally:
            self._followers.discard(follower)
            self._room.set()

    def _after(self, follower: _Follower) -> list[Message]:
        follower.place = max(follower.place, self.top - len(self._kept))
        last = min(self.top, follower.place + BATCH)
        batch = [self._kept[number] for number in range(follower.place + 1, last + 1)]
        follower.place = last
        self._room.set()
        return batch

    def _trim(self) -> None:
        oldest = self.top - KEPT
        message = self._kept.pop(oldest, None)
        if message and self._numbers.get(message.id) == oldest:
            del self._numbers[message.id]

    def _wake(self) -> None:
        self._news.set()
        self._news = anyio.Event()
