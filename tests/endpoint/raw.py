"""Clients that say exactly which bytes they send, in which pieces, and show what comes back."""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

import anyio
from websockets.frames import Close, Frame, Opcode
from websockets.protocol import Protocol, Side

from tests.endpoint.parts import EVENTS, SOCKET

KEY = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"


def upgrade(path: str = SOCKET, extra: str = "") -> bytes:
    """A WebSocket handshake."""
    head = f"GET {path} HTTP/1.1\r\nHost: bridge\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    return f"{head}{KEY}{extra}\r\n".encode()


def get(path: str = EVENTS, extra: str = "", version: str = "1.1", method: str = "GET") -> bytes:
    """A request for a stream."""
    accept = "Accept: text/event-stream\r\n"
    return f"{method} {path} HTTP/{version}\r\nHost: bridge\r\n{accept}{extra}\r\n".encode()


def text(payload: str | bytes, *, fin: bool = True, opcode: Opcode = Opcode.TEXT) -> bytes:
    """A masked frame."""
    data = payload.encode() if isinstance(payload, str) else payload
    return Frame(opcode, data, fin).serialize(mask=True)


def closing_frame(code: int = 1000, reason: str = "") -> bytes:
    """A masked close frame."""
    return Frame(Opcode.CLOSE, Close(code, reason).serialize()).serialize(mask=True)


@dataclass(slots=True)
class Line:
    """One connection."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    parser: Protocol = field(default_factory=lambda: Protocol(Side.CLIENT, max_size=None))

    def send(self, *pieces: bytes) -> None:
        """Write bytes now."""
        for piece in pieces:
            self.writer.write(piece)

    async def until(self, mark: bytes) -> bytes:
        """Everything up to and with `mark`."""
        with anyio.fail_after(10):
            return await self.reader.readuntil(mark)

    async def rest(self) -> bytes:
        """Everything until the bridge closes or drops the connection."""
        got = b""
        with anyio.fail_after(20):
            try:
                while piece := await self.reader.read(65536):
                    got += piece
            except ConnectionError:
                pass
        return got

    async def frame(self) -> Frame:
        """The next WebSocket frame."""
        with anyio.fail_after(10):
            while True:
                for event in self.parser.events_received():
                    assert isinstance(event, Frame)
                    self._early.append(event)
                if self._early:
                    return self._early.pop(0)
                data = await self.reader.read(65536)
                assert data, "the connection is over"
                self.parser.receive_data(data)

    _early: list[Frame] = field(default_factory=list)

    async def said(self) -> str:
        """The next frame, which is text."""
        frame = await self.frame()
        assert frame.opcode is Opcode.TEXT, frame
        return bytes(frame.data).decode()

    async def close_code(self) -> int:
        """The code of the close frame; what comes before it is passed over."""
        while (frame := await self.frame()).opcode is not Opcode.CLOSE:
            pass
        return Close.parse(bytes(frame.data)).code


@asynccontextmanager
async def line(
    authority: str, *, receive_buffer: int = 0, tls: ssl.SSLContext | None = None
) -> AsyncIterator[Line]:
    """A connection; with a small receive buffer it is full soon when nobody reads."""
    host, _, port = authority.rpartition(":")
    plain = socket.socket()
    if receive_buffer:
        plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
    plain.setblocking(False)
    await asyncio.get_running_loop().sock_connect(plain, (host, int(port)))
    limit = receive_buffer or 2**20
    name = "localhost" if tls else None
    reader, writer = await asyncio.open_connection(
        sock=plain, limit=limit, ssl=tls, server_hostname=name
    )
    try:
        yield Line(reader, writer)
    finally:
        writer.transport.abort()
        with suppress(OSError):
            await writer.wait_closed()


@asynccontextmanager
async def socket_line(
    authority: str, path: str = SOCKET, *, receive_buffer: int = 0
) -> AsyncIterator[Line]:
    """A WebSocket whose handshake is done."""
    async with line(authority, receive_buffer=receive_buffer) as found:
        found.send(upgrade(path))
        answer = await found.until(b"\r\n\r\n")
        assert answer.startswith(b"HTTP/1.1 101 "), answer
        yield found
