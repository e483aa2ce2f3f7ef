"""Plays cells of the matrix out: a backend, a proxy on either side of the bridge, and clients.

All cells of a setting share these, each with a channel of its own, and run side by side.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import aiohttp

from bridge.assembly import Bridge
from bridge.config import Config, UpstreamOptions
from bridge.endpoint.options import ClientOptions
from bridge.server import BridgeServer, bind, uvicorn_config
from bridge.upstream.backoff import ReconnectOptions
from bridge.upstream.sse import SseOptions
from bridge.upstream.ws import WsOptions
from bridge.wire.dialect_options import DialectOptions
from tests.faults.account import faults
from tests.faults.cells import MENDING, Audience, Cell, Link, Memory, Setting, Where
from tests.faults.proxy import Fault, FaultProxy, Kind
from tests.faults.reader import HOLE, LegacyReader, Reader, SseReader, WsReader
from tests.support.backends import SseBackend, WsBackend
from tests.support.ports import reserved_port
from tests.support.waiting import until

AT_ONCE = 48
_SILENCE = 1.0
_PATIENCE = 1.0
_STEP = 0.2
_WITHIN = 30.0
_READERS: dict[Audience, type[Reader]] = {
    Audience.SSE: SseReader,
    Audience.WS: WsReader,
    Audience.LEGACY: LegacyReader,
}


class Server:
    """The bridge with its own server, in this process, on one port over several lives."""

    def __init__(self, config: Config, port: int) -> None:
        self._config, self._port = config, port

    @property
    def authority(self) -> str:
        """`127.0.0.1:PORT`."""
        return f"127.0.0.1:{self._port}"

    async def start(self) -> None:
        """Serve."""
        self._listener = bind("127.0.0.1", self._port)
        self.bridge = Bridge(self._config)
        settings = uvicorn_config(self._config, self.bridge)
        self._server = BridgeServer(settings, self.bridge, self._config.drain_timeout, _SILENCE)
        self._serving = asyncio.create_task(self._server._serve([self._listener]))
        await until(lambda: self._server.started or self._serving.done())

    async def stop(self) -> None:
        """Drain and stop, as after a signal."""
        self._server.should_exit = True
        await self._serving
        self._listener.close()

    def top(self, channel: str) -> int:
        """How much is in a channel's log."""
        tops = [each.log.top for each in self.bridge.hub.channels() if str(each.key) == channel]
        return max(tops, default=0)


@dataclass
class Bench:
    """What the cells of one setting share."""

    setting: Setting
    backend: SseBackend | WsBackend
    before_backend: FaultProxy
    server: Server
    before_bridge: FaultProxy
    session: aiohttp.ClientSession
    numbers: Iterator[int] = field(default_factory=lambda: count(1))

    @property
    def disturbed(self) -> FaultProxy:
        """The proxy on the link that faults befall."""
        return self.before_backend if self.setting.link is Link.BACKEND else self.before_bridge


@asynccontextmanager
async def bench(setting: Setting) -> AsyncIterator[Bench]:
    """Everything of a setting, running."""
    async with (
        _backend(setting) as backend,
        FaultProxy(backend.authority) as before_backend,
        aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session,
    ):
        with reserved_port() as port:
            server = Server(_config(setting, backend, before_backend.authority), port)
            await server.start()
            try:
                async with FaultProxy(server.authority) as before_bridge:
                    yield Bench(setting, backend, before_backend, server, before_bridge, session)
            finally:
                await server.stop()


def _backend(setting: Setting) -> SseBackend | WsBackend:
    replay = setting.memory is Memory.REPLAY
    if setting.source == "ws":
        return WsBackend(replay=replay)
    return SseBackend(replay=replay, numbered=setting.memory is Memory.NUMBERED, ping=0.3)


def _config(setting: Setting, backend: SseBackend | WsBackend, authority: str) -> Config:
    url = backend.url.replace(backend.authority, authority)
    if setting.source == "sse":
        upstream = UpstreamOptions(sse=SseOptions(url, silence=_SILENCE))
    else:
        upstream = UpstreamOptions(ws=WsOptions(url, **_subscribing(setting)))
    return Config(
        upstream=upstream,
        reconnect=ReconnectOptions(base=0.01, cap=0.05),
        client=ClientOptions(heartbeat=0.3, fast_path=setting.fast),
        dialect=DialectOptions(gap=f'{{"type":"{HOLE}"}}'),
        drain_timeout=3,
    )


def _subscribing(setting: Setting) -> dict[str, Any]:
    subscribe = '{"type":"subscribe","projectId":"{channel}","resume":"{resume}"}'
    numbered = setting.memory is not Memory.BARE
    return {
        "subscribe": subscribe,
        "resume_field": "n" if numbered else "",
        "silence": _SILENCE,
        "ping_interval": 0.3,
        "connect_timeout": _SILENCE,
    }


async def run_cells(setting: Setting, cells: list[Cell]) -> list[str]:
    """Play them out; gives what went wrong, each with its cell."""
    async with bench(setting) as shared:
        room = asyncio.Semaphore(AT_ONCE)

        async def one(cell: Cell) -> list[str]:
            async with room, Playing(shared, cell) as playing:
                await playing.prepare()
                await playing.disturb()
                return await playing.finish()

        results = await asyncio.gather(*(_told(cell, one(cell)) for cell in cells))
    return [fault for result in results for fault in result]


