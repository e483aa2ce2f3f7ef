"""uvicorn's HTTP protocol where it would leave a client or a connection behind.

Decides who hears that a connection is lost. uvicorn tells the request that came last, and so, where
one waits behind a stream (RFC 9112, 9.3.2 allows that), never the stream: it would write to nobody
for ever, and a client could leave as many of those behind as it likes. And decides that what no
server accepts as a handshake is refused: uvicorn would leave one that has a body unanswered, and
not tell one of another version which to use.
"""

from __future__ import annotations

import asyncio

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from bridge.endpoint.door import Watched
from bridge.endpoint.handshake import refusal

MOST_WAITING = 32
"""Requests of one connection that wait for an answer; no client needs as many."""


class AttentiveProtocol(Watched, HttpToolsProtocol):
    """uvicorn's HTTP protocol, watched, and telling all requests that are not answered yet."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """As uvicorn."""
        self._unanswered: list[RequestResponseCycle] = []
        super().connection_made(transport)

    def on_headers_complete(self) -> None:
        """As uvicorn, noting the request.

        Raises:
            ValueError: it may not be read on, so the parser stops and uvicorn answers 400.
        """
        if self.parser.get_http_version() == "1.0" and _is_coded(self.headers):
            raise ValueError("HTTP/1.0 knows no transfer coding")  # RFC 9112, 6.1
        super().on_headers_complete()
        waiting = [cycle for cycle in self._unanswered if not cycle.response_complete]
        latest: RequestResponseCycle | None = self.cycle  # none where it asks for an upgrade
        if latest is not None and latest not in waiting:
            waiting.append(latest)
        self._unanswered = waiting
        if len(waiting) > MOST_WAITING:
            raise ValueError("too many requests wait on one connection")

    def handle_websocket_upgrade(self) -> None:
        """As uvicorn, but for what no server accepts."""
        said = refusal(tuple(self.scope["headers"]), self.server_state.default_headers)
        if said:
            self.transport.write(said)
            self.transport.close()
        else:
            super().handle_websocket_upgrade()

    def connection_lost(self, exc: Exception | None) -> None:
        """As uvicorn, for each of them."""
        super().connection_lost(exc)
        for cycle in self._unanswered:
            if not cycle.response_complete:
                cycle.disconnected = True
                cycle.message_event.set()
        self._unanswered = []


def _is_coded(headers: list[tuple[bytes, bytes]]) -> bool:
    return any(name == b"transfer-encoding" for name, _ in headers)
