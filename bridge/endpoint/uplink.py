"""`POST /api/v1/events/{channel}`: the way to the backend for clients that read by SSE.

Decides what an HTTP body becomes and how its outcome is told: 202 once the backend has accepted
it, else the backend's refusal by the endings table. One client's frames keep their order: they
are carried one after the other, in the order in which their requests arrived. A client is an
address here, so a body that does not arrive holds up nobody else for longer than `send_timeout`.
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
from bridge.endpoint.budget import Refused, Seat
from bridge.endpoint.gateway import RESTARTS, Gateway
from bridge.endpoint.grant import Refusal
from bridge.endpoint.sse import UNNAMED
from bridge.endpoint.upward import NO_WAY_UP, carry
from bridge.errors import InvalidChannel
from bridge.hub.channel import ChannelKey
from bridge.wire.endings import INVALID_DATA, NOT_FOUND, TIMEOUT, TOO_BIG, Ending
from bridge.wire.frame import Frame
from bridge.wire.names import ChannelName
from bridge.wire.routes import RouteOptions

_WHY = {
    TOO_BIG.name: "the body is too large",
    INVALID_DATA.name: "the body is not UTF-8; send bytes as application/octet-stream",
    TIMEOUT.name: "the body did not arrive in time",
}


class Uplink:
    """The ASGI endpoint of a route's POST side.

    Args:
        gateway: what the endpoints share.
        route: which channel a path means.
    """

    def __init__(self, gateway: Gateway, route: RouteOptions) -> None:
        self._gateway, self._route = gateway, route
        self._guard = gateway.guard_of(route.auth)
        self._queues: dict[tuple[ChannelName, str], _Queue] = defaultdict(_Queue)

    @property
    def waiting(self) -> int:
        """How many clients have a frame on its way."""
        return len(self._queues)

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
            return refusal(self._gateway.delayed(self._gateway.hub.draining), RESTARTS)
        with self._gateway.seated(request.scope, lasting=False) as seat:
            if isinstance(seat, Refused):
                return refusal(*self._gateway.over(seat))
            return await self._admit(request, name, seat)

    async def _admit(self, request: Request, name: ChannelName, seat: Seat) -> Response:
        grant = await self._guard.admit(request, name, sends=True)
        if isinstance(grant, Refusal):
            return refusal(self._gateway.delayed(grant.ending), grant.reason)
        if refused := seat.name(grant.principal):
            return refusal(*self._gateway.over(refused))
        client = grant.principal or (request.client.host if request.client else "")
        with self._turn(name, client) as queue:
            async with queue.lock:
                return await self._carry(request, grant.key(name), seat)

    async def _carry(self, request: Request, key: ChannelKey, seat: Seat) -> Response:
        options = self._gateway.options
        frame = await read_frame(request, options.max_frame_bytes, options.send_timeout)
        if isinstance(frame, Ending):
            return refusal(frame, _WHY[frame.name])
        if over := self._gateway.too_much(seat, len(frame)):
            return refusal(*over)
        ending: Ending | None = self._gateway.hub.draining
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self._watch, request, tasks.cancel_scope)
            ending = await carry(self._gateway, key, frame)
            tasks.cancel_scope.cancel()
        if ending is None:
            return answer(202, {"accepted": True})
        why = "the backend did not accept the frame"
        if ending is NO_WAY_UP:
            why = "there is no way to the backend; the SSE backend has no send_url configured"
        return refusal(self._gateway.delayed(ending), why)

    async def _watch(self, request: Request, scope: anyio.CancelScope) -> None:
        """Give up for a client whom the end of a drain has cut off.

        One that leaves by itself has said what it had to say: that is still carried.
        """
        while (await request.receive())["type"] != "http.disconnect":
            pass
        if self._gateway.hub.draining:
            scope.cancel()

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
                del self._queues[name, client]


class _Queue:
    """First come, first carried (an anyio lock is fair)."""

    def __init__(self) -> None:
        self.lock, self.length = anyio.Lock(), 0


async def read_frame(request: Request, limit: int, patience: float) -> Frame | Ending:
    """The body as a frame: text, unless it is declared as `application/octet-stream`.

    Read piece by piece, so that an oversized body costs no more than `limit` bytes.

    Args:
        request: whose body is not read yet.
        limit: in bytes.
        patience: seconds without a byte.

    Returns:
        The frame; `TOO_BIG`, `TIMEOUT` or `INVALID_DATA` where there is none.

    Raises:
        ClientDisconnect: the client left before the body's end.
    """
    declared = request.headers.get("content-length", "")
    if declared.isdecimal() and int(declared) > limit:
        return TOO_BIG
    body = bytearray()
    with anyio.move_on_after(patience) as waited:
        async for piece in request.stream():
            body += piece
            if len(body) > limit:
                return TOO_BIG
            waited.deadline = anyio.current_time() + patience
    if waited.cancelled_caught:
        return TIMEOUT
    if request.headers.get("content-type", "").startswith("application/octet-stream"):
        return Frame(bytes(body))
    try:
        return Frame(body.decode())
    except UnicodeDecodeError:
        return INVALID_DATA
