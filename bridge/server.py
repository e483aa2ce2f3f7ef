"""The server process: binding, starting, and stopping without cutting anyone off unannounced.

Decides the order of a stop: newcomers are turned away, every session gets its ending, then the
server closes. uvicorn by itself closes WebSockets before an application can say goodbye, and
waits for ever for open SSE responses; so the server class is ours, by subclassing its documented
methods and patching nothing.
"""

from __future__ import annotations

import asyncio
import gc
import socket
from types import FrameType

import structlog
import uvicorn
from starlette.types import ASGIApp

from bridge.app import create_app
from bridge.assembly import Bridge
from bridge.config import Config
from bridge.endpoint.takeover import protocols
from bridge.errors import ConfigError
from bridge.ops import logs

BACKLOG = 4096
PLAIN = {"http": "httptools", "ws": "websockets-sansio"}
"""The protocols of uvicorn's own, which keep their connections."""
_TICK = 0.05


class BridgeServer(uvicorn.Server):
    """uvicorn's server with a drain before its shutdown.

    Args:
        config: uvicorn's configuration.
        bridge: what is drained.
        seconds: how long a drain may take.
    """

    def __init__(self, config: uvicorn.Config, bridge: Bridge, seconds: float) -> None:
        super().__init__(config)
        self._bridge, self._seconds = bridge, seconds

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, then keep what start-up made out of every later garbage collection."""
        await super().startup(sockets)
        gc.collect()
        gc.freeze()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End every session first, then close as uvicorn does."""
        await self._drain()
        await super().shutdown(sockets)
        if self.force_exit:  # uvicorn then leaves the application's own end out
            await self.lifespan.shutdown()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:  # noqa: ARG002
        """The first signal drains, a second one stops at once.

        The signal is not raised again after a clean stop, so the exit status is 0.
        """
        self.force_exit = self.should_exit
        self.should_exit = True

    async def _drain(self) -> None:
        hub = self._bridge.hub
        readers = hub.statistics().readers
        if readers:
            structlog.get_logger().info("draining", clients=readers, seconds=self._seconds)
        hub.drain()
        loop = asyncio.get_running_loop()
        deadline = loop.time() + self._seconds
        while not self._is_drained(deadline - loop.time()):  # noqa: ASYNC110 - see below
            await asyncio.sleep(_TICK)  # a signal's flag has no event to wait for

    def _is_drained(self, left: float) -> bool:
        return self.force_exit or left <= 0 or not self._bridge.hub.statistics().readers


def bind(host: str, port: int) -> socket.socket:
    """A listening socket; port 0 lets the kernel choose.

    Raises:
        ConfigError: the address is not ours or the port is taken.
    """
    where = f"{host}:{port}"
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
        remedy = "stop what listens there, or choose another with --port"
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
        **(protocols() if config.client.fast_path else PLAIN),
        ws_max_size=config.client.max_frame_bytes,
        ws_per_message_deflate=False,
        lifespan="on",
        access_log=False,
        log_config=None,
        log_level="warning",
        server_header=False,
        timeout_graceful_shutdown=max(1, round(config.drain_timeout)),
    )


def serve(config: Config) -> int:
    """Run until a signal; gives the exit status.

    Raises:
        ConfigError: the address cannot be listened on.
    """
    logs.configure(config.log_level, config.log_format, mask=config.mask)
    listener = bind(config.host, config.port)
    bridge = Bridge(config)
    server = BridgeServer(uvicorn_config(config, bridge), bridge, config.drain_timeout)
    host, port = listener.getsockname()[:2]
    shown = f"[{host}]" if ":" in host else host
    structlog.get_logger().info("listening", url=f"http://{shown}:{port}", source=config.source)
    with listener:
        server.run(sockets=[listener])
    return 0 if server.started else 3
