"""One budget for both wires: who is over it is told so in the way of its wire."""

import json
from typing import Any

import pytest
from websockets.exceptions import InvalidStatus

from bridge.endpoint.limits import LimitOptions
from bridge.endpoint.options import ClientOptions
from bridge.hub.hub import HubOptions
from bridge.wire.dialect_options import DialectOptions
from bridge.wire.event import END
from tests.endpoint.parts import (
    EVENTS,
    NOWHERE,
    SOCKET,
    Running,
    ask,
    bridging,
    closing,
    streaming,
    talking,
)
from tests.support.waiting import until

STREAM = {"Accept": "text/event-stream"}


@pytest.fixture(params=[True, False], ids=["taken", "stepped"])
def client(request: pytest.FixtureRequest) -> ClientOptions:
    return ClientOptions(fast_path=request.param)


async def told(running: Running, path: str = EVENTS) -> Any:
    """What an EventSource is told that is over a limit: a stream, since it gives up at a status."""
    async with streaming(running.authority, path) as stream:
        event = await stream.event()
        said = json.loads(event.data)
        assert (event.event, said["code"], said["close"]) == (END, "try-later", 1013)
        assert event.retry == said["delay"] > 0
        assert await stream.rest() == b""
        return said["reason"]


async def refusal(running: Running, path: str = SOCKET) -> int:
    with pytest.raises(InvalidStatus) as refused:
        async with talking(running.authority, path):
            pass
    response = refused.value.response
    assert int(response.headers["Retry-After"]) > 0
    return response.status_code


@pytest.mark.parametrize("limit", ["connections", "per_address", "per_channel"])
async def test_both_wires_count_together_and_all_are_told(
    limit: str, client: ClientOptions
) -> None:
    options: dict[str, Any] = {limit: 2}
    async with bridging(limits=LimitOptions(**options), client=client) as running:
        async with streaming(running.authority) as stream, talking(running.authority):
            await stream.block()
            await until(lambda: running.readers == 2)
            assert "too many" in await told(running)
            assert await refusal(running) == 429
            answer = await ask(running.authority, "GET", EVENTS)
            assert (answer.status, answer.json["code"]) == (429, "try-later")
            assert int(answer.headers["Retry-After"]) > 0
            if limit != "per_channel":
                assert (await ask(running.authority, "POST", EVENTS, data="x")).status == 429
        await until(lambda: running.bridge.gateway.budget.taken == 0)
        async with streaming(running.authority) as stream:
            await stream.block()


async def test_a_legacy_client_that_is_let_in_first_is_closed_by_1013() -> None:
    dialect = DialectOptions(reject="after")
    async with (
        bridging(limits=LimitOptions(connections=1), dialect=dialect) as running,
        talking(running.authority),
        talking(running.authority) as second,
    ):
        assert (await closing(second))[0] == 1013
        assert running.count("clients_refused", reason="connections") == 1


async def test_arrivals_beyond_the_rate_are_told_when_to_come_back() -> None:
    async with bridging(limits=LimitOptions(arrivals_per_address=1)) as running:
        async with streaming(running.authority) as stream:
            await stream.block()
        assert "at once from this address" in await told(running)
        assert running.count("clients_refused", reason="address-arrivals") == 1


async def test_too_many_frames_close_a_socket_and_refuse_a_post(client: ClientOptions) -> None:
    async with bridging(limits=LimitOptions(frames=3), client=client) as running:
        async with talking(running.authority) as socket:
            for _ in range(20):
                await socket.send('{"type":"ping"}')
            assert (await closing(socket))[0] == 1013
        async with talking(running.authority) as another:  # whose frames are its own
            await another.send('{"type":"ping"}')
            assert await another.recv()
        statuses = [
            (await ask(running.authority, "POST", EVENTS, data="x")).status for _ in range(6)
        ]
        assert 429 in statuses
        assert running.count("clients_refused", reason="frames") >= 2


async def test_channels_beyond_the_limit_are_refused_until_idle_ones_make_room() -> None:
    hub = HubOptions(linger=600, retain=600)
    async with bridging(limits=LimitOptions(channels=2), hub=hub) as running:
        for name in ("file.1", "file.2"):
            async with streaming(running.authority, f"/api/v1/events/{name}") as stream:
                await stream.block()
        async with (
            streaming(running.authority, "/api/v1/events/file.3") as stream,
            talking(running.authority, "/api/v1/ws/file.4") as socket,
        ):
            await stream.block()
            await until(lambda: running.readers == 2)
            names = {channel.key.name.text for channel in running.bridge.hub.channels()}
            assert names == {"file.3", "file.4"}
            assert "channels" in await told(running, "/api/v1/events/file.5")
            assert await refusal(running, "/api/v1/ws/file.5") == 429
            answer = await ask(running.authority, "POST", "/api/v1/events/file.5", data="x")
            assert answer.status in (429, 501)
            await socket.send('{"type":"subscribe","channel":"file.6"}')
            assert (await closing(socket))[0] == 1013


async def test_all_logs_together_have_a_bound_and_the_trimmed_are_told() -> None:
    async with bridging(limits=LimitOptions(log_bytes=10_000)) as running:
        async with (
            streaming(running.authority, "/api/v1/events/file.1") as quiet,
            streaming(running.authority, "/api/v1/events/file.2") as loud,
        ):
            place = (await loud.block()).decode().partition("id: ")[2].strip()
            await quiet.block()
            running.publish("q" * 100, name="file.1")
            running.publish(*["l" * 1000] * 30, name="file.2")
            assert running.bridge.store.statistics().bytes <= 10_000
            assert (await quiet.event()).data == "q" * 100
        async with streaming(running.authority, "/api/v1/events/file.2", place=place) as late:
            assert json.loads((await late.event()).data)["reason"] == "trimmed"
        assert running.channel("file.1").log.base == 0


async def test_a_client_that_leaves_during_its_handshake_leaves_no_seat_behind(
    client: ClientOptions,
) -> None:
    async with bridging(NOWHERE, client=client) as running:
        for path in (EVENTS, SOCKET):
            for _ in range(5):
                async with (
                    streaming(running.authority) if path == EVENTS else talking(running.authority)
                ):
                    pass
        await until(lambda: running.bridge.gateway.budget.taken == 0)
        assert running.readers == 0
