"""One channel while it lives: its log, those who wait at it, and the upstream that leads it.

Decides who is woken and when the channel is over; never opens a socket, never waits. Upstreams
write to it through `bridge.seams.Downstream`; sessions read its log and leave a bell to ring.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from bridge.history.log import Log
from bridge.seams import Lead, Meter
from bridge.wire.credential import OwnCredential
from bridge.wire.endings import Ending
from bridge.wire.event import Event
from bridge.wire.names import ChannelName
from bridge.wire.payload import has_carriage_return, is_json

Bell = Callable[[], None]
"""What a waiting session leaves: called, in the publisher's turn, when there is news. It must
return at once and must not join or leave."""


@dataclass(frozen=True, slots=True)
class ChannelKey:
    """What one log belongs to.

    Attributes:
        name: the channel.
        scope: empty where all readers share one upstream; else it names the credential whose
            stream this is, so that no two principals ever share one.
        credential: what goes upstream for that scope. A scope stands for one credential, so this
            is no part of what tells keys apart, and it is never shown.
    """

    name: ChannelName
    scope: str = ""
    credential: OwnCredential | None = field(default=None, repr=False, compare=False)

    def __str__(self) -> str:
        return self.name.text


Incoming = Callable[[Event, ChannelName], tuple[Event, ...]]
"""What an event becomes before it gets its place, the same for all readers."""


def unchanged(event: Event, _: ChannelName) -> tuple[Event, ...]:
    """Every event as it is."""
    return (event,)


def _never() -> bool:
    return False


class Latch(Protocol):
    """Lets exactly one completion through, whichever source brings it first."""

    def admit(self, event: Event, seq: int) -> bool:
        """Whether `event` may take the place `seq`; remembers what it lets through."""

    def told(self, event: Event) -> int | None:
        """Where in the log the completion stands that `event` repeats; None if it is new."""

    def tells(self, event: Event) -> bool:
        """Whether `event` says that something is complete."""


class Channel:
    """A log with readers and a lead. Implements `bridge.seams.Downstream`.

    Attributes:
        key: name and scope.
        log: everything that was published and is still retained.
        lead: the running upstream.
        latch: lets each completion through once; None where the channel needs none.
        ending: set once the backend ended the channel for good.
        reason: one line for people beside `ending`.
        ready: whether the backend has answered, one way or the other, since the lead started.
        behind: whether those who keep up still lack something that was published; set by who
            serves them.
    """

    __slots__ = (
        "_bells",
        "_clock",
        "_incoming",
        "_meter",
        "_readers",
        "behind",
        "ended_at",
        "ending",
        "key",
        "latch",
        "lead",
        "log",
        "ready",
        "reason",
    )

    lead: Lead

    def __init__(
        self,
        key: ChannelKey,
        log: Log,
        *,
        clock: Callable[[], float],
        meter: Meter,
        latch: Latch | None = None,
        incoming: Incoming = unchanged,
    ) -> None:
        self.key, self.log, self._incoming = key, log, incoming
        self._clock, self._meter, self.latch = clock, meter, latch
        self._bells: dict[Bell, int] = {}  # how many readers share each
        self._readers = 0
        self.ending: Ending | None = None
        self.reason = ""
        self.ended_at = 0.0
        self.ready = False
        self.behind: Callable[[], bool] = _never

    # What the upstream calls.

    @property
    def has_room(self) -> bool:
        """Whether a backend that floods may go on; slow readers are waited for by nobody."""
        return not self.behind()

    def opened(self) -> None:
        """The backend is connected; readers that wait for that are woken."""
        self.ready = True
        self.ring()

    def publish(self, events: Sequence[Event]) -> None:
        """Append a batch and wake everyone once. A latched duplicate is left out and counted."""
        now, log, name = self._clock(), self.log, self.key.name
        top = log.top
        append = log.append if self.latch is None else self._append_latched
        for event in events:
            if not is_json(event.data):
                self._meter.count("payloads_not_json")
            if has_carriage_return(event.data):
                self._meter.count("payloads_with_return")
            if self._incoming is unchanged:
                append(event, now)
            else:
                for made in self._incoming(event, name):
                    append(made, now)
        published = log.top - top
        self._meter.count("events_published", published)
        if published:
            self.ring()

    def _append_latched(self, event: Event, now: float) -> None:
        if self.latch is None or self.latch.admit(event, self.log.top + 1):
            self.log.append(event, now)
        else:
            self._meter.count("completions_latched")

    def gap(self, reason: str, lost: int | None = None) -> None:
        """Put the notice of a hole into the log, for those here and those who come back."""
        self.log.gap_notice(reason, lost, self._clock())
        self._meter.count("gaps", reason=reason)
        self.ring()

    def ended(self, ending: Ending, reason: str = "") -> None:
        """The backend ended the channel: readers get what is left, then the ending."""
        self.ending, self.reason, self.ended_at = ending, reason, self._clock()
        self.ready = True
        self.ring()

    # What the hub and the sessions call.

    @property
    def readers(self) -> int:
        """How many sessions read this channel."""
        return self._readers

    def attach(self, bell: Bell) -> None:
        """Ring `bell` whenever there is news: once, however many readers share it."""
        self._bells[bell] = self._bells.get(bell, 0) + 1
        self._readers += 1

    def detach(self, bell: Bell) -> None:
        """One reader less; unknown bells are ignored, since both ends may hang up."""
        shared = self._bells.pop(bell, 0)
        self._readers -= bool(shared)
        if shared > 1:
            self._bells[bell] = shared - 1

    def watch(self, bell: Bell) -> None:
        """Ring `bell` as well, for somebody who is no reader: it keeps no channel open."""
        self._bells.setdefault(bell, 0)

    def unwatch(self, bell: Bell) -> None:
        """Ring it no more; harmless where it was not rung."""
        if not self._bells.get(bell, 1):
            del self._bells[bell]

    def has(self, bell: Bell) -> bool:
        """Whether anyone reads by this bell."""
        return bell in self._bells

    def start(self) -> None:
        """Start the lead, or start it again, with no ending standing."""
        self.ending, self.reason, self.ready = None, "", False
        self.lead.start()

    def ring(self) -> None:
        """Wake every reader once."""
        for bell in tuple(self._bells):
            bell()
