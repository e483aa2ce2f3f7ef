"""Reading by asking and by being told, made of each other."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing

import anyio
import pytest

from bridge.seams import Got, Lost, Opened, Pushing, Signal, Sink
from bridge.upstream.signals import WAITING, pushed, signals
from bridge.wire import endings
from bridge.wire.endings import Ending
from bridge.wire.frame import Frame

LOST = Lost(endings.ABNORMAL, "cut")


class Kept:
    """A sink that keeps everything."""

    has_room = True

    def __init__(self) -> None:
        self.said: list[Signal] = []

    def take(self, signal: Opened | Got) -> None:
        self.said.append(signal)


class Asked:
    """An upstream that only yields."""

    kind = "sse"
    closed = False

    async def open(self, resume: str | None) -> AsyncGenerator[Signal, None]:
        try:
            yield Opened()
            yield Got(last_id=resume)
            yield LOST
        finally:
            self.closed = True

    async def send(self, frame: Frame) -> Ending | None:
        return None


async def test_what_is_told_is_yielded_in_order_to_the_end() -> None:
    async def read(resume: str | None, sink: Sink) -> Lost:
        sink.take(Opened())
        await asyncio.sleep(0)
        sink.take(Got(last_id=resume))
        sink.take(Got(last_id="2"))
        return LOST

    assert [each async for each in signals(read, "1")] == [
        Opened(),
        Got(last_id="1"),
        Got(last_id="2"),
        LOST,
    ]


async def test_what_the_reading_raises_is_raised() -> None:
    async def read(resume: str | None, sink: Sink) -> Lost:
        sink.take(Opened())
        raise RuntimeError("a bug")

    asked = signals(read, None)
    assert await anext(asked) == Opened()
    with pytest.raises(RuntimeError, match="a bug"):
        await anext(asked)


async def test_a_slow_asker_leaves_no_room() -> None:
    found: list[int] = []

    async def read(resume: str | None, sink: Sink) -> Lost:
        count = 0
        while sink.has_room:
            sink.take(Got())
            count += 1
        found.append(count)
        return LOST

    assert len([each async for each in signals(read, None)]) == WAITING + 1
    assert found == [WAITING]


async def test_leaving_ends_the_reading_and_waits_for_that() -> None:
    ended = False

    async def read(resume: str | None, sink: Sink) -> Lost:
        nonlocal ended
        sink.take(Opened())
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)
            ended = True
        raise AssertionError

    async with aclosing(signals(read, None)) as asked:
        assert await anext(asked) == Opened()
    assert ended


async def test_cancelling_the_asker_ends_the_reading() -> None:
    ended = asyncio.Event()

    async def read(resume: str | None, sink: Sink) -> Lost:
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()
        raise AssertionError

    async def ask() -> None:
        async for _ in signals(read, None):
            pass

    asking = asyncio.create_task(ask())
    await anyio.wait_all_tasks_blocked()
    asking.cancel()
    await asyncio.wait({asking})
    assert asking.cancelled()
    assert ended.is_set()


async def test_an_upstream_that_only_yields_is_made_to_push() -> None:
    upstream, kept = Asked(), Kept()
    assert not isinstance(upstream, Pushing)
    assert await pushed(upstream, "7", kept) == LOST
    assert kept.said == [Opened(), Got(last_id="7")]
    assert upstream.closed


async def test_an_upstream_that_pushes_is_not_asked() -> None:
    class Told(Asked):
        async def read(self, resume: str | None, sink: Sink) -> Lost:
            sink.take(Got(last_id="told"))
            return LOST

    kept = Kept()
    assert await pushed(Told(), None, kept) == LOST
    assert kept.said == [Got(last_id="told")]


async def test_a_sink_that_fails_closes_the_upstream() -> None:
    class Broken(Kept):
        def take(self, signal: Opened | Got) -> None:
            raise RuntimeError("a bug")

    upstream = Asked()
    with pytest.raises(RuntimeError, match="a bug"):
        await pushed(upstream, None, Broken())
    assert upstream.closed
