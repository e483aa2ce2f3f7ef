"""What a reconnect cost: whether events are missing, and which come a second time.

Decides from the events' ids and the configured `replay` alone; never connects and never waits.
An unbroken stream passes unchanged: nothing is dropped from it and no hole is seen in it.

`replay` says what the backend does after a reconnect:

- `none`: it goes on with whatever comes next. Every reconnect is a hole of unknown size.
- `trusted`: it continues after `Last-Event-ID`. A reconnect that carried one is whole unless the
  backend itself says otherwise.
- `auto`: the ids tell, where they can. Where every event so far had an id that ends in an integer,
  all with one prefix, and each id of an unbroken stream was its predecessor plus one (at least
  `MIN_STEPS` times), the first new id after a reconnect proves what is missing: the next number
  is nothing, a larger one is an exact count. Otherwise each reconnect is announced as a possible
  hole at once.

After a reconnect, and only until the first event that is new, an event is a repetition where its
id and its data are those of an event delivered before (of the last `memory` that had ids); it is
dropped. Ids that named two different deliveries of one unbroken stream name nothing: then nothing
is ever dropped. An overlap longer than the memory counts as a restarted numbering.
"""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any

from bridge.upstream.target import Replay
from bridge.wire.event import Event

MIN_STEPS = 2
"""Steps of exactly one that make a numbering dense: three ids in a row."""

_NUMBERED = re.compile(r"((?:.*[-_./#])?)([0-9]{1,18})", re.ASCII | re.DOTALL)


@dataclass(frozen=True, slots=True)
class Missing:
    """A hole, in the place of what is missing.

    Attributes:
        reason: `reconnected` (something may be missing), `skipped` (ids were left out) or
            `renumbered` (the backend's ids began anew).
        lost: how many events, None where that is unknown.
    """

    reason: str
    lost: int | None = None


@dataclass(slots=True)
class _Numbering:
    """Whether ids count events, and up to which number they have."""

    prefix: str = ""
    last: int | None = None
    steps: int = 0
    opaque: bool = False
    expected: str = ""  # the next id, as it is usually written

    @property
    def dense(self) -> bool:
        return not self.opaque and self.steps >= MIN_STEPS

    def follow(self, identity: str) -> None:
        """Take the next id of an unbroken stream as evidence."""
        if self.opaque:
            return
        if self.last is not None and identity == self.expected:  # as below, without a look inside
            self.steps += 1
            self.last += 1
            self.expected = f"{self.prefix}{self.last + 1}"
            return
        place = _NUMBERED.fullmatch(identity)
        if place is None:
            self.opaque = True
            return
        number = int(place[2])
        if self.last is not None:
            self.steps += 1
            self.opaque = place[1] != self.prefix or number != self.last + 1
        self.prefix, self.last = place[1], number
        self.expected = f"{self.prefix}{number + 1}"

    def join(self, identity: str) -> None:
        """Take the first id after a break, which is no evidence of either kind."""
        if self.skipped(identity) is None:
            self.steps = 0
        self.last = None
        self.follow(identity)

    def skipped(self, identity: str) -> int | None:
        """How many numbers lie between the last id and this one; None where it is not ahead."""
        place = _NUMBERED.fullmatch(identity)
        if place is None or self.last is None or place[1] != self.prefix:
            return None
        skipped = int(place[2]) - self.last - 1
        return skipped if skipped >= 0 else None


