"""The Protocols at which the layers meet, and the values that pass through them.

Decides nothing and implements nothing: an upstream and the hub know these and not each other.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from bridge.wire.endings import Ending
from bridge.wire.event import Event
from bridge.wire.frame import Frame


@dataclass(frozen=True, slots=True)
class Opened:
    """The upstream accepted us; events may follow."""


@dataclass(frozen=True, slots=True)
class Got:
    """What one read brought: events in order, possibly none.

    Attributes:
        events: the batch.
        last_id: the upstream's last event id after this batch, None where it never gave one
            (an id in a block without data counts too).
        missed: set where the upstream itself announces a hole before these events: how many
            were lost, or -1 where it does not know.
    """

    events: tuple[Event, ...] = ()
    last_id: str | None = None
    missed: int | None = None


@dataclass(frozen=True, slots=True)
class Lost:
    """The upstream is over; nothing follows this.

    Attributes:
        ending: why, and whether a new attempt makes sense (`ending.reconnect`).
        reason: one line for people, without secrets.
        retry: the delay that the upstream asked for, in milliseconds.
    """

    ending: Ending
    reason: str = ""
    retry: int | None = None


Signal = Opened | Got | Lost


class Sink(Protocol):
    """Where an upstream puts what it reads. All calls return at once."""

    def take(self, signal: Opened | Got) -> None:
        """What a read brought, in the very turn of the event loop that brought it."""

    @property
    def has_room(self) -> bool:
        """Whether to read on. A flood is asked for its next part only when this is true."""


class Upstream(Protocol):
    """One backend stream of one channel. Usable again after each `Lost`."""

    @property
    def kind(self) -> str:
        """`sse`, `ws` or `poll`."""

    def open(self, resume: str | None) -> AsyncIterator[Signal]:
        """Connect and read: `Opened` (unless refused), any number of `Got`, one `Lost`, the end.

        Args:
            resume: the last id that an earlier opening saw; sent as `Last-Event-ID`.

        Network trouble is a `Lost`, never an exception. Closing the iterator closes the stream.
        """

    async def send(self, frame: Frame) -> Ending | None:
        """Carry a client's frame to the backend. None once it is accepted, else why it is not."""


@runtime_checkable
class Pushing(Protocol):
    """An `Upstream` that can do without a task that is woken for each read."""

    async def read(self, resume: str | None, sink: Sink) -> Lost:
        """Connect and read until the stream is over; `sink` is told what `open` would yield.

        Args:
            resume: as for `Upstream.open`.
            sink: told from within the event loop's reads while this waits.

        What `sink` raises is raised here, and ends the connection. Cancelling this closes it.
        """


class Downstream(Protocol):
    """Where a supervised upstream puts what it reads: the channel. All calls return at once."""

    def opened(self) -> None:
        """The backend is connected."""

    def publish(self, events: Sequence[Event]) -> None:
        """Append a batch, in order."""

    def gap(self, reason: str, lost: int | None = None) -> None:
        """Something is missing here; `lost` says how many events where that is known."""

    def ended(self, ending: Ending, reason: str = "") -> None:
        """The backend ended the channel for good (`ending.reconnect` is False)."""


class Lead(Protocol):
    """The running upstream of one channel, seen from the hub."""

    def start(self) -> None:
        """Begin, or begin again after `stop`; continues where the last reading stopped."""

    def stop(self) -> None:
        """Close the upstream and remember the place. Returns at once."""

    @property
    def resumable(self) -> bool:
        """Whether a later `start` could continue without an unannounced hole."""

    async def send(self, frame: Frame) -> Ending | None:
        """As `Upstream.send`; waits a bounded time for a connection that is being made."""


class Meter(Protocol):
    """Counts what happens; the bridge's metrics implement it."""

    def count(self, name: str, amount: float = 1, **labels: str) -> None:
        """Add to the counter `name`."""

    def gauge(self, name: str, change: float, **labels: str) -> None:
        """Move the gauge `name` by `change`."""


class Unmetered:
    """A `Meter` that counts nothing, for library use and tests."""

    def count(self, name: str, amount: float = 1, **labels: str) -> None:
        """Count nothing."""

    def gauge(self, name: str, change: float, **labels: str) -> None:
        """Move nothing."""
