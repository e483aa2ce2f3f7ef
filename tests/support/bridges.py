"""The bridge itself, for end-to-end tests: in this process, or as a process of its own."""

import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import aiohttp
import anyio
from anyio.abc import Process

from bridge.app import create_app
from bridge.assembly import Bridge
from bridge.config import Config, UpstreamOptions
from bridge.upstream.backoff import ReconnectOptions
from bridge.upstream.sse import SseOptions
from bridge.upstream.ws import WsOptions
from tests.support.backends import Backend, SseBackend
from tests.support.servers import serving

QUICK = ReconnectOptions(base=0.01, cap=0.05)
"""Reconnects as fast as the backends of tests come back."""

CHANNEL = "project.1"


@dataclass(frozen=True, slots=True)
class Running:
    """A bridge that serves.

    Attributes:
        authority: its `HOST:PORT`.
        parts: what it is made of.
    """

    authority: str
    parts: Bridge

    @property
    def readers(self) -> int:
        """How many sessions read, over all channels."""
        return self.parts.hub.statistics().readers


def upstream_of(backend: Backend, **options: Any) -> UpstreamOptions:
    """The configuration that has this backend alone; an SSE one takes POSTs as well."""
    url = str(getattr(backend, "url"))  # noqa: B009 - either kind of backend has one
    if isinstance(backend, SseBackend):
        return UpstreamOptions(sse=SseOptions(url, **({"send_url": url} | options)))
    return UpstreamOptions(ws=WsOptions(url, **options))


@asynccontextmanager
async def bridging(
    upstream: UpstreamOptions, *, port: int = 0, **settings: Any
) -> AsyncIterator[Running]:
    """Serve a bridge from this process for the length of the block."""
    config = Config(upstream=upstream, **({"reconnect": QUICK} | settings))
    app = create_app(config)
    server = {"ws_max_size": config.client.max_frame_bytes}
    server["ws_per_message_deflate"] = config.client.deflate
    async with serving(app, port=port, **server) as authority:
        yield Running(authority, app.state.bridge)


class BridgeProcess:
    """A running `ws2sse serve`."""

    def __init__(self, port: int, arguments: Sequence[str]) -> None:
        self.authority = f"127.0.0.1:{port}"
        serve = ("-m", "bridge.cli", "serve", "--port", str(port))
        self._command = [sys.executable, *serve, *arguments]
        self._process: Process

    async def start(self) -> None:
        """Run it until it serves; an earlier one of it is over."""
        self._process = await anyio.open_process(self._command, stdout=None, stderr=None)
        await _wait_healthy(self._process, f"http://{self.authority}/healthz")

    async def stop(self) -> int:
        """Ask it to stop, as an orchestrator does; gives its exit status."""
        self._process.terminate()
        with anyio.fail_after(20):
            return await self._process.wait()

    async def kill(self) -> None:
        """Kill it, as a crash would: it can do nothing about that."""
        if self._process.returncode is None:
            self._process.kill()
        await self._process.aclose()


@asynccontextmanager
async def bridge_process(port: int, *arguments: str) -> AsyncIterator[BridgeProcess]:
    """Run `ws2sse serve` on a port of 127.0.0.1 for at most the length of the block."""
    bridge = BridgeProcess(port, arguments)
    try:
        await bridge.start()
        yield bridge
    finally:
        await bridge.kill()


async def _wait_healthy(process: Process, url: str) -> None:
    async with aiohttp.ClientSession() as session:
        with anyio.fail_after(30):
            while True:
                assert process.returncode is None, "the bridge did not start"
                try:
                    async with session.get(url) as answer:
                        if answer.status == 200:
                            return
                except aiohttp.ClientConnectionError:
                    await anyio.sleep(0.02)
