"""What both sides said a while ago, so that saying it again is known for a repetition.

Decides whether a message without twin repeats one that had its twin: as a backend may after a
reconnect, or for no reason.
"""

from __future__ import annotations

from collections import deque
from enum import Enum
from typing import NamedTuple

from bridge.parity.item import Item
from bridge.parity.lane import Lane
from bridge.parity.observation import Observation

_ALWAYS_KEPT = 1000
_LEGACY = 0
_NEVER = -1


class Repetition(Enum):
    """What a message without twin may repeat."""

    NONE = "none"
    """Nothing that is remembered."""

    ALLOWED = "allowed"
    """What was said before the connection was lost, soon after the next one opened."""

    DUPLICATE = "duplicate"
    """What was said before, without such a reason."""


_Key = str | bytes | tuple[str | bytes, str]
"""What was said; with the id under which it was said again."""


class _Trace(NamedTuple):
    at: float
    connections: tuple[int, int]
    ids: tuple[str, str]


class Repeats:
    """Remembers the pairs of one channel.

    Args:
        keep: for how many seconds; the last thousand are kept longer.
        most: how many at most.
        burst: how many seconds after a connection opened a backend may repeat.
    """

    def __init__(self, keep: float, most: int, burst: float) -> None:
        self._keep, self._most, self._burst = keep, most, burst
        self._traces: dict[_Key, _Trace] = {}
        self._order: deque[tuple[float, _Key]] = deque()

    def add(self, left: Item, right: Item) -> None:
        """Two messages are twins."""
        one, other = left.seen, right.seen
        trace = _Trace(one.at, (one.connection, other.connection), (one.id, other.id))
        self._put(one.data, trace)
        if other.data != one.data:
            self._put(other.data, trace)
        if left.digest is not None:
            self._put(b"digest" + left.digest, trace)

    def add_single(self, side: int, item: Item, at: float) -> None:
        """One side alone said this, which it may repeat as well."""
        connections, ids = [_NEVER, _NEVER], ["", ""]
        connections[side], ids[side] = item.seen.connection, item.seen.id
        trace = _Trace(at, (connections[0], connections[1]), (ids[0], ids[1]))
        self._put(item.seen.data, trace)

    def _put(self, said: str | bytes, trace: _Trace) -> None:
        """Remember who said it first, and under another id who said it first under that."""
        if self._traces.setdefault(said, trace) is not trace:
            for own in set(trace.ids) - {""}:
                self._traces.setdefault((said, own), trace)
                self._order.append((trace.at, (said, own)))
        self._order.append((trace.at, said))

    def _find(self, said: str | bytes, own: str) -> _Trace | None:
        return (own and self._traces.get((said, own))) or self._traces.get(said)

    def of(self, side: int, item: Item, digest: bytes, lane: Lane) -> Repetition:
        """What a message without twin repeats."""
        own = item.seen.id
        trace = self._find(item.seen.data, own) or self._find(b"digest" + digest, own)
        if trace is None or trace.connections[side] == _NEVER:
            return Repetition.NONE
        same_id = trace.ids[side] == own
        connection = item.seen.connection
        began = lane.connections.get(connection, item.seen.at)
        if trace.connections[side] < connection and item.seen.at - began <= self._burst:
            return Repetition.ALLOWED if same_id or not own else Repetition.DUPLICATE
        if side == _LEGACY and not (same_id and own):
            # The legacy side repeats itself for its clients' sake, as far as anyone can tell.
            return Repetition.NONE
        return Repetition.DUPLICATE

    def is_replay(self, side: int, seen: Observation) -> bool:
        """Whether the message that came right after a reconnect repeats what was said before."""
        trace = self._find(seen.data, seen.id)
        return (
            trace is not None
            and _NEVER < trace.connections[side] < seen.connection
            and (not seen.id or trace.ids[side] == seen.id)
        )

    def forget(self, now: float) -> None:
        """Let go of what is too old, by the legacy side's clock."""
        order = self._order
        while len(order) > self._most or (
            len(order) > _ALWAYS_KEPT and order[0][0] < now - self._keep
        ):
            at, key = order.popleft()
            trace = self._traces.get(key)
            if trace is not None and trace.at == at:
                del self._traces[key]