async def run_drain(setting: Setting, cells: list[Cell]) -> list[str]:
    """Play those out that need the bridge to stop, in the course of one stop."""
    async with bench(setting) as shared, contextlib.AsyncExitStack() as stack:
        playings = [await stack.enter_async_context(Playing(shared, cell)) for cell in cells]
        await asyncio.gather(*(each.prepare() for each in playings))
        for each in playings:
            each.publish_marked()
        await shared.server.stop()
        await shared.server.start()
        finishes = [_told(each.cell, each.finish()) for each in playings]
        results = await asyncio.gather(*finishes)
    return [fault for result in results for fault in result]


async def _told(cell: Cell, outcome: Any) -> list[str]:
    try:
        return [f"{cell}: {fault}" for fault in await outcome]
    except (AssertionError, TimeoutError) as error:
        return [f"{cell}: {type(error).__name__} {error}"]


class Playing:
    """One cell: its channel, its events and its client."""

    def __init__(self, shared: Bench, cell: Cell) -> None:
        self._shared, self.cell = shared, cell
        self.channel = f"project.{next(shared.numbers)}"
        self.published: list[str] = []
        stalled = cell.setting.link is Link.CLIENT and cell.kind is Kind.STALL
        patience = _PATIENCE if stalled or cell.audience is Audience.SSE else None
        self.reader = _READERS[cell.audience](
            shared.session, shared.before_bridge.authority, self.channel, patience
        )

    async def __aenter__(self) -> "Playing":
        first = [None] if self.cell.on_return else []
        self._shared.disturbed.script(self.channel, *first, self._fault())
        await self.reader.__aenter__()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.reader.__aexit__()

    def _fault(self) -> Fault:
        kind = self.cell.kind
        if kind is Kind.REPEAT and self.cell.setting.link is Link.CLIENT:
            kind = Kind.ASK_TWICE
        return Fault(kind, self.cell.place)

    def publish(self, *, marked: bool = False) -> None:
        """One more event, different from all others."""
        number = len(self.published) + 1
        payload = f'{{"n":{number},"mark":"a€b"}}' if marked else f'{{"n":{number}}}'
        self.published.append(payload)
        self._shared.backend.publish(self.channel, payload)

    def publish_marked(self) -> None:
        """The one in which faults strike, between others."""
        self.publish()
        self.publish(marked=True)
        self.publish()

    async def prepare(self) -> None:
        """A while in which all is well: enough for ids to have proven that they count."""
        await until(lambda: self._shared.backend.subscribers(self.channel), within=_WITHIN)
        await until(lambda: self.reader.connected, within=_WITHIN)
        for _ in range(3):
            self.publish()
        await self._told(self.published[-1])

    async def disturb(self) -> None:
        """Let the fault strike, with events before, on the way and after."""
        if not self.cell.on_return:
            self.publish_marked()
        elif self.cell.setting.link is Link.BACKEND:
            self._shared.disturbed.cut(self.channel)
            self.publish_marked()
        else:
            await self._disturb_return()
        await until(lambda: self._shared.disturbed.struck[self.channel], within=_WITHIN)

    async def _disturb_return(self) -> None:
        """The client comes back to what it missed, or, where it knows no place, to nothing."""
        self.reader.hold()
        self._shared.disturbed.cut(self.channel)
        top = self._shared.server.top(self.channel)
        self.publish_marked()
        await until(lambda: self._shared.server.top(self.channel) >= top + 3, within=_WITHIN)
        self.reader.release()

    async def finish(self) -> list[str]:
        """All is well again; gives what is wrong with what the client was told."""
        await self._news_arrive()
        shared = self._shared.disturbed
        found = faults(self.published, self.reader.told, whole=self._whole)
        if self._whole and self.reader.told != self.published:
            found.append("not all came that was published")
        if not shared.struck[self.channel]:
            found.append("the fault did not strike")
        if self.channel in shared.too_late:
            found.append("the fault struck late")
        return found + ([repr(self.reader.failed)] if self.reader.failed else [])

    @property
    def _whole(self) -> bool:
        """Whether nothing may be lost, for all that was disturbed."""
        if self.cell.where is Where.DRAIN:
            return False
        if self.cell.kind in MENDING and not self.cell.on_return:
            return True
        knows = self.cell.audience is not Audience.LEGACY or self.cell.setting.link is Link.BACKEND
        return knows and self.cell.setting.memory is Memory.REPLAY

    async def _news_arrive(self) -> None:
        """Publish until something arrives that was published after the fault."""
        begun = len(self.published)
        deadline = asyncio.get_running_loop().time() + _WITHIN
        while not any(payload in self.reader.told for payload in self.published[begun:]):
            assert asyncio.get_running_loop().time() < deadline, "nothing arrives any more"
            assert not self.reader.failed, self.reader.failed
            self.publish()
            with contextlib.suppress(TimeoutError):
                await until(lambda: self.published[-1] in self.reader.told, within=_STEP)
        self.publish()
        await self._told(self.published[-1])

    async def _told(self, payload: str) -> None:
        await until(lambda: payload in self.reader.told, within=_WITHIN)
