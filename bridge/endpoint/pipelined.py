"""Requests that wait behind another one on their connection, and what becomes of that one.

Decides only who hears that a connection is lost. uvicorn tells the request that came last, and so,
where one waits behind a stream (RFC 9112, 9.3.2 allows that), never the stream: it would write to
nobody for ever, and a client could leave as many of those behind as it likes.
"""

from __future__ import annotations

import asyncio

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle


class AttentiveProtocol(HttpToolsProtocol):
    """uvicorn's HTTP protocol, telling all requests that are not answered yet."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """As uvicorn."""
        self._unanswered: list[RequestResponseCycle] = []
        super().connection_made(transport)

    def on_headers_complete(self) -> None:
        """As uvicorn, noting the request."""
        super().on_headers_complete()
        waiting = [cycle for cycle in self._unanswered if not cycle.response_complete]
        latest: RequestResponseCycle | None = self.cycle  # none where it asks for an upgrade
        if latest is not None and latest not in waiting:
            waiting.append(latest)
        self._unanswered = waiting

    def connection_lost(self, exc: Exception | None) -> None:
        """As uvicorn, for each of them."""
        super().connection_lost(exc)
        for cycle in self._unanswered:
            if not cycle.response_complete:
                cycle.disconnected = True
                cycle.message_event.set()
        self._unanswered = []
