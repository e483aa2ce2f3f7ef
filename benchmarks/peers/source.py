"""A backend that tells one client a fixed number of events, as fast as it reads or one at a time.

usage: python -m benchmarks.peers.source sse|ws packed|single PORT COUNT

Packed writes many events at once and waits for the reader; single writes one event every 200
microseconds, so that each is a read of its own.
"""

from __future__ import annotations

import base64
import hashlib
import re
import socket
import sys
import time
from collections.abc import Callable, Iterator, Sequence

PAYLOAD = b'{"t":1234567890123456789,"seq":12345,"kind":"tick","pad":"%b"}' % (b"x" * 138)
PACK = 256
INTERVAL = 200e-6
_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
_KEY = re.compile(rb"sec-websocket-key: *(\S+)", re.IGNORECASE)
_SSE_HEAD = (
    b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
)
_LAST_CHUNK = b"0\r\n\r\n"
_CLOSE = b"\x88\x02\x03\xe8"


def sse_chunk(number: int) -> bytes:
    """One event as an HTTP chunk (RFC 9112, 7.1)."""
    block = b"id: %d\ndata: %b\n\n" % (number, PAYLOAD)
    return b"%x\r\n%b\r\n" % (len(block), block)


def frame_of(text: bytes) -> bytes:
    """A payload of 126 bytes or more as an unmasked text frame (RFC 6455, 5.2)."""
    return b"\x81\x7e" + len(text).to_bytes(2, "big") + text


def ws_frame(_: int) -> bytes:
    """One event as a frame; it has no number."""
    return frame_of(PAYLOAD)


def ws_head(request: bytes) -> bytes:
    """The answer to a handshake (RFC 6455, 4.2.2)."""
    found = _KEY.search(request)
    assert found
    accepted = base64.b64encode(hashlib.sha1(found[1] + _GUID, usedforsecurity=False).digest())
    return (
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Accept: %b\r\n\r\n" % accepted
    )


def packed(events: Sequence[bytes]) -> Iterator[bytes]:
    """Many events in each write."""
    for start in range(0, len(events), PACK):
        yield b"".join(events[start : start + PACK])


def single(events: Sequence[bytes]) -> Iterator[bytes]:
    """One event in each write, when its time has come."""
    due = time.perf_counter()
    for event in events:
        while time.perf_counter() < due:
            pass
        yield event
        due += INTERVAL


def serve(
    mode: str, how: Callable[[Sequence[bytes]], Iterator[bytes]], port: int, count: int
) -> None:
    """Serve one client until it leaves; connections that ask for nothing are passed over."""
    events = [(ws_frame if mode == "ws" else sse_chunk)(number) for number in range(count)]
    with socket.create_server(("127.0.0.1", port)) as listener:
        request = b""
        while not request:
            client, _ = listener.accept()
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            request = client.recv(65536)
        client.sendall(ws_head(request) if mode == "ws" else _SSE_HEAD)
        time.sleep(0.2)
        for piece in how(events):
            client.sendall(piece)
        client.sendall(_CLOSE if mode == "ws" else _LAST_CHUNK)
        while client.recv(65536):
            pass


if __name__ == "__main__":
    serve(sys.argv[1], globals()[sys.argv[2]], int(sys.argv[3]), int(sys.argv[4]))
