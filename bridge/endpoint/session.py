"""One client's session: in which state it is, where in the log, and which moves there are.

Decides what may follow what; never sends, never waits, and does not know which wire it serves.
Every transition is in `TRANSITIONS`; `diagram` draws it for docs/protocol.md. A session that is
ending has one thing left to send, its ending; once that is out, nothing is.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from types import MappingProxyType
from typing import Literal

from bridge.errors import InvalidTransition
from bridge.history.cursor import Cursor

Wire = Literal["ws", "sse"]


class State(Enum):
    """Where a session stands."""

    __hash__ = object.__hash__  # members are single, and Enum hashes their names in Python

    OPENING = "opening"
    """Neither accepted nor refused yet."""
    WAITING = "waiting"
    """Nothing is being sent; the next thing may be."""
    SENDING = "sending"
    """One batch, gap or heartbeat is under way."""
    ENDING = "ending"
    """The ending is under way, and nothing else may be."""
    ENDED = "ended"
    """Over."""


class Signal(Enum):
    """What happens to a session."""

    __hash__ = object.__hash__  # members are single, and Enum hashes their names in Python

    ACCEPTED = "accepted"
    """The client was let in."""
    REFUSED = "refused"
    """The client was turned away; the refusal was the whole answer."""
    WOKEN = "woken"
    """There is something to send."""
    SENT = "sent"
    """What was under way is out, or was given up."""
    END = "end"
    """The bridge ends the session; a send that is under way is given up."""
    LEFT = "left"
    """The client is gone."""


def _row(**moves: State) -> Mapping[Signal, State]:
    return MappingProxyType({Signal(name): state for name, state in moves.items()})


TRANSITIONS: Mapping[State, Mapping[Signal, State]] = MappingProxyType(
    {
        State.OPENING: _row(
            accepted=State.WAITING, refused=State.ENDED, end=State.ENDING, left=State.ENDED
        ),
        State.WAITING: _row(woken=State.SENDING, end=State.ENDING, left=State.ENDED),
        State.SENDING: _row(sent=State.WAITING, end=State.ENDING, left=State.ENDED),
        State.ENDING: _row(sent=State.ENDED, left=State.ENDED),
        # When a client leaves is not ours to say, so it may also do so after the end.
        State.ENDED: _row(left=State.ENDED),
    }
)
"""Every move that a session has: by state, then by signal."""


class Session:
    """One client at one channel.

    Args:
        wire: `ws` or `sse`.
        cursor: where it begins.
        principal: who it is, empty for anyone.
    """

    __slots__ = ("_cursor", "_state", "principal", "wire")

    def __init__(self, wire: Wire, cursor: Cursor, principal: str = "") -> None:
        self.wire: Wire = wire
        self.principal = principal
        self._cursor = cursor
        self._state = State.OPENING

    @property
    def state(self) -> State:
        """Where the session stands."""
        return self._state

    @property
    def cursor(self) -> Cursor:
        """The last place that the client has been sent."""
        return self._cursor

    def apply(self, signal: Signal) -> State:
        """Make the move that the table has for `signal`; answers the new state.

        Raises:
            InvalidTransition: the table has none; the session stays as it is.
        """
        moves = TRANSITIONS[self._state]
        if signal not in moves:
            known = ", ".join(each.value for each in moves)
            raise InvalidTransition(
                f"a session that is {self._state.value} cannot be told '{signal.value}'"
                f" (it knows: {known})"
            )
        self._state = moves[signal]
        return self._state

    def move(self, cursor: Cursor) -> None:
        """Note that the client has everything up to `cursor`, or was told of the gap before it.

        Raises:
            InvalidTransition: the place is behind within its epoch, or the session is over.
        """
        if self._state in (State.ENDING, State.ENDED):
            raise InvalidTransition(f"a session that is {self._state.value} sends nothing more")
        if cursor.epoch == self._cursor.epoch and cursor.seq < self._cursor.seq:
            raise InvalidTransition(f"a cursor never moves back: {self._cursor} to {cursor}")
        self._cursor = cursor


def diagram() -> str:
    """The table as a Mermaid state diagram, without a fence and without a last line break."""
    moves = [
        f"    {state.value} --> {to.value}: {signal.value}"
        for state, row in TRANSITIONS.items()
        for signal, to in row.items()
    ]
    first, last = f"    [*] --> {State.OPENING.value}", f"    {State.ENDED.value} --> [*]"
    return "\n".join(["stateDiagram-v2", first, *moves, last])
