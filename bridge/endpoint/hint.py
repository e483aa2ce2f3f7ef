"""`GET /api/v1/transport/{channel}`: which wire this client should use.

Decides nothing yet: until the switch says otherwise every client stays on WebSocket. Clients can
be written against the answer's shape now, and ask again after `ttl` seconds.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from bridge.endpoint.answers import answer, refusal
from bridge.endpoint.budget import Refused
from bridge.endpoint.gateway import Gateway
from bridge.endpoint.grant import Refusal
from bridge.errors import InvalidChannel
from bridge.wire.endings import NOT_FOUND
from bridge.wire.names import ChannelName, fields
from bridge.wire.routes import DEFAULT_ROUTES, RouteOptions, channel_of, plain
from bridge.wire.template import fill

TTL = 60

_FIELD = re.compile(r"\{(\w+)\}")


class TransportHint:
    """The ASGI endpoint of the hint.

    Args:
        gateway: which channels are served.
        routes: where they are.
    """

    def __init__(self, gateway: Gateway, routes: Sequence[RouteOptions] = DEFAULT_ROUTES) -> None:
        self._gateway, self._routes = gateway, tuple(routes)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer with JSON: `wire`, the paths of both wires, `ttl` in seconds, and `reason`.

        A path is null where no route serves the channel on that wire.
        """
        response = await self._respond(Request(scope, receive))
        await response(scope, receive, send)

    async def _respond(self, request: Request) -> Response:
        try:
            name = self._gateway.admit(ChannelName.parse(request.path_params["channel"]))
        except InvalidChannel as fault:
            return refusal(NOT_FOUND, str(fault))
        with self._gateway.seated(request.scope, lasting=False) as seat:
            if isinstance(seat, Refused):
                return refusal(*self._gateway.over(seat))
            grant = await self._gateway.guard_of("").admit(request, name)
        if isinstance(grant, Refusal):
            return refusal(self._gateway.delayed(grant.ending), grant.reason)
        return answer(
            200,
            {
                "channel": name.text,
                "wire": "ws",
                "ws": self._path(name, [route.ws for route in self._routes]),
                "sse": self._path(name, [route.sse for route in self._routes]),
                "ttl": TTL,
                "reason": "every client stays on WebSocket",
            },
        )

    def _path(self, name: ChannelName, paths: Sequence[str]) -> str | None:
        """The first route's path that means this channel."""
        for route, path in zip(self._routes, paths, strict=True):
            values = _values(route, name) if path else None
            if values is not None and fields(plain(path)) <= values.keys():
                return fill(plain(path), values)
        return None


def _values(route: RouteOptions, name: ChannelName) -> dict[str, str] | None:
    """The fields of a route's paths that mean this channel; None where none do.

    Names are safe in a path as they are (RFC 3986, 3.3), so nothing needs encoding.
    """
    words = _FIELD.split(route.channel)
    pattern = "".join(
        f"(?P<{word}>.+)" if place % 2 else re.escape(word) for place, word in enumerate(words)
    )
    found = re.fullmatch(pattern, name.text) if route.channel else None
    if not found:
        return None
    try:
        return found.groupdict() if channel_of(route, found.groupdict()) == name else None
    except InvalidChannel:
        return None
