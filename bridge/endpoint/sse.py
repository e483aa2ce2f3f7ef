"""`GET /api/v1/events/{channel}`: one SSE client.

Decides where the client begins and what it is sent first; what follows is the fan-out's business.
By the WHATWG EventSource text a browser gives up for good on any status but 200, so only final
words become a status: transient trouble is a stream that ends with `bridge.end` and a `retry:`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import anyio
from starlette.datastructures import Headers, QueryParams
from starlette.requests import HTTPConnection, Request
from starlette.types import Message, Receive, Scope, Send

from bridge.endpoint.answers import refusal
from bridge.endpoint.budget import Refused, Seat
from bridge.endpoint.fanout import Fanout
from bridge.endpoint.fanouts import Fanouts
from bridge.endpoint.farewell import START, farewell
from bridge.endpoint.gateway import RESTARTS, Gateway
from bridge.endpoint.notices import block_at, gap_block
from bridge.endpoint.reader import Reader
from bridge.endpoint.session import Session, Signal
from bridge.endpoint.snapshot import Joining
from bridge.endpoint.stepped import SteppedStream, servers_own
from bridge.endpoint.taken import TakenStream
from bridge.endpoint.takeover import offered
from bridge.errors import InvalidChannel
from bridge.history.cursor import Cursor
from bridge.history.log import Gap
from bridge.hub.channel import ChannelKey
from bridge.wire.endings import NOT_FOUND, Ending
from bridge.wire.event import Event
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

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one client until it leaves, its stream ends, or its connection is taken over.

        HEAD gets the headers alone.
        """
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
            await self._admit(request, send, ChannelKey(name))

    async def _admit(self, request: Request, send: Send, key: ChannelKey) -> None:
        with self._gateway.seated(request) as seat:
            if isinstance(seat, Refused):
                await self._turn_away(request, send, *self._gateway.over(seat))
            elif full := self._gateway.full(key):
                await self._turn_away(request, send, *full)
            else:
                await self._serve(request, send, key, seat)

    async def _serve(self, request: Request, send: Send, key: ChannelKey, seat: Seat) -> None:
        fanout, taken = self._fanouts.join(key), False
        try:
            channel, written = fanout.channel, written_cursor(request)
            place = channel.log.place(written)
            if channel.ending and not isinstance(place, Gap) and place.seq == channel.log.top:
                await self._turn_away(request, send, channel.ending, channel.reason)
                return
            await send(START)
            await send(self._greeting(place))
            session = Session("sse", place.new if isinstance(place, Gap) else place)
            session.apply(Signal.ACCEPTED)
            joins = written is None or isinstance(place, Gap)
            shown = await self._joining.snapshot(fanout, session.cursor) if joins else ()
            client = _Client(fanout, session, seat, shown)
            taken = self._take(request.scope, client)
            if not taken:
                own = servers_own(request.scope, send)
                await self._step(request.receive, own, client)
        finally:
            if not taken:
                self._fanouts.leave(fanout)

    async def _turn_away(self, request: Request, send: Send, ending: Ending, reason: str) -> None:
        """A final word as a status; a transient one as a short stream, where one is expected."""
        ending = self._gateway.delayed(ending)
        expects_stream = "text/event-stream" in request.headers.get("accept", "")
        if not (ending.reconnect and expects_stream):
            await refusal(ending, reason)(request.scope, request.receive, send)
            return
        await send(START)
        await send({"type": "http.response.body", "body": farewell(ending, reason)})

    def _greeting(self, place: Cursor | Gap) -> Message:
        """The first bytes, at once: an id, so that a client without an event can resume too."""
        retry = self._gateway.options.retry
        block = encode_retry(retry) if retry else b""
        if isinstance(place, Gap):
            self._gateway.meter.count("gaps_told", wire="sse")
            block += gap_block(place)
        else:
            block += encode_id(str(place))
        return {"type": "http.response.body", "body": block, "more_body": True}

    def _take(self, scope: Scope, client: _Client) -> bool:
        """Whether the connection, and the fan-out with it, is now the stream's."""
        take = offered(scope)
        closed = partial(self._gone, client)
        stream: TakenStream | None = take(partial(TakenStream, closed=closed)) if take else None
        if stream is None:
            self._gateway.fallback.note("sse", offered=take is not None)
            return False
        client.seat.kept = True
        self._gateway.opened("sse")
        client.begin(stream)
        return True

    def _gone(self, client: _Client) -> None:
        client.seat.release()
        self._gateway.gone("sse")
        self._fanouts.leave(client.fanout)

    async def _step(self, receive: Receive, send: Send, client: _Client) -> None:
        self._gateway.opened("sse")
        with anyio.CancelScope() as scope:
            stream = SteppedStream(send, scope.cancel)
            try:
                client.begin(stream)
                while (await receive())["type"] != "http.disconnect":
                    pass
            finally:
                stream.close()
                self._gateway.gone("sse")


@dataclass(frozen=True, slots=True)
class _Client:
    """One that was greeted, on its way to be served.

    Attributes:
        fanout: where it reads.
        session: where it begins.
        seat: released when it is gone.
        shown: what it alone is shown first.
    """

    fanout: Fanout
    session: Session
    seat: Seat
    shown: Sequence[Event]

    def begin(self, stream: TakenStream | SteppedStream) -> None:
        """Serve it through `stream`. Nothing before this waited for it to read."""
        reader = stream.reader = Reader(self.fanout, self.session, stream)
        for event in self.shown:
            stream.say(block_at(event, self.session.cursor))
        self.fanout.add(reader)


def written_cursor(connection: HTTPConnection) -> str | None:
    """A client's place, on either wire: the header that EventSource sends, else the query."""
    headers: Headers = connection.headers
    query: QueryParams = connection.query_params
    return headers.get("last-event-id") or query.get("last_event_id") or None
