"""Random faults at random places, one upon the other: what a client is told stays true.

A backend, a proxy on either side of a bridge, and a client of each kind. Connections are cut,
reset, stalled, delayed, split and repeated at any byte, the backend dies, the bridge restarts. At
every moment each client's stream is the backend's, with nothing doubled or out of order and every
hole announced; and when all is well again, news reaches everyone.
"""

import asyncio
from collections.abc import Coroutine
from contextlib import AsyncExitStack, suppress
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from tests.faults import places
from tests.faults.account import faults
from tests.faults.bench import Bench, bench
from tests.faults.cells import KINDS, SOURCES, Link, Memory, Setting
from tests.faults.proxy import Fault, FaultProxy, Kind
from tests.faults.reader import LegacyReader, Reader, SseReader, WsReader
from tests.support.waiting import until
from tests.support.ways import Wire

CHANNEL = "project.1"
PATIENCE = 1.0
A_WHILE = 0.2
WITHIN = 30.0
PLACES = st.one_of(
    st.integers(0, 1500).map(places.at_offset),
    st.integers(0, 12).map(lambda offset: places.at_pattern(places.MARK, offset)),
    st.integers(0, 2).map(lambda offset: places.at_pattern(places.LETTER, offset)),
    st.sampled_from([places.after_headers, places.after_carriage_return, places.inside_header]),
)


class FaultMachine(RuleBasedStateMachine):
    """Drives the bench of the fault matrix by chance."""

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.owned = AsyncExitStack()
        self.published: list[str] = []
        self.readers: list[Reader] = []
        self.is_down = False
        self.shared: Bench | None = None

    @property
    def here(self) -> Bench:
        assert self.shared
        return self.shared

    def run(self, work: Coroutine[Any, Any, None]) -> None:
        self.runner.run(work)

    @initialize(source=st.sampled_from(SOURCES), memory=st.sampled_from(Memory), fast=st.booleans())
    def begin(self, source: Wire, memory: Memory, *, fast: bool) -> None:
        self.run(self._begin(Setting(Link.BACKEND, source, memory, fast)))

    async def _begin(self, setting: Setting) -> None:
        self.shared = await self.owned.enter_async_context(bench(setting))
        for kind in (SseReader, WsReader, LegacyReader):
            authority = self.here.before_bridge.authority
            reader = kind(self.here.session, authority, CHANNEL, PATIENCE)
            self.readers.append(await self.owned.enter_async_context(reader))
        await until(lambda: self.here.backend.subscribers(CHANNEL), within=WITHIN)
        await until(lambda: all(each.connected for each in self.readers), within=WITHIN)
        await self._news()

    # What happens.

    @rule(count=st.integers(1, 6))
    def publish(self, count: int) -> None:
        self.run(self._publish(count))

    async def _publish(self, count: int) -> None:
        for _ in range(count):
            number = len(self.published) + 1
            self.published.append(f'{{"n":{number},"mark":"a€b"}}')
            self.here.backend.publish(CHANNEL, self.published[-1])
        await self._a_while()

    async def _a_while(self) -> None:
        """Until all have the news; not for long, for it may never come."""
        with suppress(TimeoutError):
            await until(self._all_know, within=A_WHILE)

    def _all_know(self) -> bool:
        return all(self.published[-1] in each.told for each in self.readers)

    @rule(
        link=st.sampled_from(Link), kind=st.sampled_from(KINDS), place=PLACES, later=st.booleans()
    )
    def disturb(self, link: Link, kind: Kind, place: places.Place, *, later: bool) -> None:
        if kind is Kind.REPEAT:
            if link is Link.CLIENT:
                kind = Kind.ASK_TWICE
            elif self.here.setting.memory is Memory.BARE:
                kind = Kind.CUT  # nobody can tell repeated events without ids from new ones
        proxy = self._proxy(link)
        proxy.script(CHANNEL, *[None] * later, Fault(kind, place))
        self.run(self._cut(proxy))

    @rule(link=st.sampled_from(Link))
    def cut(self, link: Link) -> None:
        self.run(self._cut(self._proxy(link)))

    async def _cut(self, proxy: FaultProxy) -> None:
        proxy.cut(CHANNEL)
        await self._publish(2)

    def _proxy(self, link: Link) -> FaultProxy:
        return self.here.before_backend if link is Link.BACKEND else self.here.before_bridge

    @precondition(lambda self: not self.is_down)
    @rule()
    def kill_the_backend(self) -> None:
        self.is_down = True
        self.run(self.here.backend.kill())

    @precondition(lambda self: self.is_down)
    @rule()
    def revive_the_backend(self) -> None:
        self.is_down = False
        self.run(self.here.backend.start())

    @rule()
    def restart_the_bridge(self) -> None:
        self.run(self._restart())

    async def _restart(self) -> None:
        await self.here.server.stop()
        await self.here.server.start()

    # What holds.

    @invariant()
    def streams_are_true(self) -> None:
        for reader in self.readers:
            assert not reader.failed, repr(reader.failed)
            found = faults(self.published, reader.told)
            assert not found, f"{type(reader).__name__}: {found} in {reader.told}"

    def teardown(self) -> None:
        try:
            if self.shared:
                self.run(self._recover())
                self.streams_are_true()
        finally:
            self.run(self.owned.aclose())
            self.runner.close()

    async def _recover(self) -> None:
        for proxy in (self.here.before_backend, self.here.before_bridge):
            proxy.script(CHANNEL)
        if self.is_down:
            await self.here.backend.start()
        await self._news()

    async def _news(self) -> None:
        """Publish until something new has reached each client."""
        begun = len(self.published)
        deadline = asyncio.get_running_loop().time() + WITHIN
        await self._publish(1)
        while not all(set(self.published[begun:]) & set(map(str, r.told)) for r in self.readers):
            assert asyncio.get_running_loop().time() < deadline, "nothing arrives any more"
            await self._publish(1)


TestFaults = FaultMachine.TestCase
TestFaults.settings = settings(max_examples=12, stateful_step_count=12, deadline=None)
