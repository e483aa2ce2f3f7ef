"""One WebSocket to a backend, byte by byte: handshake, frames both ways, the close."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.utils import accept_key
from yarl import URL

from bridge.seams import Got, Lost, Opened, Signal
from bridge.upstream.client_socket import ClientSocket, Manners
from bridge.upstream.frames import FrameReading

URL_ = URL("ws://u:p@a.example/x?y#z")
FRAMES = b"\x81\x01a\x01\x02\xf0\x9f\x89\x02hi\x80\x02\xa4\x96\x82\x7e\x00\xc8"
FRAMES += b"\0" * 200 + b"\x8a\x00"
MESSAGES = ["a", "🤖", b"\0" * 200]
"""What the frames say: a message in pieces, with a ping between, and a pong at the end."""


class Wire(asyncio.Transport):
    """A transport that nobody is behind."""

    def __init__(self) -> None:
        super().__init__()
        self.written = b""
        self.gone = False

    def write(self, data: object) -> None:
        assert isinstance(data, bytes)
        self.written += data

    def resume_reading(self) -> None:
        """Nothing was held back."""

    def abort(self) -> None:
        self.gone = True

    def frames(self) -> list[tuple[int, bytes]]:
        """What was sent since the request: first byte and unmasked payload of each frame."""
        data, frames = self.written.partition(b"\r\n\r\n")[2], []
        while data:
            first, second, data = data[0], data[1], data[2:]
            assert second & 0x80, "a client's frame is masked (RFC 6455, 5.1)"
            length = second & 0x7F
            if length == 126:
                length, data = struct.unpack("!H", data[:2])[0], data[2:]
            mask, payload, data = data[:4], data[4 : 4 + length], data[4 + length :]
            frames.append((first, bytes(b ^ mask[i % 4] for i, b in enumerate(payload))))
        return frames


class Sink:
    """Keeps what it is told."""

    has_room = True

    def __init__(self) -> None:
        self.said: list[Signal] = []

    def take(self, signal: Opened | Got) -> None:
        self.said.append(signal)

    @property
    def messages(self) -> list[str | bytes]:
        got = [signal for signal in self.said if isinstance(signal, Got)]
        return [event.data for signal in got for event in signal.events]


class Call:
    """A socket, its wire and its sink; the handshake is still to come."""

    def __init__(self, **manners: Any) -> None:
        self.sink, self.wire = Sink(), Wire()
        usual: dict[str, Any] = {
            "headers": {"X": "y"},
            "subprotocols": (),
            "first": "",
            "max_bytes": 1000,
            "ping_interval": 0.0,
            "silence": 0.0,
            "send_timeout": 1.0,
            "final_closes": (1000,),
        }
        reading = FrameReading(None, lambda: 0.0, acknowledgement={}, pings={})
        self.opened: list[ClientSocket] = []
        made = Manners(**{**usual, **manners})
        self.socket = ClientSocket(URL_, self.sink, reading, made, self.opened.append)
        self.socket.connection_made(self.wire)

    def answer(self, **changes: str) -> bytes:
        """The handshake that a backend would send, or one that is wrong in places."""
        head = self.wire.written.decode()
        key = head.split("Sec-WebSocket-Key: ")[1].split("\r\n")[0]
        fields = {
            "Upgrade": "websocket",
            "Connection": "Upgrade",
            "Sec-WebSocket-Accept": accept_key(key),
            **{name.replace("_", "-"): value for name, value in changes.items()},
        }
        lines = [f"{name}: {value}" for name, value in fields.items() if value]
        return "\r\n".join(["HTTP/1.1 101 Switching", *lines, "", ""]).encode()

    def feed(self, *pieces: bytes) -> None:
        for piece in pieces:
            self.socket.data_received(piece)

    @property
    def lost(self) -> Lost:
        return self.socket.over.result()


def within_loop(talk: Callable[[], Awaitable[None]]) -> None:
    """Run to the end; the properties below are not coroutines, for Hypothesis' sake."""

    async def run() -> None:
        await talk()

    asyncio.run(run())


async def test_the_request_is_a_handshake_with_what_is_configured() -> None:
    lines = Call(subprotocols=("v2", "v1")).wire.written.decode().split("\r\n")
    assert lines[0] == "GET /x?y HTTP/1.1"
    fields = dict(line.split(": ", 1) for line in lines[1:-2])
    assert fields.pop("Sec-WebSocket-Key")
    assert fields == {
        "Host": "a.example",
        "User-Agent": "ws2sse",
        "Upgrade": "websocket",
        "Connection": "Upgrade",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Protocol": "v2, v1",
        "X": "y",
    }


