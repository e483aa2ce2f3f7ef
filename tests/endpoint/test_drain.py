"""Whose turn it is when a bridge lets its clients go."""

from functools import partial

from bridge.endpoint.drain import Drain
from tests.endpoint.parts import bridging, closing, said, streaming, talking
from tests.support.waiting import until


async def test_readers_of_all_channels_end_and_then_sockets_that_read_nothing(way: str) -> None:
    async with (
        bridging() as running,
        streaming(running.authority) as stream,
        streaming(running.authority, "/api/v1/events/project.2") as other,
        talking(running.authority, "/api/v1/ws") as reading,
        talking(running.authority, "/api/v1/ws") as idle,
    ):
        for each in (stream, other):
            await each.block()
        await reading.send('{"type":"subscribe","channel":"project.1"}')
        await said(reading)
        drain = running.bridge.drain
        await until(lambda: drain.sessions == 4)
        drain.begin()
        for left in (3, 2, 1, 0):
            drain.end(1)
            await until(partial(_are_left, drain, left))
            if left:
                assert not idle.close_code
        assert b"bridge.end" in await stream.rest()
        assert b"bridge.end" in await other.rest()
        assert (await closing(reading))[0] == (await closing(idle))[0] == 1012
        drain.end(100)
    await until(lambda: running.bridge.gateway.budget.taken == 0)
    assert not drain.present


async def test_a_socket_with_many_channels_ends_once() -> None:
    async with bridging() as running, talking(running.authority, "/api/v1/ws") as socket:
        for name in ("project.1", "project.2", "project.3"):
            await socket.send(f'{{"type":"subscribe","channel":"{name}"}}')
            await said(socket)
        drain = running.bridge.drain
        await until(lambda: drain.sessions == 3)
        drain.begin()
        drain.end(1)
        await until(lambda: drain.sessions == 0)
        assert (await closing(socket))[0] == 1012


async def test_nobody_who_has_left_is_present(way: str) -> None:
    async with bridging() as running:
        for path in ("/api/v1/ws", "/api/v1/ws/project.1"):
            async with talking(running.authority, path):
                await until(lambda: len(running.bridge.drain.present) == 1)
            await until(lambda: not running.bridge.drain.present)


def _are_left(drain: Drain, count: int) -> bool:
    return drain.sessions == count
