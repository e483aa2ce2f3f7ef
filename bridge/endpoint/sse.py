"""`GET /api/v1/events/{channel}`: one SSE client.

Decides where the client begins and how an SSE stream says hole, heartbeat and end; never encodes
an event (the log's entries do, once) and never talks to a backend. By the WHATWG EventSource text
a browser gives up for good on any status but 200, so only final words become a status: transient
trouble is a stream that ends with `bridge.end` and a `retry:`.
"""

from __future__ import annotations

from collections.abc import Sequence

import anyio
import orjson
from starlette.requests import Request
from starlette.types import Message, Receive, Scope, Send

from bridge.endpoint.answers import refusal
from bridge.endpoint.gateway import Gateway
from bridge.endpoint.pump import AsyncBell, Pump
from bridge.endpoint.session import Session, Signal
from bridge.endpoint.snapshot import Joining
from bridge.errors import InvalidChannel
from bridge.history.cursor import Cursor
from bridge.history.log import Entry, Gap
from bridge.hub.channel import Channel, ChannelKey
from bridge.wire.endings import NOT_FOUND, Ending
from bridge.wire.event import END, GAP, PING, Event
from bridge.wire.routes import RouteOptions
from bridge.wire.sse import encode, encode_id

HEADERS = (
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-cache, no-transform"),
    (b"x-accel-buffering", b"no"),
)
"""What keeps proxies from caching, compressing (RFC 9111, 5.2.2.6) and buffering the stream."""

UNNAMED = "name a channel in the path, or by fileId or projectId in the query"

START: Message = {"type": "http.response.start", "status": 200, "headers": HEADERS}


class SseSink:
    """Writes one client's stream as ASGI body messages, one a batch."""

    __slots__ = ("_send",)

    def __init__(self, send: Send) -> None:
        self._send = send

    async def write(self, block: bytes) -> None:
        """Pass bytes on at once."""
        await self._send({"type": "http.response.body", "body": block, "more_body": True})

    async def send(self, entries: Sequence[Entry], cursor: Cursor) -> None:  # noqa: ARG002
        """All entries in one write; each block carries its own id."""
        await self.write(b"".join([entry.sse for entry in entries]))

    async def gap(self, gap: Gap) -> None:
        """A named event, which no legacy `onmessage` sees, with the new place as its id."""
        await self.write(encode(gap.data, event=GAP, id=str(gap.new)))

    async def heartbeat(self, cursor: Cursor) -> None:
        """An event that scripts can see, so that a page can tell silence from death."""
        place = str(cursor)
        await self.write(encode(orjson.dumps({"id": place}).decode(), event=PING, id=place))

    async def end(self, ending: Ending, reason: str) -> None:
        """Say why, how long to wait, and finish the response."""
        await self.write(encode(farewell(ending, reason), event=END, retry=ending.delay))
        await self._send({"type": "http.response.body", "body": b"", "more_body": False})


def farewell(ending: Ending, reason: str) -> str:
    """The JSON of a `bridge.end` event: code, close, reason, reconnect and delay in ms."""
    said = {
        "code": ending.name,
        "close": ending.ws,
        "reason": reason,
        "reconnect": ending.reconnect,
        "delay": ending.delay,
    }
    return orjson.dumps(said).decode()


class EventStream:
    """The ASGI endpoint of a route's SSE side."""

    def __init__(self, gateway: Gateway, route: RouteOptions, joining: Joining) -> None:
        self._gateway, self._route, self._joining = gateway, route, joining

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one client until it leaves or its stream ends."""
        request = Request(scope, receive)
        try:
            name = self._gateway.name_of(self._route, request.path_params, request.query_params)
        except InvalidChannel as fault:
            await refusal(NOT_FOUND, str(fault))(scope, receive, send)
            return
        if name is None:
            await refusal(NOT_FOUND, UNNAMED)(scope, receive, send)
            return
        if self._gateway.hub.draining:
            await self._turn_away(request, send, self._gateway.hub.draining, "the bridge restarts")
            return
        await self._serve(request, send, ChannelKey(name))

    async def _serve(self, request: Request, send: Send, key: ChannelKey) -> None:
        hub, bell = self._gateway.hub, AsyncBell()
        channel = hub.join(key, bell)
        try:
            place = channel.log.place(written_cursor(request))
            if channel.ending and not _has_more(channel, place):
                await self._turn_away(request, send, channel.ending, channel.reason)
                return
            with self._gateway.counted("sse"):
                await self._stream(request, send, channel, place, bell)
        finally:
            hub.leave(channel, bell)

    async def _turn_away(self, request: Request, send: Send, ending: Ending, reason: str) -> None:
        """A final word as a status; a transient one as a short stream, where one is expected."""
        ending = self._gateway.delayed(ending)
        expects_stream = "text/event-stream" in request.headers.get("accept", "")
        if not (ending.reconnect and expects_stream):
            await refusal(ending, reason)(request.scope, request.receive, send)
            return
        await send(START)
        await SseSink(send).end(ending, reason)

    async def _stream(
        self, request: Request, send: Send, channel: Channel, place: Cursor | Gap, bell: AsyncBell
    ) -> None:
        sink = SseSink(send)
        session = Session(wire="sse", cursor=place.new if isinstance(place, Gap) else place)
        await send(START)
        session.apply(Signal.ACCEPTED)
        await self._greet(sink, place)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(_watch, request.receive, tasks.cancel_scope)
            if written_cursor(request) is None or isinstance(place, Gap):
                event = await self._joining.snapshot(channel, bell, session.cursor)
                if event:
                    await sink.write(block_at(event, session.cursor))
            await Pump(self._gateway, channel, session, sink, bell).run()
            tasks.cancel_scope.cancel()

    async def _greet(self, sink: SseSink, place: Cursor | Gap) -> None:
        """The first bytes, at once: an id, so that a client without an event can resume too."""
        retry = self._gateway.options.retry
        head = b"retry: %d\n" % retry if retry else b""
        if isinstance(place, Gap):
            await sink.gap(place)
        else:
            await sink.write(head + encode_id(str(place)))


def block_at(event: Event, cursor: Cursor) -> bytes:
    """An event that only this client gets: its block leaves the client's place as it is."""
    return encode(str(event.data), event=event.type, id=str(cursor))


def written_cursor(request: Request) -> str | None:
    """The client's place: the header that EventSource sends, else the query."""
    header = request.headers.get("last-event-id")
    return header or request.query_params.get("last_event_id") or None


def _has_more(channel: Channel, place: Cursor | Gap) -> bool:
    return isinstance(place, Gap) or place.seq < channel.log.top


async def _watch(receive: Receive, scope: anyio.CancelScope) -> None:
    """Cancel once the client has left; uvicorn's `send` says nothing of it."""
    while (await receive())["type"] != "http.disconnect":
        pass
    scope.cancel()
