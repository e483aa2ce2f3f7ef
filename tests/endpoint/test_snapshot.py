"""What a joiner is shown first, so that exactly one completion arrives whichever source wins."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import anyio
import pytest

from bridge.endpoint.fanout import Fanout
from bridge.endpoint.options import ClientOptions
from bridge.endpoint.service import Service
from bridge.endpoint.snapshot import Joining
from bridge.endpoint.wheel import Wheel
from bridge.history.cursor import Cursor
from bridge.history.log import Log, LogOptions, Slice
from bridge.hub.channel import Bell, Channel, ChannelKey
from bridge.seams import Unmetered
from bridge.wire.completion import Latch
from bridge.wire.credential import OwnCredential
from bridge.wire.event import Event
from bridge.wire.mapping import Envelope, EnvelopeOptions
from bridge.wire.names import ChannelName
from tests.hub.parts import World

NAME = ChannelName("file.f1")
RESULT = '{"type":"file","object":{"id":"f1","url":"https://x.test/a.webp"}}'
PENDING = '{"type":"file","object":{"id":"f1","url":null}}'


@dataclass
class Fetcher:
    """A backend's state, and what was known of the channel when it was asked for."""

    data: str | None = RESULT
    asked: Callable[[], None] = lambda: None
    names: list[ChannelName] = field(default_factory=list)

    def wanted(self, name: ChannelName) -> bool:
        return name == NAME

    async def fetch(
        self, name: ChannelName, *, scope: str, own: OwnCredential | None = None
    ) -> Event | None:
        self.names.append(name)
        self.asked()
        return None if self.data is None else Event(self.data, origin="snapshot")


def opened(
    *, latched: bool = True, max_events: int = 100, envelope: Envelope | None = None
) -> Channel:
    channel = Channel(
        ChannelKey(NAME),
        Log("e", LogOptions(max_events=max_events)),
        clock=time.monotonic,
        meter=Unmetered(),
        latch=Latch(name=NAME) if latched else None,
        incoming=(envelope or Envelope()).incoming,
    )
    channel.ready = True
    return channel


def hall(channel: Channel) -> Fanout:
    """The channel's fan-out, which knows when the backend has answered."""

    def join(bell: Bell) -> Channel:
        channel.attach(bell)
        return channel

    service = Service(
        hub=World().hub,
        options=ClientOptions(),
        meter=Unmetered(),
        wheel=Wheel(asyncio.get_running_loop().call_later, time.monotonic),
        call_soon=lambda call, *given: asyncio.get_running_loop().call_soon(call, *given),
        outgoing=lambda event, _: (event.data,),
        delayed=lambda ending: ending,
    )
    return Fanout(service, join)


def top(channel: Channel) -> Cursor:
    return Cursor("e", channel.log.top)


async def joined(channel: Channel, fetcher: Fetcher, envelope: Envelope | None = None) -> list[str]:
    """What a joiner is given, who begins at the top."""
    joining = Joining(fetcher, (envelope or Envelope()).incoming)
    events = await joining.snapshot(hall(channel), top(channel))
    return [str(event.data) for event in events]


def logged(channel: Channel) -> list[str]:
    found = channel.log.read(Cursor("e", 0))
    assert isinstance(found, Slice)
    return [str(entry.event.data) for entry in found.entries]


async def test_a_channel_without_a_snapshot_waits_for_nothing() -> None:
    channel = opened()
    channel.ready = False
    other = Joining(None)
    assert await other.snapshot(hall(channel), top(channel)) == ()


async def test_a_state_without_a_result_is_for_the_joiner_alone() -> None:
    channel = opened()
    assert await joined(channel, Fetcher(PENDING)) == [PENDING]
    assert channel.log.top == 0


async def test_a_result_that_nobody_told_goes_into_the_log_for_all() -> None:
    channel = opened()
    assert await joined(channel, Fetcher()) == []
    assert logged(channel) == [RESULT]


async def test_a_result_from_before_the_joiner_is_for_it_alone() -> None:
    channel = opened()
    channel.publish([Event(RESULT, origin="sse")])
    assert await joined(channel, Fetcher()) == [RESULT]
    assert logged(channel) == [RESULT]


async def test_a_result_that_the_stream_told_meanwhile_is_not_told_again() -> None:
    channel = opened()
    fetcher = Fetcher(asked=lambda: channel.publish([Event(RESULT, origin="sse")]))
    assert await joined(channel, fetcher) == []
    assert logged(channel) == [RESULT]


async def test_a_result_that_was_told_and_trimmed_meanwhile_is_shown() -> None:
    channel = opened(max_events=2)
    later = [Event(f'"{number}"', origin="sse") for number in range(3)]
    fetcher = Fetcher(asked=lambda: channel.publish([Event(RESULT, origin="sse"), *later]))
    assert await joined(channel, fetcher) == [RESULT]


async def test_two_joiners_at_once_lead_to_one_completion() -> None:
    channel = opened()
    gate = asyncio.Event()

    class Slow(Fetcher):
        async def fetch(
            self, name: ChannelName, *, scope: str, own: OwnCredential | None = None
        ) -> Event | None:
            await gate.wait()
            return await super().fetch(name, scope=scope, own=own)

    alone: list[list[str]] = []

    async def join() -> None:
        alone.append(await joined(channel, Slow()))

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(join)
        tasks.start_soon(join)
        await anyio.wait_all_tasks_blocked()
        gate.set()
    assert alone == [[], []]
    assert logged(channel) == [RESULT]


async def test_no_state_in_time_is_nothing() -> None:
    assert await joined(opened(), Fetcher(None)) == []


async def test_without_a_latch_every_joiner_has_its_own() -> None:
    channel = opened(latched=False)
    assert await joined(channel, Fetcher()) == [RESULT]
    assert channel.log.top == 0


@pytest.mark.parametrize("data", [RESULT, PENDING])
async def test_a_snapshot_is_enriched_as_the_channels_own_messages_are(data: str) -> None:
    envelope = Envelope(EnvelopeOptions(add={"projectId": "{id}"}))
    channel = opened(envelope=envelope)
    given = await joined(channel, Fetcher(data), envelope)
    assert all('"projectId":"f1"' in each for each in given or logged(channel))
    assert len(given or logged(channel)) == 1


async def test_the_state_is_fetched_only_once_the_backend_is_connected() -> None:
    channel = opened()
    channel.ready = False
    ready: list[bool] = []
    fetcher = Fetcher(PENDING, asked=lambda: ready.append(channel.ready))
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(Joining(fetcher).snapshot, hall(channel), top(channel))
        await anyio.wait_all_tasks_blocked()
        channel.ring()
        await anyio.wait_all_tasks_blocked()
        assert not ready
        channel.opened()
    assert ready == [True]


async def test_a_backend_that_does_not_come_is_not_waited_for_long() -> None:
    channel = opened()
    channel.ready = False
    joining = Joining(Fetcher(PENDING), patience=0.01)
    (event,) = await joining.snapshot(hall(channel), top(channel))
    assert event.data == PENDING
