"""`POST /api/v1/tickets`: a ticket for a client that cannot send headers.

Decides that a ticket is given only for a credential that is good now, and tells how long it lives;
what it is worth is decided when it is used (`bridge.endpoint.tickets`).
"""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from bridge.endpoint.answers import answer, refusal
from bridge.endpoint.auth import Guard
from bridge.endpoint.budget import Refused, Seat
from bridge.endpoint.gateway import Gateway
from bridge.endpoint.grant import INVALID, UNAVAILABLE, Refusal
from bridge.errors import InvalidChannel
from bridge.wire.endings import BAD_REQUEST, NOT_FOUND
from bridge.wire.names import ChannelName


class TicketDesk:
    """The ASGI endpoint of one guard's tickets.

    Args:
        gateway: which channels are served.
        guard: judges credentials; has tickets.
    """

    def __init__(self, gateway: Gateway, guard: Guard) -> None:
        self._gateway, self._guard = gateway, guard

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer with JSON: `ticket`, and `expires_in` in seconds.

        `?channel=` asks whether the credential reads that channel; where a backend is asked for
        each channel (`forward`) it has to be named.
        """
        response = await self._respond(Request(scope, receive))
        await response(scope, receive, send)

    async def _respond(self, request: Request) -> Response:
        text = request.query_params.get("channel", "")
        try:
            name = self._gateway.admit(ChannelName.parse(text)) if text else None
        except InvalidChannel as fault:
            return refusal(NOT_FOUND, str(fault))
        if name is None and self._guard.options.mode == "forward":
            return refusal(BAD_REQUEST, "name a channel in the query, as ?channel=project.1")
        with self._gateway.seated(request.scope, lasting=False) as seat:
            if isinstance(seat, Refused):
                return refusal(*self._gateway.over(seat))
            return await self._serve(request, name, seat)

    async def _serve(self, request: Request, name: ChannelName | None, seat: Seat) -> Response:
        credential, tickets = self._guard.read(request.scope), self._guard.tickets
        if isinstance(credential, Refusal):
            return self._refuse(credential)
        if credential.way == "ticket" or tickets is None:
            return self._refuse(INVALID)
        verdict = await self._guard.settle(self._guard.judge(credential, name))
        if isinstance(verdict, Refusal):
            return self._refuse(verdict)
        full = seat.name(verdict.principal) or seat.frame(0, self._gateway.clock())
        if full:
            return refusal(*self._gateway.over(full))
        ticket = tickets.issue(credential, verdict.principal)
        if ticket is None:
            return refusal(self._gateway.delayed(UNAVAILABLE), "too many tickets are unused")
        return answer(201, {"ticket": ticket, "expires_in": tickets.options.lifetime})

    def _refuse(self, found: Refusal) -> Response:
        return refusal(self._gateway.delayed(found.ending), found.reason)
