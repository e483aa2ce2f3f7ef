"""The access log: one line for each request or connection that is over.

Decides what such a line says, and never more: the path without its query, since queries may hold
tokens, and no header at all. A connection that was taken over is told when it is lost, not when
the endpoint returns. Where it is off, nothing of this runs.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bridge.endpoint.offer import EXTENSION, Make, Takeover, offered

STREAM = b"text/event-stream"
COMPLETE = "complete"
LEFT = "left"
FAILED = "failed"


class AccessLog:
    """Writes the lines.

    Args:
        clock: seconds, monotonic.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock

    async def __call__(self, app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
        """Call an application for a request, and log that once it is over."""
        seen = _Seen(scope, self._clock)
        offer = offered(scope)
        if offer:
            scope["extensions"] = {**scope["extensions"], EXTENSION: seen.taking(offer)}

        async def hear() -> Message:
            message = await receive()
            seen.heard(message)
            return message

        async def say(message: Message) -> None:
            seen.said(message)
            await send(message)

        try:
            await app(scope, hear, say)
        except BaseException:
            seen.ending = FAILED
            raise
        finally:
            if not seen.taken:
                seen.log()


class _Seen:
    """What was seen of one request."""

    def __init__(self, scope: Scope, clock: Callable[[], float]) -> None:
        self._clock, self._began = clock, clock()
        self._method = scope.get("method", "GET")
        self._path = quote(scope["path"])
        self._client = (scope.get("client") or ("",))[0]
        self._wire = "ws" if scope["type"] == "websocket" else "http"
        self._status: int | None = None
        self._sent: dict[str, int] = {}
        self.ending, self.taken = LEFT, False

    def taking(self, offer: Takeover) -> Takeover:
        """The offer, whose successor tells when its connection is lost."""

        def take(make: Make, *begin: Message) -> Any:  # noqa: ANN401 - what `make` makes
            successor = offer(lambda *given: self._followed(make(*given)), *begin)
            if successor is not None:
                self.taken, self._sent = True, {}
                for message in begin[:1]:
                    self.said(message)
            return successor

        return take

    def _followed(self, successor: Any) -> Any:  # noqa: ANN401 - what `make` made
        closed = successor.closed

        def lost(gone: Any) -> None:  # noqa: ANN401 - the same
            self.ending = gone.ending
            self.log()
            closed(gone)

        successor.closed = lost
        return successor

    def heard(self, message: Message) -> None:
        """The client says something; all that matters is how it leaves."""
        if message["type"] == "websocket.disconnect" and self.ending == LEFT:
            self.ending = f"closed {message.get('code', 1005)}"

    def said(self, message: Message) -> None:
        """The application says something."""
        kind = message["type"]
        if kind in {"http.response.start", "websocket.http.response.start"}:
            self._status = message["status"]
            if any(STREAM in value for _, value in message.get("headers", ())):
                self._wire = "sse"
        elif kind == "websocket.accept":
            self._status = 101
        elif kind == "websocket.send":
            self._sent["messages"] = self._sent.get("messages", 0) + 1
        elif kind == "websocket.close":
            self.ending = f"closed {message.get('code', 1000)}"
            self._status = self._status or 403
        else:
            self._sent["bytes"] = self._sent.get("bytes", 0) + len(message.get("body", b""))
            if not message.get("more_body", False):
                self.ending = COMPLETE

    def log(self) -> None:
        """Write the line."""
        structlog.get_logger("bridge.access").info(
            "served",
            method=self._method,
            path=self._path,
            status=self._status,
            client=self._client,
            wire=self._wire,
            seconds=round(self._clock() - self._began, 3),
            ending=self.ending,
            taken=self.taken,
            **self._sent,
        )
