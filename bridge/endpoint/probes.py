"""What orchestrators and scrapers ask: `/healthz`, `/readyz` and `/metrics`.

Decides that a process which answers is healthy and that a draining one is not ready; a backend
that is down makes neither false, since clients wait here for it.
"""

from __future__ import annotations

from typing import Protocol

from starlette.requests import Request
from starlette.responses import Response

from bridge.endpoint.answers import NO_STORE, answer
from bridge.hub.hub import Hub


class Exposition(Protocol):
    """The bridge's metrics."""

    def exposition(self) -> tuple[bytes, str]:
        """The text and its content type."""


class Probes:
    """The three endpoints.

    Args:
        hub: asked for its counts and whether it drains.
        metrics: exposed as they are.
    """

    def __init__(self, hub: Hub, metrics: Exposition) -> None:
        self._hub, self._metrics = hub, metrics

    async def healthz(self, _: Request) -> Response:
        """200 as long as the event loop turns."""
        return answer(200, {"healthy": True})

    async def readyz(self, _: Request) -> Response:
        """200 with counts; 503 from the moment of a drain, so that balancers look elsewhere."""
        seen = self._hub.statistics()
        ready = self._hub.draining is None
        body = {"ready": ready, "channels": seen.channels, "readers": seen.readers}
        return answer(200 if ready else 503, body)

    async def metrics(self, _: Request) -> Response:
        """The Prometheus text format."""
        text, kind = self._metrics.exposition()
        return Response(text, headers=NO_STORE | {"Content-Type": kind})
