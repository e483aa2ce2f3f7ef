"""The bridge itself is restarted and killed under load, and its logs are in a file.

Each client comes back with its place, on a process that never saw it.
"""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest
from websockets.exceptions import WebSocketException

from tests.endpoint.parts import ask
from tests.support.backends import SseBackend, WsBackend
from tests.support.bridges import CHANNEL, BridgeProcess, bridge_process
from tests.support.clients import Hole, SseClient, WsClient
from tests.support.servers import free_port
from tests.support.waiting import until
from tests.support.ways import Wire

KILLS = 6
REFUSED = (OSError, aiohttp.ClientError, WebSocketException, AssertionError)
"""What a client meets while nobody listens, or while a drain turns it away."""


class Follower:
    """A client that comes back with its place for as long as the block lasts.

    Attributes:
        told: everything over all its connections, in order.
        ids: the place of each payload that an SSE client got.
    """

    def __init__(self, wire: Wire, authority: str) -> None:
        self._wire, self._authority = wire, authority
        self.told: list[str | bytes | Hole] = []
        self.ids: list[tuple[str, str | bytes]] = []
        self.returns = 0
        self._place = ""

    @property
    def holes(self) -> list[Hole]:
        return [each for each in self.told if isinstance(each, Hole)]

    async def follow(self) -> None:
        while True:
            try:
                await self._once()
            except REFUSED:
                await asyncio.sleep(0.02)

    async def _once(self) -> None:
        client: SseClient | WsClient = (
            SseClient(self._authority, self._place)
            if self._wire == "sse"
            else WsClient(self._authority, self._place, notices=True)
        )
        before = self.told
        try:
            async with client:
                self.returns += 1
                while not client.closed:
                    await asyncio.sleep(0.005)
                    self.told = before + client.told
        finally:
            self._note(client, before)

    def _note(self, client: SseClient | WsClient, before: list[str | bytes | Hole]) -> None:
        """Add what a connection brought; nothing here waits, so places and payloads fit."""
        self.told = before + client.told
        self._place = client.place or self._place
        if isinstance(client, SseClient):
            self.ids += zip(client.ids, client.payloads, strict=True)
        else:  # what came behind the last place that was told comes again
            self.told = before + client.told[: client.placed]


class Load:
    """Publishes numbered events without a pause worth the name."""

    def __init__(self, backend: SseBackend | WsBackend) -> None:
        self._backend = backend
        self.count = 0
        self.flowing = True

    async def run(self) -> None:
        while self.flowing:
            for _ in range(random.randint(1, 5)):
                self.publish()
            await asyncio.sleep(0.001)

    def publish(self) -> None:
        self.count += 1
        self._backend.publish(CHANNEL, str(self.count))


@pytest.fixture
def arguments(tmp_path: Path) -> list[str]:
    """Of `ws2sse serve`, with a file for the logs; its port is the last."""
    config = tmp_path / "bridge.toml"
    config.write_text(
        "[reconnect]\nbase = 0.01\ncap = 0.05\n[history]\nmax_events = 200000\nflush = 0.02\n"
        f'persist = "sqlite"\npath = "{tmp_path / "history.db"}"\n'
    )
    return ["--config", str(config)]


@asynccontextmanager
async def under_load(
    backend: SseBackend | WsBackend, authority: str, *wires: Wire
) -> AsyncIterator[tuple[Load, list[Follower]]]:
    load, followers = Load(backend), [Follower(wire, authority) for wire in wires]
    tasks = [asyncio.create_task(each.follow()) for each in followers]
    try:
        await until(lambda: all(each.returns for each in followers))
        await until(lambda: backend.subscribers(CHANNEL))
        tasks.append(asyncio.create_task(load.run()))
        yield load, followers
        load.flowing = False
        await tasks.pop()
        await until(lambda: all(str(load.count) in each.told for each in followers), within=30)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
    for task in tasks:
        assert task.cancelled() or task.exception() is None, task.exception()


def runs(told: list[str | bytes | Hole]) -> list[list[int]]:
    """The numbers, cut at the holes."""
    found: list[list[int]] = [[]]
    for each in told:
        if isinstance(each, Hole):
            found.append([])
        else:
            found[-1].append(int(each))
    return [run for run in found if run]


def assert_each_place_means_one_event(followers: list[Follower]) -> None:
    meanings: dict[str, str | bytes] = {}
    for follower in followers:
        for place, payload in follower.ids:
            assert meanings.setdefault(place, payload) == payload


