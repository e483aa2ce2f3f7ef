"""One channel is one log: shared by its clients, and by both wires."""

from contextlib import AsyncExitStack

import pytest

from bridge.hub.hub import HubOptions
from tests.support.backends import SseBackend, WsBackend
from tests.support.bridges import CHANNEL, Running, bridging, upstream_of
from tests.support.clients import SseClient, WsClient
from tests.support.waiting import until
from tests.support.ways import Wire, new_backend, new_client

WIRES: tuple[Wire, ...] = ("ws", "sse")
CLIENTS = 50


@pytest.fixture(params=WIRES)
def source(request: pytest.FixtureRequest) -> Wire:
    found: Wire = request.param
    return found


def _phases(bridge: Running) -> dict[str, int]:
    return bridge.parts.hub.statistics().channels


async def test_fifty_clients_share_one_upstream(source: Wire) -> None:
    async with (
        new_backend(source) as backend,
        bridging(upstream_of(backend)) as bridge,
        AsyncExitStack() as stack,
    ):
        clients: list[SseClient | WsClient] = [
            await stack.enter_async_context(new_client(WIRES[number % 2], bridge))
            for number in range(CLIENTS)
        ]
        await until(lambda: backend.subscribers(CHANNEL) and bridge.readers == CLIENTS)
        for payload in ("one", "two"):
            backend.publish(CHANNEL, payload)
        for client in clients:
            assert await client.wait_payloads(2) == ["one", "two"]
        assert len(backend.openings) == 1


async def test_the_last_client_to_leave_closes_the_upstream_after_a_while(source: Wire) -> None:
    async with (
        new_backend(source) as backend,
        bridging(upstream_of(backend), hub=HubOptions(linger=0.05)) as bridge,
    ):
        async with WsClient(bridge.authority), SseClient(bridge.authority):
            await until(lambda: backend.subscribers(CHANNEL) and bridge.readers == 2)
        await until(lambda: not backend.subscribers(CHANNEL))
        async with WsClient(bridge.authority) as client:
            await until(lambda: backend.subscribers(CHANNEL))
            backend.publish(CHANNEL, "again")
            assert await client.wait_payloads(1) == ["again"]
        assert len(backend.openings) == 2


async def test_until_then_the_upstream_stays_open(source: Wire) -> None:
    async with (
        new_backend(source) as backend,
        bridging(upstream_of(backend), hub=HubOptions(linger=600)) as bridge,
    ):
        async with SseClient(bridge.authority):
            await until(lambda: backend.subscribers(CHANNEL))
        await until(lambda: _phases(bridge)["lingering"] == 1)
        assert backend.subscribers(CHANNEL) == 1
        async with WsClient(bridge.authority):
            await until(lambda: _phases(bridge)["live"] == 1)
        assert len(backend.openings) == 1


@pytest.mark.parametrize(("first", "second"), [("sse", "ws"), ("ws", "sse")])
async def test_a_place_taken_on_one_wire_holds_on_the_other(first: Wire, second: Wire) -> None:
    async with WsBackend() as backend, bridging(upstream_of(backend)) as bridge:
        async with new_client(first, bridge, notices=True) as client:
            await until(lambda: backend.subscribers(CHANNEL) and client.place)
            for payload in ("one", "two", "three"):
                backend.publish(CHANNEL, payload)
            await client.wait_payloads(3)
            await until(lambda: client.place.endswith("-3"))
        backend.publish(CHANNEL, "missed by nobody")
        async with new_client(second, bridge, client.place, notices=True) as client:
            backend.publish(CHANNEL, "live")
            await client.wait_payloads(2)
            assert client.told == ["missed by nobody", "live"]


async def test_every_event_has_one_id_for_all_clients() -> None:
    async with (
        SseBackend() as backend,
        bridging(upstream_of(backend)) as bridge,
        SseClient(bridge.authority) as one,
        SseClient(bridge.authority) as other,
    ):
        await until(lambda: backend.subscribers(CHANNEL))
        for number in range(5):
            backend.publish(CHANNEL, str(number))
        await one.wait_payloads(5)
        await other.wait_payloads(5)
        assert one.ids == other.ids
        assert [place.split("-")[1] for place in one.ids] == ["1", "2", "3", "4", "5"]


async def test_channels_do_not_mix() -> None:
    async with (
        SseBackend() as backend,
        bridging(upstream_of(backend)) as bridge,
        SseClient(bridge.authority, channel="project.1") as one,
        WsClient(bridge.authority, channel="file.1") as other,
    ):
        await until(lambda: backend.subscribers("project.1") and backend.subscribers("file.1"))
        backend.publish("project.1", "to the project")
        backend.publish("file.1", "to the file")
        assert await one.wait_payloads(1) == ["to the project"]
        assert await other.wait_payloads(1) == ["to the file"]
