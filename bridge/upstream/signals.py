"""Two ways to read an upstream made of each other: by being told, and by asking.

Decides nothing about what is read. Upstreams that push serve those who ask by `signals`; those that
only yield are made to push by `pushed`.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from typing import cast

from bridge.seams import Got, Lost, Opened, Pushing, Signal, Sink, Upstream
from bridge.wire import endings

WAITING = 64
"""Signals that may wait for whoever asks before the backend has to."""

Read = Callable[[str | None, Sink], Awaitable[Lost]]
"""As `bridge.seams.Pushing.read`."""


class _Shelf:
    """A `Sink` that keeps what comes until it is asked for."""

    def __init__(self) -> None:
        self._kept: deque[Opened | Got] = deque()
        self._news = asyncio.Event()

    def take(self, signal: Opened | Got) -> None:
        self._kept.append(signal)
        self._news.set()

    @property
    def has_room(self) -> bool:
        return len(self._kept) < WAITING

    def emptied(self) -> deque[Opened | Got]:
        kept, self._kept = self._kept, deque()
        self._news.clear()
        return kept

    def wake(self, _: object) -> None:
        self._news.set()

    async def wait(self) -> None:
        await self._news.wait()


async def signals(read: Read, resume: str | None) -> AsyncGenerator[Signal, None]:
    """What `read` tells, as `bridge.seams.Upstream.open` yields it; a slow asker slows the backend.

    Closing it, or cancelling whoever asks, ends the reading and waits for that.
    """
    shelf = _Shelf()
    reading = asyncio.ensure_future(read(resume, shelf))
    reading.add_done_callback(shelf.wake)
    try:
        while not reading.done():
            await shelf.wait()
            for signal in shelf.emptied():
                yield signal
        for signal in shelf.emptied():
            yield signal
        yield reading.result()
    finally:
        reading.cancel()
        await asyncio.wait({reading})


async def pushed(upstream: Upstream, resume: str | None, sink: Sink) -> Lost:
    """Read any upstream as `bridge.seams.Pushing.read` does, by itself where it can."""
    if isinstance(upstream, Pushing):
        return await upstream.read(resume, sink)
    # Whatever `open` gives can be closed, by its contract; the type asks for less.
    asked = cast("AsyncGenerator[Signal, None]", upstream.open(resume))
    async with aclosing(asked):
        async for signal in asked:
            if isinstance(signal, Lost):
                return signal
            sink.take(signal)
    return Lost(endings.INTERNAL, "the upstream failed unexpectedly")
