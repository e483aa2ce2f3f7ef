"""One side of one channel: what still waits, and where the side's stream begins, ends and tears.

Decides which message is next in order and which ones a text or digest may belong to. Never pairs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any

from bridge.parity.item import Item, State
from bridge.parity.observation import Mark, Observation, Turn
from bridge.parity.tally import SAME

_COMPACTED = 256
_MOST_HOLES = 64
_MOST_CONNECTIONS = 256
_LIVE = (State.OPEN, State.AGED, State.SINGLE)


class Lane:
    """The messages of one side of one channel, in the order of their arrival."""

    def __init__(self) -> None:
        self.items: list[Item] = []
        self.head = 0
        self.base = 0
        self.open: dict[int, Item] = {}
        self.aged: dict[int, Item] = {}
        self.singles: dict[int, Item] = {}
        self._texts: dict[str | bytes, list[Item]] = {}
        self._digests: dict[bytes, list[Item]] = {}
        self._fresh = self._undigested = 0
        self._next = 0
        self.count = 0
        self.clock = float("-inf")
        self.began: float | None = None
        self.first_common, self.last_common = -1, -1
        self.opening, self.closing = -1, -1
        self.holes: list[tuple[float, float, str]] = []
        self._lost: tuple[float, str] | None = None
        self.connections: dict[int, float] = {}
        self.replaying = False
        """Whether all that came on this connection so far was said before."""
        self.last_at = float("-inf")

    def add(self, seen: Observation) -> Item:
        """Take in what arrived last."""
        item = Item(seen, self.count)
        self.open[self.count] = item
        self.items.append(item)
        self.count += 1
        at = seen.at
        if seen.connection not in self.connections:
            self.connected(seen.connection, at)
        self.last_at = at
        self.clock = max(self.clock, at)
        if self.began is None:
            self.began = at
        return item

    def mark(self, mark: Mark) -> None:
        """Note what became of the connection."""
        self.clock = max(self.clock, mark.at)
        if mark.turn is Turn.OPENED:
            self.connected(mark.connection, mark.at)
            self.began = mark.at if self.began is None else self.began
        elif mark.turn is Turn.LOST:
            reason = mark.reason or "the connection was lost"
            self._lost = self._lost or (self._heard(mark.at), reason)
        else:
            reason = mark.reason or "the backend announced a gap"
            self._hole(self._heard(mark.at), mark.at, reason)

    def connected(self, connection: int, at: float) -> None:
        """A connection opened, or the first message came on it."""
        if connection in self.connections:
            return
        self.replaying = bool(self.connections)
        if self.connections and self._lost is None:
            self._lost = self.last_at, "the connection was lost"
        if len(self.connections) == _MOST_CONNECTIONS:
            del self.connections[next(iter(self.connections))]
        self.connections[connection] = at
        if self._lost is not None:
            since, reason = self._lost
            self._lost = None
            self._hole(since, at, reason)

    def _heard(self, at: float) -> float:
        """When this side was last known to speak or listen; nothing was lost before that."""
        return max(self.last_at, at if self.began is None else self.began)

    def _hole(self, start: float, end: float, reason: str) -> None:
        self.holes = [*self.holes[1 - _MOST_HOLES :], (start, end, reason)]

    def hole(self, earliest: float, latest: float, margin: float) -> str:
        """What tore the stream at a time, in seconds of this side's clock; empty if nothing.

        A hole begins with the last word before it, for all up to that was heard.

        Args:
            earliest: from when on something may have come.
            latest: until when.
            margin: how long after a connection opened the stream may still lack something.
        """
        if self._lost is not None and latest > self._lost[0]:
            return self._lost[1]
        for start, end, reason in reversed(self.holes):
            if start < latest and earliest <= end + margin:
                return reason
        return ""

    def expected(self) -> Item | None:
        """The open message that follows the one that was paired last."""
        place = max(self._next - self.base, self.head)
        items, end = self.items, len(self.items)
        while place < end:
            item = items[place]
            if item.state is State.OPEN:
                return item
            place += 1
            self._next = self.base + place
        return None

    def take_out(self, item: Item) -> None:
        """A message has its twin, or is not to have one any more."""
        state = item.state
        if state is State.OPEN:
            del self.open[item.seq]
            self._next = item.seq + 1
        elif state is State.AGED:
            del self.aged[item.seq]
        elif state is State.SINGLE:
            del self.singles[item.seq]
        if item.seq < self._fresh:
            _remove(self._texts, item.seen.data, item)
        if item.seq < self._undigested and item.digest is not None:
            _remove(self._digests, item.digest, item)

    def age(self, item: Item) -> None:
        """A message waited long enough."""
        del self.open[item.seq]
        item.state = State.AGED
        self.aged[item.seq] = item

    def release(self, item: Item) -> None:
        """A message lost its twin to another one; it waited long enough already."""
        item.twin, item.state, item.signature = None, State.AGED, SAME
        self.aged[item.seq] = item
        self._fresh = min(self._fresh, item.seq)
        self._undigested = min(self._undigested, item.seq)

    def set_aside(self, item: Item) -> None:
        """A message most likely repeats an earlier one; should it not, its twin will find it."""
        self.age(item)
        self.settle(item)

    def settle(self, item: Item) -> None:
        """A message counts as having no twin; one may still come."""
        del self.aged[item.seq]
        item.state = State.SINGLE
        self.singles[item.seq] = item

    def by_text(self, data: str | bytes) -> list[Item]:
        """The messages without twin that have this text, oldest first."""
        for item in self._from(self._fresh):
            if item.state in _LIVE:
                self._texts.setdefault(item.seen.data, []).append(item)
        self._fresh = self.count
        return self._texts.get(data, [])

    def repeats(self, item: Item) -> bool:
        """Whether an earlier connection said the same, and that still has no twin."""
        seen = item.seen
        return any(
            each.seen.connection < seen.connection and each.seen.id == seen.id
            for each in self.by_text(seen.data)
        )

    def by_digest(self, digest: bytes, read: Callable[[Item], bytes]) -> list[Item]:
        """The messages without twin that have this digest, oldest first."""
        for item in self._from(self._undigested):
            if item.state in _LIVE:
                self._digests.setdefault(read(item), []).append(item)
        self._undigested = self.count
        return self._digests.get(digest, [])

    def rekey(self) -> None:
        """Forget all digests, since keys leave out more from now on."""
        self._digests.clear()
        waiting = [*self.singles.values(), *self.aged.values(), *self.open.values()]
        for item in waiting:
            item.digest = None
        self._undigested = min((item.seq for item in waiting), default=self.count)

    def _from(self, seq: int) -> Iterator[Item]:
        if seq < self.base + self.head:
            old = [*self.singles.values(), *self.aged.values()]
            left = (item for item in old if seq <= item.seq < self.base + self.head)
            yield from sorted(left, key=lambda item: item.seq)
        for place in range(max(seq - self.base, self.head), len(self.items)):
            yield self.items[place]

    def first(self) -> Item | None:
        """The oldest message that takes part in the order."""
        items, end = self.items, len(self.items)
        while self.head < end and items[self.head].state > State.PAIRED:
            self.head += 1
        return items[self.head] if self.head < end else None

    def drop(self, count: int) -> None:
        """The oldest ones have taken part in the order."""
        self.head += count
        if self.head >= _COMPACTED and self.head * 2 > len(self.items):
            for item in islice(self.items, self.head):
                item.leave()
            del self.items[: self.head]
            self.base += self.head
            self.head = 0

    def following(self, item: Item, within: float) -> Iterator[Item]:
        """The messages that came after one, for so many seconds."""
        latest = item.seen.at + within
        for place in range(max(item.seq + 1 - self.base, 0), len(self.items)):
            after = self.items[place]
            if after.seen.at > latest:
                return
            yield after


def _remove(index: dict[Any, list[Item]], key: str | bytes, item: Item) -> None:
    found = index.get(key)
    if found is not None and item in found:
        found.remove(item)
        if not found:
            del index[key]
