"""What the bytes of one SSE connection mean to the channel.

Decides which blocks are events, which are life signs, and what an event's own id is; opens and
times nothing.

A block without an `id:` field of its own still has the last one's id (HTML Standard 9.2.6,
dispatch). Such an id must not make it look like a repetition, so an event gets an id only where it
differs from that of the block before it on this connection.

What reads as a `bridge.*` event comes from a backend that is itself this bridge: heartbeats are
dropped, holes, ends and binary messages are taken for what they are.
"""

from __future__ import annotations

import binascii
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any

from bridge.errors import EventTooLarge
from bridge.seams import Got, Lost, Signal
from bridge.upstream.failure import brief, oversized
from bridge.wire import endings
from bridge.wire.event import BINARY, END, GAP, PING, Event
from bridge.wire.frame import Frame
from bridge.wire.sse import Decoder, ServerSentEvent


class Reading:
    """What the bytes of one connection say, as signals. Pure but for the clock it is given.

    Args:
        resume: the id that the request named.
        clock: monotonic, in seconds; asked once for each chunk.
        max_event_bytes: the largest event.
        heartbeats: names of events that are life signs only.
    """

    def __init__(
        self,
        resume: str | None,
        clock: Callable[[], float],
        *,
        max_event_bytes: int,
        heartbeats: Iterable[str] = (),
    ) -> None:
        self._limit = max_event_bytes
        self._decoder = Decoder(max_event_bytes)
        self._dropped = frozenset({PING, *heartbeats})
        self._clock = clock
        self._place = resume
        self._id = ""
        self._signals: list[Signal] = []
        self._batch: list[Event] = []
        self._missed: int | None = None

    @property
    def retry(self) -> int | None:
        """The reconnection time that this stream asked for, in milliseconds."""
        return self._decoder.retry

    def take(self, chunk: bytes) -> list[Signal]:
        """The signals of one read: one `Got`, more where the backend tells of holes.

        The last one is a `Lost` where the backend said its farewell or broke the size limit.
        """
        self._signals, at = [], self._clock()
        try:
            events = self._decoder.feed(chunk)
        except EventTooLarge as fault:
            return _give_up(fault)
        for event in self._placed(events) if self._decoder.bare else events:
            kind, told = event.event, event.id
            if kind == "message" and self._missed is None:  # as `_sort`: nearly always
                own = told if told != self._id else ""
                self._batch.append(Event(event.data, kind, "", "sse", at, own))
                if own or not told:
                    self._see(told)
                continue
            if kind == END:
                self._flush()
                return [*self._signals, farewell(event.data)]
            self._sort(event, at)
        self._see(self._decoder.last_event_id)
        self._flush()
        return self._signals + self._breach() if len(chunk) > self._limit else self._signals

    def _placed(self, events: Sequence[ServerSentEvent]) -> Iterator[ServerSentEvent]:
        """The events, each when the ids that stood alone before it have been seen."""
        begin = 0
        for end, told in self._decoder.bare:
            yield from events[begin:end]
            begin = end
            self._see(told)
        yield from events[begin:]

    def _breach(self) -> list[Signal]:
        """What the decoder kept back where events preceded a breach of the limit in one chunk."""
        try:
            self._decoder.feed(b"")
        except EventTooLarge as fault:
            return _give_up(fault)
        return []

    def _sort(self, event: ServerSentEvent, at: float) -> None:
        own = event.id if event.id != self._id else ""
        if event.event == GAP:
            if self._batch or self._missed is not None:
                self._flush()
            self._missed = _lost(event.data)
        elif event.event not in self._dropped:
            self._batch.append(_event(event, own, at))
        self._see(event.id)

    def _see(self, last_id: str) -> None:
        # Without any id on this connection, the place is still that of the earlier one.
        if last_id != self._id:
            self._id = self._place = last_id

    def _flush(self) -> None:
        self._signals.append(Got(tuple(self._batch), self._place, self._missed))
        self._batch, self._missed = [], None


def _give_up(fault: EventTooLarge) -> list[Signal]:
    # With its place kept, the backend would send the same event again, for ever.
    return [Got(last_id=""), oversized(str(fault))]


def farewell(data: str) -> Lost:
    """What a `bridge.end` event says: `code`, `reason`, `reconnect` and `delay` in ms."""
    said = _members(data)
    ending = endings.for_name(str(said.get("code", "")))
    reconnect, delay = said.get("reconnect"), said.get("delay")
    if isinstance(reconnect, bool):
        ending = replace(ending, reconnect=reconnect)
    retry = delay if isinstance(delay, int) and delay >= 0 else None
    return Lost(ending, brief(str(said.get("reason") or ending.name)), retry)


def _lost(data: str) -> int:
    """How many events a `bridge.gap` names, -1 where it does not know."""
    lost = _members(data).get("lost")
    return lost if isinstance(lost, int) and lost >= 0 else -1


def _members(data: str) -> dict[str, Any]:
    said = Frame(data).parse()
    return said if isinstance(said, dict) else {}


def _event(event: ServerSentEvent, own: str, at: float) -> Event:
    if event.event == BINARY:
        try:
            raw = binascii.a2b_base64(event.data, strict_mode=True)
        except (binascii.Error, ValueError):  # ValueError: characters outside ASCII
            pass  # no such encoding: then it is text that has this name
        else:
            return Event(raw, origin="sse", at=at, id=own)
    return Event(event.data, event.event, origin="sse", at=at, id=own)
