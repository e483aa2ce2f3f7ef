"""A conversation whose guard takes its time, with frames arriving meanwhile."""

import json

from tests.endpoint.parts import NAME, closing, said, talking
from tests.endpoint.test_auth import guarding
from tests.endpoint.test_forward import ALICE, asking
from tests.support.servers import ways
from tests.support.waiting import until

SUBSCRIBE = json.dumps({"type": "subscribe", "channel": NAME})


async def test_a_client_that_floods_while_the_guard_asks_is_closed() -> None:
    async with (
        asking() as (authority, auth),
        guarding(auth, client={"uplink_queue": 2}, server=ways(fast=True)) as (running, backend),
        talking(running.authority, "/api/v1/ws", additional_headers=ALICE) as socket,
    ):
        authority.gate.clear()
        transport = socket.transport
        with_all = b"".join(_frame(text) for text in [SUBSCRIBE, *["{}"] * 200])
        transport.write(with_all)
        assert (await closing(socket))[0] == 1008
        assert (running.readers, backend.openings) == (0, [])


def _frame(text: str) -> bytes:
    """A client's frame, masked by zeros (RFC 6455, 5.3)."""
    payload = text.encode()
    assert len(payload) < 126
    return bytes([0x81, 0x80 | len(payload), 0, 0, 0, 0]) + payload


async def test_a_client_that_leaves_while_the_guard_asks_leaves_nothing_behind(way: str) -> None:
    async with asking() as (authority, auth), guarding(auth) as (running, backend):
        authority.gate.clear()
        async with talking(running.authority, "/api/v1/ws", additional_headers=ALICE) as socket:
            await socket.send(SUBSCRIBE)
            await until(lambda: len(authority.asked) == 1)
        await until(lambda: running.count("clients", wire="ws") == 0)
        authority.gate.set()
        await until(lambda: not running.bridge.background._tasks)
        assert not list(running.bridge.hub.channels())
        assert backend.openings == []


async def test_two_questions_in_a_row_keep_the_order_of_frames(way: str) -> None:
    async with (
        asking(fresh=0) as (authority, auth),
        guarding(auth) as (running, _),
        talking(running.authority, "/api/v1/ws", additional_headers=ALICE) as socket,
    ):
        authority.gate.clear()
        for _ in range(3):
            await socket.send(SUBSCRIBE)
        await socket.send("ping")
        await until(lambda: len(authority.asked) == 1)
        authority.gate.set()
        told = [json.loads(await said(socket))["type"] for _ in range(4)]
        assert told == ["subscribe", "subscribe", "subscribe", "pong"]
