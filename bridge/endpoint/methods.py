"""Which HTTP method of one URL is served by which endpoint.

Decides only that; a method that none serves is told those that are (RFC 9110, 15.5.6 and 9.3.7).
"""

from __future__ import annotations

from collections.abc import Mapping

from starlette.types import ASGIApp, Receive, Scope, Send

from bridge.endpoint.answers import answer


class ByMethod:
    """The ASGI endpoint of one URL.

    Args:
        endpoints: by method, in capitals.
    """

    def __init__(self, endpoints: Mapping[str, ASGIApp]) -> None:
        self._endpoints = dict(endpoints)
        self._allow = {"Allow": ", ".join((*self._endpoints, "OPTIONS"))}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on, or answer 405; OPTIONS is answered 204."""
        method = scope["method"]
        endpoint = self._endpoints.get(method)
        if endpoint is None:
            status = 204 if method == "OPTIONS" else 405
            body = {"code": "method", "reason": "this URL does not serve the method"}
            endpoint = answer(status, body, self._allow)
        await endpoint(scope, receive, send)
