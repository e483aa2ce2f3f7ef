"""What a conversation needs: the client's socket, and what all conversations share.

Decides nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from bridge.endpoint.background import Background
from bridge.endpoint.batch import Form
from bridge.endpoint.fanouts import Fanouts
from bridge.endpoint.gateway import Gateway
from bridge.endpoint.snapshot import Joining
from bridge.endpoint.wheel import Wheel
from bridge.wire.dialect import Dialect
from bridge.wire.endings import Ending

if TYPE_CHECKING:  # a conversation makes itself present
    from bridge.endpoint.conversation import Conversation


class Wire(Protocol):
    """The client's socket. Every call returns at once; none harms after the socket is gone."""

    @property
    def form(self) -> Form:
        """What `write` takes."""

    def write(self, made: object, /) -> None:
        """Hand over a batch in this wire's form."""

    def deliver(self, payload: str | bytes) -> None:
        """Send one message."""

    def close(self, ending: Ending, reason: str) -> None:
        """Close once, within a bounded time; what was delivered before still goes out."""

    def abort(self) -> None:
        """Drop the connection."""

    def listen(self, *, wanted: bool) -> None:
        """Read on, or leave what the client says in its own hands for now."""


@dataclass(frozen=True, slots=True)
class Talk:
    """What all conversations share.

    Attributes:
        gateway: names, options and counts.
        fanouts: where channels are read.
        dialect: what frames mean.
        joining: snapshots for joiners.
        background: owns the tasks.
        present: the conversations that are not over.
    """

    gateway: Gateway
    fanouts: Fanouts
    dialect: Dialect
    joining: Joining
    background: Background
    present: set[Conversation] = field(default_factory=set)

    @property
    def wheel(self) -> Wheel:
        """Times whatever is due later."""
        return self.fanouts.service.wheel
