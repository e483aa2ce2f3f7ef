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
from starlette.datastructures import Headers, QueryParams
from starlette.requests import HTTPConnection, Request
from starlette.types import Receive, Scope, Send

from bridge.endpoint.answers import refusal
from bridge.endpoint.farewell import START, farewell
from bridge.endpoint.gateway import Gateway
from bridge.endpoint.pump import RESTARTS, AsyncBell, Pump
from bridge.endpoint.session import Session
from bridge.endpoint.snapshot import Joining
from bridge.errors import InvalidChannel
from bridge.history.cursor import Cursor
from bridge.history.log import Entry, Gap
from bridge.hub.channel import Channel, ChannelKey
from bridge.wire.endings import NOT_FOUND, Ending
from bridge.wire.event import GAP, PING
from bridge.wire.routes import RouteOptions
from bridge.wire.sse import encode, encode_id, encode_retry

UNNAMED = "name a channel in the path, or by fileId or projectId in the query"


class SseSink:
    """Writes one client's stream as ASGI body messages, one a batch.

    Args:
        send: takes the messages.
        retry: the reconnection time to tell, in milliseconds; 0 tells none.
    """

    __slots__ = ("_retry", "_send")

    def __init__(self, send: Send, retry: int = 0) -> None:
        self._send, self._retry = send, retry

    async def begin(self, place: Cursor | Gap) -> None:
        """An id at once, so that a client without an event can resume too; or the hole.

        A hole is a named event, which no legacy `onmessage` sees, and its id is the new place: so
        whoever has that place has been told.
        """
        if isinstance(place, Gap):
            block = encode(place.data, event=GAP, id=str(place.new))
        else:
            block = encode_id(str(place))
        if self._retry:
            block = encode_retry(self._retry) + block
            self._retry = 0
        await self._write(block)

    async def send(self, entries: Sequence[Entry], cursor: Cursor) -> None:  # noqa: ARG002
        """All entries in one write; each block carries its own id."""
        await self._write(b"".join([entry.sse for entry in entries]))

    async def heartbeat(self, cursor: Cursor) -> None:
        """An event that scripts can see, so that a page can tell silence from death."""
        place = str(cursor)
        await self._write(encode(orjson.dumps({"id": place}).decode(), event=PING, id=place))

    async def end(self, ending: Ending, reason: str) -> None:
        """Say why, how long to wait, and finish the response."""
        block = farewell(ending, reason)
        await self._send({"type": "http.response.body", "body": block, "more_body": False})

    async def _write(self, block: bytes) -> None:
        await self._send({"type": "http.response.body", "body": block, "more_body": True})


class EventStream:
    """The ASGI endpoint of a route's SSE side.

    Args:
        gateway: what the endpoints share.
        route: which channel a path means.
        joining: gives joiners their snapshot.
    """

    def __init__(self, gateway: Gateway, route: RouteOptions, joining: Joining) -> None:
        self._gateway, self._route, self._joining = gateway, route, joining

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one client until it leaves or its stream ends; HEAD gets the headers alone."""
        request = Request(scope, receive)
        try:
            name = self._gateway.name_of(self._route, request.path_params, request.query_params)
        except InvalidChannel as fault:
            await refusal(NOT_FOUND, str(fault))(scope, receive, send)
            return
        if name is None:
            await refusal(NOT_FOUND, UNNAMED)(scope, receive, send)
        elif self._gateway.hub.draining:
            await self._turn_away(request, send, self._gateway.hub.draining, RESTARTS)
        elif request.method == "HEAD":
            await send(START)
            await send({"type": "http.response.body", "body": b""})
        else:
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
        gapped = isinstance(place, Gap)
        session = Session(wire="sse", cursor=place.new if isinstance(place, Gap) else place)
        joins = gapped or written_cursor(request) is None
        sink = SseSink(send, self._gateway.options.retry)
        pump = Pump(self._gateway, channel, session, sink, bell, self._joining if joins else None)
        await send(START)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(_watch, request.receive, tasks.cancel_scope)
            await pump.run(place)
            tasks.cancel_scope.cancel()


def written_cursor(connection: HTTPConnection) -> str | None:
    """A client's place, on either wire: the header that EventSource sends, else the query."""
    headers: Headers = connection.headers
    query: QueryParams = connection.query_params
    return headers.get("last-event-id") or query.get("last_event_id") or None


def _has_more(channel: Channel, place: Cursor | Gap) -> bool:
    return isinstance(place, Gap) or place.seq < channel.log.top


async def _watch(receive: Receive, scope: anyio.CancelScope) -> None:
    """Cancel once the client has left; uvicorn's `send` says nothing of it."""
    while (await receive())["type"] != "http.disconnect":
        pass
    scope.cancel()
