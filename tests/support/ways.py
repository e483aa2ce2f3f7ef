"""The four ways through the bridge: either kind of backend, either kind of client."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Literal

from tests.support.backends import SseBackend, WsBackend
from tests.support.bridges import CHANNEL, Running, bridging, upstream_of
from tests.support.clients import SseClient, WsClient
from tests.support.waiting import until

Wire = Literal["ws", "sse"]


@dataclass(frozen=True, slots=True)
class Way:
    """From which wire to which."""

    source: Wire
    wire: Wire

    def __str__(self) -> str:
        return f"{self.source} to {self.wire}"


FOUR_WAYS = tuple(Way(source, wire) for source in ("ws", "sse") for wire in ("ws", "sse"))


def new_backend(wire: Wire, **options: Any) -> SseBackend | WsBackend:
    """A backend on this wire."""
    return SseBackend(**options) if wire == "sse" else WsBackend(**options)


def new_client(
    wire: Wire, bridge: Running, after: str = "", *, notices: bool = False
) -> SseClient | WsClient:
    """A client on this wire."""
    if wire == "sse":
        return SseClient(bridge.authority, after)
    return WsClient(bridge.authority, after, notices=notices)


@asynccontextmanager
async def travelling(
    way: Way, **settings: Any
) -> AsyncIterator[tuple[SseBackend | WsBackend, SseClient | WsClient]]:
    """A backend, the bridge before it and a client there; all of them connected."""
    async with (
        new_backend(way.source) as backend,
        bridging(upstream_of(backend), **settings) as bridge,
        new_client(way.wire, bridge) as client,
    ):
        await until(lambda: backend.subscribers(CHANNEL))
        yield backend, client
