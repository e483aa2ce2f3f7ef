"""Clients that come, are refused, dribble, vanish and leave, and what the budget has of them.

One bridge with limits behind two servers, of which one offers its connections and one keeps them.
Whatever clients do, the seats that are taken are those of the clients that are there, and once all
are gone nothing of anybody is left.
"""

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule

from bridge.app import create_app
from bridge.assembly import Bridge
from bridge.config import Config
from bridge.endpoint.limits import LimitOptions
from bridge.endpoint.options import ClientOptions
from bridge.endpoint.takeover import protocols
from tests.endpoint.parts import NOWHERE
from tests.endpoint.raw import Line, closing_frame, get, line, upgrade
from tests.support.servers import serving
from tests.support.waiting import until

LIMITS = LimitOptions(connections=5, per_channel=3, channels=2)
PATIENT = ClientOptions(heartbeat=1000.0, ping=0, send_timeout=1000.0)
NAMES = st.sampled_from(["project.1", "project.2", "project.3"])
POST = b"POST /api/v1/events/project.1 HTTP/1.1\r\nHost: b\r\nContent-Length: 9\r\n\r\n"

ODDITIES = (
    b"",
    b"GET /api/v1/ev",
    get()[:-2],
    upgrade()[:-2],
    get("/nowhere"),
    get("/api/v1/events/nobody.1"),
    get(method="HEAD"),
    get(extra="Content-Length: 5\r\n"),
    upgrade("/api/v1/ws/nobody.1"),
    upgrade(extra="Content-Length: 5\r\n"),
    upgrade().replace(b"Version: 13", b"Version: 8"),
    POST,
    POST + b"part",
    POST + b"it is all",
    get() + get(),
    b"\x00\x01",
)
"""What is said by connections that are lost right after it."""


@dataclass(eq=False)
class Client:
    """One that was let in."""

    line: Line
    wire: str


class SeatsMachine(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.clients: list[Client] = []
        self.open: list[object] = []
        self.stop = asyncio.Event()
        self.bridge: Bridge
        self.authorities: tuple[str, str]
        self.host = self.runner.run(self._start())

    async def _start(self) -> asyncio.Task[None]:
        started = asyncio.Event()
        host = asyncio.create_task(self._serve(started))
        await asyncio.wait_for(started.wait(), 10)
        return host

    async def _serve(self, started: asyncio.Event) -> None:
        app = create_app(Config(upstream=NOWHERE, client=PATIENT, limits=LIMITS))
        door = app.state.bridge.door
        self.bridge = app.state.bridge
        quick = {"timeout_graceful_shutdown": 1}
        async with (
            serving(app, **quick, **protocols(door)) as taken,
            serving(app, lifespan="off", **quick, **protocols(door, offer=False)) as kept,
        ):
            self.authorities = taken, kept
            started.set()
            await self.stop.wait()

    def run(self, work: Coroutine[Any, Any, None]) -> None:
        self.runner.run(work)

    @property
    def seats(self) -> int:
        return self.bridge.gateway.budget.taken

    async def _line(self, way: int) -> Line:
        connection = line(self.authorities[way])
        self.open.append(connection)
        return await connection.__aenter__()

    @rule(wire=st.sampled_from(["sse", "ws"]), name=NAMES, way=st.integers(0, 1))
    def come(self, wire: str, name: str, way: int) -> None:
        self.run(self._come(wire, name, way))

    async def _come(self, wire: str, name: str, way: int) -> None:
        found = await self._line(way)
        path = f"/api/v1/{'events' if wire == 'sse' else 'ws'}/{name}"
        found.send(get(path) if wire == "sse" else upgrade(path))
        head = await found.until(b"\r\n\r\n")
        said = await found.until(b"\n\n") if wire == "sse" else b""
        if b"bridge.end" in said or b" 429 " in head:
            found.writer.transport.abort()
        else:
            self.clients.append(Client(found, wire))
        await self._settled()

    @rule(said=st.sampled_from(ODDITIES), way=st.integers(0, 1), turns=st.integers(0, 5))
    def oddity(self, said: bytes, way: int, turns: int) -> None:
        self.run(self._odd(said, way, turns))

    async def _odd(self, said: bytes, way: int, turns: int) -> None:
        found = await self._line(way)
        found.send(said)
        for _ in range(turns):
            await asyncio.sleep(0)
        found.writer.transport.abort()
        await self._settled()

    @precondition(lambda self: self.clients)
    @rule(data=st.data(), politely=st.booleans())
    def leave(self, data: st.DataObject, *, politely: bool) -> None:
        client = data.draw(st.sampled_from(self.clients))
        self.clients.remove(client)
        self.run(self._leave(client, politely=politely))

    async def _leave(self, client: Client, *, politely: bool) -> None:
        if politely and client.wire == "ws":
            client.line.send(closing_frame())
            await client.line.rest()
        client.line.writer.transport.abort()
        await self._settled()

    async def _settled(self) -> None:
        await until(lambda: self.seats == len(self.clients))
        assert self.seats <= LIMITS.connections
        assert len(self.bridge.drain.present) == sum(each.wire == "ws" for each in self.clients)

    def teardown(self) -> None:
        async def stop() -> None:
            for client in self.clients:
                client.line.writer.transport.abort()
            self.clients.clear()
            await until(lambda: self.seats == 0)
            budget = self.bridge.gateway.budget
            assert not any(each.count for each in budget._addresses.values())
            assert self.bridge.hub.statistics().readers == 0
            self.stop.set()
            await self.host

        self.run(stop())
        self.runner.close()


TestSeatsMachine = SeatsMachine.TestCase
TestSeatsMachine.settings = settings(max_examples=25, stateful_step_count=25, deadline=None)
