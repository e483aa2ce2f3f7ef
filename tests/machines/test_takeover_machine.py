"""Taken-over connections and the portable way, in lockstep: no client can tell them apart.

One bridge, one log, two servers: one offers its connections, one does not. Each client is a pair,
one at either server, and both do the same. Streams must be equal byte by byte, and WebSockets
message by message, however they stop reading, read on, ask, close or are closed.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule
from websockets.frames import Frame, Opcode

from bridge.app import create_app
from bridge.assembly import Bridge
from bridge.config import Config
from bridge.endpoint.options import ClientOptions
from bridge.wire.endings import COMPLETE, NOT_FOUND, RESTART
from bridge.wire.event import Event
from bridge.wire.framing import LAST_CHUNK
from tests.endpoint.parts import NOWHERE
from tests.endpoint.raw import Line, closing_frame, get, line, text, upgrade
from tests.support.servers import serving, ways
from tests.support.waiting import until

PATIENT = ClientOptions(heartbeat=1000.0, ping=0, send_timeout=1000.0, batch=8)
SMALL = 4096
SIZES = st.sampled_from([1, 200, 90_000])
NAMES = ("project.1", "project.2")


@dataclass(eq=False)
class End:
    """One client at one server.

    Attributes:
        line: its connection; nothing is read from it but by `read_to`.
        got: an SSE client's stream, or a WebSocket client's messages.
    """

    line: Line
    got: bytearray = field(default_factory=bytearray)
    messages: list[tuple[Opcode, bytes]] = field(default_factory=list)

    @property
    def closed(self) -> bool:
        return bool(self.messages) and self.messages[-1][0] is Opcode.CLOSE

    async def read_to(self, mark: bytes) -> None:
        """Read a stream's chunks until `mark` is in it."""
        while mark not in self.got:
            size = int((await self.line.until(b"\r\n")).strip(), 16)
            chunk = await asyncio.wait_for(self.line.reader.readexactly(size + 2), 10)
            self.got += chunk[:-2]
            if not size:
                assert chunk == b"\r\n"
                self.got += LAST_CHUNK
                return

    async def hear(self, enough: Callable[[list[bytes]], bool]) -> None:
        """Read messages until `enough` says so of their payloads, or the bridge closes."""
        while not enough([payload for _, payload in self.messages]):
            frame: Frame = await self.line.frame()
            self.messages.append((frame.opcode, bytes(frame.data)))
            if frame.opcode is Opcode.CLOSE:
                return


@dataclass(eq=False)
class Pair:
    """The same client at both servers.

    Attributes:
        channels: what it reads, and how much of each was said before it came.
        expected: payloads that it must get, by channel.
        answers: replies that it waits for.
    """

    wire: str
    taken: End
    stepped: End
    expected: dict[str, list[bytes]]
    answers: int = 0

    @property
    def ends(self) -> tuple[End, End]:
        return self.taken, self.stepped

    def send(self, frame: bytes) -> None:
        for end in self.ends:
            end.line.send(frame)


