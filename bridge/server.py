"""The server process: binding, starting, and stopping without cutting anyone off unannounced.

Decides the order of a stop: newcomers are turned away, every session gets its ending, then the
server closes. uvicorn by itself closes WebSockets before an application can say goodbye, and
waits for ever for open SSE responses; so the server class is ours, by subclassing its documented
methods and patching nothing.
"""

from __future__ import annotations

import asyncio
import errno
import gc
import logging
import math
import random
import socket
from collections.abc import Callable
from types import FrameType
from typing import Any

import structlog
import uvicorn
from starlette.types import ASGIApp

from bridge.app import create_app
from bridge.assembly import Bridge
from bridge.config import Config
from bridge.endpoint.address import written_both_ways
from bridge.endpoint.pace import Pace
from bridge.endpoint.takeover import protocols
from bridge.errors import ConfigError
from bridge.ops import logs

BACKLOG = 4096

_SLACK = 5.0
"""Seconds more than a drain, after which uvicorn gives tasks up that outlive their connections."""

_NO_NEWS = frozenset(
    {
        # how a client learns that a stream broke off, or that it was too slow
        "ASGI callable returned without completing response.",
        # what uvicorn takes a handshake for that was answered with a status
        "ASGI callable returned without completing handshake.",
    }
)
_NOT_UTF8 = "Invalid UTF-8 sequence received from client."


class BridgeServer(uvicorn.Server):
    """uvicorn's server with a drain before its shutdown.

    Args:
        config: uvicorn's configuration.
        bridge: what is drained.
        seconds: how long a drain may take.
        rate: how many sessions it ends a second; 0 is all at once.
        patience: seconds for which a connection that is being closed may still write.
        on_start: called once clients are served and a signal would stop in good order.
    """

    def __init__(
        self,
        config: uvicorn.Config,
        bridge: Bridge,
        seconds: float,
        patience: float = 10.0,
        on_start: Callable[[], None] = lambda: None,
        *,
        rate: float = 0.0,
    ) -> None:
        super().__init__(config)
        self._rate = rate
        self._bridge, self._seconds, self._patience = bridge, seconds, patience
        self._on_start = on_start
        self._closing: dict[Any, float] = {}
        self._loop: asyncio.AbstractEventLoop | None = None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, then keep what start-up made out of every later garbage collection."""
        self._loop = asyncio.get_running_loop()
        await super().startup(sockets)
        gc.collect()
        gc.freeze()
        self._on_start()

    async def on_tick(self, counter: int) -> bool:
        """Beside uvicorn's own duties, about once a second: drop connections that do not close."""
        if counter % 10 == 0:
            self._drop_stalled(asyncio.get_running_loop().time())
        return await super().on_tick(counter)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End every session first, then close as uvicorn does; cut whoever takes too long."""
        cutting = asyncio.get_running_loop().call_later(self._seconds, self._cut)
        try:
            await self._drain()
            await super().shutdown(sockets)
        finally:
            cutting.cancel()
        if self.force_exit:  # uvicorn then leaves the application's own end out
            await self.lifespan.shutdown()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:  # noqa: ARG002
        """The first signal drains, a second one stops at once.

        The signal is not raised again after a clean stop, so the exit status is 0.
        """
        if self.should_exit and self._loop:
            self.force_exit = True
            self._loop.call_soon_threadsafe(self._cut)
        self.should_exit = True

    def _drop_stalled(self, now: float) -> None:
        """A peer that does not read what was last written to it would keep it, and us, for ever.

        Closing a connection waits until all is written, and no layer below bounds that wait.
        """
        closing = {
            connection: self._closing.get(connection, now)
            for connection in self.server_state.connections
            if connection.transport.is_closing()
        }
        self._closing = closing
        for connection, since in closing.items():
            if now - since >= self._patience:
                connection.transport.abort()

    def _cut(self) -> None:
        """Drop all connections; their sessions notice that as a client's leaving."""
        for connection in list(self.server_state.connections):
            connection.transport.abort()

    async def _drain(self) -> None:
        drain, loop = self._bridge.drain, asyncio.get_running_loop()
        pace, last = Pace(self._rate, self._seconds, random.random), loop.time()
        deadline = last + self._seconds
        if drain.sessions:
            structlog.get_logger().info("draining", clients=drain.sessions, seconds=self._seconds)
        drain.begin()
        while drain.sessions and last < deadline and not self.force_exit:
            await asyncio.sleep(pace.pause())  # a signal's flag has no event to wait for
            now = loop.time()
            drain.end(pace.batch(drain.sessions, now - last))
            last = now


def bind(host: str, port: int) -> socket.socket:
    """A listening socket; port 0 lets the kernel choose.

    Raises:
        ConfigError: the address is not ours or the port is taken.
    """
    where = _authority(host, port)
    try:
        info = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        family, kind, protocol, _, address = info[0]
        listener = socket.socket(family, kind, protocol)
    except OSError as error:
        raise ConfigError(where, f"cannot be used: {error.strerror}", "see --host") from error
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        remedy = (
            "see --host"
            if error.errno == errno.EADDRNOTAVAIL
            else "stop what listens there, or choose another with --port"
        )
        raise ConfigError(where, f"cannot listen: {error.strerror}", remedy) from error
    listener.setblocking(False)
    return listener


def uvicorn_config(config: Config, bridge: Bridge, app: ASGIApp | None = None) -> uvicorn.Config:
    """The settings of uvicorn for this bridge.

    Args:
        config: checked settings.
        bridge: the parts to serve.
        app: what stands in front of the bridge's own application; that alone by default.
    """
    return uvicorn.Config(
        app or create_app(config, bridge),
        **protocols(bridge.door, offer=config.client.fast_path),
        forwarded_allow_ips=written_both_ways(config.limits.trusted_proxies) or None,
        timeout_keep_alive=math.ceil(config.limits.keep_alive),
        ws_max_size=config.client.max_frame_bytes,
        ws_per_message_deflate=config.client.deflate,
        backlog=BACKLOG,
        lifespan="on",
        access_log=False,
        log_config=None,
        log_level="warning",
        server_header=False,
        timeout_graceful_shutdown=round(config.drain_timeout + _SLACK),
    )


def is_news(record: logging.LogRecord) -> bool:
    """Whether a line of uvicorn's is worth logging: what a client does is no fault of ours."""
    if record.msg == _NOT_UTF8:
        record.levelno, record.levelname = logging.WARNING, "WARNING"
        record.exc_info = None
    return record.msg not in _NO_NEWS


def serve(config: Config) -> int:
    """Run until a signal; gives the exit status.

    Raises:
        ConfigError: the address cannot be listened on.
    """
    logs.configure(config.log_level, config.log_format, mask=config.mask)
    listener = bind(config.host, config.port)
    bridge = Bridge(config)
    url = f"http://{_authority(*listener.getsockname()[:2])}"
    server = BridgeServer(
        uvicorn_config(config, bridge),
        bridge,
        config.drain_timeout,
        config.client.send_timeout,
        lambda: structlog.get_logger().info("listening", url=url, source=config.source),
        rate=config.drain_rate,
    )
    logging.getLogger("uvicorn.error").addFilter(is_news)
    with listener:
        server.run(sockets=[listener])
    return 0 if server.started else 3


def _authority(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
