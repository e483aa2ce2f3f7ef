"""What the bridge sends, taken apart with as little work as will do: HTTP chunks and frames. Pure.

Only what the bridge itself writes is understood: whole SSE blocks that end with two LF, and
unmasked frames that are not fragmented.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from enum import StrEnum

_HEAD = b"\r\n\r\n"


class What(StrEnum):
    """What a client was told."""

    OPEN = "open"
    EVENT = "event"
    PLACE = "place"
    GAP = "gap"
    END = "end"
    PING = "ping"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Told:
    """One thing.

    Attributes:
        what: which.
        place: the cursor after it, empty where it says none.
        data: an event's payload, an ending's members, a ping's body.
    """

    what: What
    place: str = ""
    data: bytes = b""


def request(wire: str, authority: str, channel: str, place: str) -> bytes:
    """The bytes that open a stream, resumed at a place if there is one."""
    if wire == "sse":
        resume = f"Last-Event-ID: {place}\r\n" if place else ""
        head = f"GET /api/v1/events/{channel} HTTP/1.1\r\nHost: {authority}\r\n{resume}"
        return (head + "Accept: text/event-stream\r\n\r\n").encode()
    resume = f"&last_event_id={place}" if place else ""
    return (
        f"GET /api/v1/ws/{channel}?notices=true{resume} HTTP/1.1\r\nHost: {authority}\r\n"
        "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
    ).encode()


class Stream:
    """The bytes of one connection.

    Args:
        wire: `sse` or `ws`.
    """

    __slots__ = ("_buffer", "_open", "_wire")

    def __init__(self, wire: str) -> None:
        self._wire, self._buffer, self._open = wire, bytearray(), False

    def feed(self, data: bytes) -> list[Told]:
        """What these bytes complete."""
        self._buffer += data
        found: list[Told] = []
        if not self._open and not self._opened(found):
            return found
        take = self._chunks if self._wire == "sse" else self._frames
        return found + take()

    def _opened(self, found: list[Told]) -> bool:
        end = self._buffer.find(_HEAD)
        if end < 0:
            return False
        status = bytes(self._buffer[9:12])
        good = status == (b"200" if self._wire == "sse" else b"101")
        found.append(Told(What.OPEN if good else What.REFUSED, data=status))
        del self._buffer[: end + len(_HEAD)]
        self._open = good
        return good

    def _chunks(self) -> list[Told]:
        buffer, at, found = self._buffer, 0, list[Told]()
        while (line := buffer.find(b"\r\n", at)) > 0:
            size = int(buffer[at:line], 16)
            end = line + 2 + size
            if len(buffer) < end + 2:
                break
            found += [block(each) for each in bytes(buffer[line + 2 : end]).split(b"\n\n") if each]
            at = end + 2
        del buffer[:at]
        return found

    def _frames(self) -> list[Told]:
        buffer, at, found = self._buffer, 0, list[Told]()
        while len(buffer) >= at + 2:
            length, body = buffer[at + 1], at + 2
            if length > 125:
                body += 2 if length == 126 else 8
                if len(buffer) < body:
                    break
                length = int.from_bytes(buffer[at + 2 : body])
            if len(buffer) < body + length:
                break
            found.append(frame(buffer[at] & 0x0F, bytes(buffer[body : body + length])))
            at = body + length
        del buffer[:at]
        return found


def block(text: bytes) -> Told:
    """One SSE block; comments and `retry` do not matter here."""
    name = place = data = b""
    for line in text.split(b"\n"):
        if line.startswith(b"data: "):
            data = line[6:]
        elif line.startswith(b"id: "):
            place = line[4:]
        elif line.startswith(b"event: "):
            name = line[7:]
    what = {b"": What.EVENT if data else What.PLACE, b"bridge.gap": What.GAP}.get(name, What.PLACE)
    return Told(What.END if name == b"bridge.end" else what, place.decode(), data)


def frame(opcode: int, body: bytes) -> Told:
    """One frame."""
    if opcode == 9:
        return Told(What.PING, data=body)
    if opcode == 8:
        return Told(What.PLACE)
    if not body.startswith(b'{"type":"bridge.'):
        return Told(What.EVENT, data=body)
    said = json.loads(body)
    if said["type"] == "bridge.cursor":
        return Told(What.PLACE, said["id"])
    if said["type"] == "bridge.gap":
        return Told(What.GAP, said["new"])
    return Told(What.END, data=body)


def number(payload: bytes) -> int:
    """The number of an event, which its payload begins with."""
    return int(payload[5 : payload.index(b",")])


def pong(body: bytes) -> bytes:
    """The answer to a ping (RFC 6455, 5.5.3), masked with zeros."""
    return bytes((0x8A, 0x80 | len(body), 0, 0, 0, 0)) + body
