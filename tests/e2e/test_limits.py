"""One budget for both wires: who is over it is told so in the way of its wire."""

import asyncio
import json
from typing import Any

import pytest
from websockets.exceptions import InvalidStatus

from bridge.endpoint.limits import LimitOptions
from bridge.endpoint.relay_request import RelayOptions
from bridge.hub.hub import HubOptions
from bridge.wire.dialect_options import DialectOptions
from bridge.wire.event import END
from tests.endpoint.parts import (
    EVENTS,
    NOWHERE,
    SOCKET,
    Method,
    Running,
    ask,
    bridging,
    closing,
    streaming,
    talking,
)
from tests.endpoint.test_auth import FRAME, guarding
from tests.endpoint.test_forward import ALICE, asking
from tests.support.issuers import bearer, by_token, token
from tests.support.relays import EVENT_STREAM, StepBackend
from tests.support.servers import ways
from tests.support.waiting import until

DESK = "/api/v1/tickets"
STREAM = {"Accept": "text/event-stream"}


@pytest.fixture(params=[True, False], ids=["taken", "stepped"])
def server(request: pytest.FixtureRequest) -> dict[str, Any]:
    return ways(fast=request.param)


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
    limit: str, server: dict[str, Any]
) -> None:
    options: dict[str, Any] = {limit: 2}
    async with bridging(limits=LimitOptions(**options), server=server) as running:
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


async def test_too_many_frames_close_a_socket_and_refuse_a_post(server: dict[str, Any]) -> None:
    async with bridging(limits=LimitOptions(frames=3), server=server) as running:
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
    server: dict[str, Any],
) -> None:
    async with bridging(NOWHERE, server=server) as running:
        for path in (EVENTS, SOCKET):
            for _ in range(5):
                async with (
                    streaming(running.authority) if path == EVENTS else talking(running.authority)
                ):
                    pass
        await until(lambda: running.bridge.gateway.budget.taken == 0)
        assert running.readers == 0


async def test_a_principal_is_counted_over_both_wires_and_all_its_addresses(
    server: dict[str, Any],
) -> None:
    headers = bearer(token())
    limits = LimitOptions(per_principal=2)
    async with guarding(limits=limits, server=server) as (running, _):
        async with (
            streaming(running.authority, headers=headers) as stream,
            talking(running.authority, additional_headers=headers),
        ):
            await stream.block()
            await until(lambda: running.readers == 2)
            places: list[tuple[Method, str]] = [("GET", EVENTS), ("POST", EVENTS), ("POST", DESK)]
            for method, path in places:
                answer = await ask(running.authority, method, path, headers=headers)
                assert answer.status == 429
            assert running.count("clients_refused", reason="principal") == 3
            assert (await ask(running.authority, "GET", EVENTS)).status == 401
        await until(lambda: running.bridge.gateway.budget.taken == 0)


async def test_a_principal_that_a_frame_names_is_counted_from_then_on(
    server: dict[str, Any],
) -> None:
    limits = LimitOptions(per_principal=1)
    auth = by_token(ways=("frame",))
    shown = json.dumps({"type": "auth", "token": token()})
    async with guarding(auth, limits=limits, dialect=FRAME, server=server) as (running, _):
        for _ in range(2):  # the seat of the first round is free again in the second
            async with (
                talking(running.authority) as first,
                talking(running.authority) as second,
            ):
                await first.send(shown)
                await until(lambda: running.readers == 1)
                await second.send(shown)
                assert (await closing(second))[0] == 1013
            await until(lambda: running.bridge.gateway.budget.taken == 0)


async def test_tickets_are_asked_for_no_faster_than_frames_are_sent() -> None:
    async with guarding(limits=LimitOptions(frames=2)) as (running, _):
        headers = bearer(token())
        answers = [
            (await ask(running.authority, "POST", DESK, headers=headers)).status for _ in range(5)
        ]
        assert answers[:2] == [201, 201]
        assert 429 in answers


