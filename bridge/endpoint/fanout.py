"""One channel's clients and the loop that serves them all: the hot path.

Decides who is sent what and when: a client is an outlet and a place, with no task, queue or timer
of its own. Per tick of the event loop, all that is new for the clients at the head is joined once
and written once to each. A client whose outlet is full is passed over and catches up from its own
place when there is room; nobody waits for it. Never encodes and never touches a socket.

There is no splice of history and live: a client that catches up reads the same log from its own
place, up to the head, and only there joins the others.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import structlog

from bridge.endpoint.batch import Batch, Form, body
from bridge.endpoint.gateway import RESTARTS
from bridge.endpoint.notices import heartbeat_block
from bridge.endpoint.reader import Reader
from bridge.endpoint.service import Service
from bridge.endpoint.wheel import Due
from bridge.history.cursor import Cursor
from bridge.history.log import Gap, Slice
from bridge.hub.channel import Bell, Channel, ChannelKey
from bridge.wire.framing import chunk

SLICE = 256
"""Clients that are written to in one turn, so that a large fan-out never starves a handshake."""

EVERYTHING = 1 << 20
"""Events that the head takes in one turn: as many as the log's own limit of bytes lets through, so
that a burst that one read of a backend brings never outruns the clients that keep up."""

_SSE_FORMS: dict[Form, Callable[[bytes], object]] = {Form.CHUNK: chunk, Form.BLOCKS: body}


_log: structlog.typing.FilteringBoundLogger = structlog.get_logger("bridge.fanout")


class Fanout:
    """The readers of one channel.

    Args:
        service: what all fan-outs share.
        join: joins the channel with the bell that it is given, which is this fan-out.

    Attributes:
        channel: joined for as long as anyone is here.
    """

    __slots__ = (
        "_apart",
        "_beat",
        "_busy",
        "_due",
        "_early",
        "_groups",
        "_head",
        "_log",
        "_opening",
        "_said_at",
        "_service",
        "channel",
    )

    def __init__(self, service: Service, join: Callable[[Bell], Channel]) -> None:
        self._service = service
        self._due = self._busy = False
        self._beat: Due | None = None
        self._said_at = service.clock()
        self._groups: dict[Form, dict[Reader, Callable[[object], None]]] = {}
        self._apart: dict[Reader, None] = {}  # readers with a place of their own
        self._opening: list[Callable[[], None]] = []
        self._early: list[Reader] = []  # readers that are ahead of the head until its next move
        self.channel = join(self)
        self._log = self.channel.log
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
        if self._beat is None:
            self._beat = self._service.wheel.after(self._service.options.heartbeat, self._on_beat)
        self.resume(reader)

    def drop(self, reader: Reader) -> None:
        """Serve a reader no more."""
        self._apart.pop(reader, None)
        self._groups.get(reader.form, {}).pop(reader, None)

    def resume(self, reader: Reader) -> None:
        """Bring a reader towards the head, a batch a turn, so that a full outlet is noticed."""
        if reader.held or reader not in self._apart:
            return
        ahead = reader.session.cursor.seq - self._head.seq
        if ahead > 0:
            self._early.append(reader)
            self()
        elif ahead == 0:
            self._promote(reader)
        else:
            self._advance(reader, -ahead)
            self._service.call_soon(self.resume, reader)

    def deadline(self, callback: Callable[[], None]) -> Due:
        """Call after the configured send timeout."""
        return self._service.wheel.after(self._service.options.send_timeout, callback)

    def count_slow(self, reader: Reader) -> None:
        """Count a client that is ended for its slowness."""
        self._service.meter.count("slow_clients", wire=reader.session.wire)

    def close(self) -> None:
        """Stop beating; nobody is here any more."""
        if self._beat:
            self._beat.cancel()

    # One reader that is not at the head.

    def _promote(self, reader: Reader) -> None:
        del self._apart[reader]
        self._groups.setdefault(reader.form, {})[reader] = reader.outlet.write
        self._end_if_due()

    def _advance(self, reader: Reader, behind: int) -> None:
        session, limit = reader.session, min(behind, self._service.options.batch)
        found = self._log.read(session.cursor, limit)
        if isinstance(found, Gap):
            self._service.meter.count("gaps_told", wire=session.wire)
            reader.outlet.gap(found)
            session.move(found.new)
            return
        batch = self._batch(found)
        reader.outlet.write(batch.form(reader.form))
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
            self._busy = True
            start, self._head = self._head, found.cursor
            self._turn(self._writing(self._batch(found), start))
        else:
            self._settle()

    def _turn(self, writing: Iterator[None]) -> None:
        """One slice; the next one in the event loop's next turn."""
        try:
            next(writing)
        except StopIteration:
            self._busy = False
            self._settle()
        else:
            self._service.call_soon(self._turn, writing)

    def _writing(self, batch: Batch, start: Cursor) -> Iterator[None]:
        """Write to all who are at the head when it begins; yields between two slices."""
        self._said_at = self._service.clock()
        for form, group in tuple(self._groups.items()):
            targets = tuple(group.items())
            made = batch.form(form) if targets else b""
            for at in range(0, len(targets), SLICE):
                if at:
                    yield
                some = targets[at : at + SLICE]
                for reader, write in some:
                    if reader.held:
                        self._set_aside(reader, start)
                        continue
                    try:
                        write(made)
                    except Exception:  # noqa: BLE001 - one client's fault is not the others'
                        self._fail(reader)
                self._count(form, len(batch.entries) * len(some))

    def _fail(self, reader: Reader) -> None:
        """A wire that cannot even be written to ends; the client may come back by its place."""
        _log.exception("a client's wire failed", channel=str(self.channel.key))
        reader.outlet.abort()

    def _set_aside(self, reader: Reader, place: Cursor) -> None:
        """A reader that cannot take what comes after `place` keeps that place for itself."""
        if self._groups[reader.form].pop(reader, None):
            reader.session.move(place)
            self._apart[reader] = None

    def _scatter(self, gap: Gap) -> None:
        """The log has moved on beyond the head: each reader is told of the hole by itself."""
        start, self._head = self._head, gap.new
        for group in self._groups.values():
            for reader in tuple(group):
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
        hub, channel = self._service.hub, self.channel
        ending = hub.draining or channel.ending
        if ending is None or self._busy or self._log.top > self._head.seq:
            return
        reason = RESTARTS if hub.draining else channel.reason
        for group in self._groups.values():
            for reader in tuple(group):
                reader.end(self._service.delayed(ending), reason)

    def _on_beat(self) -> None:
        heartbeat = self._service.options.heartbeat
        idle = self._service.clock() - self._said_at
        if idle >= heartbeat:
            self._beat_once()
            idle = 0.0
        self._beat = self._service.wheel.after(heartbeat - idle, self._on_beat)

    def _beat_once(self) -> None:
        self._said_at = self._service.clock()
        block = heartbeat_block(self._head)
        for form, framed in _SSE_FORMS.items():
            made = framed(block)
            for reader, write in tuple(self._groups.get(form, {}).items()):
                if not reader.held:
                    write(made)

    def _batch(self, found: Slice) -> Batch:
        name = self.channel.key.name
        return Batch(name, found.entries, found.cursor, self._service.outgoing)

    def _count(self, form: Form, deliveries: int) -> None:
        wire = "sse" if form in _SSE_FORMS else "ws"
        self._service.meter.count("events_delivered", deliveries, wire=wire)


class Fanouts:
    """The fan-outs of one bridge, each open for as long as somebody holds it.

    Args:
        service: what they share.
    """

    def __init__(self, service: Service) -> None:
        self.service = service
        self._open: dict[ChannelKey, Fanout] = {}

    def join(self, key: ChannelKey) -> Fanout:
        """The fan-out of a channel, which is opened where need be. Goes with one `leave`."""
        fanout, hub = self._open.get(key), self.service.hub
        if fanout is None:
            fanout = self._open[key] = Fanout(self.service, lambda bell: hub.join(key, bell))
        else:
            hub.join(key, fanout)
        return fanout

    def leave(self, fanout: Fanout) -> None:
        """Hold a fan-out no more."""
        channel = fanout.channel
        self.service.hub.leave(channel, fanout)
        if not channel.has(fanout):
            fanout.close()
            del self._open[channel.key]
