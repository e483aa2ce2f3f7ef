"""The way of clients' frames to the backend."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio
import pytest
from websockets.asyncio.server import ServerConnection
from websockets.http11 import Request, Response

from bridge.endpoint.upward import NO_WAY_UP, carry
from bridge.wire.alias import AliasOptions
from bridge.wire.endings import FORBIDDEN, NOT_FOUND, TRY_LATER, UNSUPPORTED, Ending
from bridge.wire.frame import Frame
from bridge.wire.names import ChannelName
from tests.endpoint.parts import NAME, Running, bridging, upstream_of
from tests.support.backends import SseBackend, WsBackend
from tests.support.waiting import until

CHANNEL = ChannelName(NAME)


@asynccontextmanager
async def posting(backend: SseBackend) -> AsyncIterator[Running]:
    async with (
        backend,
        bridging(upstream_of(backend, send_url=backend.url)) as running,  # its port is known now
    ):
        yield running


async def sent(running: Running, raw: str | bytes) -> Ending | None:
    with anyio.fail_after(20):
        return await carry(running.bridge.gateway, CHANNEL, Frame(raw))


async def test_a_frame_opens_the_channel_that_nobody_reads_and_leaves_it(
    errors: list[str],
) -> None:
    async with WsBackend() as backend, bridging(upstream_of(backend)) as running:
        assert await sent(running, "x") is None
        assert running.readers == 0
        await until(lambda: [each.raw for each in backend.received][-1:] == ["x"])
        assert running.count("frames_up", outcome="accepted") == 1


async def test_an_outcome_is_the_backends_own(errors: list[str]) -> None:
    backend = SseBackend()
    async with posting(backend) as running:
        backend.post_status = 403
        assert await sent(running, "x") is FORBIDDEN
        backend.post_status = 429
        assert (await sent(running, "x") or FORBIDDEN).name == TRY_LATER.name
        assert running.count("frames_up", outcome="forbidden") == 1


async def test_a_backend_that_dislikes_the_content_is_not_one_that_takes_none(
    errors: list[str],
) -> None:
    backend = SseBackend()
    async with posting(backend) as running:
        backend.post_status = 415
        assert await sent(running, "x") is UNSUPPORTED
    async with SseBackend() as deaf, bridging(upstream_of(deaf)) as running:
        assert await sent(running, "x") is NO_WAY_UP


async def test_a_channel_that_the_backend_does_not_know_refuses_at_once(
    errors: list[str],
) -> None:
    backend = SseBackend()
    async with posting(backend) as running:
        backend.refusal = 404
        assert await sent(running, "x") is NOT_FOUND
    assert backend.received == []


async def test_a_frame_goes_to_the_name_that_the_backend_knows(errors: list[str]) -> None:
    aliases = (AliasOptions("file.{id}", fallbacks=("project.{id}",)),)

    class Knows(WsBackend):
        """Knows projects alone."""

        def _admit(self, socket: ServerConnection, request: Request) -> Response | None:
            self.refusal = 404 if "/file." in request.path else None
            return super()._admit(socket, request)

    async with Knows() as backend, bridging(upstream_of(backend), aliases=aliases) as running:
        name = ChannelName("file.f1")
        assert await carry(running.bridge.gateway, name, Frame("x")) is None
        await until(lambda: [each.raw for each in backend.received][-1:] == ["x"])
        assert backend.received[-1].channel == "project.f1"


async def test_a_carrier_keeps_the_order_and_bounds_the_queue(errors: list[str]) -> None:
    backend = SseBackend(running=False)
    refusals: list[Ending] = []

    async def refused(ending: Ending, _: str) -> None:
        refusals.append(ending)

    async with posting(backend) as running:
        carrier = Carrier(running.bridge.gateway, refused)
        limit = running.bridge.gateway.options.uplink_queue
        put: list[int] = []

        async def fill() -> None:
            for number in range(limit + 10):
                await carrier.put(tasks, CHANNEL, Frame(str(number)))
                put.append(number)
            carrier.finish()

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(fill)
            await until(lambda: len(put) > limit)
            await asyncio.sleep(0)
            assert len(put) == limit + 1  # one of them is under way
            await backend.start()
        carrier.close()
    assert [each.raw for each in backend.received] == [
        str(number).encode() for number in range(limit + 10)
    ]
    assert refusals == []


async def test_a_carrier_that_is_stopped_carries_nothing_more_and_blocks_nobody(
    errors: list[str],
) -> None:
    backend = SseBackend()
    async with posting(backend) as running:
        backend.post_status = 403

        async def refused(_: Ending, __: str) -> None:
            carrier.stop()

        carrier = Carrier(running.bridge.gateway, refused)
        with anyio.fail_after(10):
            async with anyio.create_task_group() as tasks:
                for number in range(500):
                    await carrier.put(tasks, CHANNEL, Frame(str(number)))
                carrier.finish()
        carrier.close()
    assert len(backend.received) == 1


@pytest.mark.parametrize("begun", [False, True])
async def test_a_carrier_may_be_closed_at_any_time(begun: bool, errors: list[str]) -> None:
    async def refused(_: Ending, __: str) -> None:
        raise AssertionError

    async with bridging() as running:
        carrier = Carrier(running.bridge.gateway, refused)
        async with anyio.create_task_group() as tasks:
            if begun:
                await carrier.put(tasks, CHANNEL, Frame("x"))
            tasks.cancel_scope.cancel()
        carrier.close()