@pytest.mark.parametrize("auth", ["", "default"])
async def test_clients_of_relays_are_clients(auth: str, server: dict[str, Any]) -> None:
    path, accept = "/v2/echat", {"Accept": "text/event-stream"}
    async with StepBackend(headers=EVENT_STREAM).running() as backend:
        relay = RelayOptions(path, f"{backend}/", auth=auth, get=True)
        limits = LimitOptions(connections=1)
        async with bridging(relays=(relay,), limits=limits, server=server) as running:
            async with talking(running.authority, path):
                answer = await ask(running.authority, "POST", path, data="{}", headers=accept)
                assert (answer.status, answer.json["code"]) == (429, "try-later")
                assert await refusal(running, path) == 429
                answer = await ask(running.authority, "GET", f"{path}?data={{}}", headers=accept)
                assert (answer.status, b"bridge.end" in answer.body) == (200, True)
            await until(lambda: running.bridge.gateway.budget.taken == 0)


async def test_who_is_not_let_in_arrives_all_the_same(server: dict[str, Any]) -> None:
    limits = LimitOptions(arrivals_per_address=1)
    bad = bearer(token(aud="others"))
    async with guarding(limits=limits, server=server) as (running, backend):
        answers = [await ask(running.authority, "GET", EVENTS, headers=bad) for _ in range(20)]
        assert [answer.status for answer in answers[:1]] == [401]
        assert 429 in {answer.status for answer in answers}
        assert {answer.status for answer in answers} == {401, 429}
        refused = running.count("clients_refused", reason="address-arrivals")
        assert refused == sum(answer.status == 429 for answer in answers)
        assert await refusal(running) == 429
        assert running.bridge.gateway.budget.taken == 0
        assert backend.openings == []


async def test_the_endpoint_of_forward_is_asked_for_no_more_clients_than_may_come(
    server: dict[str, Any],
) -> None:
    places: list[tuple[Method, str]] = [
        ("GET", "/api/v1/events/project.{}"),
        ("HEAD", "/api/v1/events/project.{}"),
        ("POST", "/api/v1/events/project.{}"),
        ("POST", DESK + "?channel=project.{}"),
        ("GET", "/api/v1/transport/project.{}"),
    ]
    limits = LimitOptions(per_address=3)
    async with (
        asking(ways=("header", "ticket"), fresh=0) as (authority, auth),
        guarding(auth, limits=limits, server=server) as (running, _),
    ):
        budget = running.bridge.gateway.budget
        for method, path in places:
            authority.asked.clear()
            authority.gate.clear()
            asked = [
                asyncio.create_task(
                    ask(running.authority, method, path.format(f"{method}{number}"), headers=ALICE)
                )
                for number in range(12)
            ]
            await until(lambda: len(authority.asked) == 3)
            await until(lambda tasks=asked: sum(task.done() for task in tasks) == 9)  # type: ignore[misc]
            assert await refusal(running) == 429
            authority.gate.set()
            answers = [answer.status for answer in await asyncio.gather(*asked)]
            assert (answers.count(429), answers.count(403)) == (9, 3)
            assert len(authority.asked) == 3
            await until(lambda: budget.taken == 0)


async def test_clients_that_leave_while_the_endpoint_is_asked_give_their_seats_back(
    server: dict[str, Any],
) -> None:
    async with (
        asking() as (authority, auth),
        guarding(auth, limits=LimitOptions(per_address=4), server=server) as (running, _),
    ):
        budget = running.bridge.gateway.budget
        authority.gate.clear()
        leaving = [
            asyncio.create_task(ask(running.authority, "GET", EVENTS, headers=ALICE)),
            asyncio.create_task(ask(running.authority, "POST", EVENTS, headers=ALICE, data="{}")),
            asyncio.create_task(_opened(running)),
        ]
        await until(lambda: budget.taken == 3)
        for task in leaving:
            task.cancel()
        await asyncio.wait(leaving)
        authority.gate.set()
        await until(lambda: budget.taken == 0)
        assert all(not each.count for each in budget._addresses.values())
        await until(lambda: running.readers == 0)
        async with streaming(running.authority, headers=ALICE) as stream:
            await stream.block()


async def _opened(running: Running) -> None:
    async with talking(running.authority, additional_headers=ALICE) as socket:
        await socket.recv()