async def test_a_deploy_under_load_is_no_gap(arguments: list[str]) -> None:
    port = free_port()
    async with SseBackend(replay=True) as backend:
        serve = ["--sse-upstream", backend.url, *arguments]
        async with bridge_process(port, *serve) as bridge:
            authority = bridge.authority
            async with under_load(backend, authority, "sse", "sse", "ws") as (load, followers):
                for _ in range(3):
                    seen = load.count + 50
                    await until(lambda seen=seen: load.count > seen)  # type: ignore[misc]
                    assert await bridge.stop() == 0
                    await bridge.start()
    numbers = [str(number) for number in range(1, load.count + 1)]
    for follower in followers:
        assert follower.told == numbers
        assert follower.returns >= 4
    assert_each_place_means_one_event(followers)


async def test_a_kill_at_any_moment_loses_doubles_and_confuses_nothing_unsaid(
    arguments: list[str],
) -> None:
    port = free_port()
    async with SseBackend(replay=True) as backend:
        serve = ["--sse-upstream", backend.url, *arguments]
        async with bridge_process(port, *serve) as bridge:
            authority = bridge.authority
            async with under_load(backend, authority, "sse", "ws", "sse") as (load, followers):
                await commits(authority)  # before the first, no later process knows of the backend
                for _ in range(KILLS):
                    seen = load.count + random.randint(1, 400)
                    await until(lambda seen=seen: load.count > seen)  # type: ignore[misc]
                    await bridge.kill()
                    await bridge.start()
    for follower in followers:
        assert_nothing_is_lost_and_repetitions_are_announced(follower, load.count)
    assert_each_place_means_one_event(followers)


def assert_nothing_is_lost_and_repetitions_are_announced(follower: Follower, count: int) -> None:
    """Between two holes the backend's stream; behind one, from a place that the client had."""
    last = 0
    for run in runs(follower.told):
        assert run[0] <= last + 1, "events are missing"
        assert run == list(range(run[0], run[-1] + 1))
        last = run[-1]
    assert last == count
    assert {hole.reason for hole in follower.holes} <= {"other-epoch"}


@pytest.mark.parametrize("stop", ["terminate", "kill"])
async def test_where_the_backend_replays_nothing_each_restart_is_one_gap(
    arguments: list[str], stop: str
) -> None:
    async with (
        WsBackend() as backend,
        bridge_process(free_port(), "--ws-upstream", backend.url, *arguments) as bridge,
    ):
        authority = bridge.authority
        async with SseClient(authority) as early:
            await until(lambda: backend.subscribers(CHANNEL))
            backend.publish(CHANNEL, "one")
            await early.wait_payloads(1)
            await commits(authority)
        await (bridge.stop() if stop == "terminate" else bridge.kill())
        await until(lambda: not backend.subscribers(CHANNEL))
        backend.publish(CHANNEL, "missed by all")
        await bridge.start()
        async with SseClient(authority, early.place) as late:
            await until(lambda: backend.subscribers(CHANNEL))
            backend.publish(CHANNEL, "two")
            await late.wait_payloads(1)
            async with SseClient(authority, early.place) as another:
                await another.wait_payloads(1)
    assert late.told == another.told == [Hole("reconnected", None), "two"]


async def commits(authority: str) -> None:
    """Wait until one more batch is on disk: a new log's, for what came just before it."""
    before = await _committed(authority)
    async with SseClient(authority, channel="project.2"):
        async with asyncio.timeout(10):
            while await _committed(authority) <= before:
                pass


async def _committed(authority: str) -> float:
    text = (await ask(authority, "GET", "/metrics")).body.decode()
    line = 'ws2sse_history_commits_total{outcome="written"} '
    return float(text.partition(line)[2].partition("\n")[0] or 0)


async def test_a_second_bridge_on_the_same_file_does_not_start(
    arguments: list[str], capfd: pytest.CaptureFixture[str]
) -> None:
    serve = ["--sse-upstream", "http://127.0.0.1:9/{channel}", *arguments]
    async with bridge_process(free_port(), *serve):
        with pytest.raises(AssertionError, match="did not start"):
            await _started(*serve)
    (line,) = [line for line in capfd.readouterr().err.splitlines() if "history" in line]
    assert "is in use by another process" in line


async def _started(*serve: str) -> BridgeProcess:
    async with bridge_process(free_port(), *serve) as bridge:
        return bridge
