"""WebSocket frames as a server writes them, and HTTP chunks: bytes that are made once for many.

Decides the framing of what goes out and nothing else; what comes in is parsed by a well-kept
library, except that `Boundary` tells whether bytes end between two frames, so that an idle
connection need not keep a parser. Sources: RFC 6455, 5.2 and 5.5; RFC 9112, 7.1.
"""

from __future__ import annotations

import zlib
from functools import lru_cache

PING = b"\x89\x00"
"""A ping without payload (RFC 6455, 5.5.2)."""

LAST_CHUNK = b"0\r\n\r\n"
"""The end of a chunked body (RFC 9112, 7.1)."""

DEFLATE_BITS = 12
"""The window that compressed messages use, and that is agreed on with each client."""

WORTH_DEFLATING = 64
"""Bytes below which a message is not compressed."""

KEPT = 256
"""Compressed messages that are kept."""

_TEXT, _BINARY, _CLOSE = 0x81, 0x82, 0x88
_COMPRESSED = 0x40  # RSV1
_TAIL = b"\x00\x00\xff\xff"  # what a sync flush ends with, left out on the wire
_REASON_BYTES = 123  # a control frame holds at most 125 bytes, two are the code
_MASKED, _LENGTH = 0x80, 0x7F
_TWO_BYTES, _EIGHT_BYTES = 126, 127


def chunk(body: bytes) -> bytes:
    """One chunk of a chunked body; an empty body makes no chunk, since that would end it."""
    return b"%x\r\n%b\r\n" % (len(body), body) if body else b""


def frame(payload: str | bytes) -> bytes:
    """One unmasked, unfragmented frame: text for `str`, binary for `bytes`."""
    if isinstance(payload, str):
        return _framed(_TEXT, payload.encode())
    return _framed(_BINARY, payload)


@lru_cache(KEPT)
def deflated_frame(payload: str | bytes) -> bytes:
    """One message, compressed without context (RFC 7692, 7.2.1), or as it is where it is short.

    Made once for all clients that negotiated it: those at the head and those that catch up.
    """
    data = payload.encode() if isinstance(payload, str) else payload
    if len(data) < WORTH_DEFLATING:
        return frame(payload)
    deflating = zlib.compressobj(wbits=-DEFLATE_BITS, memLevel=5)
    small = deflating.compress(data) + deflating.flush(zlib.Z_SYNC_FLUSH)
    first = _TEXT if isinstance(payload, str) else _BINARY
    return _framed(first | _COMPRESSED, small.removesuffix(_TAIL))


def close_frame(code: int, reason: str) -> bytes:
    """A close frame; the reason is cut at a character to what a control frame holds."""
    cut = reason.encode()[:_REASON_BYTES].decode(errors="ignore").encode()
    return _framed(_CLOSE, code.to_bytes(2, "big") + cut)


def _framed(first: int, payload: bytes) -> bytes:
    length = len(payload)
    if length < _TWO_BYTES:
        return bytes((first, length)) + payload
    if length < 1 << 16:
        return bytes((first, _TWO_BYTES)) + length.to_bytes(2, "big") + payload
    return bytes((first, _EIGHT_BYTES)) + length.to_bytes(8, "big") + payload


class Boundary:
    """Whether a peer's bytes, so far, end between two messages.

    Follows lengths only and never fails: what is wrong with a frame is the parser's to say.

    Attributes:
        reached: between two messages, no byte and no fragment is outstanding.
    """

    __slots__ = ("_fragmented", "_head", "_left", "reached")

    def __init__(self) -> None:
        self._head = b""  # a frame's header may arrive in pieces
        self._left = 0  # payload bytes outstanding
        self._fragmented = False
        self.reached = True

    def feed(self, data: bytes) -> bool:
        """Take note of `data`; gives `reached`."""
        at, end = 0, len(data)
        while at < end:
            if self._left:
                taken = min(self._left, end - at)
                self._left -= taken
                at += taken
                continue
            self._head += data[at : at + 1]
            at += 1
            self._complete_head()
        self.reached = not (self._head or self._left or self._fragmented)
        return self.reached

    def _complete_head(self) -> None:
        size = _header_size(self._head)
        if size is None or len(self._head) < size:
            return
        first, second = self._head[0], self._head[1] & _LENGTH
        extended = {_TWO_BYTES: self._head[2:4], _EIGHT_BYTES: self._head[2:10]}.get(second)
        self._left = second if extended is None else int.from_bytes(extended, "big")
        is_control = bool(first & 0x08)
        if not is_control:  # control frames may stand between the fragments of a message
            self._fragmented = not first & 0x80
        self._head = b""


def _header_size(head: bytes) -> int | None:
    """How long a frame's header is, None until its second byte is there."""
    if len(head) < 2:
        return None
    extended = {_TWO_BYTES: 2, _EIGHT_BYTES: 8}.get(head[1] & _LENGTH, 0)
    return 2 + extended + (4 if head[1] & _MASKED else 0)
