"""Connections to backends: names looked up, addresses tried, TLS begun.

Decides which address is tried when (RFC 8305: the families in turn, the next after a quarter of a
second); what is said on a connection is its protocol's business. An answer to a look-up is good for
a few seconds, so that many channels which lost one backend do not all ask for its address.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

import aiohappyeyeballs
from yarl import URL

from bridge.upstream.tls import SYSTEM, TlsOptions

HEAD_START = 0.25
"""Seconds that an address has before the next one is tried beside it (RFC 8305, 5)."""

FRESH = 10.0
"""Seconds for which an address is not asked for again."""

_SECURE = ("https", "wss")
_Address = tuple[Any, ...]
P = TypeVar("P", bound=asyncio.Protocol)


@dataclass(slots=True)
class _Place:
    """What is known of one host and port; the lock makes many askers wait for one look-up."""

    addresses: list[_Address] = field(default_factory=list)
    until: float = 0.0
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)


class Dialer:
    """Connects. May be shared by all upstreams of one event loop."""

    def __init__(self) -> None:
        self._places: dict[tuple[str, int], _Place] = {}

    async def dial(
        self, url: URL, make: Callable[[], P], tls: TlsOptions = SYSTEM
    ) -> tuple[asyncio.Transport, P]:
        """A connection to the origin of `url`, and the protocol that `make` made for it.

        Raises:
            OSError: nobody there, no such name, or no TLS (`ssl.SSLError` is one).
        """
        host, port = url.raw_host or "", url.port or 0
        connected = await _connect(await self._look_up(host, port))
        loop = asyncio.get_running_loop()
        secure: dict[str, Any] = {}
        if url.scheme in _SECURE:
            secure = {"ssl": tls.context(), "server_hostname": host}
        try:
            connected.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
            return await loop.create_connection(make, sock=connected, **secure)
        except BaseException:
            connected.close()
            raise

    async def _look_up(self, host: str, port: int) -> list[_Address]:
        now = asyncio.get_running_loop().time
        place = self._places.setdefault((host, port), _Place())
        async with place.lock:
            if not place.addresses or now() >= place.until:
                place.addresses = await self._resolve(host, port)
                place.until = now() + FRESH
        return place.addresses

    async def _resolve(self, host: str, port: int) -> list[_Address]:
        loop = asyncio.get_running_loop()
        return list(await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM))


async def _connect(addresses: list[_Address]) -> socket.socket:
    try:
        return await aiohappyeyeballs.start_connection(addresses, happy_eyeballs_delay=HEAD_START)
    except RuntimeError as fault:  # uvloop's, for a socket that it is still busy with
        raise OSError(str(fault)) from fault
