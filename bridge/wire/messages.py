"""WebSocket messages of a server, read from bytes that may be cut anywhere (RFC 6455, 5).

Decides what the frames say and whether they may be so; never answers a ping or closes anything.
Extensions are not negotiated, so reserved bits are a breach. Lengths in more bytes than needed
pass, as with other clients.
"""

from __future__ import annotations

from dataclasses import dataclass

PROTOCOL_ERROR, INVALID_DATA, TOO_BIG = 1002, 1007, 1009
NO_STATUS = 1005
"""Stands for the code of a close frame without one (RFC 6455, 7.1.5)."""

_WHOLE_TEXT, _WHOLE_BINARY = 0x81, 0x82
_FIN, _RESERVED, _OPCODE, _CONTROL = 0x80, 0x70, 0x0F, 0x08
_CONTINUATION, _TEXT, _BINARY, _CLOSE, _PING, _PONG = 0x0, 0x1, 0x2, 0x8, 0x9, 0xA
_MASKED, _TWO_BYTES, _EIGHT_BYTES = 0x80, 126, 127
_LARGEST_CONTROL = 125
_DEFINED_CODES = frozenset({1000, 1001, 1002, 1003, *range(1007, 1015)})
_OWN_CODES = range(3000, 5000)


@dataclass(frozen=True, slots=True)
class Close:
    """The peer closes; nothing follows.

    Attributes:
        code: its reason as a number, `NO_STATUS` where it gave none.
        reason: its words.
    """

    code: int
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Breach:
    """The peer broke the protocol or a limit; nothing follows.

    Attributes:
        code: the close code that says so.
        reason: what is wrong, for people.
    """

    code: int
    reason: str


Message = str | bytes
"""`str` is a text message, `bytes` a binary one."""


class MessageDecoder:
    """Reads one connection; a message is out with its last byte.

    Memory is bounded: a frame's length is checked before its payload is waited for.

    Args:
        max_bytes: the largest message, over all its fragments.

    Attributes:
        pings: payloads of those that came, in order; whoever answers them empties it. Pongs leave
            no trace.
        last: why nothing follows, once nothing does.
    """

    __slots__ = ("_gathered", "_kind", "_limit", "_needed", "_parts", "_rest", "last", "pings")

    def __init__(self, max_bytes: int) -> None:
        self._limit = max_bytes
        self._rest = bytearray()  # an unfinished frame; grows in place
        self._needed = 0  # how long that must be before another look makes sense
        self._parts: list[bytes] | None = None  # fragments of an unfinished message
        self._kind = _TEXT
        self._gathered = 0
        self.pings: list[bytes] = []
        self.last: Close | Breach | None = None

    def feed(self, data: bytes) -> list[Message]:
        """Read the next bytes and give the messages that they complete."""
        if self.last:
            return []
        if self._rest:
            self._rest += data
            if len(self._rest) < self._needed:
                return []
            data = bytes(self._rest)
            self._rest.clear()
        messages: list[Message] = []
        at = self._read(data, messages)
        if at < len(data):
            self._rest += data[at:]
        return messages

    def _read(self, data: bytes, messages: list[Message]) -> int:
        """Take whole frames in; where the first unfinished one begins."""
        at, end = 0, len(data)
        while end - at >= 2:
            first, length, start = data[at], data[at + 1], at + 2
            if length >= _TWO_BYTES:
                size = 2 if length == _TWO_BYTES else 8 if length == _EIGHT_BYTES else 0
                start += size
                if start > end:
                    self._needed = start - at
                    return at
                length = int.from_bytes(data[start - size : start], "big") if size else length
            # One look suffices for a message in one frame, the usual case by far.
            simple = first in (_WHOLE_TEXT, _WHOLE_BINARY) and self._parts is None
            simple = simple and length <= self._limit and not data[at + 1] & _MASKED
            if not simple and (breach := self._breach(first, data[at + 1], length)):
                self._end(breach)
                return end
            if start + length > end:
                self._needed = start + length - at
                return at
            at = start + length
            self._take(first, data[start:at], messages)
            if self.last:
                return end
        self._needed = 2
        return at

    def _breach(self, first: int, second: int, length: int) -> Breach | None:
        """What is wrong with a frame's header (RFC 6455, 5.1, 5.2, 5.4 and 5.5)."""
        opcode = first & _OPCODE
        if second & _MASKED:
            return Breach(PROTOCOL_ERROR, "a server's frame is masked")
        if first & _RESERVED:
            return Breach(PROTOCOL_ERROR, "reserved bits are set")
        if opcode & _CONTROL:
            return _control_breach(first, opcode, length)
        if opcode > _BINARY:
            return Breach(PROTOCOL_ERROR, "an unknown opcode")
        if (opcode == _CONTINUATION) != (self._parts is not None):
            return Breach(PROTOCOL_ERROR, "fragments are out of order")
        if self._gathered + length > self._limit:
            return Breach(TOO_BIG, f"a message exceeds {self._limit} bytes")
        return None

    def _take(self, first: int, payload: bytes, messages: list[Message]) -> None:
        if first == _WHOLE_TEXT:
            self._text(payload, messages)
        elif first == _WHOLE_BINARY:
            messages.append(payload)
        elif first & _CONTROL:
            self._control(first & _OPCODE, payload)
        else:
            self._fragment(first, payload, messages)

    def _fragment(self, first: int, payload: bytes, messages: list[Message]) -> None:
        if self._parts is None:
            self._kind, self._parts = first & _OPCODE, []
        if payload:  # empty ones by the million would cost pointers that the limit does not count
            self._parts.append(payload)
            self._gathered += len(payload)
        if first & _FIN:
            whole = b"".join(self._parts)
            self._parts, self._gathered = None, 0
            self._take(_FIN | self._kind, whole, messages)

    def _text(self, payload: bytes, messages: list[Message]) -> None:
        try:
            messages.append(payload.decode())
        except UnicodeDecodeError:
            self._end(Breach(INVALID_DATA, "a text message is not UTF-8"))

    def _control(self, opcode: int, payload: bytes) -> None:
        if opcode == _PING:
            self.pings.append(payload)
        elif opcode == _CLOSE:
            self._end(_closing(payload))

    def _end(self, last: Close | Breach) -> None:
        self.last, self._parts = last, None


def _control_breach(first: int, opcode: int, length: int) -> Breach | None:
    if opcode > _PONG:
        return Breach(PROTOCOL_ERROR, "an unknown opcode")
    if not first & _FIN:
        return Breach(PROTOCOL_ERROR, "a control frame is fragmented")
    if length > _LARGEST_CONTROL:
        return Breach(PROTOCOL_ERROR, "a control frame is too long")
    return None


def _closing(payload: bytes) -> Close | Breach:
    """What a close frame says (RFC 6455, 5.5.1 and 7.4)."""
    if not payload:
        return Close(NO_STATUS)
    try:
        reason = payload[2:].decode()
    except UnicodeDecodeError:
        return Breach(INVALID_DATA, "a close frame's reason is not UTF-8")
    code = int.from_bytes(payload[:2], "big")
    if len(payload) == 1 or not (code in _DEFINED_CODES or code in _OWN_CODES):
        return Breach(PROTOCOL_ERROR, "a close frame has no usable code")
    return Close(code, reason)
