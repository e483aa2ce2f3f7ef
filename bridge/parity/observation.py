"""What one side of a comparison showed: its messages, and what became of its connection.

Decides nothing. Live taps and recordings both yield these, so all that judges knows no other
source.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

Wire = Literal["ws", "sse"]


class Side(StrEnum):
    """Who speaks: the backend of old, the one to replace it, or a second tap on the first.

    What differs between `LEGACY` and `CONTROL` differs by nature; it is noise.
    """

    LEGACY = "legacy"
    CANDIDATE = "candidate"
    CONTROL = "control"


@dataclass(frozen=True, slots=True)
class Observation:
    """One message, as it arrived.

    Attributes:
        side: who said it.
        channel: on which channel.
        data: the payload to the byte; `bytes` only for binary WebSocket messages.
        at: when it arrived, in seconds: of one monotonic clock for live taps, of the recording's
            own clock otherwise.
        wire: how it came.
        type: the SSE event name; `message` where none was given and on WebSocket.
        id: the backend's own id, empty where it gave none.
        connection: how often the side had connected before this connection; it rises by one with
            each reconnect, so repetitions after one can be told from others.
    """

    side: Side
    channel: str
    data: str | bytes
    at: float
    wire: Wire = "ws"
    type: str = "message"
    id: str = ""
    connection: int = 0


class Turn(StrEnum):
    """What may become of a side's connection."""

    OPENED = "opened"
    LOST = "lost"
    GAP = "gap"


@dataclass(frozen=True, slots=True)
class Mark:
    """A turn in a side's connection: what came around it may lack on that side for that reason.

    Attributes:
        side: whose connection.
        channel: on which channel.
        at: when, on the same clock as the observations.
        turn: what happened; `GAP` where the side itself announced a hole.
        connection: as in `Observation`: of the connection that opened or was lost.
        reason: one line for people, without secrets.
    """

    side: Side
    channel: str
    at: float
    turn: Turn
    connection: int = 0
    reason: str = ""


Sight = Observation | Mark
"""Whatever a tap yields or a recording holds."""
