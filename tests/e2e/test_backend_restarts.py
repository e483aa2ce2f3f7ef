"""The backend is killed and restarted in mid-stream, twenty times over."""

from collections.abc import Iterator
from itertools import count

import pytest

from tests.support.backends import SseBackend, WsBackend
from tests.support.bridges import CHANNEL, bridging, upstream_of
from tests.support.clients import Client, Hole, SseClient, WsClient
from tests.support.waiting import until
from tests.support.ways import Wire, new_client

CRASHES = 20
WIRES: tuple[Wire, ...] = ("ws", "sse")


class Numbered:
    """Publishes 1, 2, 3 ... as JSON, and reads them back."""

    def __init__(self, backend: SseBackend | WsBackend) -> None:
        self._backend = backend
        self._numbers: Iterator[int] = count(1)
        self.published: list[str] = []

    def publish(self, how_many: int) -> None:
        for number in (next(self._numbers) for _ in range(how_many)):
            payload = f'{{"n":{number}}}'
            self.published.append(payload)
            self._backend.publish(CHANNEL, payload)

    def number_of(self, payload: str | bytes | Hole) -> int:
        assert isinstance(payload, str)
        return self.published.index(payload) + 1


async def _live_through(
    backend: SseBackend | WsBackend, numbered: Numbered, clients: list[Client]
) -> None:
    """Crash in mid-stream, with events before, on the way, in the down time and after."""
    for crash in range(1, CRASHES + 1):
        numbered.publish(5)
        await _wait_told(clients, numbered.published[-5])
        numbered.publish(5)
        await backend.kill()
        numbered.publish(crash % 3)
        await backend.start()
        await until(lambda: backend.subscribers(CHANNEL))
    numbered.publish(5)
    await _wait_told(clients, numbered.published[-1])


async def _wait_told(clients: list[Client], payload: str) -> None:
    await until(lambda: all(payload in client.told for client in clients))


def _runs(told: list[str | bytes | Hole]) -> list[list[str | bytes | Hole]]:
    """What was told, cut at the holes; empty runs too."""
    runs: list[list[str | bytes | Hole]] = [[]]
    for each in told:
        if isinstance(each, Hole):
            runs.append([])
        else:
            runs[-1].append(each)
    return runs


def _assert_each_hole_is_announced(numbered: Numbered, client: Client) -> None:
    """Between two gaps the stream is the backend's, exactly; over all, nothing comes twice."""
    for run in filter(None, _runs(client.told)):
        first, last = numbered.number_of(run[0]), numbered.number_of(run[-1])
        assert run == numbered.published[first - 1 : last]
    numbers = [numbered.number_of(payload) for payload in client.payloads]
    assert numbers == sorted(set(numbers))


@pytest.fixture(params=WIRES)
def wire(request: pytest.FixtureRequest) -> Wire:
    found: Wire = request.param
    return found


@pytest.mark.parametrize("replay", ["auto", "trusted"])
async def test_what_the_backend_replays_is_neither_lost_nor_doubled(
    wire: Wire, replay: str
) -> None:
    async with (
        SseBackend(replay=True) as backend,
        bridging(upstream_of(backend, replay=replay)) as bridge,
        new_client(wire, bridge, notices=True) as client,
    ):
        await until(lambda: backend.subscribers(CHANNEL))
        numbered = Numbered(backend)
        await _live_through(backend, numbered, [client])
        assert client.told == numbered.published
        assert len(backend.openings) > CRASHES


async def test_without_replay_numbered_ids_prove_each_hole_and_its_size(wire: Wire) -> None:
    async with (
        SseBackend(numbered=True) as backend,
        bridging(upstream_of(backend)) as bridge,
        new_client(wire, bridge, notices=True) as client,
    ):
        await until(lambda: backend.subscribers(CHANNEL))
        numbered = Numbered(backend)
        await _live_through(backend, numbered, [client])
        _assert_each_hole_is_announced(numbered, client)
        lost = len(numbered.published) - len(client.payloads)
        assert sum(hole.lost or 0 for hole in client.holes) == lost > 0
        assert {hole.reason for hole in client.holes} == {"skipped"}


async def test_without_ids_every_reconnect_is_announced_as_a_possible_hole(wire: Wire) -> None:
    async with (
        SseBackend() as backend,
        bridging(upstream_of(backend)) as bridge,
        new_client(wire, bridge, notices=True) as client,
    ):
        await until(lambda: backend.subscribers(CHANNEL))
        numbered = Numbered(backend)
        await _live_through(backend, numbered, [client])
        _assert_each_hole_is_announced(numbered, client)
        assert client.holes == [Hole("reconnected", None)] * CRASHES


async def test_every_reconnect_to_a_socket_is_announced_on_both_wires() -> None:
    async with (
        WsBackend() as backend,
        bridging(upstream_of(backend)) as bridge,
        SseClient(bridge.authority) as stream,
        WsClient(bridge.authority, notices=True) as socket,
        WsClient(bridge.authority) as legacy,
    ):
        await until(lambda: backend.subscribers(CHANNEL) and bridge.readers == 3)
        numbered = Numbered(backend)
        await _live_through(backend, numbered, [stream, socket, legacy])
        assert stream.told == socket.told
        assert legacy.told == socket.payloads  # no frame but the backend's
        _assert_each_hole_is_announced(numbered, stream)
        assert stream.holes == [Hole("reconnected", None)] * CRASHES


async def test_clients_that_come_before_the_backend_are_served_once_it_is_there(
    wire: Wire,
) -> None:
    async with (
        SseBackend(running=False) as backend,
        bridging(upstream_of(backend)) as bridge,
        new_client(wire, bridge, notices=True) as client,
    ):
        await backend.start()
        await until(lambda: backend.subscribers(CHANNEL))
        backend.publish(CHANNEL, "{}")
        await client.wait_payloads(1)
        assert client.told == ["{}"]
