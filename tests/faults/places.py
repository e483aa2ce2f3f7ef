"""Where in the bytes of one connection a fault strikes: pure functions of all bytes so far.

A place answers the offset at which it lies in the bytes that a server has sent since it accepted,
or None while it has not come by yet.
"""

from collections.abc import Callable
from dataclasses import dataclass

Place = Callable[[bytes], int | None]

MARK = b'"mark"'
"""Stands in the payload in which faults strike; nothing before it holds it."""

LETTER = "€".encode()
"""Three bytes of UTF-8 in that payload."""

_HEAD = b"\r\n\r\n"


@dataclass(frozen=True, slots=True)
class Message:
    """One HTTP chunk or WebSocket frame in a stream.

    Attributes:
        start: the offset of its first byte.
        body: that of the first byte after its header.
        end: that after its last byte.
    """

    start: int
    body: int
    end: int


def at_pattern(pattern: bytes, offset: int = 0) -> Place:
    """`offset` bytes after the beginning of a pattern's first occurrence."""

    def place(stream: bytes) -> int | None:
        found = stream.find(pattern)
        return None if found < 0 or found + offset > len(stream) else found + offset

    return place


def at_offset(offset: int) -> Place:
    """After so many bytes."""
    return lambda stream: offset if len(stream) >= offset else None


def after_headers(stream: bytes) -> int | None:
    """Between the answer's head and its body."""
    found = stream.find(_HEAD)
    return None if found < 0 else found + len(_HEAD)


def before_last_line_feed(stream: bytes) -> int | None:
    """Between the CR and the LF that end the answer's head."""
    after = after_headers(stream)
    return None if after is None else after - 1


def after_carriage_return(stream: bytes) -> int | None:
    """Between the CR and the LF that follow the marked payload."""
    mark = stream.find(MARK)
    found = stream.find(b"\r\n", mark) if mark >= 0 else -1
    return None if found < 0 else found + 1


def inside_header(stream: bytes) -> int | None:
    """After the first byte of the chunk or frame that holds the marked payload."""
    mark = stream.find(MARK)
    holding = [each for each in messages(stream) if each.start < mark < each.end]
    return holding[0].start + 1 if holding else None


def messages(stream: bytes) -> list[Message]:
    """All whole chunks or frames after the answer's head."""
    at = after_headers(stream)
    if at is None:
        return []
    next_one = _frame if stream.startswith(b"HTTP/1.1 101") else _chunk
    found: list[Message] = []
    while message := next_one(stream, at):
        found.append(message)
        at = message.end
    return found


def _chunk(stream: bytes, at: int) -> Message | None:
    """RFC 9112, 7.1."""
    line = stream.find(b"\r\n", at)
    if line < 0:
        return None
    size = int(stream[at:line].split(b";")[0], 16)
    end = line + 2 + size + 2
    return Message(at, line + 2, end) if end <= len(stream) else None


def _frame(stream: bytes, at: int) -> Message | None:
    """RFC 6455, 5.2; servers do not mask."""
    if at + 2 > len(stream):
        return None
    length = stream[at + 1] & 0x7F
    wide = {126: 2, 127: 8}.get(length, 0)
    body = at + 2 + wide
    size = int.from_bytes(stream[at + 2 : body]) if wide else length
    return Message(at, body, body + size) if body + size <= len(stream) else None
