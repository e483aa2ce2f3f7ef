"""What a connection may do before it is a client: send a head, then a body, and not for ever.

Decides by bytes and deadlines on the shared wheel; never parses HTTP. The web server under the
bridge bounds neither, and forgets its own deadline for idle connections at their first byte. A
connection is told 408 or 431 and closed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from bridge.endpoint.address import networks, within
from bridge.endpoint.limits import LimitOptions
from bridge.endpoint.preface import Source, read
from bridge.endpoint.wheel import Due, Wheel
from bridge.seams import Meter

_SPARE = 1.1
"""Connections beyond the limit, as a factor: those that are still to say what they want."""

_AT_LEAST = 100

_END = b"\r\n\r\n"
_STATUS = {408: b"Request Timeout", 431: b"Request Header Fields Too Large"}


class Door:
    """What all watches of one server share.

    Args:
        options: the limits.
        wheel: times them.
        meter: counts those that are turned away, by reason.
    """

    def __init__(self, options: LimitOptions, wheel: Wheel, meter: Meter) -> None:
        self.options, self.wheel = options, wheel
        self._meter = meter
        self._trusted = networks(options.trusted_proxies)
        limit = options.connections
        self._most = max(int(limit * _SPARE), limit + _AT_LEAST) if limit else None

    def watch(self, transport: asyncio.Transport, connections: int) -> Watch:
        """Watch a new connection, one of so many; one too many is dropped."""
        if self._is_crowded(connections):
            transport.abort()
        return Watch(self, transport)

    def _is_crowded(self, connections: int) -> bool:
        """Whether one more is too many even to be told so."""
        if self._most is None or connections <= self._most:
            return False
        self.refused("sockets")
        return True

    def expects_preface(self, transport: asyncio.Transport) -> bool:
        """Whether this peer has to say whose connection it is."""
        if not self.options.proxy_protocol:
            return False
        peer = transport.get_extra_info("peername")
        return bool(peer) and within(str(peer[0]), self._trusted)

    def refused(self, reason: str) -> None:
        """Count one that is turned away."""
        self._meter.count("clients_refused", reason=reason)


class Watch:
    """Watches one connection, from its opening until it is handed on.

    Args:
        door: the limits.
        transport: of the connection.

    Attributes:
        source: the client's address as a trusted proxy gave it.
    """

    __slots__ = ("_door", "_due", "_heading", "_preface", "_size", "_tail", "_transport", "source")

    def __init__(self, door: Door, transport: asyncio.Transport) -> None:
        self._door, self._transport = door, transport
        self._preface: bytes | None = b"" if door.expects_preface(transport) else None
        self._heading, self._size, self._tail = True, 0, b""
        self._due: Due | None = None
        self.source: Source | None = None
        self._wait(door.options.head_timeout, "head-timeout")

    def introduce(self, data: bytes) -> bytes:
        """What follows the proxy's header, once that is complete; all of it where none is due."""
        if self._preface is None:
            return data
        data = self._preface + data
        try:
            found = read(data)
        except ValueError:
            self._refuse("preface", None)
            return b""
        if found is None:
            self._preface = data
            return b""
        length, self.source = found
        self._preface = None
        return data[length:]

    def take(self, data: bytes) -> bytes:
        """What of these bytes is for the web server: nothing where the connection is refused."""
        data = self.introduce(data)
        if not self._heading or not data:
            return data
        if self._due is None:
            self._wait(self._door.options.head_timeout, "head-timeout")
        return data if self._fits(data) else b""

    def head_done(self) -> None:
        """The head is complete."""
        self._heading = False
        self.close()

    def rest(self) -> None:
        """All that came was taken in; a body that is not complete yet has its own time."""
        if not self._heading and self._due is None:
            self._wait(self._door.options.body_timeout, "body-timeout")

    def message_done(self) -> None:
        """The request is complete; the next bytes are another head."""
        self._heading, self._size, self._tail = True, 0, b""
        self.close()

    def close(self) -> None:
        """The connection is gone, or somebody else's."""
        if self._due:
            self._due.cancel()
            self._due = None

    def _fits(self, data: bytes) -> bool:
        """Whether the head ends within its limit, as far as it has come."""
        limit, before = self._door.options.head_bytes, self._size
        self._size += len(data)
        if self._size <= limit:
            self._tail = data[-3:] if len(data) > 2 else (self._tail + data)[-3:]
            return True
        if _END in self._tail + data[: max(limit - before, 0)]:
            return True
        self._refuse("head-bytes", 431)
        return False

    def _wait(self, seconds: float, reason: str) -> None:
        self.close()
        self._due = self._door.wheel.after(seconds, self._expiry(reason))

    def _expiry(self, reason: str) -> Callable[[], None]:
        # A request of which nothing came is not answered: an idle connection asked for nothing.
        status = 408 if reason == "head-timeout" else None
        return lambda: self._refuse(reason, status if self._size else None)

    def _refuse(self, reason: str, status: int | None) -> None:
        self.close()
        if self._transport.is_closing():
            return
        self._door.refused(reason)
        if status is None:
            self._transport.abort()
            return
        self._transport.write(
            b"HTTP/1.1 %d %s\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
            % (status, _STATUS[status])
        )
        self._transport.close()


class Watched:
    """For an HTTP protocol of uvicorn's to inherit first: each connection has a watch.

    Attributes:
        door: the limits; None where there are none, or where a watch is given.
        watch: of the connection.
    """

    door: Door | None = None
    watch: Watch | None = None
    ws_protocol_class: Any

    def connection_made(self: Any, transport: Any) -> None:  # noqa: ANN401 - uvicorn's own type
        """As uvicorn, behind the door."""
        super().connection_made(transport)  # type: ignore[misc]
        if self.door:
            self.watch = self.door.watch(transport, len(self.connections))

    def data_received(self: Any, data: bytes) -> None:
        """As uvicorn, with what the watch lets through."""
        watch = self.watch
        if watch:
            data = watch.take(data)
            self.client = watch.source or self.client
        if data:
            super().data_received(data)  # type: ignore[misc]
            if self.watch:
                self.watch.rest()

    def handle_websocket_upgrade(self: Any) -> None:
        """As uvicorn; the handshake is complete, and the rest is the socket's business."""
        watch, self.watch = self.watch, None
        if watch:
            watch.close()
            made = self.ws_protocol_class
            self.ws_protocol_class = lambda **given: made(**given, source=watch.source)
        super().handle_websocket_upgrade()  # type: ignore[misc]

    def on_headers_complete(self: Any) -> None:
        """As uvicorn."""
        if self.watch:
            self.watch.head_done()
        super().on_headers_complete()  # type: ignore[misc]

    def on_message_complete(self: Any) -> None:
        """As uvicorn."""
        if self.watch:
            self.watch.message_done()
        super().on_message_complete()  # type: ignore[misc]

    def connection_lost(self: Any, exc: Exception | None) -> None:
        """As uvicorn."""
        if self.watch:
            self.watch.close()
        super().connection_lost(exc)  # type: ignore[misc]
