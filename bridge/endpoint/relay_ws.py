"""The WebSocket side of a relay: each frame is a body, and opens one stream whose events come back.

Decides the order of streams and what a client is told of a failure. An event's `data` comes back as
a text frame, byte for byte; its type and id have no place on this wire. Frames are served one after
the other, and the socket stays open between them: closing is the client's.

Two departures. A last event without its empty line is delivered, although the standard drops it
(HTML Standard, 9.2.6): real servers end that way, and the answer's last words would be lost. And an
answer that is no event stream comes back whole, as one frame.

A client that leaves is noticed at once, and its backend request dropped, unless more of its frames
wait than `queue` holds: then reading has paused, and the next write to it tells.
"""

from __future__ import annotations

from dataclasses import replace

import aiohttp
import anyio
import orjson
from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket, WebSocketDisconnect

from bridge.endpoint.answers import answer
from bridge.endpoint.relay_request import Asked, Refused, RelayOptions, prepare, without_secrets
from bridge.errors import EventTooLarge, RelayLost, RelayRefused
from bridge.seams import Meter
from bridge.upstream.relay import RelayAnswer, RelayBackend, RelayCall
from bridge.wire.endings import TOO_BIG, Ending, for_status
from bridge.wire.sse import Decoder, ServerSentEvent

REASON_BYTES = 123
"""RFC 6455, 5.5: a close frame holds 125 bytes, two of them the code."""


class RelaySocket:
    """The ASGI endpoint of a relay's WebSocket side.

    Args:
        options: the route.
        session: of the event loop that serves; keeps no cookies.
        meter: counts as for the HTTP side, one stream a frame.

    Raises:
        ValueError: the session keeps cookies.
    """

    def __init__(self, options: RelayOptions, session: aiohttp.ClientSession, meter: Meter) -> None:
        self._options, self._meter = options, meter
        self._backend = RelayBackend(session)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one socket until it closes."""
        socket = WebSocket(scope, receive, send)
        asked = Asked("ws", socket.path_params, scope["query_string"], tuple(scope["headers"]))
        scope["query_string"] = without_secrets(self._options, "ws", asked.query)
        call = prepare(self._options, asked)
        if isinstance(call, Refused):
            await _turn_away(socket, call)
            return
        await socket.accept()
        await _Conversation(self._options, self._backend, self._meter, socket, call).run()


class _Conversation:
    """One socket: a task that reads frames, and one that serves them in their order."""

    def __init__(
        self,
        options: RelayOptions,
        backend: RelayBackend,
        meter: Meter,
        socket: WebSocket,
        call: RelayCall,
    ) -> None:
        self._options, self._backend, self._meter = options, backend, meter
        self._socket, self._call = socket, call
        self._end: tuple[Ending, str] | None = None

    async def run(self) -> None:
        sender, receiver = anyio.create_memory_object_stream[bytes](self._options.queue)
        async with sender, receiver, anyio.create_task_group() as tasks:
            tasks.start_soon(self._read, sender, tasks.cancel_scope)
            await self._serve(receiver)
            tasks.cancel_scope.cancel()
        if self._end:
            ending, reason = self._end
            await self._socket.close(ending.sendable, _fitting(reason))

    async def _read(self, sender: MemoryObjectSendStream[bytes], scope: anyio.CancelScope) -> None:
        """Queue frames until the client leaves or sends one that is too large; then end it all."""
        limit = self._options.max_body
        while (message := await self._socket.receive())["type"] == "websocket.receive":
            body = message.get("bytes") or (message.get("text") or "").encode()
            if len(body) > limit:
                self._meter.count("relay_streams", outcome="rejected")
                self._end = (TOO_BIG, f"a frame exceeds {limit} bytes")
                break
            await sender.send(body)
        scope.cancel()

    async def _serve(self, receiver: MemoryObjectReceiveStream[bytes]) -> None:
        try:
            while not self._end:
                await self._stream(await receiver.receive())
        except WebSocketDisconnect:
            pass  # a write found that the client has left

    async def _stream(self, body: bytes) -> None:
        outcome = "left"
        try:
            outcome = await self._carry(body)
        finally:
            self._meter.count("relay_streams", outcome=outcome)

    async def _carry(self, body: bytes) -> str:
        """One stream, and what is said of its end; the outcome."""
        begun = False
        try:
            async with self._backend.open(replace(self._call, body=body)) as answered:
                begun = True
                await self._deliver(answered)
        except RelayRefused as fault:
            await self._fail(for_status(fault.status), fault.status, str(fault), fault.body)
            return "refused"
        except RelayLost as fault:
            await self._fail(for_status(fault.status), fault.status, str(fault))
            return "broken" if begun else "unreachable"
        except EventTooLarge as fault:
            await self._fail(TOO_BIG, 502, str(fault))
            return "broken"
        if self._options.done:
            await self._socket.send_text(self._options.done)
        return "completed"

    async def _deliver(self, answered: RelayAnswer) -> None:
        """Send each frame that the answer becomes, as soon as it is whole."""
        if answered.encoding:
            raise RelayLost("the backend compressed its answer, although asked not to")
        if not answered.is_event_stream:
            if whole := await self._whole(answered):
                await self._socket.send_text(whole.decode("utf-8", "replace"))
            return
        decoder = Decoder(self._options.max_event_bytes)
        while piece := await self._piece(answered):
            await self._send(decoder.feed(piece))
        await self._send(decoder.feed(b"\n\n"))

    async def _send(self, events: list[ServerSentEvent]) -> None:
        for event in events:
            await self._socket.send_text(event.data)

    async def _whole(self, answered: RelayAnswer) -> bytes:
        body, limit = bytearray(), self._options.max_event_bytes
        while piece := await self._piece(answered):
            body += piece
            if len(body) > limit:
                raise EventTooLarge(limit)
        return bytes(body)

    async def _piece(self, answered: RelayAnswer) -> bytes:
        piece = await answered.read()
        self._meter.count("relay_bytes", len(piece))
        return piece

    async def _fail(self, ending: Ending, status: int, reason: str, body: bytes = b"") -> None:
        """Tell by a frame where one is configured, else by closing."""
        if not self._options.error:
            self._end = (ending, reason)
            return
        values = {
            "status": str(status),
            "code": ending.name,
            "reason": reason,
            "body": body.decode("utf-8", "replace"),
        }
        await self._socket.send_text(filled(self._options.error, values))


def filled(template: str, values: dict[str, str]) -> str:
    """The template with each `{name}` replaced by a JSON string's contents, in one pass."""
    parts = template.split("{")
    text = parts[0]
    for part in parts[1:]:
        name, brace, rest = part.partition("}")
        known = brace and name in values
        text += orjson.dumps(values[name]).decode()[1:-1] + rest if known else "{" + part
    return text


def _fitting(reason: str) -> str:
    return reason.encode()[:REASON_BYTES].decode("utf-8", "ignore")


async def _turn_away(socket: WebSocket, refused: Refused) -> None:
    """A refusal before the handshake; servers without such answers say 403 for it."""
    if "websocket.http.response" in socket.scope.get("extensions", {}):
        denial = answer(refused.ending.http, {"error": refused.reason})
        await socket.send_denial_response(denial)
    else:
        await socket.close(refused.ending.sendable)
