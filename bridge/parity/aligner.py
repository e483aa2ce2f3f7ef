"""Makes one stream of two that say the same, and moves the lead between them without a seam.

Decides what of two interleaved streams of one channel is published, and when a hand-over would
tear: then it refuses. It compares keys only, never payloads, and neither waits nor looks at a
clock.

Each event that only one side has delivered so far stands in that side's open window, published
or held. An event that comes is looked up in the other side's window, the oldest of its key first;
found there, it is the same one and both are settled. Nothing else tells two streams apart that
repeat keys and drop events: queues paired by place, and pointers that jump to the next equal key,
both lose step at the first repetition next to a drop.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, replace
from typing import Generic, TypeVar

from bridge.errors import HandOverRefused
from bridge.parity.observation import Side
from bridge.parity.window import Shelf, Slot, Stream

E = TypeVar("E")


@dataclass(frozen=True, slots=True)
class AlignerOptions:
    """How far two streams of one channel may be apart.

    Attributes:
        window: events that one side may be ahead of the other; memory is bounded by four times it.
        seconds: an equal event that comes later than this after the other side's is another event.
        displacement: places by which the orders of the two sides may differ. An event that the
            lead has passed by more is one that it dropped, and is not published after the fact.

    Raises:
        ValueError: a value is out of range.
    """

    window: int = 4096
    seconds: float = 60.0
    displacement: int = 32

    def __post_init__(self) -> None:
        if self.window < 1:
            raise ValueError("window must be at least 1 event")
        if not self.seconds > 0:
            raise ValueError("seconds must be above 0")
        if self.displacement < 0:
            raise ValueError("displacement must not be negative")


@dataclass(frozen=True, slots=True)
class Receipt(Generic[E]):
    """What one hand-over did. It is complete once `first_new` is there.

    Attributes:
        old: who led.
        new: who leads.
        at: when, in seconds of the caller's clock.
        last_old: the last event published before the cut; None where there was none.
        first_new: the first published after it; None until there is one.
        filled: what the new lead had said and the old one had not: to be published at the cut.
        skipped: events that only the new lead had said and the old one had passed long before.
        duplicates: what the new lead has repeated since, and was therefore dropped.
    """

    old: Side
    new: Side
    at: float
    last_old: E | None = None
    first_new: E | None = None
    filled: tuple[E, ...] = ()
    skipped: int = 0
    duplicates: int = 0


@dataclass(frozen=True, slots=True)
class AlignerStatistics:
    """An aligner at one moment.

    Attributes:
        lead: who publishes.
        ahead: published events that the standby has not delivered.
        held: events of the standby that the lead has not delivered.
        owed: published events that the lead has not delivered itself, after a cut towards a side
            that was behind.
        fit: whether the lead can be moved now.
    """

    lead: Side
    ahead: int
    held: int
    owed: int
    fit: bool


class Aligner(Generic[E]):
    """The streams of one channel while two upstreams of it are open.

    Whatever the two drop, repeat or delay:

    - every event of the lead is published, or is one that had been published already as an event
      of the other side, each such publication standing for one event;
    - no event is published twice, as long as equal events come within the window. A lead can only
      be moved while that is so.

    Where a side drops an event, an equal one within the window cannot be told from it without ids
    or versions in the key. Then not repeating wins. A side's own repetitions after a reconnect are
    to be taken out before (`bridge.upstream.continuity`).

    Args:
        lead: whose events are published to begin with.
        options: how far the two may be apart.
    """

    def __init__(self, lead: Side, options: AlignerOptions | None = None) -> None:
        self.receipt: Receipt[E] | None = None
        self._lead = lead
        self._options = options or AlignerOptions()
        self._streams: dict[Side, Stream[E]] = {
            Side.LEGACY: Stream(),
            Side.CANDIDATE: Stream(),
        }
        self._last: E | None = None
        self._fit = True

    @property
    def lead(self) -> Side:
        """Whose events are published."""
        return self._lead

    @property
    def standby(self) -> Side:
        """The other side."""
        return _other(self._lead)

    def take(self, side: Side, key: Hashable, event: E, at: float = 0.0) -> tuple[E, ...]:
        """Take an event that a side has delivered.

        Args:
            side: who, `LEGACY` or `CANDIDATE`.
            key: equal for the same logical event on both sides.
            event: what is to be published.
            at: when it arrived, in seconds; never earlier than the last call's.

        Returns:
            What is to be published now: the event or nothing.
        """
        self._forget_aged(at)
        mine = self._streams[side]
        mine.count += 1
        slot, was_said = self._streams[_other(side)].match(key)
        published = side is self._lead and not was_said
        if slot is None:
            shelf = mine.said if side is self._lead else mine.held
            shelf.put(Slot(key, event, mine.count, at))
        else:
            mine.common = mine.count
            self._count_duplicate(side, was_said=was_said)
        self._forget_surplus()
        return (self._published(event),) if published else ()

    def cut(self, to: Side, at: float = 0.0) -> Receipt[E]:
        """Move the lead between two events.

        Args:
            to: who leads from here on.
            at: when, in seconds.

        Returns:
            The receipt; its `filled` are to be published now. `receipt` goes on with it.

        Raises:
            HandOverRefused: the side leads already, or the two are further apart than the window,
                so that events would be lost or repeated.
        """
        self._forget_aged(at)
        self._refuse_unclean(to)
        stream = self._streams[to]
        held, stream.held = stream.held, Shelf()
        filling = [slot for slot in held if not self._too_late(stream, slot, at)]
        filled = tuple(slot.event for slot in filling)
        self.receipt = Receipt(
            self._lead, to, at, self._last, None, filled, skipped=len(held) - len(filling)
        )
        self._lead = to
        for slot in filling:
            stream.said.put(slot)
            self._published(slot.event)
        return self.receipt

    def admit(self, side: Side) -> None:
        """Take a side as aligned from here on: it has opened anew, or was left behind.

        What the other has said before is no longer waited for, but recognised if it comes. What
        this side said and nobody published is let go: it may be older than anything remembered.

        Args:
            side: the one that has opened.
        """
        other = self._streams[_other(side)]
        other.common = other.count
        self._streams[side].held = Shelf()
        self._fit = True

    def statistics(self) -> AlignerStatistics:
        """The state at this moment."""
        lead, standby = self._streams[self._lead], self._streams[self.standby]
        return AlignerStatistics(
            self._lead, len(lead.said), len(standby.held), len(standby.said), self._fit
        )

    def _refuse_unclean(self, to: Side) -> None:
        if to is self._lead:
            raise HandOverRefused(f"{to} leads already")
        if not self._fit:
            raise HandOverRefused(
                f"{self._lead} and {to} are more than {self._options.window} events or "
                f"{self._options.seconds:g} s apart; open {to} anew first"
            )

    def _published(self, event: E) -> E:
        self._last = event
        if self.receipt is not None and self.receipt.first_new is None:
            self.receipt = replace(self.receipt, first_new=event)
        return event

    def _count_duplicate(self, side: Side, *, was_said: bool) -> None:
        if self.receipt is not None and side is self._lead and was_said:
            self.receipt = replace(self.receipt, duplicates=self.receipt.duplicates + 1)

    def _forget_aged(self, now: float) -> None:
        """An event that the standby has not delivered in time would come again after a cut."""
        lead, standby = self._streams[self._lead], self._streams[self.standby]
        while lead.said and self._aged(lead.said, now):
            self._fit &= lead.passed_by(lead.said.forget()) > 0
        while standby.said and self._aged(standby.said, now):
            standby.said.forget()

    def _forget_surplus(self) -> None:
        """What goes for want of room would come again after a cut, or be lacking after it."""
        lead, standby = self._streams[self._lead], self._streams[self.standby]
        for stream, shelf in ((lead, lead.said), (standby, standby.held)):
            while len(shelf) > self._options.window:
                self._fit &= stream.passed_by(shelf.forget()) > 0

    def _aged(self, shelf: Shelf[E], now: float) -> bool:
        return now - shelf.oldest.at > self._options.seconds

    def _too_late(self, stream: Stream[E], slot: Slot[E], now: float) -> bool:
        """Whether the old lead has dropped it: clients have seen too much of what follows."""
        passed = stream.passed_by(slot)
        aged = now - slot.at > self._options.seconds
        return passed > self._options.displacement or (aged and passed > 0)


def _other(side: Side) -> Side:
    return Side.CANDIDATE if side is Side.LEGACY else Side.LEGACY
