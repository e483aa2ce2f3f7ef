"""Streams opened by POST: a route that carries a body to a backend and its stream back.

Decides how an answer and its failures look over HTTP; what is asked of the backend is
`relay_request`'s, the asking `upstream.relay`'s, the WebSocket side `relay_ws`'s. Bytes pass as
they come: nothing is decoded, joined, added or held back, so `[DONE]`, comments and odd line ends
arrive as they were sent.

A backend that dies in mid-stream cuts the response: the last chunk of the chunked coding (RFC 9112,
7.1) is missing, which every reader reports. An event of the bridge's own could land in the middle
of a block, and a clean end would be a lie.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import aiohttp
import anyio
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route, WebSocketRoute
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bridge.endpoint.answers import answer
from bridge.endpoint.farewell import HEADERS, UNBUFFERED, farewell
from bridge.endpoint.relay_request import (
    Asked,
    Refused,
    RelayOptions,
    Wire,
    prepare,
    without_secrets,
)
from bridge.endpoint.relay_ws import RelaySocket
from bridge.errors import RelayLost, RelayRefused
from bridge.seams import Meter
from bridge.upstream.relay import RelayAnswer, RelayBackend, RelayCall
from bridge.wire.endings import TOO_BIG, Ending, for_status

__all__ = ["Relay", "RelayOptions", "RelaySocket", "relay_routes"]


def relay_routes(
    options: RelayOptions,
    session: aiohttp.ClientSession,
    meter: Meter,
    behind: Callable[[ASGIApp], ASGIApp] = lambda app: app,
) -> list[BaseRoute]:
    """The routes of one relay, HTTP and WebSocket, `behind` what lets clients in."""
    relay = Relay(options, session, meter)
    return [
        Route(options.path, behind(relay), methods=list(relay.methods)),
        WebSocketRoute(options.path, behind(RelaySocket(options, session, meter))),
    ]


class Relay:
    """The ASGI endpoint of a relay's HTTP side.

    The scope's query string is replaced by one without token and body before anything is
    answered, so that a server's access log holds neither.

    Args:
        options: the route.
        session: of the event loop that serves; keeps no cookies.
        meter: counts `relay_streams` by outcome (`completed`, `refused`, `unreachable`, `broken`,
            `rejected` before anything went upstream, `left` by the client) and `relay_bytes`.

    Raises:
        ValueError: the session keeps cookies.
    """

    def __init__(self, options: RelayOptions, session: aiohttp.ClientSession, meter: Meter) -> None:
        self._options, self._meter = options, meter
        self._backend = RelayBackend(session)

    @property
    def methods(self) -> tuple[str, ...]:
        """What is served here."""
        return ("POST", "GET") if self._options.get else ("POST",)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Relay one request until its stream ends or its client leaves."""
        request, outcome = Request(scope, receive), "left"
        try:
            call = await self._prepared(request)
            if isinstance(call, Response):
                outcome = "rejected"
                await call(scope, receive, send)
            else:
                outcome = await self._relay(call, request, send)
        except ClientDisconnect:
            pass  # it left while it still sent the body
        finally:
            self._meter.count("relay_streams", outcome=outcome)

    async def _prepared(self, request: Request) -> RelayCall | Response:
        """What to ask of the backend, body included; else the client's answer."""
        wire: Wire = "get" if request.method == "GET" else "post"
        scope = request.scope
        if request.method not in self.methods:
            return answer(405, {"error": "use POST"}, {"Allow": ", ".join(self.methods)})
        asked = Asked(wire, request.path_params, scope["query_string"], tuple(scope["headers"]))
        scope["query_string"] = without_secrets(self._options, wire, asked.query)
        call = prepare(self._options, asked)
        if isinstance(call, Refused):
            return answer(call.ending.http, {"error": call.reason})
        body = call.body if wire == "get" else await read_body(request, self._options.max_body)
        if body is None or len(body) > self._options.max_body:
            limit = self._options.max_body
            return answer(TOO_BIG.http, {"error": f"the body exceeds {limit} bytes"})
        return replace(call, body=body)

    async def _relay(self, call: RelayCall, request: Request, send: Send) -> str:
        """Carry the stream while watching for the client's leaving; the outcome.

        uvicorn's `send` says nothing of a client that left, so `receive` is watched, from before
        the backend has answered.
        """
        exchange = _Exchange(self._backend, self._meter, request, send)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(_watch, request.receive, tasks.cancel_scope)
            await exchange.run(call)
            tasks.cancel_scope.cancel()
        return exchange.outcome


class _Exchange:
    """One answer on its way to one client."""

    def __init__(self, backend: RelayBackend, meter: Meter, request: Request, send: Send) -> None:
        self._backend, self._meter = backend, meter
        self._request, self._send = request, send
        self._begun = False
        self.outcome = "left"

    async def run(self, call: RelayCall) -> None:
        try:
            async with self._backend.open(call) as answered:
                await self._stream(answered)
            self.outcome = "completed"
        except RelayRefused as fault:
            self.outcome = "refused"
            await self._refuse(for_status(fault.status), fault, _passed_on(fault))
        except RelayLost as fault:
            self.outcome = "broken" if self._begun else "unreachable"
            # once begun, going without a last body message makes the server cut the connection
            if not self._begun:
                refusal = answer(fault.status, {"error": str(fault)})
                await self._refuse(for_status(fault.status), fault, refusal)

    async def _stream(self, answered: RelayAnswer) -> None:
        self._begun = True
        await self._send(_start(answered))
        while piece := await answered.read():
            self._meter.count("relay_bytes", len(piece))
            await self._send({"type": "http.response.body", "body": piece, "more_body": True})
        await self._send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _refuse(self, ending: Ending, fault: Exception, refusal: Response) -> None:
        """Tell why there is no stream.

        EventSource gives up for good on any status but 200 (HTML Standard, 9.2.3), so a passing
        trouble is told to it as a stream that ends.
        """
        if self._request.method == "GET" and ending.reconnect:
            seconds = refusal.headers.get("retry-after", "")
            refusal = _farewell(ending, str(fault), int(seconds) if seconds.isdecimal() else None)
        await refusal(self._request.scope, self._request.receive, self._send)


async def read_body(request: Request, limit: int) -> bytes | None:
    """The body, read piece by piece; None as soon as it exceeds `limit` bytes.

    Raises:
        ClientDisconnect: the client left before its end.
    """
    declared = request.headers.get("content-length", "")
    if declared.isdecimal() and int(declared) > limit:
        return None
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > limit:
            return None
    return bytes(body)


def _start(answered: RelayAnswer) -> Message:
    headers: Sequence[tuple[bytes, bytes]] = answered.headers
    if answered.is_event_stream:
        own = {name for name, _ in UNBUFFERED}
        headers = (*(pair for pair in headers if pair[0] not in own), *UNBUFFERED)
    return {"type": "http.response.start", "status": answered.status, "headers": headers}


def _passed_on(fault: RelayRefused) -> Response:
    """The backend's own words; the length is that of what was kept of them."""
    response = Response(fault.body, fault.status)
    response.raw_headers.extend(fault.headers)
    return response


def _farewell(ending: Ending, reason: str, seconds: int | None) -> Response:
    """A stream of one event, `bridge.end`, and the reconnection time where there is one."""
    delay = None if seconds is None else seconds * 1000
    response = Response(farewell(ending.after(delay), reason))
    response.raw_headers.extend(HEADERS)
    return response


async def _watch(receive: Receive, scope: anyio.CancelScope) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
    scope.cancel()
