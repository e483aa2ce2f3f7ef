"""Many clients in one process, half by SSE and half by WebSocket, each counting what it is told.

Decides when they come and go; what is in their streams is `wires`' and `follower`'s. Runs on one
event loop and keeps a protocol object for each connection, so that it costs less than the bridge.
"""

from __future__ import annotations

import asyncio
import random
import socket
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import cast

from benchmarks.soak.follower import Account, Follower
from benchmarks.soak.wires import Stream, Told, What, number, pong, request

_BACK_AFTER = 0.1
_SMALL = 4096


@dataclass(slots=True)
class Tally:
    """What happened to a crowd.

    Attributes:
        account: the events.
        opened: connections that were served.
        refused: connections that were answered with another status.
        dropped: connections that ended without being asked to.
        ends: endings that were told.
        late: for each event while `timing`, its age on arrival in milliseconds.
        returns: when clients came back after an ending, in seconds of the monotonic clock.
        timing: whether ages are noted.
    """

    account: Account = field(default_factory=Account)
    opened: int = 0
    refused: int = 0
    dropped: int = 0
    ends: int = 0
    late: list[float] = field(default_factory=list)
    returns: list[float] = field(default_factory=list)
    timing: bool = False


class Client(asyncio.Protocol):
    """One client over all its connections.

    Args:
        crowd: where it belongs.
        wire: `sse` or `ws`.
        channel: what it reads.
    """

    def __init__(self, crowd: Crowd, wire: str, channel: str) -> None:
        self._crowd, self.wire, self.channel = crowd, wire, channel
        self.follower = Follower(crowd.tally.account)
        self.stalls = False
        self.is_open = False
        self._leaving = False
        self._transport: asyncio.Transport | None = None
        self._stream = Stream(wire)
        self._delay: float | None = None

    async def come(self) -> None:
        """Connect, with the place that was reached."""
        self._stream, self._leaving, self._delay = Stream(self.wire), False, None
        loop = asyncio.get_running_loop()
        try:
            if self.stalls:
                await loop.create_connection(lambda: self, sock=await self._narrow())
            else:
                await loop.create_connection(lambda: self, *self._crowd.address)
        except OSError:
            self._crowd.later(_BACK_AFTER, self)

    async def _narrow(self) -> socket.socket:
        """A connected socket that takes in little."""
        made = socket.socket()
        made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _SMALL)
        made.setblocking(False)
        await asyncio.get_running_loop().sock_connect(made, self._crowd.address)
        return made

    def leave(self) -> None:
        """Go without a word."""
        self._leaving = True
        if self._transport:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Ask for the stream."""
        self._transport = found = cast("asyncio.Transport", transport)  # uvloop's is no subclass
        authority = "{}:{}".format(*self._crowd.address)
        found.write(request(self.wire, authority, self.channel, self.follower.place))
        self.follower.resumed()

    def data_received(self, data: bytes) -> None:
        """Take note of all that is told."""
        for told in self._stream.feed(data):
            self._take(told)

    def connection_lost(self, _: Exception | None) -> None:
        """Come back, unless this was the client's own wish."""
        self._transport, was_open, self.is_open = None, self.is_open, False
        if self._leaving:
            return
        if self._delay is None:
            self._crowd.tally.dropped += was_open
            self._crowd.come_back(self, _BACK_AFTER)
        else:
            self._crowd.come_back(self, self._delay)

    def _take(self, told: Told) -> None:
        tally, follower = self._crowd.tally, self.follower
        if told.what is What.EVENT:
            follower.event(number(told.data))
            if tally.timing and not self.stalls:
                tally.late.append(time.monotonic() * 1e3 - _written(told.data))
            if told.place:
                follower.at(told.place)
        elif told.what is What.PLACE:
            if told.place:
                follower.at(told.place)
        elif told.what is What.GAP:
            follower.gap(told.place)
        else:
            self._take_other(told)

    def _take_other(self, told: Told) -> None:
        tally = self._crowd.tally
        if told.what is What.OPEN:
            tally.opened += 1
            self.is_open = True
            if self.stalls and self._transport:
                self._transport.pause_reading()
        elif told.what is What.END:
            tally.ends += 1
            self._delay = _delay(told.data)
        elif told.what is What.REFUSED:
            tally.refused += 1
        elif self._transport:
            self._transport.write(pong(told.data))


