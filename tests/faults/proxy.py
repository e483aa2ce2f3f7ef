"""A TCP proxy that cuts, resets, stalls, delays, splits and repeats, at any byte, by a script.

A script belongs to a key, which is the last segment of the requested path; so one proxy carries
many cells of a matrix side by side. Its entries are for the connections with that key in the order
of their coming; connections that the script does not reach, or meets with None, pass unharmed.
"""

import asyncio
import socket
import struct
from collections import defaultdict
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from typing import Self
from urllib.parse import urlsplit

from tests.faults.places import Place, after_headers, messages

_CHUNK = 256 * 1024
_SPLIT = 400
_NO_LINGER = struct.pack("ii", 1, 0)


class Kind(StrEnum):
    """What happens at the place."""

    CUT = "cut"
    """The stream ends there by FIN."""

    RESET = "reset"
    """The stream ends there by RST."""

    STALL = "stall"
    """Nothing comes any more, and nothing ends."""

    DELAY = "delay"
    """What follows comes late."""

    SPLIT = "split"
    """What follows comes byte by byte."""

    REPEAT = "repeat"
    """The stream ends there, and the next one begins with messages of this one."""

    ASK_TWICE = "ask twice"
    """The request is sent a second time, right behind the first; the place does not matter."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault of one connection.

    Attributes:
        kind: what happens.
        place: where, in the bytes from the server.
        seconds: how long a delay is.
        repeated: how many messages a repetition holds.
    """

    kind: Kind
    place: Place
    seconds: float = 0.1
    repeated: int = 2


class FaultProxy:
    """Passes bytes on, and does what its scripts say.

    Args:
        target: `HOST:PORT`, or a URL of which only host and port count.

    Attributes:
        struck: how many faults of a key's script have struck.
        too_late: keys whose place was found only after it had been passed on.
    """

    def __init__(self, target: str) -> None:
        place = urlsplit(target if "//" in target else f"//{target}")
        self._host, self._port = place.hostname or "", place.port or 80
        self._scripts: dict[str, list[Fault | None]] = {}
        self._links: defaultdict[str, set[_Link]] = defaultdict(set)
        self._tasks: set[asyncio.Task[None]] = set()
        self._record: dict[str, bytes] = {}
        self.struck: defaultdict[str, int] = defaultdict(int)
        self.too_late: set[str] = set()

    @property
    def authority(self) -> str:
        """`127.0.0.1:PORT`."""
        return "{}:{}".format(*self._server.sockets[0].getsockname()[:2])

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, backlog=1024)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def script(self, key: str, *faults: Fault | None) -> None:
        """What befalls the next connections with this key."""
        self._scripts[key] = list(faults)

    def cut(self, key: str) -> None:
        """Reset all connections with this key, on both sides."""
        for link in self._links[key]:
            link.abort()

    def open_links(self, key: str) -> int:
        """How many connections with this key are open."""
        return len(self._links[key])

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task
        self._tasks.add(task)
        try:
            # Cancelled by our own end alone; streams report a cancelled task as a fault.
            with suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
                await self._carry(reader, writer)
        finally:
            writer.transport.abort()
            self._tasks.discard(task)

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        far_reader, far_writer = await asyncio.open_connection(self._host, self._port)
        key = urlsplit(head.split(b" ", 2)[1].decode()).path.rpartition("/")[2]
        script = self._scripts.get(key)
        fault = script.pop(0) if script else None
        link = _Link(self, key, fault, (reader, writer), (far_reader, far_writer))
        self._links[key].add(link)
        try:
            if fault and fault.kind is Kind.ASK_TWICE:
                head *= 2
                self.struck[key] += 1
            far_writer.write(head)
            await link.run(self._record.pop(key, b""))
        finally:
            self._links[key].discard(link)
            far_writer.transport.abort()

    def _note_strike(self, link: "_Link", seen: bytes, at: int) -> None:
        self.struck[link.key] += 1
        assert link.fault
        if link.fault.kind is Kind.REPEAT:
            said = [m for m in messages(seen) if m.end <= at and b'"n":' in seen[m.start : m.end]]
            said = said[-link.fault.repeated :]
            self._record[link.key] = b"".join(seen[m.start : m.end] for m in said)


_Side = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class _Link:
    """One connection and the one that it is passed on by."""

    def __init__(
        self, proxy: FaultProxy, key: str, fault: Fault | None, near: _Side, far: _Side
    ) -> None:
        self._proxy, self.key, self.fault = proxy, key, fault
        self._near_reader, self._near_writer = near
        self._far_reader, self._far_writer = far
        self._seen = bytearray()

    def abort(self) -> None:
        """Reset both sides."""
        for writer in (self._near_writer, self._far_writer):
            _reset(writer)

    async def run(self, insertion: bytes) -> None:
        """Pass on both ways, until either is over."""
        up = asyncio.create_task(self._up())
        down = asyncio.create_task(self._down(insertion))
        try:
            await asyncio.wait((up, down), return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (up, down):
                task.cancel()
            await asyncio.gather(up, down, return_exceptions=True)

    async def _up(self) -> None:
        while chunk := await self._near_reader.read(_CHUNK):
            self._far_writer.write(chunk)
            await self._far_writer.drain()

    async def _down(self, insertion: bytes) -> None:
        pending = self.fault if self.fault and self.fault.kind is not Kind.ASK_TWICE else None
        while chunk := await self._far_reader.read(_CHUNK):
            if insertion and (at := after_headers(bytes(self._seen) + chunk)) is not None:
                at -= len(self._seen)
                chunk, insertion = chunk[:at] + insertion + chunk[at:], b""
            self._seen += chunk
            at = pending.place(bytes(self._seen)) if pending else None
            if pending is None or at is None:
                await self._pass_on(chunk)
            else:
                await self._strike(pending, chunk, at)
                pending = None
        # what is still on its way goes out before the FIN
        self._near_writer.close()
        await self._near_writer.wait_closed()

    async def _strike(self, fault: Fault, chunk: bytes, at: int) -> None:
        split = at - (len(self._seen) - len(chunk))
        if split < 0:
            self._proxy.too_late.add(self.key)
        await self._pass_on(chunk[: max(split, 0)])
        self._proxy._note_strike(self, bytes(self._seen), at)
        rest = chunk[max(split, 0) :]
        if fault.kind in {Kind.CUT, Kind.REPEAT}:
            self._far_writer.transport.abort()
            self._near_writer.close()
            await self._near_writer.wait_closed()
        elif fault.kind is Kind.RESET:
            self.abort()
        elif fault.kind is Kind.STALL:
            await asyncio.Event().wait()  # until the other direction ends
        elif fault.kind is Kind.DELAY:
            await asyncio.sleep(fault.seconds)
            await self._pass_on(rest)
        else:
            await self._trickle(rest)

    async def _trickle(self, rest: bytes) -> None:
        for place in range(min(len(rest), _SPLIT)):
            await self._pass_on(rest[place : place + 1])
            await asyncio.sleep(0)  # a segment of its own: asyncio sets TCP_NODELAY
        await self._pass_on(rest[_SPLIT:])

    async def _pass_on(self, chunk: bytes) -> None:
        if chunk:
            self._near_writer.write(chunk)
            await self._near_writer.drain()


def _reset(writer: asyncio.StreamWriter) -> None:
    """Close by RST (SO_LINGER of zero seconds, tcp(7))."""
    with suppress(OSError):
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER)
    writer.transport.abort()
