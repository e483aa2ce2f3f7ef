"""The way of clients' frames to the backend."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio
from websockets.asyncio.server import ServerConnection
from websockets.http11 import Request, Response

from bridge.endpoint.upward import NO_WAY_UP, carry
from bridge.hub.channel import ChannelKey
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
        return await carry(running.bridge.gateway, ChannelKey(CHANNEL), Frame(raw))


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
        assert await carry(running.bridge.gateway, ChannelKey(name), Frame("x")) is None
        await until(lambda: [each.raw for each in backend.received][-1:] == ["x"])
        assert backend.received[-1].channel == "project.f1"
