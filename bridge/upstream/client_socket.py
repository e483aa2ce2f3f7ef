"""One WebSocket to a backend: the handshake, frames both ways, signs of life and the close.

Decides how a backend's close is to be taken and whether it is still alive. The handshake is checked
by `websockets`; frames are read by `bridge.wire.messages`, since that is the hot path.

Only what the backend itself says ends a channel for good: a handshake's status or a close frame.
Where this side had to fail the connection, another attempt is made.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace

from multidict import CIMultiDict
from websockets.client import ClientProtocol
from websockets.datastructures import Headers
from websockets.exceptions import InvalidHandshake
from websockets.frames import Close as CloseFrame
from websockets.frames import Frame, Opcode
from websockets.http11 import Response as Handshake
from websockets.typing import Subprotocol
from websockets.uri import parse_uri
from yarl import URL

from bridge.seams import Got, Lost, Opened, Sink
from bridge.upstream.connection import Connection
from bridge.upstream.failure import brief, closed, oversized, refused, unreachable
from bridge.upstream.frames import FrameReading
from bridge.upstream.request import get_request
from bridge.upstream.response import Response
from bridge.wire import endings
from bridge.wire.messages import NO_STATUS, TOO_BIG, Breach, Close, MessageDecoder

CLOSE_TIMEOUT = 1.0
"""Seconds that a closing handshake may take."""

_SWITCHING = 101


@dataclass(frozen=True, slots=True)
class Manners:
    """How a socket is spoken on; as in `bridge.upstream.ws.WsOptions`.

    Attributes:
        headers: sent with the handshake.
        subprotocols: offered in this order.
        first: the text frame that is sent first, empty for none.
        max_bytes: the largest message.
        ping_interval: quiet seconds before a ping, 0 = never.
        silence: seconds without a byte, 0 = never.
        send_timeout: seconds for passing one frame on, 0 = no limit.
        final_closes: codes after which the backend is done for good.
    """

    headers: Mapping[str, str]
    subprotocols: Collection[str]
    first: str
    max_bytes: int
    ping_interval: float
    silence: float
    send_timeout: float
    final_closes: Collection[int]


class ClientSocket(Connection):
    """One socket: a `Connection` that goes both ways.

    Args:
        url: as for `Connection`.
        sink: as for `Connection`.
        reading: what its messages mean.
        manners: how it is spoken on.
        opened: told once it can be written to, before anything is read.

    Attributes:
        oversized: it ended since a message was too large.
    """

    def __init__(
        self,
        url: URL,
        sink: Sink,
        reading: FrameReading,
        manners: Manners,
        opened: Callable[[ClientSocket], None],
    ) -> None:
        offered = [Subprotocol(name) for name in manners.subprotocols] or None
        place = parse_uri(str(url.with_user(None).with_fragment(None)))
        self._handshake = ClientProtocol(place, subprotocols=offered)
        headers = CIMultiDict(self._handshake.connect().headers.raw_items())
        headers.update(manners.headers)
        super().__init__(url, get_request(url, headers), sink, silence=manners.silence)
        self._reading, self._manners, self._opened = reading, manners, opened
        self._messages = MessageDecoder(manners.max_bytes)
        self._pinged_at = self._heard_at
        self._writable = asyncio.Event()
        self._writable.set()
        self._open = False  # between the handshake and the first close frame
        self.oversized = False

    async def say(self, raw: str | bytes) -> bool:
        """Send a message, at most once; whether it was passed on in time."""
        if not self._open:
            return False
        text = isinstance(raw, str)
        data = raw.encode() if isinstance(raw, str) else raw
        self._write(Opcode.TEXT if text else Opcode.BINARY, data)
        try:
            async with asyncio.timeout(self._manners.send_timeout or None):
                await self._writable.wait()
        except TimeoutError:
            return False
        return not self.gone.done()

    # What the transport tells.

    def pause_writing(self) -> None:
        """The transport holds as much as it should."""
        self._writable.clear()

    def resume_writing(self) -> None:
        """The transport has room again."""
        self._writable.set()

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is gone."""
        self._open = False
        super().connection_lost(exc)
        self._writable.set()

    # What is read.

    def _accept(self, response: Response) -> Lost | None:
        if response.status != _SWITCHING:
            return refused(response.status, response.headers)
        head = Handshake(_SWITCHING, "", Headers(response.headers.items()))
        try:
            self._handshake.process_response(head)
        except InvalidHandshake as error:
            return unreachable(error)
        return None

    def _begin(self, response: Response, body: bytes) -> Lost | None:  # noqa: ARG002 - there is none
        self._open = True
        if self._manners.first:
            self._write(Opcode.TEXT, self._manners.first.encode())
        self._opened(self)
        self._sink.take(Opened())
        self._watch()
        return self._receive(response.rest) if response.rest else None

    def _receive(self, data: bytes) -> Lost | None:
        decoder = self._messages
        messages = decoder.feed(data)
        if messages:
            got, answers = self._reading.take(messages)
            self._sink.take(got)
            for answer in answers:
                self._answer(Opcode.TEXT, answer.encode())
        if decoder.pings:
            for payload in decoder.pings:
                self._answer(Opcode.PONG, payload)
            decoder.pings.clear()
        return self._last(decoder.last) if decoder.last else None

    def _last(self, last: Close | Breach) -> Lost:
        """What a close means, by who began it."""
        if isinstance(last, Close):
            self._end(last.code, last.reason)
            return closed(last.code, last.reason, self._manners.final_closes)
        self._end(last.code, last.reason)
        reason = f"this side had to close with {last.code}: {brief(last.reason)}"
        if last.code != TOO_BIG:
            return Lost(replace(endings.for_close(last.code), reconnect=True), reason)
        self.oversized = True
        # With its place kept, the backend would send the same message again, for ever.
        self._sink.take(Got(last_id=""))
        return oversized(reason)

    def _broken_off(self, error: Exception | None) -> Lost:  # noqa: ARG002 - a close says no more
        return Lost(endings.ABNORMAL, "the connection broke off")

    # What is written.

    def _write(self, opcode: Opcode, data: bytes) -> None:
        if self._open and self._transport:
            self._transport.write(Frame(opcode, data).serialize(mask=True))

    def _answer(self, opcode: Opcode, data: bytes) -> None:
        """Say what may be left out: a backend that does not read gathers nothing here."""
        if self._writable.is_set():
            self._write(opcode, data)

    def _end(self, code: int, reason: str) -> None:
        """Say the last word (RFC 6455, 5.5.1)."""
        said = b"" if code == NO_STATUS else CloseFrame(code, reason).serialize()
        self._write(Opcode.CLOSE, said)
        self._open = False

    async def close(self) -> None:
        """Close politely if that is possible soon. A peer that reads nothing does not hold this."""
        self.over.cancel()
        begun = self.begun.done() and not self.begun.cancelled() and self._read != self._head
        try:
            if begun and self._transport:
                self._end(endings.COMPLETE.ws, "")
                self._transport.resume_reading()  # else its end would not be noticed
                with suppress(TimeoutError):
                    async with asyncio.timeout(CLOSE_TIMEOUT):
                        await asyncio.shield(self.gone)
        finally:
            self.abort()

    # Signs of life.

    def _next_look(self) -> float | None:
        if self._read == self._head:  # the handshake has a limit of its own
            return None
        now, interval = self._loop.time(), self._manners.ping_interval
        ping = max(self._heard_at, self._pinged_at) + interval - now if interval else None
        silence = super()._next_look()
        return min((each for each in (ping, silence) if each is not None), default=None)

    def _look(self) -> None:
        """Ping where nothing was heard for a while (RFC 6455, 5.5.2)."""
        now, interval = self._loop.time(), self._manners.ping_interval
        if interval and now - max(self._heard_at, self._pinged_at) >= interval:
            self._answer(Opcode.PING, b"")
            self._pinged_at = now
        super()._look()
