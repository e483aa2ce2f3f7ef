"""What a comparison gets to see of a living channel."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from bridge.control.comparing import Comparing
from bridge.control.watch import Paced, Watch
from bridge.control.worker import Worker
from bridge.history.log import LogOptions
from bridge.hub.channel import Channel, unchanged
from bridge.parity.observation import Mark, Side, Turn
from bridge.seams import Got, Lost, Opened, Signal
from bridge.upstream.backoff import Backoff, ReconnectOptions
from bridge.wire import endings
from bridge.wire.endings import Ending
from bridge.wire.event import Event
from bridge.wire.frame import Frame
from bridge.wire.names import ChannelName
from tests.control.parts import Clerk
from tests.hub.parts import World, key
from tests.support.waiting import until


class Other:
    """The other backend: says what it is given, then stays open."""

    kind = "sse"

    def __init__(self, *signals: Signal) -> None:
        self._signals: Sequence[Signal] = signals

    async def open(self, resume: str | None) -> AsyncIterator[Signal]:
        for signal in self._signals:
            yield signal
        await asyncio.Event().wait()

    async def send(self, frame: Frame) -> Ending | None:
        return endings.UNSUPPORTED


@asynccontextmanager
async def watching(
    channel: Channel, clerk: Clerk, other: Other, leading: Side = Side.LEGACY
) -> AsyncIterator[asyncio.Task[None]]:
    worker = Worker(1000)
    watch = Watch(
        channel,
        leading,
        other,
        Comparing(channel.key.name.text, clerk, worker),
        incoming=unchanged,
        backoff=Backoff(ReconnectOptions()),
        clock=lambda: 1.0,
    )
    task = asyncio.create_task(watch.run())
    try:
        await until(lambda: channel._bells)
        yield task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        worker.close()


def opened() -> Channel:
    return World().hub.join(key(), lambda: None)


async def test_both_sides_are_seen_and_what_was_before_is_not() -> None:
    channel, clerk = opened(), Clerk()
    channel.publish([Event("before", origin="ws")])
    async with watching(channel, clerk, Other(Opened(), Got((Event("b", at=2.0),)))):
        await until(lambda: clerk.heard)
        channel.publish([Event("a", origin="ws", at=3.0), Event("polled", origin="poll")])
        await until(lambda: len(clerk.heard) == 2)
    assert clerk.heard == [("candidate", "b"), ("legacy", "a")]


async def test_the_leading_side_is_the_one_that_clients_get() -> None:
    channel, clerk = opened(), Clerk()
    async with watching(channel, clerk, Other(), Side.CANDIDATE):
        channel.publish([Event("a", origin="sse")])
        await until(lambda: clerk.heard)
    assert clerk.heard == [("candidate", "a")]


async def test_holes_are_marks() -> None:
    channel, clerk = opened(), Clerk()
    async with watching(channel, clerk, Other()):
        channel.gap("reconnected")
        await until(lambda: len(clerk.sights) == 2)
    assert [s.turn for s in clerk.sights if isinstance(s, Mark)] == [Turn.OPENED, Turn.GAP]


async def test_falling_behind_the_log_is_a_hole() -> None:
    world = World()
    world.store._options = LogOptions(max_events=2)
    channel, clerk = world.hub.join(key(), lambda: None), Clerk()
    async with watching(channel, clerk, Other()):
        await until(lambda: clerk.sights)
        channel.publish([Event(str(n), origin="ws") for n in range(5)])
        await until(lambda: len(clerk.heard) == 2)
    assert [type(each).__name__ for each in clerk.sights[1:]] == ["Mark", *["Observation"] * 2]


async def test_a_watch_is_no_reader_and_leaves_no_bell() -> None:
    world = World()
    bell = lambda: None  # noqa: E731 - the same one twice
    channel = world.hub.join(key(), bell)
    async with watching(channel, Clerk(), Other()):
        assert channel.readers == 1
    assert list(channel._bells) == [bell]


async def test_it_ends_where_the_comparison_is_broken() -> None:
    channel = opened()
    async with watching(channel, Clerk("take"), Other()) as task:
        await until(task.done)
        assert task.exception() is None


async def test_a_flood_is_read_only_while_there_is_room() -> None:
    room = [True]

    def made(event: Event, _: ChannelName) -> tuple[Event, ...]:
        return (event, event)

    other = Other(Got((Event("a"),)), Got((Event("b"),)), Lost(endings.COMPLETE))
    paced = Paced(other, ChannelName("c"), made, lambda: room[0])
    signals = paced.open(None)
    first = await anext(signals)
    assert isinstance(first, Got)
    assert [event.data for event in first.events] == ["a", "a"]
    room[0] = False
    second = asyncio.ensure_future(anext(signals))
    await asyncio.sleep(0)
    assert not second.done()
    room[0] = True
    assert isinstance(await second, Got)
    assert isinstance(await anext(signals), Lost)
    await signals.aclose()  # type: ignore[attr-defined]
