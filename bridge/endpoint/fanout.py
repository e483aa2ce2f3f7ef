"""One channel's clients and the loop that serves them all: the hot path.

Decides who is sent what and when: a client is an outlet and a place, without task, queue or timer.
Per tick of the event loop, all that is new for the clients at the head is joined once and written
once to each. A client whose outlet is full is passed over and catches up from its own place when
there is room; nobody waits for it. Never encodes and never touches a socket.

There is no splice of history and live: a client that catches up reads the same log from its own
place, up to the head, and only there joins the others.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from itertools import islice

import structlog

from bridge.endpoint.batch import Batch, Form, body
from bridge.endpoint.gateway import RESTARTS
from bridge.endpoint.group import Group, Part, Write
from bridge.endpoint.heartbeat import Heartbeat
from bridge.endpoint.notices import heartbeat_block
from bridge.endpoint.reader import Reader
from bridge.endpoint.service import Service
from bridge.endpoint.wheel import Due
from bridge.history.cursor import Cursor
from bridge.history.log import Gap, Slice
from bridge.hub.channel import Bell, Channel
from bridge.wire.endings import INTERNAL, TRY_LATER, Ending
from bridge.wire.framing import chunk

EVERYTHING = 1 << 20
"""Events that the head takes in one turn: as many as the log's own limit of bytes lets through, so
that a burst that one read of a backend brings never outruns the clients that keep up."""

TOO_SLOW = "too slow: the client stopped reading"
FAULT = "an event could not be delivered"

Make = Callable[[Form], object]

_SSE_FORMS: dict[Form, Callable[[bytes], object]] = {Form.CHUNK: chunk, Form.BLOCKS: body}


class Fanout:
    """The readers of one channel.

    Args:
        service: what all fan-outs share.
        join: joins the channel with the bell that it is given, which is this fan-out.

    Attributes:
        channel: joined for as long as anyone is here.
    """

    def __init__(self, service: Service, join: Callable[[Bell], Channel]) -> None:
        self._service = service
        self._due = self._busy = self._catching = False
        self._heartbeat = Heartbeat(service.wheel, service.options.heartbeat, self._beat)
        self._group, self._quota = Group(), 0  # those at the head; how many of them are to end
        self._apart: dict[Reader, None] = {}  # readers with a place of their own
        self._coming: dict[Reader, None] = {}  # those of them that have their turn soon
        self._early: list[Reader] = []  # readers that are ahead of the head until its next move
        self._opening: list[Callable[[], None]] = []
        self.channel = join(self)
        self._log, self.channel.behind = self.channel.log, self._is_behind
        self._head = Cursor(self._log.epoch, self._log.top)

    def __call__(self) -> None:
        """The channel rings: serve in the next turn, once for all that this one brings."""
        if self._opening and self.channel.ready:
            opening, self._opening = self._opening, []
            for callback in opening:
                callback()
        if not self._due:
            self._due = True
            self._service.call_soon(self._serve)

    # What readers ask for.

    def when_ready(self, callback: Callable[[], None]) -> None:
        """Call once the backend has answered: now, if it has."""
        if self.channel.ready:
            callback()
        else:
            self._opening.append(callback)

    def add(self, reader: Reader) -> None:
        """Serve a reader from its session's place on."""
        self._apart[reader] = None
        self._heartbeat.start()
        self.resume(reader)

    def drop(self, reader: Reader) -> None:
        """Serve a reader no more."""
        self._apart.pop(reader, None)
        self._coming.pop(reader, None)
        self._group.discard(reader)

    def resume(self, reader: Reader) -> None:
        """Bring a reader towards the head, a batch a turn, so that a full outlet is noticed."""
        if reader.held or reader not in self._apart:
            return
        ahead = reader.session.cursor.seq - self._head.seq
        if ahead == 0:
            self._promote(reader)
        elif ahead > 0:
            self._early.append(reader)
            self()
        else:
            self._coming[reader] = None
            self._catch_up_soon()

    def deadline(self, callback: Callable[[], None], at: float | None = None) -> Due:
        """Call at a time of the wheel's clock, or without one after the configured send timeout."""
        wheel, timeout = self._service.wheel, self._service.options.send_timeout
        return wheel.after(timeout, callback) if at is None else wheel.at(at, callback)

    def give_up(self, reader: Reader) -> None:
        """End a reader whose client has not read for too long."""
        self._service.meter.count("slow_clients", wire=reader.session.wire)
        reader.end(self._service.delayed(TRY_LATER), TOO_SLOW)

    def drain(self, most: int) -> int:
        """End so many of those at the head, as soon as they have all; answers how many that is."""
        self._quota = found = min(most, len(self._group))
        self._end_if_due()
        return found

    def close(self) -> None:
        """Stop beating; nobody is here any more."""
        self._heartbeat.close()

    # Readers that are not at the head.

    def _promote(self, reader: Reader) -> None:
        del self._apart[reader]
        self._group.add(reader)
        self._end_if_due()

    def _catch_up_soon(self) -> None:
        if not self._catching:
            self._catching = True
            self._service.call_soon(self._catch_up)

    def _catch_up(self) -> None:
        """A batch for each of some; whoever needs more queues again, behind the others."""
        self._catching = False
        for reader in tuple(islice(self._coming, self._service.slice)):
            self._coming.pop(reader, None)
            if reader in self._apart and not reader.held:
                self._advance(reader)
                self.resume(reader)
        if self._coming:
            self._catch_up_soon()

    def _advance(self, reader: Reader) -> None:
        behind = self._head.seq - reader.session.cursor.seq
        found = self._log.read(reader.session.cursor, min(behind, self._service.options.batch))
        try:
            self._tell(reader, found)
        except Exception:  # noqa: BLE001 - whatever a mapping or a server may raise
            self._fail((reader,))

    def _tell(self, reader: Reader, found: Slice | Gap) -> None:
        session = reader.session
        if isinstance(found, Gap):
            self._service.meter.count("gaps_told", wire=session.wire)
            reader.outlet.gap(found)
            session.move(found.new)
            return
        reader.outlet.write(self._batch(found).form(reader.form))
        session.move(found.cursor)
        self._service.meter.count("events_delivered", len(found.entries), wire=session.wire)

    # All that are.

    def _serve(self) -> None:
        self._due = False
        if self._busy:
            return  # the turn that ends the present fan-out looks again
        found = self._log.read(self._head, EVERYTHING)
        if isinstance(found, Gap):
            self._scatter(found)
        elif found.entries:
            start, self._head = self._head, found.cursor
            self._begin(self._batch(found).form, start, len(found.entries))
        else:
            self._settle()

    def _begin(self, make: Make, start: Cursor, events: int) -> None:
        """Write to all at the head now; who comes there meanwhile has the batch already."""
        self._busy = True
        self._heartbeat.said()
        self._turn(self._group.parts(self._service.slice), make, start, events)

    def _turn(self, parts: deque[Part], make: Make, start: Cursor, events: int) -> None:
        """About one slice; what is left in the event loop's next turn."""
        room = self._service.slice
        while parts and room > 0:
            form, targets = parts.popleft()
            room -= len(targets)
            try:
                made = make(form)
            except Exception:  # noqa: BLE001 - a mapping of the user's own may raise anything
                self._fail([reader for reader, _ in targets])
                continue
            written = self._write(targets, made, start) if made is not None else 0
            if events and written:
                self._count(form, events * written)
        if parts:
            self._service.call_soon(self._turn, parts, make, start, events)
            return
        self._busy = False
        self._settle()

    def _write(self, some: Sequence[tuple[Reader, Write]], made: object, start: Cursor) -> int:
        """One slice; gives to how many."""
        passed_over = 0
        for reader, write in some:
            if reader.held:
                self._set_aside(reader, start)
                passed_over += 1
                continue
            try:
                write(made)
            except Exception:  # noqa: BLE001 - one client costs no other its events
                self._fail((reader,))
        return len(some) - passed_over

    def _is_behind(self) -> bool:
        return self._busy or self._log.top > self._head.seq

    def _set_aside(self, reader: Reader, place: Cursor) -> None:
        """A reader that cannot take what comes after `place` keeps that place for itself."""
        if self._group.discard(reader):
            reader.session.move(place)
            self._apart[reader] = None

    def _scatter(self, gap: Gap) -> None:
        """The log has moved on beyond the head: each reader is told of the hole by itself."""
        start, self._head = self._head, gap.new
        for reader in tuple(self._group):
            self._set_aside(reader, start)
            self.resume(reader)
        self._settle()

    def _settle(self) -> None:
        """After the head has moved: those who waited for it, what came since, and the end."""
        early, self._early = self._early, []
        for reader in early:
            self.resume(reader)
        if self._log.top > self._head.seq:
            self()
        else:
            self._end_if_due()

    def _end_if_due(self) -> None:
        """End all at the head, a slice a turn, or of a draining bridge's as many as are due."""
        hub, channel = self._service.hub, self.channel
        ending, most = hub.draining or channel.ending, self._service.slice
        if hub.draining and not (hub.emptying or channel.ending):
            most = min(most, self._quota)
        if ending is None or not most or self._is_behind():
            return
        self._quota = max(self._quota - most, 0)
        reason = RESTARTS if hub.draining else channel.reason
        some = tuple(islice(self._group, most))
        for reader in some:
            self._end(reader, ending, reason)
        if len(some) == self._service.slice:
            self._service.call_soon(self._end_if_due)

    def _end(self, reader: Reader, ending: Ending, reason: str) -> None:
        try:
            reader.end(self._service.delayed(ending), reason)
        except Exception:  # noqa: BLE001 - its deadline drops it, and the others end as well
            structlog.get_logger().exception("a client could not be told the end")

    def _fail(self, readers: Iterable[Reader]) -> None:
        """End those to whom something cannot be delivered: never a hole that nobody tells of."""
        structlog.get_logger().exception("an event could not be delivered")
        for reader in readers:
            self._end(reader, INTERNAL, FAULT)

    def _beat(self) -> None:
        if self._busy:  # something is being said
            return
        block = heartbeat_block(self._head)
        self._begin({form: framed(block) for form, framed in _SSE_FORMS.items()}.get, self._head, 0)

    def _batch(self, found: Slice) -> Batch:
        return Batch(self.channel.key.name, found.entries, found.cursor, self._service.outgoing)

    def _count(self, form: Form, deliveries: int) -> None:
        wire = "sse" if form in _SSE_FORMS else "ws"
        self._service.meter.count("events_delivered", deliveries, wire=wire)
