"""The read loop of a session, on a real hub and log, with a sink that the test can hold up."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import anyio
import anyio.lowlevel
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.endpoint.gateway import ClientOptions, Gateway
from bridge.endpoint.pump import RESTARTS, SLOW, AsyncBell, Pump
from bridge.endpoint.session import Session, State
from bridge.history.cursor import Cursor
from bridge.history.log import Entry, Gap, Log, LogOptions
from bridge.hub.channel import Channel, ChannelKey
from bridge.ops.metrics import Metrics
from bridge.wire.alias import Aliases
from bridge.wire.endings import FORBIDDEN, RESTART, TRY_LATER, Ending
from bridge.wire.event import Event
from bridge.wire.names import ChannelName
from tests.hub.parts import World
from tests.support.waiting import until


@dataclass
class Recorder:
    """A wire that remembers, and that blocks while it is held."""

    said: list[tuple[Any, ...]] = field(default_factory=list)
    places: list[Cursor] = field(default_factory=list)
    open: anyio.Event = field(default_factory=anyio.Event)

    def __post_init__(self) -> None:
        self.open.set()

    def hold(self) -> None:
        self.open = anyio.Event()

    async def begin(self, place: Cursor | Gap) -> None:
        await self.open.wait()
        self.said.append(("begin", place))

    async def send(self, entries: Sequence[Entry], cursor: Cursor) -> None:
        await self.open.wait()
        self.said.append(("send", [str(entry.event.data) for entry in entries]))
        self.places.append(cursor)

    async def heartbeat(self, cursor: Cursor) -> None:
        self.said.append(("heartbeat", cursor))

    async def end(self, ending: Ending, reason: str) -> None:
        self.said.append(("end", ending.name, reason))

    @property
    def payloads(self) -> list[str]:
        return [each for said in self.said if said[0] == "send" for each in said[1]]


@dataclass
class Scene:
    """One session at one channel."""

    options: ClientOptions = field(default_factory=ClientOptions)
    log: LogOptions = field(default_factory=LogOptions)

    def __post_init__(self) -> None:
        self.metrics, self.world, self.sink = Metrics(), World(), Recorder()
        self.channel = Channel(
            ChannelKey(ChannelName("project.1")),
            Log("e", self.log),
            clock=time.monotonic,
            meter=self.metrics,
        )
        self.bell = AsyncBell()
        self.channel.attach(self.bell)
        place = self.channel.log.place(None)
        assert isinstance(place, Cursor)
        self.session = Session(wire="sse", cursor=place)
        gateway = Gateway(
            self.world.hub, self.options, self.metrics, lambda: 0.0, aliases=Aliases()
        )
        self.pump = Pump(gateway, self.channel, self.session, self.sink, self.bell)

    def publish(self, *payloads: str) -> None:
        self.channel.publish([Event(payload) for payload in payloads])

    def drain(self) -> None:
        self.world.hub.draining = RESTART
        self.channel.ring()

    async def run(self) -> None:
        await self.pump.run(self.session.cursor)

    @property
    def ending(self) -> tuple[Any, ...]:
        return self.sink.said[-1]


@contextmanager
def within(seconds: float = 10) -> Iterator[None]:
    with anyio.fail_after(seconds):
        yield


async def test_the_place_comes_before_anything_else() -> None:
    scene = Scene()
    scene.publish("a")
    scene.channel.ended(FORBIDDEN, "over")
    with within():
        await scene.run()
    assert scene.sink.said == [
        ("begin", Cursor("e", 0)),
        ("send", ["a"]),
        ("end", "forbidden", "over"),
    ]


async def test_replay_and_live_are_the_same_loop() -> None:
    scene = Scene()
    scene.publish("a", "b")
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(scene.run)
        await until(lambda: scene.sink.payloads == ["a", "b"])
        scene.publish("c")
        await until(lambda: scene.sink.payloads == ["a", "b", "c"])
        tasks.cancel_scope.cancel()
    assert scene.session.cursor == Cursor("e", 3)
    assert scene.metrics.value("events_delivered", wire="sse") == 3


async def test_what_is_left_is_delivered_before_the_end() -> None:
    scene = Scene(ClientOptions(batch=2))
    scene.publish("a", "b", "c")
    scene.drain()
    with within():
        await scene.run()
    assert scene.sink.payloads == ["a", "b", "c"]
    assert scene.ending == ("end", "restart", RESTARTS)


async def test_after_the_end_the_session_is_over() -> None:
    scene = Scene()
    scene.drain()
    with within():
        await scene.run()
    assert scene.session.state is State.ENDED


async def test_a_place_that_is_trimmed_meanwhile_is_told_as_a_gap_and_counted() -> None:
    scene = Scene(log=LogOptions(max_events=2))
    scene.publish("a", "b", "c")
    scene.drain()
    with within():
        await scene.run()
    gap = scene.sink.said[1][1]
    assert (gap.lost, gap.new) == (1, Cursor("e", 1))
    assert scene.sink.payloads == ["b", "c"]
    assert scene.metrics.value("gaps_told", wire="sse") == 1


async def test_silence_leads_to_a_heartbeat_with_the_place() -> None:
    scene = Scene(ClientOptions(heartbeat=0.001))
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(scene.run)
        await until(lambda: ("heartbeat", Cursor("e", 0)) in scene.sink.said)
        scene.publish("a")
        await until(lambda: ("heartbeat", Cursor("e", 1)) in scene.sink.said)
        tasks.cancel_scope.cancel()


async def test_rings_without_news_do_not_put_heartbeats_off() -> None:
    scene = Scene(ClientOptions(heartbeat=0.05))
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(scene.run)
        with within():
            while ("heartbeat", Cursor("e", 0)) not in scene.sink.said:
                scene.channel.opened()  # a backend that comes and goes without a word
                await anyio.lowlevel.checkpoint()
        tasks.cancel_scope.cancel()


async def test_a_client_that_stops_reading_is_ended() -> None:
    scene = Scene(ClientOptions(send_timeout=0.01))
    scene.publish("a")
    async with anyio.create_task_group() as tasks:
        scene.sink.hold()
        tasks.start_soon(scene.run)
    assert scene.ending == ("end", TRY_LATER.name, SLOW)
    assert scene.session.state is State.ENDED
    assert scene.sink.payloads == []
    assert scene.metrics.value("slow_clients", wire="sse") == 1


async def test_waiting_for_news_is_no_slowness() -> None:
    scene = Scene(ClientOptions(send_timeout=0.001))
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(scene.run)
        await until(lambda: scene.sink.said)
        for number in range(5):
            scene.publish(str(number))
            await until(lambda number=number: len(scene.sink.payloads) == number + 1)  # type: ignore[misc]
        assert scene.session.state is State.WAITING
        tasks.cancel_scope.cancel()
    assert scene.metrics.value("slow_clients", wire="sse") == 0


async def test_a_send_that_ends_at_its_very_deadline_ends_the_session_in_good_order() -> None:
    scene = Scene(ClientOptions(send_timeout=0.01))

    class Punctual(Recorder):
        async def send(self, entries: Sequence[Entry], cursor: Cursor) -> None:
            time.sleep(0.02)  # noqa: ASYNC251 - so that the deadline is past before anything waits
            await super().send(entries, cursor)

    scene.sink = Punctual()
    scene.pump._sink = scene.sink
    scene.publish("a")
    with within():
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(scene.run)
            await until(lambda: scene.sink.payloads)
            scene.drain()
    assert scene.sink.payloads == ["a"]
    assert scene.ending[0] == "end"
    assert scene.session.state is State.ENDED


async def test_the_end_has_a_bound_of_its_own() -> None:
    scene = Scene(ClientOptions(send_timeout=0.01))

    class Stuck(Recorder):
        async def end(self, ending: Ending, reason: str) -> None:
            await super().end(ending, reason)
            await anyio.sleep_forever()

    scene.pump._sink = scene.sink = Stuck()
    scene.drain()
    with within():
        await scene.run()
    assert scene.ending == ("end", "restart", RESTARTS)


async def test_a_client_that_leaves_is_sent_nothing_more() -> None:
    scene = Scene()
    scene.sink.hold()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(scene.run)
        await anyio.wait_all_tasks_blocked()
        tasks.cancel_scope.cancel()
    assert scene.sink.said == []


@given(st.lists(st.lists(st.text(max_size=3), max_size=5), max_size=6), st.integers(1, 4))
@pytest.mark.filterwarnings("ignore::hypothesis.errors.NonInteractiveExampleWarning")
def test_whatever_the_batches_everything_comes_once_in_order_and_no_place_moves_back(
    bursts: list[list[str]], batch: int
) -> None:
    async def play() -> None:
        scene = Scene(ClientOptions(batch=batch))
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(scene.run)
            for burst in bursts:
                scene.publish(*burst)
                await anyio.lowlevel.checkpoint()
            scene.drain()
        assert scene.sink.payloads == [payload for burst in bursts for payload in burst]
        assert all(early.seq < late.seq for early, late in pairwise(scene.sink.places))

    anyio.run(play)


async def test_a_bell_that_rang_is_silent_again() -> None:
    bell = AsyncBell()
    bell()
    bell()
    assert await bell.wait(0)
    assert not await bell.wait(0)
