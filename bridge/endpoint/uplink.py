"""`POST /api/v1/events/{channel}`: the way to the backend for clients that read by SSE.

Decides what an HTTP body becomes and how its outcome is told: 202 once the backend has accepted
it, else the backend's refusal by the endings table. One client's frames keep their order: they
are carried one after the other, in the order in which their requests arrived.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager

import anyio
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from bridge.endpoint.answers import answer, refusal
from bridge.endpoint.gateway import Gateway
from bridge.endpoint.sse import UNNAMED
from bridge.errors import InvalidChannel
from bridge.hub.channel import ChannelKey
from bridge.wire.endings import INVALID_DATA, NOT_FOUND, TOO_BIG, UNSUPPORTED, Ending
from bridge.wire.frame import Frame
from bridge.wire.names import ChannelName
from bridge.wire.routes import RouteOptions


class Uplink:
    """The ASGI endpoint of a route's POST side."""

    def __init__(self, gateway: Gateway, route: RouteOptions) -> None:
        self._gateway, self._route = gateway, route
        self._queues: dict[tuple[ChannelName, str], _Queue] = defaultdict(_Queue)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Carry one body to the backend."""
        request = Request(scope, receive)
        try:
            response = await self._respond(request)
        except ClientDisconnect:
            return
        await response(scope, receive, send)

    async def _respond(self, request: Request) -> Response:
        try:
            name = self._gateway.name_of(self._route, request.path_params, request.query_params)
        except InvalidChannel as fault:
            return refusal(NOT_FOUND, str(fault))
        if name is None:
            return refusal(NOT_FOUND, UNNAMED)
        if self._gateway.hub.draining:
            ending = self._gateway.delayed(self._gateway.hub.draining)
            return refusal(ending, "the bridge restarts")
        client = request.client.host if request.client else ""
        with self._turn(name, client) as queue:
            async with queue.lock:
                return await self._carry(request, name)

    async def _carry(self, request: Request, name: ChannelName) -> Response:
        frame = await read_frame(request, self._gateway.options.max_frame_bytes)
        if isinstance(frame, Ending):
            return refusal(frame, "the body is too large or not UTF-8")
        ending = await self._send(name, frame)
        self._gateway.meter.count("frames_up", outcome=ending.name if ending else "accepted")
        if ending is UNSUPPORTED:
            return answer(501, {"reason": "the SSE backend has no send_url configured"})
        if ending:
            return refusal(self._gateway.delayed(ending), "the backend did not accept the frame")
        return answer(202, {"accepted": True})

    async def _send(self, name: ChannelName, frame: Frame) -> Ending | None:
        """Through the channel's own upstream, which is opened for this where nobody reads it."""
        channel = self._gateway.hub.join(ChannelKey(name), bell := _Silent())
        try:
            return await channel.lead.send(frame)
        finally:
            self._gateway.hub.leave(channel, bell)

    @contextmanager
    def _turn(self, name: ChannelName, client: str) -> Iterator[_Queue]:
        """The queue of one client at one channel, kept for as long as someone stands in it."""
        queue = self._queues[name, client]
        queue.length += 1
        try:
            yield queue
        finally:
            queue.length -= 1
            if not queue.length:
                self._queues.pop((name, client), None)


class _Queue:
    """First come, first carried (an anyio lock is fair)."""

    def __init__(self) -> None:
        self.lock, self.length = anyio.Lock(), 0


class _Silent:
    """A bell that nobody hears: this reader came to write."""

    def __call__(self) -> None:
        """Ring unheard."""


async def read_frame(request: Request, limit: int) -> Frame | Ending:
    """The body as a frame: text, unless it is declared as `application/octet-stream`.

    Read piece by piece, so that an oversized body costs no more than `limit` bytes.
    """
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > limit:
            return TOO_BIG
    if request.headers.get("content-type", "").startswith("application/octet-stream"):
        return Frame(bytes(body))
    try:
        return Frame(body.decode())
    except UnicodeDecodeError:
        return INVALID_DATA
