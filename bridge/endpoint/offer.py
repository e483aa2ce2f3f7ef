"""A server's offer to hand its connection over, as an extension of ASGI.

Decides what is asked of a server that makes one, and of whatever serves the connection then. Where
none is made, an endpoint sends and receives as on any server.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, Protocol

from starlette.types import ASGIApp, Message, Receive, Scope, Send

EXTENSION = "ws2sse.takeover"


class Successor(Protocol):
    """What serves a connection after the server: an asyncio protocol that a stop can close."""

    def shutdown(self) -> None:
        """The server stops."""


Make = Callable[[asyncio.Transport, set[Any]], Any]
"""Makes a successor of a transport and of the server's set of connections, which it is in from
then on and leaves by itself when its connection is lost."""


class Takeover(Protocol):
    """What an endpoint finds in `scope["extensions"]["ws2sse.takeover"]`."""

    def __call__(self, make: Make, *begin: Message) -> Any:  # noqa: ANN401 - as made
        """Hand the connection to what `make` makes of its transport; None where it cannot be.

        After it the endpoint returns at once and neither sends nor receives. After None nothing
        was said that the endpoint did not send itself.

        Args:
            make: called once at most.
            begin: the messages that begin the answer, `http.response.start` or `websocket.accept`
                and the first of a body, where none was sent yet; said at once and only if the
                connection is taken. What `make` made may hear of a full transport by then.
        """


def offered(scope: Scope) -> Takeover | None:
    """The server's offer, None where it makes none."""
    offer: Takeover | None = (scope.get("extensions") or {}).get(EXTENSION)
    return offer


def changed(scope: Scope, change: Callable[[Message], Message]) -> None:
    """Let `change` see the messages that begin an answer, where an endpoint takes its connection.

    Whatever wraps an endpoint's `send` has to call this too, since such messages are not sent.
    """
    take = offered(scope)
    if take:
        offer = take

        def taking(make: Make, *begin: Message) -> Any:  # noqa: ANN401 - as made
            return offer(make, *map(change, begin))

        scope["extensions"] = {**scope["extensions"], EXTENSION: taking}


class Offering:
    """The application as one connection calls it: with the offer in its scope."""

    __slots__ = ("_app", "_take")

    def __init__(self, app: ASGIApp, take: Takeover) -> None:
        self._app, self._take = app, take

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Call it."""
        scope["extensions"] = {**(scope.get("extensions") or {}), EXTENSION: self._take}
        await self._app(scope, receive, send)
