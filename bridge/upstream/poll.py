"""Asking a backend for a result again and again, as the last resort where a stream stays silent.

Does the asking (`PollUpstream`) and begins it for one channel once nobody has told a result for a
while (`LastResort`). Decides neither when to ask again (`poll_plan` does) nor whether a result is
already known (the completion latch does).
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import aclosing

import aiohttp

from bridge.seams import Got, Lost, Meter, Opened, Signal, Unmetered
from bridge.upstream.answer import Answer, ask, message
from bridge.upstream.poll_plan import PollOptions, PollPlan, Stop, Wait, judge, poll_for
from bridge.wire.endings import COMPLETE, UNSUPPORTED, Ending
from bridge.wire.event import Event
from bridge.wire.frame import Frame
from bridge.wire.names import ChannelName, expand

__all__ = ["LastResort", "PollOptions", "PollUpstream", "poll_for"]

Clock = Callable[[], float]
Sleep = Callable[[float], Awaitable[object]]


class PollUpstream:
    """A backend's state, asked for until it holds a result. Implements `bridge.seams.Upstream`.

    Args:
        options: what to ask and when.
        name: the channel that the answers belong to.
        session: the HTTP client; stays its owner's.
        clock: seconds, monotonic.
        sleep: waits so many seconds.
        meter: counts `polls` by `outcome` (a verdict's name).
    """

    kind = "poll"

    def __init__(
        self,
        options: PollOptions,
        name: ChannelName,
        session: aiohttp.ClientSession,
        *,
        clock: Clock = time.monotonic,
        sleep: Sleep = asyncio.sleep,
        meter: Meter | None = None,
    ) -> None:
        self._options, self._session = options, session
        self._url = expand(options.url, name)
        self._clock, self._sleep, self._meter = clock, sleep, meter or Unmetered()

    async def open(self, resume: str | None = None) -> AsyncGenerator[Signal, None]:  # noqa: ARG002 - a state has no place to resume from
        """Ask at once and then by plan: `Opened`, `Got` (see `publish`), one `Lost`.

        `Lost` says `COMPLETE` once a result or a failure is there, else why nobody asks on.
        """
        began, plan, opened, shown = self._clock(), PollPlan(self._options), False, ""
        while True:
            answer = await self._ask()
            if not opened and (answer.usable or answer.absent):
                opened = True
                yield Opened()
            plan, step = plan.after(answer, self._clock() - began)
            if answer.usable and self._is_news(step, answer, shown):
                shown = answer.body
                yield Got(self._events(answer))
            if isinstance(step, Stop):
                yield Lost(step.ending, step.reason)
                return
            await self._sleep(step.seconds)

    async def send(self, frame: Frame) -> Ending | None:  # noqa: ARG002 - whatever it says
        """Refuse: a state takes no frames."""
        return UNSUPPORTED

    async def _ask(self) -> Answer:
        options = self._options
        answer = await ask(
            self._session,
            self._url,
            options.headers,
            deadline=options.deadline,
            max_bytes=options.max_bytes,
            tls=options.tls,
        )
        self._meter.count("polls", outcome=judge(options, answer).value)
        return answer

    def _is_news(self, step: Wait | Stop, answer: Answer, shown: str) -> bool:
        if self._options.publish == "result":
            return isinstance(step, Stop) and step.ending is COMPLETE
        return answer.body != shown

    def _events(self, answer: Answer) -> tuple[Event, ...]:
        data = message(self._options.wrap, answer, self._options.results)
        return () if data is None else (Event(data, origin="poll", at=self._clock()),)


class LastResort:
    """Polls for one channel once it has been open for a while without a result.

    Owns one task. Whoever sees a completion, or closes the channel, calls `stop`; `publish` may
    lead to that call from inside the task.

    Args:
        poll: what to ask; begun anew by each `start`.
        publish: takes the events, in order; must return at once.
        after: seconds to wait first.
        sleep: waits so many seconds.
    """

    def __init__(
        self,
        poll: PollUpstream,
        publish: Callable[[Sequence[Event]], None],
        *,
        after: float,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        self._poll, self._publish, self._after, self._sleep = poll, publish, after, sleep
        self._task: asyncio.Task[None] | None = None
        self._unfinished: set[asyncio.Task[None]] = set()

    @property
    def running(self) -> bool:
        """Whether it waits or asks."""
        return self._task is not None and not self._task.done()

    def start(self) -> None:
        """Begin to wait; nothing happens where it already waits or asks."""
        if self.running:
            return
        self._task = asyncio.create_task(self._run())
        self._unfinished.add(self._task)
        self._task.add_done_callback(self._unfinished.discard)

    def stop(self) -> None:
        """Give up waiting or asking. Returns at once; nothing is published after it."""
        if self._task:
            self._task.cancel()
            self._task = None

    async def wait_closed(self) -> None:
        """Return once nothing runs any more. Not to be awaited from inside `publish`."""
        while self._unfinished:
            await asyncio.wait(self._unfinished)

    async def _run(self) -> None:
        await self._sleep(self._after)
        async with aclosing(self._poll.open()) as signals:
            async for signal in signals:
                if isinstance(signal, Got):
                    self._publish(signal.events)
