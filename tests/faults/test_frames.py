"""Any bytes of a WebSocket client against a running bridge, and what RFC 6455 makes of them.

The model below reads the same frames by the words of the standard and shares no code with the
bridge or the library under it. What was whole and good goes to the backend in order, what is wrong
closes the socket with the code of (one of) its faults, and nothing behind that is heard.
"""

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from itertools import count

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from websockets.frames import Opcode

from bridge.endpoint.options import ClientOptions
from tests.endpoint.parts import Running, bridging, upstream_of
from tests.endpoint.raw import Line, socket_line
from tests.support.backends import WsBackend
from tests.support.waiting import until

pytestmark = pytest.mark.usefixtures("errors", "way")

LIMIT = 4096
SMALL = ClientOptions(max_frame_bytes=LIMIT)
FAULTS = {1002, 1007, 1009}
CONT, TEXT, BINARY, CLOSE, PING, PONG = 0x0, 0x1, 0x2, 0x8, 0x9, 0xA


@dataclass(frozen=True, slots=True)
class Sent:
    """One frame as it is sent, with all its mistakes."""

    opcode: int
    payload: bytes
    fin: bool = True
    reserved: int = 0
    masked: bool = True
    key: bytes = b"\x01\x02\x03\x04"

    def serialized(self) -> bytes:
        first = self.fin << 7 | self.reserved << 4 | self.opcode
        size = len(self.payload)
        length = min(126, size)
        head = bytes((first, self.masked << 7 | length))
        head += size.to_bytes(2, "big") if length == 126 else b""
        if not self.masked:
            return head + self.payload
        body = bytes(each ^ self.key[at % 4] for at, each in enumerate(self.payload))
        return head + self.key + body


@dataclass
class Verdict:
    """What becomes of a sequence of frames.

    Attributes:
        messages: those that are heard.
        codes: with which the socket may be closed; empty while it stays open.
    """

    messages: list[str | bytes] = field(default_factory=list)
    codes: set[int] = field(default_factory=set)


def judged(frames: Sequence[Sent]) -> Verdict:
    """RFC 6455, 5.2 to 5.6, 7.4 and 8.1."""
    verdict, parts, opcode = Verdict(), list[bytes](), 0
    for at, frame in enumerate(frames):
        verdict.codes = _faults(frame, opcode, b"".join([*parts, frame.payload]))
        if frame.opcode == CLOSE and not verdict.codes:
            code = int.from_bytes(frame.payload[:2], "big")  # 0 where it says none
            # within a message it may pass for a mistake: nothing can complete that any more
            verdict.codes = {code, 1000} | ({1002} if opcode else set())
        if verdict.codes:
            if 1007 in verdict.codes:
                # text may be looked at only after what came with it was read, and answered
                verdict.codes |= _endings(frames[at + 1 :])
            break
        if frame.opcode in (PING, PONG):
            continue
        opcode = frame.opcode or opcode
        parts.append(frame.payload)
        if frame.fin:
            whole = b"".join(parts)
            verdict.messages.append(whole.decode() if opcode == TEXT else whole)
            parts, opcode = [], 0
    return verdict


def _endings(frames: Sequence[Sent]) -> set[int]:
    """The codes by which any of these may end a socket; 0 is that of a close frame without one."""
    codes = {int.from_bytes(each.payload[:2], "big") for each in frames if each.opcode == CLOSE}
    return codes.union(
        *(_faults(each, begun, each.payload) for each in frames for begun in (0, TEXT))
    )


def _faults(frame: Sent, begun: int, so_far: bytes) -> set[int]:
    """The codes of all that is wrong with a frame; `begun` is the message that it stands in."""
    codes = set[int]()
    control = frame.opcode & 0x8
    if frame.reserved or not frame.masked or frame.opcode not in (0, 1, 2, 8, 9, 10):
        codes.add(1002)
    if control and (not frame.fin or len(frame.payload) > 125):
        codes.add(1002)
    if not control and bool(begun) != (frame.opcode == CONT):
        codes.add(1002)
    if not control and len(so_far) > LIMIT:
        codes.add(1009)
    if frame.opcode == CLOSE and frame.payload:
        codes |= _close_faults(frame.payload)
    text = TEXT in (frame.opcode, begun) and not control
    if text and not _is_utf8(so_far, whole=frame.fin):
        codes.add(1007)
    return codes


def _close_faults(payload: bytes) -> set[int]:
    code = int.from_bytes(payload[:2], "big")
    known = code in {*range(1000, 1004), *range(1007, 1015)} or 3000 <= code < 5000
    codes = set() if len(payload) >= 2 and known else {1002}
    return codes if _is_utf8(payload[2:], whole=True) else codes | {1007}


def _is_utf8(data: bytes, *, whole: bool) -> bool:
    """A message that is not over yet may be judged at its end alone."""
    try:
        data.decode()
    except UnicodeDecodeError:
        return not whole
    return True