class Crowd:
    """All clients.

    Args:
        address: the bridge's host and port.
        channels: how many channels they share out among them.
        seed: of all chance.
    """

    def __init__(self, address: tuple[str, int], channels: int, seed: int = 1) -> None:
        self.address, self.tally = address, Tally()
        self.back_at = address
        self.clients: list[Client] = []
        self._random = random.Random(seed)  # noqa: S311 - who leaves is no secret
        self._channels = channels
        self._made = 0
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def open(self) -> int:
        """How many are served now."""
        return sum(client.is_open for client in self.clients)

    def new_client(self, channel: str = "") -> Client:
        """One more, which is not connected yet; every second one by WebSocket."""
        self._made += 1
        wire = "ws" if self._made % 2 else "sse"
        channel = channel or f"project.{self._made // 2 % self._channels}"
        return Client(self, wire, channel)

    async def gather(self, clients: Sequence[Client], rate: float) -> None:
        """Let them come, so many a second, and wait until all are served."""
        self.clients += clients
        begun = time.monotonic()
        for count, client in enumerate(clients):
            self.later(0, client)
            await asyncio.sleep(max(0.0, begun + count / rate - time.monotonic()))
        await self.served()

    async def served(self, within: float = 60.0) -> None:
        """Wait until all are served; gives up after some seconds."""
        await wait_for(lambda: self.open >= len(self.clients), within)

    def later(self, seconds: float, client: Client) -> None:
        """Connect a client after a while."""
        task = asyncio.get_running_loop().create_task(_come(seconds, client))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def come_back(self, client: Client, seconds: float) -> None:
        """After an ending or a loss, once the delay is over: where one is told to come back."""
        self.address = self.back_at
        self.tally.returns.append(time.monotonic() + seconds)
        self.later(seconds, client)

    def churn(self, share: float) -> None:
        """Let a share of them leave: half come back with their place, half are replaced."""
        leaving = self._random.sample(range(len(self.clients)), int(len(self.clients) * share))
        for place in leaving:
            client = self.clients[place]
            if not client.is_open:
                continue
            client.leave()
            if place % 2:
                self.clients[place] = client = self.new_client(client.channel)
            self.later(self._random.uniform(0.2, 2.0), client)

    def behind(self, top: int) -> int:
        """How many have not yet been told event `top` of their channel."""
        return sum((client.follower.last or 0) < top for client in self.clients)

    async def go(self) -> None:
        """All leave."""
        for task in list(self._tasks):
            task.cancel()
        for client in self.clients:
            client.leave()
        await asyncio.sleep(0)
        self.clients = []


async def wait_for(condition: Callable[[], object], within: float) -> bool:
    """Wait for a condition, for so many seconds at most; gives whether it came true."""
    deadline = time.monotonic() + within
    while not (true := condition()) and time.monotonic() < deadline:  # noqa: ASYNC110 - counts
        await asyncio.sleep(0.05)
    return bool(true)


async def _come(seconds: float, client: Client) -> None:
    if seconds:
        await asyncio.sleep(seconds)
    await client.come()


def _written(payload: bytes) -> float:
    """When an event was written, in milliseconds of the monotonic clock."""
    at = payload.index(b'"t":') + 4
    return int(payload[at : payload.index(b",", at)]) / 1e6


def _delay(said: bytes) -> float:
    """After how many seconds an ending asks a client back."""
    at = said.find(b'"delay":')
    digits = said[at + 8 :].split(b",")[0].rstrip(b"}") if at >= 0 else b""
    return int(digits) / 1000 if digits.isdigit() else 0.0
