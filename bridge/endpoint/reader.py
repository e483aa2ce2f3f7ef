"""One client at one channel: an outlet and a place.

Decides when a client that does not read is given up and that nothing follows its ending; what it
is sent next is the fan-out's business, and the bytes are the outlet's.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Protocol

from bridge.endpoint.batch import Form
from bridge.endpoint.session import Session, Signal, State
from bridge.endpoint.wheel import Due, cancel
from bridge.history.log import Gap
from bridge.wire.endings import Ending

_ALIVE = (State.WAITING, State.SENDING)


class Outlet(Protocol):
    """One client's wire. Every call returns at once."""

    @property
    def form(self) -> Form:
        """What `write` takes."""

    @property
    def write(self) -> Callable[[object], None]:
        """Hands over a batch in this outlet's form."""

    def gap(self, gap: Gap) -> None:
        """Tell of a hole."""

    def end(self, ending: Ending, reason: str) -> None:
        """Say the end, then close; what was written before still goes out."""

    def abort(self) -> None:
        """Close without another word."""


class Place(Protocol):
    """What a reader needs of its fan-out."""

    def resume(self, reader: Reader, /) -> None:
        """There is room again."""

    def drop(self, reader: Reader, /) -> None:
        """It reads no more."""

    def deadline(self, callback: Callable[[], None], /, at: float | None = None) -> Due:
        """Call when a send has taken too long, or at a time of the wheel's clock."""

    def give_up(self, reader: Reader, /) -> None:
        """It stopped reading: end it."""


class Reader:
    """One client at one channel.

    Args:
        fanout: serves it once it is added there.
        session: its state, and its place whenever it is not at the head.
        outlet: its wire.

    Attributes:
        held: passed over at present: full, ending or gone.
    """

    __slots__ = ("_deadline", "_expiry", "_fanout", "form", "held", "outlet", "session")

    def __init__(self, fanout: Place, session: Session, outlet: Outlet) -> None:
        self._fanout, self.session, self.outlet = fanout, session, outlet
        self.form, self.held = outlet.form, False
        self._deadline: Due | None = None
        self._expiry: Due | None = None

    def expire_at(self, when: float, ending: Ending, reason: str) -> None:
        """End the session at a time, such as its credential's, unless it is over before.

        Said again it stands in place of the last. It costs one entry of the shared wheel.

        Args:
            when: in seconds of the wheel's clock, which is monotonic; at most one tick later.
            ending: such as `UNAUTHORIZED`.
            reason: one line for people.
        """
        cancel(self._expiry)
        if self.session.state in _ALIVE:
            self._expiry = self._fanout.deadline(partial(self.end, ending, reason), at=when)

    def full(self, *, timed: bool = True) -> None:
        """The outlet takes no more for now; a deadline begins, unless another's stands for it."""
        if self.session.state is State.WAITING:
            self.held = True
            self.session.apply(Signal.WOKEN)
            if timed:
                self._deadline = self._fanout.deadline(self._give_up)

    def room(self) -> None:
        """The outlet takes more again."""
        if self.session.state is State.SENDING:
            self._disarm()
            self.held = False
            self.session.apply(Signal.SENT)
            self._fanout.resume(self)

    def left(self) -> None:
        """The client is gone; harmless if it was before."""
        self._disarm()
        cancel(self._expiry)
        self.held = True
        self.session.apply(Signal.LEFT)
        self._fanout.drop(self)

    def end(self, ending: Ending, reason: str) -> None:
        """End the session; nothing is sent after it. A deadline bounds the goodbye too."""
        if self.session.state in _ALIVE:
            self._disarm()
            cancel(self._expiry)
            self.held = True
            self.session.apply(Signal.END)
            self._fanout.drop(self)
            self._deadline = self._fanout.deadline(self.outlet.abort)
            self.outlet.end(ending, reason)

    def _give_up(self) -> None:
        self._fanout.give_up(self)

    def _disarm(self) -> None:
        if self._deadline:
            self._deadline.cancel()
            self._deadline = None
