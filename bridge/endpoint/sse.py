"""`GET /api/v1/events/{channel}`: one SSE client.

Decides where the client begins and what it is sent first; what follows is the fan-out's business.
By the WHATWG EventSource text a browser gives up for good on any status but 200, so only final
words become a status: transient trouble is a stream that ends with `bridge.end` and a `retry:`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import anyio
from starlette.requests import HTTPConnection, Request
from starlette.types import Message, Receive, Scope, Send

from bridge.endpoint.answers import refusal
from bridge.endpoint.batch import body
from bridge.endpoint.budget import Refused, Seat
from bridge.endpoint.fanout import Fanout
from bridge.endpoint.fanouts import Fanouts
from bridge.endpoint.farewell import START, turn_away
from bridge.endpoint.gateway import RESTARTS, Gateway, query_of
from bridge.endpoint.grant import EXPIRED, Grant, Refusal
from bridge.endpoint.notices import block_at, gap_block
from bridge.endpoint.offer import offered
from bridge.endpoint.reader import Reader
from bridge.endpoint.session import Session, Signal
from bridge.endpoint.snapshot import Joining
from bridge.endpoint.stepped import SteppedStream, servers_own
from bridge.endpoint.taken import TakenStream
from bridge.errors import InvalidChannel
from bridge.history.cursor import Cursor
from bridge.history.log import Gap
from bridge.hub.channel import ChannelKey
from bridge.wire.endings import NOT_FOUND, UNAUTHORIZED, Ending
from bridge.wire.event import Event
from bridge.wire.names import ChannelName
from bridge.wire.routes import RouteOptions
from bridge.wire.sse import encode_id, encode_retry

UNNAMED = "name a channel in the path, or by fileId or projectId in the query"


class EventStream:
    """The ASGI endpoint of a route's SSE side."""

    def __init__(
        self, gateway: Gateway, fanouts: Fanouts, route: RouteOptions, joining: Joining
    ) -> None:
        self._gateway, self._fanouts = gateway, fanouts
        self._route, self._joining = route, joining
        self._guard = gateway.guard_of(route.auth)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one client until it leaves, its stream ends, or its connection is taken over.

        HEAD gets the headers alone.
        """
        request = Request(scope, receive)
        try:
            name = self._gateway.name_of(self._route, request.path_params, query_of(scope))
        except InvalidChannel as fault:
            await refusal(NOT_FOUND, str(fault))(scope, receive, send)
            return
        if name is None:
            await refusal(NOT_FOUND, UNNAMED)(scope, receive, send)
        elif self._gateway.hub.draining:
            await self._turn_away(request, send, self._gateway.hub.draining, RESTARTS)
        else:
            await self._admit(request, send, name)

    async def _admit(self, request: Request, send: Send, name: ChannelName) -> None:
        with self._gateway.seated(request.scope) as seat:
            if isinstance(seat, Refused):
                await self._turn_away(request, send, *self._gateway.over(seat))
                return
            grant = await self._guard.admit(request, name)
            if isinstance(grant, Refusal):
                await self._turn_away(request, send, grant.ending, grant.reason)
            elif refused := seat.name(grant.principal):
                await self._turn_away(request, send, *self._gateway.over(refused))
            elif request.method == "HEAD":
                await send(START)
                await send({"type": "http.response.body", "body": b""})
            else:
                await self._join(request, send, grant.key(name), grant, seat)

    async def _join(
        self, request: Request, send: Send, key: ChannelKey, grant: Grant, seat: Seat
    ) -> None:
        if full := self._gateway.full(key):
            await self._turn_away(request, send, *full)
        else:
            await self._serve(request, send, key, grant, seat)

    async def _serve(
        self, request: Request, send: Send, key: ChannelKey, grant: Grant, seat: Seat
    ) -> None:
        fanout, taken = self._fanouts.join(key), False
        try:
            channel, written = fanout.channel, written_cursor(request)
            place = channel.log.place(written)
            if channel.ending and not isinstance(place, Gap) and place.seq == channel.log.top:
                await self._turn_away(request, send, channel.ending, channel.reason)
                return
            cursor = place.new if isinstance(place, Gap) else place
            session = Session("sse", cursor, grant.principal)
            session.apply(Signal.ACCEPTED)
            greeting = body(self._greeting(place))
            joins = written is None or isinstance(place, Gap)
            waits = joins and self._joining.wanted(key.name)
            client = _Client(fanout, session, seat, grant.expires_at)
            taken = not waits and self._take(request.scope, client, START, greeting)
            if not taken:
                await send(START)
                await send(greeting)
                shown = await self._joining.snapshot(fanout, session.cursor) if waits else ()
                client = replace(client, shown=shown)
                taken = self._take(request.scope, client)
            if not taken:
                own = servers_own(request.scope, send)
                await self._step(request.receive, own, client)
        finally:
            if not taken:
                self._fanouts.leave(fanout)

    async def _turn_away(self, request: Request, send: Send, ending: Ending, reason: str) -> None:
        await turn_away(request, request.receive, send, self._gateway.delayed(ending), reason)

    def _greeting(self, place: Cursor | Gap) -> bytes:
        """The first bytes, at once: an id, so that a client without an event can resume too."""
        retry = self._gateway.options.retry
        block = encode_retry(retry) if retry else b""
        if isinstance(place, Gap):
            self._gateway.meter.count("gaps_told", wire="sse")
            block += gap_block(place)
        else:
            block += encode_id(str(place))
        return block

    def _take(self, scope: Scope, client: _Client, *begin: Message) -> bool:
        """Whether the connection, and the fan-out with it, is now the stream's.

        Args:
            scope: of the request.
            client: is served then.
            begin: begins the response where it has not begun.
        """
        take = offered(scope)
        stream: TakenStream | None = take(partial(self._taken, client), *begin) if take else None
        if stream is None:
            if not begin:  # there is no second try
                self._gateway.fallback.note("sse", offered=take is not None)
            return False
        client.seat.kept = True
        self._gateway.opened("sse")
        client.begin(stream)
        return True

    def _taken(
        self, client: _Client, transport: asyncio.Transport, connections: set[Any]
    ) -> TakenStream:
        stream = TakenStream(transport, connections, partial(self._gone, client))
        client.read_by(stream)
        return stream

    def _gone(self, client: _Client, _: TakenStream) -> None:
        client.seat.release()
        self._gateway.gone("sse")
        self._fanouts.leave(client.fanout)

    async def _step(self, receive: Receive, send: Send, client: _Client) -> None:
        self._gateway.opened("sse")
        with anyio.CancelScope() as scope:
            stream = SteppedStream(send, scope.cancel)
            client.read_by(stream)
            try:
                client.begin(stream)
                while (await receive())["type"] != "http.disconnect":
                    pass
            finally:
                stream.close()
                self._gateway.gone("sse")


@dataclass(frozen=True, slots=True)
class _Client:
    """One that is let in, on its way to be served.

    Attributes:
        fanout: where it reads.
        session: where it begins.
        seat: released when it is gone.
        expires_at: when its credential does.
        shown: what it alone is shown first.
    """

    fanout: Fanout
    session: Session
    seat: Seat
    expires_at: float | None
    shown: Sequence[Event] = ()

    def read_by(self, stream: TakenStream | SteppedStream) -> None:
        """Give it a reader, which may hear at once that `stream` is full."""
        stream.reader = Reader(self.fanout, self.session, stream)

    def begin(self, stream: TakenStream | SteppedStream) -> None:
        """Serve it through `stream`."""
        for event in self.shown:
            stream.say(block_at(event, self.session.cursor))
        self.fanout.add(stream.reader)
        if self.expires_at is not None:
            stream.reader.expire_at(self.expires_at, UNAUTHORIZED, EXPIRED)


def written_cursor(connection: HTTPConnection) -> str | None:
    """A client's place, on either wire: the header that EventSource sends, else the query."""
    for name, value in connection.scope["headers"]:
        if name == b"last-event-id" and value:
            return str(value, "latin-1")
    return query_of(connection.scope).get("last_event_id") or None
