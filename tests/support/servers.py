"""Real servers for tests: uvicorn on a loopback port that the kernel chooses.

They offer their connections to the application, as the bridge's own server does; with
`WS2SSE_FAST_PATH=off` they do not, so that any test can be run either way.
"""

import os
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import anyio
import uvicorn

from bridge.endpoint.takeover import protocols
from tests.support.waiting import until


def free_port() -> int:
    """A loopback port that was free a moment ago, for servers that must be told one."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def offers_connections() -> bool:
    """What the environment says."""
    return os.environ.get("WS2SSE_FAST_PATH", "on").lower() not in {"off", "0", "false", "no"}


def ways(*, fast: bool) -> dict[str, Any]:
    """The options by which uvicorn offers its connections, or keeps them."""
    return protocols(offer=fast)


@asynccontextmanager
async def serving(app: Any, *, port: int = 0, **options: Any) -> AsyncIterator[str]:
    """Serve an ASGI app for the length of the block; gives `127.0.0.1:PORT`."""
    defaults: dict[str, Any] = {
        **ways(fast=offers_connections()),
        "log_level": "warning",
        "access_log": False,
        "timeout_graceful_shutdown": 1,
    }
    config = uvicorn.Config(app, host="127.0.0.1", port=port, **(defaults | options))
    server = uvicorn.Server(config)
    async with anyio.create_task_group() as group:
        group.start_soon(server._serve)
        await until(lambda: server.started)
        try:
            host, number = server.servers[0].sockets[0].getsockname()[:2]
            yield f"{host}:{number}"
        finally:
            server.should_exit = True