@given(st.lists(st.integers(1, 30), max_size=40))
def test_any_cut_gives_the_same_messages(sizes: list[int]) -> None:
    async def talk() -> None:
        call = Call(first="hello")
        data, at = call.answer() + FRAMES, 0
        for size in sizes:
            call.feed(data[at : at + size])
            at += size
        call.feed(data[at:])
        assert call.sink.said[0] == Opened()
        assert call.sink.messages == MESSAGES
        assert call.wire.frames() == [(0x81, b"hello"), (0x8A, b"hi")]
        assert call.opened == [call.socket]

    within_loop(talk)


@given(st.integers(0, 500))
def test_a_cut_at_any_byte_is_a_loss_and_gives_what_was_whole(cut: int) -> None:
    async def talk() -> None:
        call = Call()
        head = call.answer()
        call.feed((head + FRAMES)[:cut])
        call.socket.connection_lost(None)
        expected = "bad-gateway" if cut < len(head) else "abnormal"
        assert (call.lost.ending.name, call.lost.ending.reconnect) == (expected, True)
        assert call.sink.messages == MESSAGES[: len(call.sink.messages)]

    within_loop(talk)


@pytest.mark.parametrize(
    "changes",
    [
        {"Sec_WebSocket_Accept": "AAAA"},
        {"Sec_WebSocket_Accept": ""},
        {"Upgrade": "h2c"},
        {"Connection": "close"},
        {"Sec_WebSocket_Extensions": "permessage-deflate"},
        {"Sec_WebSocket_Protocol": "unasked"},
    ],
)
async def test_a_wrong_handshake_is_refused(changes: dict[str, str]) -> None:
    call = Call()
    call.feed(call.answer(**changes) + FRAMES)
    assert call.lost.ending.name == "bad-gateway"
    assert call.lost.ending.reconnect
    assert (call.sink.said, call.opened) == ([], [])


async def test_a_refusal_with_a_body_is_told_by_its_status() -> None:
    call = Call()
    call.feed(b"HTTP/1.1 503 Busy\r\nRetry-After: 7\r\nContent-Length: 400\r\n\r\nso")
    assert (call.lost.ending.name, call.lost.retry) == ("restart", 7000)


@pytest.mark.parametrize(
    ("close", "answered"),
    [
        (b"\x88\x05\x03\xf4bye", b"\x03\xf4bye"),
        (b"\x88\x00", b""),
        (b"\x81\x01\xff", None),
        (b"\x81\x7e\x7f\xff", None),
        (b"\x8b\x00", None),
    ],
)
async def test_the_end_is_answered_once(close: bytes, answered: bytes | None) -> None:
    call = Call()
    call.feed(call.answer(), b"\x81\x01a" + close + b"\x81\x01b", b"\x89\x00")
    assert call.sink.messages == ["a"]
    ((first, payload),) = call.wire.frames()
    assert first == 0x88
    if answered is not None:
        assert payload == answered
        assert call.lost.reason.startswith("the backend closed with")
    else:
        assert call.lost.reason.startswith("this side had to close with")
        assert call.lost.ending.reconnect
    assert not await call.socket.say("late")


async def test_what_may_be_left_out_waits_for_nobody_who_does_not_read() -> None:
    call = Call()
    call.feed(call.answer())
    call.socket.pause_writing()
    call.feed(b"\x89\x01a" * 1000)
    assert call.wire.frames() == []
    call.socket.resume_writing()
    call.feed(b"\x89\x01b")
    assert call.wire.frames() == [(0x8A, b"b")]


async def test_a_frame_goes_out_once_and_waits_for_room() -> None:
    call = Call(send_timeout=0.01)
    assert not await call.socket.say("too early")
    call.feed(call.answer())
    assert await call.socket.say("ü")
    assert await call.socket.say(b"\x00" * 300)
    call.socket.pause_writing()
    assert not await call.socket.say("slow")
    assert call.wire.frames() == [(0x81, "ü".encode()), (0x82, b"\0" * 300), (0x81, b"slow")]


async def test_a_frame_that_waits_is_told_of_the_loss() -> None:
    call = Call(send_timeout=60.0)
    call.feed(call.answer())
    call.socket.pause_writing()
    sending = asyncio.create_task(call.socket.say("x"))
    await asyncio.sleep(0)
    call.socket.connection_lost(None)
    assert not await sending


async def test_leaving_says_so_and_waits_for_the_answer() -> None:
    call = Call()
    call.feed(call.answer())
    leaving = asyncio.create_task(call.socket.close())
    await asyncio.sleep(0)
    assert call.wire.frames() == [(0x88, b"\x03\xe8")]
    assert not leaving.done()
    call.socket.connection_lost(None)
    await leaving


async def test_leaving_before_the_handshake_just_hangs_up() -> None:
    call = Call()
    await call.socket.close()
    assert call.wire.frames() == []
    assert call.wire.gone
