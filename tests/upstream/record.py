"""What upstream tests share: a channel that keeps notes, a meter that counts, raw servers."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

from bridge.seams import Got, Signal
from bridge.wire.endings import Ending
from bridge.wire.event import Event


@dataclass
class Record:
    """A `Downstream` that keeps what it is told, in order."""

    said: list[object] = field(default_factory=list)
    ending: Ending | None = None

    def opened(self) -> None:
        self.said.append("opened")

    def publish(self, events: Sequence[Event]) -> None:
        self.said.extend(event.data for event in events)

    def gap(self, reason: str, lost: int | None = None) -> None:
        self.said.append((reason, lost))

    def ended(self, ending: Ending, reason: str = "") -> None:
        self.ending = ending
        self.said.append(("ended", ending.name))

    @property
    def payloads(self) -> list[object]:
        """The events' data alone."""
        return [each for each in self.said if each != "opened" and not isinstance(each, tuple)]

    @property
    def gaps(self) -> list[object]:
        """The announced holes alone."""
        return [each for each in self.said if isinstance(each, tuple) and each[0] != "ended"]

    @property
    def openings(self) -> int:
        return self.said.count("opened")


class Tally(Counter[str]):
    """A `Meter` that adds up by name."""

    def count(self, name: str, amount: float = 1, **labels: str) -> None:
        self[name] += int(amount)

    def gauge(self, name: str, change: float, **labels: str) -> None:
        raise AssertionError("upstreams move no gauge")


def payloads(signals: Sequence[Signal]) -> list[str | bytes]:
    """The data of all events in these signals."""
    return [event.data for signal in signals if isinstance(signal, Got) for event in signal.events]


Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def raw_server(talk: Talk) -> AsyncIterator[str]:
    """A TCP server that reads a request's head and then says what `talk` says; `127.0.0.1:PORT`.

    `talk` may just return: then the connection is closed.
    """
    tasks: set[asyncio.Task[None]] = set()

    async def meet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        tasks.add(asyncio.current_task())  # type: ignore[arg-type]
        try:
            with suppress(ConnectionError, asyncio.IncompleteReadError):
                await talk(reader, writer)
        except asyncio.CancelledError:
            writer.transport.abort()  # what a peer does not read would keep it open
        writer.close()

    server = await asyncio.start_server(meet, "127.0.0.1", 0)
    try:
        host, port = server.sockets[0].getsockname()
        yield f"{host}:{port}"
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)
        await server.wait_closed()


STREAM = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n"


def saying(*pieces: bytes, stay: bool = False) -> Talk:
    """A talk of these pieces after the request's head; then it hangs up, or stays silent."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
        if stay:
            await reader.read()

    return talk
