"""Keeps one channel's upstream running: opens it, and opens it again, until it is done for good.

Decides when to try again, which fallback to try, and what reaches the channel in which order; what
a reconnect cost is `bridge.upstream.continuity`'s verdict, and how long to wait
`bridge.upstream.backoff`'s. Never parses what a backend says. Log lines name the channel and never
a URL or a header, which may hold secrets.
"""

from __future__ import annotations

import asyncio
import random as randomness
import time
from collections.abc import Awaitable, Callable, Iterable, Sequence

import orjson
import structlog

from bridge.seams import Downstream, Got, Lost, Meter, Opened, Upstream
from bridge.upstream.backoff import Backoff
from bridge.upstream.continuity import Continuity, Missing
from bridge.upstream.signals import pushed
from bridge.wire import endings
from bridge.wire.endings import Ending
from bridge.wire.event import Event
from bridge.wire.frame import Frame

TOLD = "announced"
"""Reason of a gap that the backend itself tells of; the others are those of `Missing`."""

_log: structlog.typing.FilteringBoundLogger = structlog.get_logger("bridge.upstream")


class Supervisor:
    """The running upstream of one channel (`bridge.seams.Lead`).

    Args:
        upstream: the backend's stream.
        downstream: the channel.
        continuity: the account over all connections.
        backoff: the delays.
        meter: counts openings, losses, faults and repetitions.
        name: the channel, for the log.
        random: uniform in [0, 1).
        sleep: waits for some seconds.
        clock: monotonic, in seconds.
        send_wait: for how many seconds a client's frame waits for a connection in the making.
        fallbacks: tried in order where the upstream says `NOT_FOUND` before it said anything else.
    """

    def __init__(
        self,
        upstream: Upstream,
        downstream: Downstream,
        continuity: Continuity,
        backoff: Backoff,
        *,
        meter: Meter,
        name: str,
        random: Callable[[], float] = randomness.random,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
        clock: Callable[[], float] = time.monotonic,
        send_wait: float = 10.0,
        fallbacks: Sequence[Upstream] = (),
    ) -> None:
        self._upstream, self._downstream = upstream, downstream
        self._continuity, self._backoff = continuity, backoff
        self._meter, self._name = meter, name
        self._random, self._sleep, self._clock = random, sleep, clock
        self._send_wait = send_wait
        self._candidates = (upstream, *fallbacks)
        self._remaining = list(fallbacks)
        self._wanted = False
        self._tasks: set[asyncio.Task[None]] = set()
        # An upstream has one connection at a time: a new run waits until the last one is closed.
        self._turn = asyncio.Lock()
        self._live = asyncio.Event()
        self._last_id: str | None = None
        # Whether any backend ever said anything but a refusal, and whether this connection
        # brought news.
        self._heard = False
        self._delivered = False
        self._opened_at: float | None = None

    @property
    def resumable(self) -> bool:
        """Whether a later `start` could turn out whole: there is a place, and ids that prove it."""
        return bool(self._last_id) and self._continuity.provable

    @property
    def can_send(self) -> bool:
        """Whether the backend takes clients' frames at all."""
        return bool(getattr(self._upstream, "can_send", True))

    def mark(self) -> str:
        """What `recall` goes on by: one JSON object. It fits all that was published so far."""
        place = {"kind": self._upstream.kind, "id": self._last_id}
        return orjson.dumps(place | self._continuity.saved()).decode()

    def recall(self, mark: str, delivered: Iterable[Event]) -> None:
        """Go on where an earlier process stopped, before the first `start`.

        A place in a backend of another kind is none in this one.

        Args:
            mark: what its supervisor gave; empty where it gave none.
            delivered: what it delivered last, oldest first.
        """
        saved = orjson.loads(mark or "{}")
        same = saved.get("kind") == self._upstream.kind
        self._last_id = saved.get("id") if same else None
        self._continuity.recall(saved if same else {}, delivered)

    def start(self) -> None:
        """See `bridge.seams.Lead.start`; does nothing while it runs."""
        if self._wanted and self._tasks:
            return
        self._wanted = True
        task = asyncio.get_running_loop().create_task(self._run(), name=f"upstream {self._name}")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def stop(self) -> None:
        """See `bridge.seams.Lead.stop`; `wait_closed` waits until the connection is closed."""
        self._wanted = False
        self._live.clear()
        for task in self._tasks:
            task.cancel()

    async def wait_closed(self) -> None:
        """Return once the upstream has ended or, after `stop`, is closed."""
        if self._tasks:
            await asyncio.wait(self._tasks)

    async def send(self, frame: Frame) -> Ending | None:
        """Carry a client's frame to the backend, at most once.

        `UNSUPPORTED` where the backend takes none; `TRY_LATER` where no connection is being made,
        or none within `send_wait` seconds.
        """
        if not self.can_send:
            return endings.UNSUPPORTED
        if not self._wanted:
            return endings.TRY_LATER
        try:
            async with asyncio.timeout(self._send_wait):
                await self._live.wait()
        except TimeoutError:
            return endings.TRY_LATER
        return await self._upstream.send(frame)

    async def _run(self) -> None:
        async with self._turn:
            try:
                while (lost := await self._attempt()).ending.reconnect or self._fall_back(lost):
                    self._closed(lost)
                    if lost.ending.reconnect:
                        await self._pause(lost)
                self._end(lost)
            finally:
                self._closed()

    async def _attempt(self) -> Lost:
        """One connection, from its opening to its loss."""
        try:
            return await pushed(self._upstream, self._last_id, self)
        except Exception:  # noqa: BLE001 - whatever fails, the channel has to go on
            _log.exception("an upstream failed unexpectedly", channel=self._name)
            self._meter.count("upstream_faults", kind=self._upstream.kind)
            self._continuity.lost(unsure=True)
        return Lost(endings.INTERNAL, "the upstream failed unexpectedly")

    # What the upstream tells (`bridge.seams.Sink`).

    def take(self, signal: Opened | Got) -> None:
        """Pass on what is new of what a read brought, and remember the place."""
        if isinstance(signal, Opened):
            self._opened()
            return
        self._heard = True
        if signal.missed is not None:
            self._continuity.told()
            self._downstream.gap(TOLD, signal.missed if signal.missed >= 0 else None)
        events = signal.events
        news = self._continuity.admit(events)
        if news is events:
            self._pass_on(events)
        elif repeated := len(events) - self._publish(news):
            self._meter.count("upstream_repetitions", repeated, kind=self._upstream.kind)
        if signal.last_id is not None:
            self._last_id = signal.last_id or None  # the empty id is none (HTML Standard 9.2.6)

    @property
    def has_room(self) -> bool:
        """Whether those who read the channel have what was published."""
        return bool(getattr(self._downstream, "has_room", True))

    def _opened(self) -> None:
        resumed, kind = self._last_id is not None, self._upstream.kind
        _log.info("upstream open", channel=self._name, kind=kind, resumed=resumed)
        self._meter.count("upstream_opened", kind=kind)
        self._opened_at, self._delivered = self._clock(), False
        self._downstream.opened()
        self._tell(self._continuity.opened(resumed=resumed))
        self._live.set()

    def _publish(self, news: Sequence[Event | Missing]) -> int:
        """Pass on what is new, each run of events as one batch; gives how many events."""
        batch: list[Event] = []
        published = 0
        for each in news:
            if isinstance(each, Missing):
                published += self._pass_on(batch)
                batch = []
                self._tell(each)
            else:
                batch.append(each)
        return published + self._pass_on(batch)

    def _pass_on(self, batch: Sequence[Event]) -> int:
        if batch:
            self._downstream.publish(batch)
            self._delivered = True
        return len(batch)

    def _tell(self, hole: Missing | None) -> None:
        if hole is not None:
            self._downstream.gap(hole.reason, hole.lost)

    def _closed(self, lost: Lost | None = None) -> None:
        """Take note that no connection is open; harmless where none was."""
        self._live.clear()
        self._continuity.lost()
        if lost is not None:
            self._count_loss(lost)
        if self._opened_at is not None:
            lived = self._clock() - self._opened_at
            self._backoff.closed(delivered=self._delivered, lived=lived)
            self._opened_at = None

    def _count_loss(self, lost: Lost) -> None:
        # Applications' own close codes are a thousand: too many for a label.
        name = "close" if lost.ending.name.startswith("close-") else lost.ending.name
        self._meter.count("upstream_lost", kind=self._upstream.kind, ending=name)

    async def _pause(self, lost: Lost) -> None:
        delay = self._backoff.next(lost.retry, self._random())
        _log.warning(
            "upstream lost",
            channel=self._name,
            kind=self._upstream.kind,
            reason=lost.reason or lost.ending.name,
            delay=round(delay, 3),
        )
        await self._sleep(delay)

    def _fall_back(self, lost: Lost) -> bool:
        """Whether there is another name under which the backend may know this channel."""
        unknown = lost.ending.name == endings.NOT_FOUND.name and not self._heard
        if not unknown or not self._remaining:
            return False
        self._upstream = self._remaining.pop(0)
        _log.info("upstream not found, trying its fallback", channel=self._name)
        return True

    def _end(self, lost: Lost) -> None:
        _log.warning(
            "upstream ended",
            channel=self._name,
            kind=self._upstream.kind,
            ending=lost.ending.name,
            reason=lost.reason,
        )
        self._count_loss(lost)
        self._wanted = False
        self._live.clear()
        if not self._heard:  # a later start asks under each name again
            self._upstream, *self._remaining = self._candidates
        self._tell(self._continuity.ended(resumed=self._last_id is not None))
        self._downstream.ended(lost.ending, lost.reason)
