"""Whether a backend answers at all when the bridge starts.

Decides nothing: a bridge starts without its backend, clients wait and are served when it comes.
This only tells the operator so, instead of a silence that looks like health.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from contextlib import suppress
from urllib.parse import urlsplit

import structlog

PATIENCE = 3.0
_PORTS = {"http": 80, "ws": 80, "https": 443, "wss": 443}


async def report_unreachable(urls: Iterable[str]) -> None:
    """Log a warning for each backend that accepts no connection within `PATIENCE` seconds."""
    for url in urls:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port or _PORTS[parts.scheme]
        trouble = await unreachable(host, port)
        if trouble:
            structlog.get_logger().warning(
                "backend does not answer yet; clients wait and are served when it comes",
                backend=f"{host}:{port}",
                reason=trouble,
            )


async def unreachable(host: str, port: int) -> str | None:
    """Why no TCP connection can be made, None where one can."""
    try:
        async with asyncio.timeout(PATIENCE):
            _, writer = await asyncio.open_connection(host, port)
    except TimeoutError:
        return f"no answer within {PATIENCE:g} s"
    except OSError as error:
        return error.strerror or str(error)
    except UnicodeError:
        return "the host is no name that could be looked up"
    writer.close()
    with suppress(OSError):
        await writer.wait_closed()
    return None
