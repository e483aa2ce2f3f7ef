"""A stalled reader costs one batch, then its deadline, then its connection; nobody waits for it."""

from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import pytest

from bridge.endpoint.conversation import Conversation
from bridge.endpoint.options import ClientOptions
from bridge.endpoint.reader import Reader
from bridge.endpoint.stepped import Stepper
from bridge.endpoint.subscription import Subscription
from tests.endpoint.parts import EVENTS, Running, ask, bridging, said, streaming, talking
from tests.endpoint.raw import Line, get, line, socket_line
from tests.endpoint.test_auth import guarding
from tests.support.issuers import bearer, token
from tests.support.servers import ways
from tests.support.waiting import until

MESSAGE = 500_000
HIGH_WATER = 64 * 1024
"""Bytes above which an event loop's transport says that it is full."""


@pytest.fixture(params=[True, False], ids=["taken", "stepped"])
def server(request: pytest.FixtureRequest) -> dict[str, Any]:
    return ways(fast=request.param)


@asynccontextmanager
async def stalled(running: Running, wire: str) -> AsyncIterator[Line]:
    """A client that reads no more once it is let in."""
    before = running.readers
    if wire == "ws":
        async with socket_line(running.authority, receive_buffer=4096) as found:
            await until(lambda: running.readers == before + 1)
            yield found
        return
    async with line(running.authority, receive_buffer=4096) as found:
        found.send(get())
        await found.until(b"\r\n\r\n")
        await until(lambda: running.readers == before + 1)
        yield found


def held(running: Running) -> Iterator[Reader]:
    """Those that are passed over."""
    for fanout in running.bridge.fanouts._open.values():
        yield from (reader for reader in fanout._apart if reader.held)


def kept(reader: Reader) -> int:
    """Bytes that wait for one client above the kernel."""
    outlet: Any = reader.outlet
    wire: Any = outlet
    if isinstance(outlet, Subscription):
        conversation: Conversation = outlet._conversation
        wire = conversation.wire
    stepper: Stepper | None = getattr(wire, "_stepper", None)
    if stepper is None:
        return int(wire.transport.get_write_buffer_size())
    return sum(len(each.get("body") or each.get("text") or "") for each in stepper._pending)


@pytest.mark.parametrize("wire", ["sse", "ws"])
async def test_a_stalled_reader_costs_one_batch_and_nobody_waits_for_it(
    wire: str, server: dict[str, Any]
) -> None:
    options = ClientOptions(send_timeout=600, heartbeat=600)
    async with (
        bridging(server=server, client=options) as running,
        stalled(running, wire),
        stalled(running, wire),
        streaming(running.authority) as stream,
        talking(running.authority, max_size=None) as socket,
    ):
        await stream.block()
        await until(lambda: running.readers == 4)
        for number in range(60):
            text = f"{number:0{MESSAGE}}"
            running.publish(text)
            assert (await stream.event()).data == await said(socket) == text
        readers = list(held(running))
        assert len(readers) == 2
        assert all(kept(each) <= MESSAGE + 2 * HIGH_WATER for each in readers)
        assert running.readers == 4
        assert running.count("slow_clients", wire=wire) == 0


@pytest.mark.parametrize("wire", ["sse", "ws"])
async def test_at_its_deadline_it_is_closed_and_gives_back_all_that_it_had(
    wire: str, server: dict[str, Any]
) -> None:
    options = ClientOptions(send_timeout=0.2, heartbeat=600)
    async with (
        bridging(server=server, client=options) as running,
        stalled(running, wire),
        streaming(running.authority) as stream,
        talking(running.authority, max_size=None) as socket,
    ):
        await stream.block()
        await until(lambda: running.readers == 3)
        for number in range(60):
            text = f"{number:0{MESSAGE}}"
            running.publish(text)
            assert (await stream.event()).data == await said(socket) == text
        await until(lambda: running.bridge.gateway.budget.taken == 2)
        assert running.count("slow_clients", wire=wire) == 1
        await until(lambda: running.readers == 2)
        running.publish("after")
        assert (await stream.event()).data == await said(socket) == "after"


async def test_a_reader_that_stalls_in_its_replay_holds_nobody_up(server: dict[str, Any]) -> None:
    options = ClientOptions(send_timeout=600, heartbeat=600, batch=2)
    async with bridging(server=server, client=options) as running, AsyncExitStack() as stack:
        stream = await stack.enter_async_context(streaming(running.authority))
        place = (await stream.block()).decode().partition("id: ")[2].strip()
        for number in range(60):
            text = f"{number:0{MESSAGE}}"
            running.publish(text)
            assert (await stream.event()).data == text
        for _ in range(5):
            late = await stack.enter_async_context(line(running.authority, receive_buffer=4096))
            late.send(get(extra=f"Last-Event-ID: {place}\r\n"))
        await until(lambda: len(list(held(running))) == 5)
        running.publish("live")
        assert (await stream.event()).data == "live"
        batch = options.batch * (MESSAGE + 100)
        assert all(kept(each) <= batch + HIGH_WATER for each in held(running))


async def test_a_body_that_stalls_holds_up_neither_readers_nor_another_principal(
    server: dict[str, Any],
) -> None:
    mine, theirs = bearer(token()), bearer(token(sub="8", channels=["project.1"]))
    options = ClientOptions(send_timeout=600)
    async with guarding(client=options, server=server) as (running, backend):
        async with (
            streaming(running.authority, headers=mine) as stream,
            line(running.authority) as slow,
        ):
            await stream.block()
            head = get(method="POST", extra=f"Authorization: {mine['Authorization']}\r\n")
            slow.send(head[:-2] + b"Content-Length: 9\r\n\r\npart")
            await until(lambda: running.bridge.gateway.budget.taken == 2)
            for number in range(3):
                text = str(number)
                answer = await ask(running.authority, "POST", EVENTS, headers=theirs, data=text)
                assert answer.status == 202
                backend.publish("project.1", text)
                assert (await stream.event()).data == text
            slow.send(b"-more")
            assert b" 202 " in await slow.until(b"\r\n")
        await until(lambda: running.bridge.gateway.budget.taken == 0)