WORDS = st.sampled_from(["", "a", "€", "{}", "\U0001f600", "x" * 125, "y" * 126, "z" * 300])
UTF8 = WORDS.map(str.encode)
NOISE = st.sampled_from([b"\xff", b"\xed\xa0\x80", b"\xe2\x82", b"\xc0\xaf", b"\xf4\x90\x80\x80"])
CODES = st.sampled_from(
    [999, 1000, 1001, 1002, 1004, 1005, 1006, 1007, 1011, 1015, 2999, 3000, 4999, 5000]
)


@st.composite
def good(draw: st.DrawFn) -> list[Sent]:
    """One message in some fragments, with control frames between them."""
    opcode = draw(st.sampled_from([TEXT, BINARY]))
    data = b"".join(draw(st.lists(UTF8, max_size=3)))
    cuts = sorted(draw(st.lists(st.integers(0, len(data)), max_size=3)))
    made: list[Sent] = []
    for begin, end in zip([0, *cuts], [*cuts, len(data)], strict=True):
        made.append(Sent(CONT if made else opcode, data[begin:end], fin=False))
    made[-1] = Sent(made[-1].opcode, made[-1].payload)
    for place in sorted(draw(st.sets(st.integers(0, len(made) - 1), max_size=1))):
        made.insert(place, Sent(draw(st.sampled_from([PING, PONG])), b"beat"))
    return made


BAD = st.one_of(
    st.builds(
        Sent,
        st.integers(0, 15),
        UTF8 | NOISE,
        st.booleans(),
        st.integers(0, 7),
        st.booleans(),
        st.binary(min_size=4, max_size=4),
    ),
    st.builds(Sent, st.sampled_from([TEXT, BINARY, CONT]), UTF8 | NOISE, st.booleans()),
    st.builds(
        lambda code, reason: Sent(CLOSE, code.to_bytes(2, "big") + reason),
        CODES,
        WORDS.map(lambda text: text.encode()[:100]) | NOISE,
    ),
    st.sampled_from([Sent(CLOSE, b""), Sent(CLOSE, b"\x03"), Sent(BINARY, bytes(LIMIT + 1))]),
)
FRAMES = st.tuples(st.lists(good(), max_size=3), st.lists(BAD, max_size=2)).map(
    lambda both: [frame for message in both[0] for frame in message] + both[1]
)


@dataclass
class World:
    """The bridge, its backend, and the loop that both run on."""

    runner: asyncio.Runner
    running: Running
    backend: WsBackend
    numbers: Iterator[int] = field(default_factory=count)

    async def holds(self, frames: list[Sent], sizes: list[int]) -> None:
        expected = judged([*frames, Sent(CLOSE, b"")])
        name = f"project.{next(self.numbers)}"
        async with socket_line(self.running.authority, f"/api/v1/ws/{name}") as attacker:
            await until(lambda: self.backend.subscribers(name))
            data = b"".join(frame.serialized() for frame in frames)
            for size in sizes:
                attacker.send(data[:size])
                data = data[size:]
                await asyncio.sleep(0)
            attacker.send(data, Sent(CLOSE, b"").serialized())
            code = await _code(attacker)
        # what is sent behind a fault is never read, and resets the connection (RFC 9293, 3.10.7)
        lost = code is None and expected.codes & FAULTS
        assert lost or code in expected.codes, (code, expected)
        await until(lambda: not self.running.readers)
        if not expected.codes & FAULTS:
            await until(lambda: len(self.heard(name)) >= len(expected.messages))
        # a server may fail a connection before it passes on what came in the same read
        heard = self.heard(name)
        assert heard == expected.messages[: len(heard)]

    def heard(self, name: str) -> list[str | bytes]:
        """What the backend was told on a channel, but for the bridge's own subscription."""
        told = [each.raw for each in self.backend.received if each.channel == name]
        return [each for each in told if "subscribe" not in str(each)]


async def _code(attacker: Line) -> int | None:
    """With which the bridge closes, 0 where it says none; None where that was lost."""
    with suppress(ConnectionError):
        while (frame := await attacker.frame()).opcode is not Opcode.CLOSE:
            assert frame.opcode is Opcode.PONG
        return int.from_bytes(bytes(frame.data[:2]), "big")
    return None


@contextmanager
def world() -> Iterator[World]:
    """One for many examples."""
    with asyncio.Runner() as runner:
        stop, ready = asyncio.Event(), asyncio.Event()
        made: list[World] = []

        async def serve() -> None:
            async with (
                WsBackend() as backend,
                bridging(upstream_of(backend), client=SMALL, ws_max_size=LIMIT) as running,
            ):
                made.append(World(runner, running, backend))
                ready.set()
                await stop.wait()

        async def start() -> asyncio.Task[None]:
            task = asyncio.create_task(serve())
            await asyncio.wait_for(ready.wait(), 10)
            return task

        async def end(task: asyncio.Task[None]) -> None:
            stop.set()
            await task

        task = runner.run(start())
        try:
            yield made[0]
        finally:
            runner.run(end(task))


def test_frames_are_heard_or_refused_as_the_standard_says() -> None:
    with world() as here:

        @settings(max_examples=100, deadline=None)
        @given(FRAMES, st.lists(st.integers(0, 12), max_size=6))
        def holds(frames: list[Sent], sizes: list[int]) -> None:
            here.runner.run(here.holds(frames, sizes))

        holds()