class Continuity:
    """The account of one upstream, over all its connections.

    Args:
        replay: what the backend does after a reconnect.
        memory: how many delivered events are remembered for telling repetitions.
    """

    def __init__(self, replay: Replay = "auto", *, memory: int = 1024) -> None:
        self._replay = replay
        self._memory = memory
        self._numbering = _Numbering()
        self._delivered: OrderedDict[str, int] = OrderedDict()
        self._ambiguous = False
        self._met = False
        self._reading = False
        self._unsure = False
        # A break whose hole is neither announced nor disproved.
        self._open_break = False
        # From a reopening until the first new event: repetitions are possible.
        self._overlapping = False
        # The next event's id is no evidence, since a break or a told hole lies before it.
        self._joining = False

    @property
    def provable(self) -> bool:
        """Whether a later reconnect with the last id could turn out whole."""
        return self._replay == "trusted" or (self._replay == "auto" and self._numbering.dense)

    def opened(self, *, resumed: bool) -> Missing | None:
        """The upstream is open. Gives the hole that is to be announced at once, if one is.

        Args:
            resumed: whether the request named the last id.
        """
        again, self._met, self._reading = self._met, True, True
        self._overlapping = self._joining = again
        if self._open_break and not self._may_be_whole(resumed):
            self._settle()
            return Missing("reconnected")
        if self._replay == "trusted":
            self._settle()
        return None

    def told(self) -> None:
        """The upstream itself announced a hole here, so none is announced twice."""
        self._settle()
        self._joining = True

    def admit(self, events: Sequence[Event]) -> Sequence[Event | Missing]:
        """What of a batch is new, in order, with each hole in its place.

        Where nothing can be missing or come twice, which is nearly always, that is `events` itself.
        """
        if not (self._overlapping or self._open_break or self._joining):
            self._follow(events)
            return events
        news: list[Event | Missing] = []
        for event in events:
            if self._overlapping and self._is_repetition(event):
                continue
            if self._open_break and (hole := self._judge(event)):
                news.append(hole)
            self._note(event)
            news.append(event)
        return news

    def _follow(self, events: Sequence[Event]) -> None:
        """As `_note` of each, in an unbroken stream."""
        numbering, remembers = self._numbering, self._replay != "none"
        for event in events:
            if not numbering.opaque:
                numbering.follow(event.id)
            if event.id and remembers and not self._ambiguous:
                self._remember(event)

    def lost(self, *, unsure: bool = False) -> None:
        """The connection is over; does nothing where none was open.

        Args:
            unsure: admitted events may not have been delivered, whatever their ids prove.
        """
        if not self._reading:
            return
        self._reading, self._open_break = False, True
        if unsure:
            self._unsure = True
            self._delivered.clear()

    def ended(self, *, resumed: bool) -> Missing | None:
        """The backend is done for good, in place of `lost`.

        Gives the hole before the end that nothing disproved. Reading on later is a reconnect.

        Args:
            resumed: whether the last request named the last id.
        """
        trusted = self._replay == "trusted" and self._may_be_whole(resumed)
        hole = Missing("reconnected") if self._open_break and not trusted else None
        self._reading, self._unsure, self._open_break = False, False, self._met
        return hole

    def saved(self) -> dict[str, Any]:
        """What a later process goes on by: plain values, for JSON."""
        unsure = self._unsure and self._open_break
        return asdict(self._numbering) | {"ambiguous": self._ambiguous, "unsure": unsure}

    def recall(self, saved: Mapping[str, Any], delivered: Iterable[Event]) -> None:
        """Go on after an earlier process, before anything is opened; since then was a break.

        Args:
            saved: what it saved, empty where it could not.
            delivered: what it delivered last, oldest first.
        """
        known = {each.name for each in fields(_Numbering)}
        self._numbering = _Numbering(**{name: saved[name] for name in known & saved.keys()})
        self._met = self._open_break = True
        self._unsure = bool(saved.get("unsure"))
        for event in delivered:
            if event.id and self._replay != "none" and not self._ambiguous:
                self._remember(event)
        self._ambiguous = self._ambiguous or bool(saved.get("ambiguous"))

    def _may_be_whole(self, resumed: bool) -> bool:
        if self._unsure:
            return False
        return resumed if self._replay == "trusted" else self.provable

    def _settle(self) -> None:
        self._open_break = self._unsure = False

    def _judge(self, event: Event) -> Missing | None:
        """Settle an open break by the first event that is new."""
        self._settle()
        skipped = self._numbering.skipped(event.id)
        if skipped is None:
            self._delivered.clear()
            return Missing("renumbered" if event.id else "reconnected")
        return Missing("skipped", skipped) if skipped else None

    def _is_repetition(self, event: Event) -> bool:
        if not event.id or self._ambiguous:
            return False
        return self._delivered.get(event.id) == _digest(event)

    def _note(self, event: Event) -> None:
        """Remember an event that is delivered now."""
        if self._overlapping and event.id:
            self._overlapping = False
            if event.id in self._delivered:  # with other data: the ids began anew
                self._delivered.clear()
        if self._joining:
            self._numbering.join(event.id)
            self._joining = False
        else:
            self._numbering.follow(event.id)
        if event.id and self._replay != "none" and not self._ambiguous:
            self._remember(event)

    def _remember(self, event: Event) -> None:
        delivered, identity = self._delivered, event.id
        if identity in delivered:
            self._ambiguous = True
            delivered.clear()
            return
        delivered[identity] = hash((event.type, event.data))  # as `_digest`
        if len(delivered) > self._memory:
            delivered.popitem(last=False)


def _digest(event: Event) -> int:
    """Of what was said, by the built-in hash: keyed, 64 bits, and never out of the process."""
    return hash((event.type, event.data))
