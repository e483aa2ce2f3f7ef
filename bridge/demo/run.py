"""One run of the demonstration: backend, bridge, page and clients in one process, start to stop.

Decides the order in which they start and what ends the run. The bridge's server alone listens to
signals; once it has drained and closed, everything else is cancelled.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

import anyio

from bridge.app import create_app
from bridge.assembly import Bridge
from bridge.config import Config, UpstreamOptions
from bridge.demo import script
from bridge.demo.backend import Backend
from bridge.demo.compare import Comparison, Heard, Pair, Wire
from bridge.demo.front import Front
from bridge.demo.watch import Clients
from bridge.ops import logs
from bridge.server import BridgeServer, bind, uvicorn_config
from bridge.settings.model import Source
from bridge.upstream.backoff import ReconnectOptions
from bridge.upstream.sse import SseOptions
from bridge.upstream.ws import WsOptions

HOST = "127.0.0.1"
_DRAIN_SECONDS = 1.0
SETTLE_SECONDS = 5.0
"""How long the clients may take to hear the backend's last word."""


@dataclass(frozen=True, slots=True)
class DemoOptions:
    """What a user can choose.

    Attributes:
        port: of the bridge and the page; 0 lets the kernel choose.
        source: which of the backend's wires the bridge reads.
        seconds: stop after so long; None runs on.
        renders: stop after so many renders; None runs on.
        clients: whether the two built-in clients watch.
        speed: how many times faster than life the backend renders.
    """

    port: int = 8080
    source: Source = "sse"
    seconds: float | None = None
    renders: int | None = None
    clients: bool = True
    speed: float = 1.0


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where everything is.

    Attributes:
        bridge: authority of the bridge and the page.
        backend: authority of the backend.
        source: as in the options.
    """

    bridge: str
    backend: str
    source: Source

    @property
    def page(self) -> str:
        """The page's URL."""
        return f"http://{self.bridge}/"

    @property
    def ws(self) -> str:
        """The channel as a WebSocket."""
        return f"ws://{self.bridge}/api/v1/ws/{script.CHANNEL}"

    @property
    def sse(self) -> str:
        """The channel as an event stream."""
        return f"http://{self.bridge}/api/v1/events/{script.CHANNEL}"


class Screen(Protocol):
    """Where the run is told."""

    def greet(self, addresses: Addresses) -> None:
        """Everything listens."""

    def note(self, text: str) -> None:
        """One line to keep."""

    def live(self, newest: Heard, arrived: frozenset[Wire], render: int) -> None:
        """The line that changes: the newest message, and at which clients it is."""


def run(options: DemoOptions, screen: Screen) -> int:
    """Run until a signal or the end that the options set; gives the exit status.

    Raises:
        ConfigError: the port cannot be listened on.
    """
    logs.configure("error")
    return anyio.run(Demo(options, screen).run)


@dataclass(slots=True)
class Demo:
    """A run.

    Attributes:
        options: what the user chose.
        screen: where the run is told.
        away: seconds that a restarted backend stays away.
    """

    options: DemoOptions
    screen: Screen
    away: float = 2.0
    _backend: Backend = field(init=False)
    _server: BridgeServer | None = None
    _comparison: Comparison = field(default_factory=Comparison)
    _failed: bool = False

    def __post_init__(self) -> None:
        self._backend = Backend(self.options.speed)

    async def run(self) -> int:
        """Start everything, and wait for the end; 0, or 1 where the two wires were not alike."""
        with bind(HOST, self.options.port) as listener:
            async with self._backend.running() as authority:
                own = "{}:{}".format(*listener.getsockname()[:2])
                addresses = Addresses(own, authority, self.options.source)
                self._server = self._made(addresses)
                async with anyio.create_task_group() as tasks:
                    tasks.start_soon(self._play, addresses)
                    await self._server.serve(sockets=[listener])
                    tasks.cancel_scope.cancel()
        return 1 if self._failed or self._comparison.differing else 0

    def stop(self) -> None:
        """End the run in good order, as a signal does."""
        if self._server:
            self._server.should_exit = True

    def _made(self, addresses: Addresses) -> BridgeServer:
        config = configuration(addresses)
        bridge = Bridge(config)
        about = {
            "source": addresses.source,
            "channel": script.CHANNEL,
            "backend": addresses.backend,
        }
        front = Front(create_app(config, bridge), about, self._restart)
        return BridgeServer(uvicorn_config(config, bridge, front), bridge, config.drain_timeout)

    async def _restart(self) -> None:
        self.screen.note(f"backend: crashed in mid-stream, back in {self.away:g} s")
        await self._backend.restart(self.away)

    async def _play(self, addresses: Addresses) -> None:
        """Render and watch, then stop the server."""
        self.screen.greet(addresses)
        with anyio.move_on_after(self.options.seconds):
            if self.options.clients:
                await self._watched(addresses)
            else:
                await self._backend.render(self.options.renders)
        self.stop()

    async def _watched(self, addresses: Addresses) -> None:
        clients = Clients(addresses.ws, addresses.sse, self._heard, self._comparison.gap)

        async def listen() -> None:
            await clients.run()
            if self._server and not self._server.should_exit:
                self._fail(clients.lost)
            tasks.cancel_scope.cancel()

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(listen)
            # not a word before all listen, so that both hear the same from the first one on
            await clients.connected.wait()
            await self._backend.journal.followed.wait()
            await self._backend.render(self.options.renders)
            await self._settle()
            tasks.cancel_scope.cancel()

    async def _settle(self) -> None:
        """Wait until both clients have heard the backend's last word."""
        with anyio.move_on_after(SETTLE_SECONDS):
            # texts, not counts: with a WebSocket backend a crash costs some
            while self._comparison.last != self._backend.journal.last:  # noqa: ASYNC110 - brief
                await anyio.sleep(0.01)
        if self._comparison.unpaired:
            self._fail(f"{self._comparison.unpaired} events reached only one of the clients")
        elif self._comparison.heard < self._backend.journal.top and not self._comparison.gaps:
            self._fail("some events reached no client, and no gap was told")

    def _fail(self, reason: str) -> None:
        self._failed = True
        self.screen.note(reason)

    def _heard(self, heard: Heard) -> None:
        pair = self._comparison.take(heard)
        arrived: frozenset[Wire] = frozenset(("ws", "sse") if pair else (heard.wire,))
        self.screen.live(pair.sse if pair else heard, arrived, self._comparison.render)
        if pair:
            self._paired(pair)

    def _paired(self, pair: Pair) -> None:
        if not pair.same:
            self.screen.note(f"DIFFERENT at {pair.sse.id}: {pair.ws.text!r} {pair.sse.text!r}")
        summary = self._comparison.conclude(pair)
        if summary:
            self.screen.note(str(summary))


def configuration(addresses: Addresses) -> Config:
    """The bridge's settings: both backends, one of which leads; back soon after a crash."""
    events = f"http://{addresses.backend}/api/v1/events/{{channel}}"
    return Config(
        source=addresses.source,
        drain_timeout=_DRAIN_SECONDS,
        upstream=UpstreamOptions(
            sse=SseOptions(events, send_url=events, replay="trusted"),
            ws=WsOptions(f"ws://{addresses.backend}/api/v1/ws/{{channel}}"),
        ),
        reconnect=ReconnectOptions(base=0.25, cap=1.0),
    )