class TakeoverMachine(RuleBasedStateMachine):
    """Drives two servers of one bridge by pairs of clients that read only when told to."""

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.pairs: list[Pair] = []
        self.said = 0
        self.over = False
        self.stop = asyncio.Event()
        self.open: list[object] = []
        self.bridge: Bridge
        self.authorities: tuple[str, str] = ("", "")
        self.host = self._start()

    def _start(self) -> asyncio.Task[None]:
        started = asyncio.Event()

        async def start() -> asyncio.Task[None]:
            host = asyncio.create_task(self._serve(started))
            await asyncio.wait_for(started.wait(), 10)
            return host

        return self.runner.run(start())

    async def _serve(self, started: asyncio.Event) -> None:
        app = create_app(Config(upstream=NOWHERE, client=PATIENT))
        self.bridge = app.state.bridge
        limits = {"ws_per_message_deflate": False, "timeout_graceful_shutdown": 1}
        async with (
            serving(app, **limits, **ways(fast=True)) as taken,
            serving(app, lifespan="off", **limits, **ways(fast=False)) as stepped,
        ):
            self.authorities = taken, stepped
            started.set()
            await self.stop.wait()

    def run(self, work: Coroutine[Any, Any, None]) -> None:
        self.runner.run(work)

    def teardown(self) -> None:
        async def stop() -> None:
            for pair in self.pairs:
                for end in pair.ends:
                    end.line.writer.transport.abort()
            await until(lambda: not self.bridge.gateway.budget.taken)
            assert not self.bridge.drain.present
            self.stop.set()
            await self.host

        try:
            self.compare()
        finally:
            self.run(stop())
            self.runner.close()

    # What happens.

    @precondition(lambda self: not self.over and len(self.pairs) < 6)
    @rule(wire=st.sampled_from(["sse", "ws"]), small=st.booleans())
    def come(self, wire: str, *, small: bool) -> None:
        self.run(self._come(wire, SMALL if small else 0))

    async def _come(self, wire: str, receive_buffer: int) -> None:
        readers = self.bridge.hub.statistics().readers
        taken, stepped = [End(await self._line(each, receive_buffer)) for each in self.authorities]
        for end in (taken, stepped):
            end.line.send(get() if wire == "sse" else upgrade())
            await end.line.until(b"\r\n\r\n")
        await until(lambda: self.bridge.hub.statistics().readers == readers + 2)
        self.pairs.append(Pair(wire, taken, stepped, expected={NAMES[0]: []}))

    async def _line(self, authority: str, receive_buffer: int) -> Line:
        connection = line(authority, receive_buffer=receive_buffer)
        self.open.append(connection)  # a generator that is let go closes what it opened
        return await connection.__aenter__()

    @precondition(lambda self: not self.over and self.pairs)
    @rule(
        name=st.sampled_from(NAMES), sizes=st.lists(st.sampled_from([1, 200, 90_000]), max_size=9)
    )
    def publish(self, name: str, sizes: list[int]) -> None:
        self.run(self._publish(name, sizes))

    async def _publish(self, name: str, sizes: list[int]) -> None:
        for channel in self.bridge.hub.channels():
            if channel.key.name.text == name:
                payloads = [f"{name}/{self.said + n}/{'x' * size}/" for n, size in enumerate(sizes)]
                self.said += len(sizes)
                channel.publish([Event(payload) for payload in payloads])
                for pair in self.pairs:
                    if name in pair.expected:
                        pair.expected[name] += [payload.encode() for payload in payloads]
        await asyncio.sleep(0)

    @precondition(lambda self: not self.over and self._sockets())
    @rule(data=st.data())
    def ask(self, data: st.DataObject) -> None:
        pair = data.draw(st.sampled_from(self._sockets()))
        pair.send(text('{"type":"ping"}'))
        pair.answers += 1

    @precondition(lambda self: not self.over and self._sockets())
    @rule(data=st.data())
    def subscribe(self, data: st.DataObject) -> None:
        pair = data.draw(st.sampled_from(self._sockets()))
        if NAMES[1] not in pair.expected:
            self.read(pair)
            pair.send(text(f'{{"type":"subscribe","channel":"{NAMES[1]}"}}'))
            pair.answers += 1
            pair.expected[NAMES[1]] = []
            self.read(pair)

    @precondition(lambda self: self.pairs)
    @rule(data=st.data())
    def read_on(self, data: st.DataObject) -> None:
        self.read(data.draw(st.sampled_from(self.pairs)))

    @precondition(lambda self: self.pairs)
    @rule(data=st.data(), politely=st.booleans())
    def go(self, data: st.DataObject, *, politely: bool) -> None:
        pair = data.draw(st.sampled_from(self.pairs))
        self.pairs.remove(pair)
        self.run(self._go(pair, politely=politely))

    async def _go(self, pair: Pair, *, politely: bool) -> None:
        for end in pair.ends:
            if politely and pair.wire == "ws" and not end.closed:
                end.line.send(closing_frame(4001))
                await end.hear(lambda _: False)
                if not self.over:
                    assert end.messages[-1][1][:2] == (4001).to_bytes(2, "big")
            end.line.writer.transport.abort()
        if not self.over:
            left = sum(2 * len(each.expected) for each in self.pairs)
            await until(lambda: self.bridge.hub.statistics().readers == left)

    @precondition(lambda self: not self.over and self.pairs)
    @rule(how=st.sampled_from(["complete", "not found", "drain"]))
    def end(self, how: str) -> None:
        for pair in self._sockets():
            if pair.answers:  # whether a question is heard before the end is chance
                self.read(pair)
        self.over = True
        if how == "drain":
            self.run(self._do(lambda: self.bridge.hub.drain(RESTART.after(1000))))
        else:
            ending = COMPLETE if how == "complete" else NOT_FOUND
            self.run(self._do(lambda: self._end_all(ending)))

    def _end_all(self, ending: Any) -> None:
        for channel in self.bridge.hub.channels():
            channel.ended(ending, "over")

    async def _do(self, call: Callable[[], None]) -> None:
        call()
        await asyncio.sleep(0)

    # What must be the same.

    @rule()
    def compare(self) -> None:
        for pair in self.pairs:
            self.read(pair)

    def read(self, pair: Pair) -> None:
        """Let both read all that is due to them, then compare them with each other and with it."""
        reading: Callable[[Pair], Awaitable[None]] = (
            self._read_stream if pair.wire == "sse" else self._read_socket
        )
        self.runner.run(_awaited(reading(pair)))

    async def _read_stream(self, pair: Pair) -> None:
        due = pair.expected[NAMES[0]]
        mark = LAST_CHUNK if self.over else due[-1] + b"\n\n" if due else b"\n\n"
        await asyncio.gather(*(end.read_to(mark) for end in pair.ends))
        assert pair.taken.got == pair.stepped.got
        said = [each[6:] for each in bytes(pair.taken.got).split(b"\n") if each[:6] == b"data: "]
        assert said[: len(due)] == due

    async def _read_socket(self, pair: Pair) -> None:
        def has_all(payloads: list[bytes]) -> bool:
            return not self.over and len(payloads) >= count

        count = pair.answers + sum(map(len, pair.expected.values()))
        if not pair.taken.closed:
            await asyncio.gather(*(end.hear(has_all) for end in pair.ends))
        for name, due in (*pair.expected.items(), ("", None)):
            found = [_of(name, end.messages) for end in pair.ends]
            assert found[0] == found[1]
            if due is not None:
                assert [payload for _, payload in found[0]] == due

    def _sockets(self) -> list[Pair]:
        return [each for each in self.pairs if each.wire == "ws"]


def _of(name: str, messages: list[tuple[Opcode, bytes]]) -> list[tuple[Opcode, bytes]]:
    """The messages of one channel, or those of none."""
    prefixes = tuple(each.encode() + b"/" for each in NAMES)
    if name:
        return [each for each in messages if each[1].startswith(f"{name}/".encode())]
    return [each for each in messages if not each[1].startswith(prefixes)]


async def _awaited(work: Awaitable[None]) -> None:
    await work


TestTakeover = TakeoverMachine.TestCase
TestTakeover.settings = settings(max_examples=10, stateful_step_count=15, deadline=None)
