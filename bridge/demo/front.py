"""What the demonstration serves in front of the bridge, from the same origin: a page.

Decides which paths are its own: `/` and what lies under `/demo`. All others are the bridge's.
The page may load nothing from elsewhere, and its policy (CSP, `connect-src 'self'`) says so.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from importlib.resources import files

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route, Router
from starlette.types import ASGIApp, Receive, Scope, Send

_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; "
    "connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}
_FILES = {
    "/": ("page.html", "text/html"),
    "/demo": ("page.html", "text/html"),
    "/demo/page.css": ("page.css", "text/css"),
    "/demo/page.js": ("page.js", "text/javascript"),
    "/demo/pairing.js": ("pairing.js", "text/javascript"),
}

Restart = Callable[[], Awaitable[None]]


class Front:
    """The page and its controls, before an application.

    Args:
        app: the bridge.
        about: what the page shows of the set-up: `source`, `channel`, `backend`.
        restart: makes the backend crash; returns once it is back.
    """

    def __init__(self, app: ASGIApp, about: Mapping[str, str], restart: Restart) -> None:
        self._app, self._about, self._restart = app, dict(about), restart
        pages = [Route(path, _file(*source)) for path, source in _FILES.items()]
        self._own = Router(
            [
                *pages,
                Route("/demo/about", self._tell),
                Route("/demo/restart", self._on_restart, methods=["POST"]),
            ],
            redirect_slashes=False,
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve the demonstration's own paths, and leave the rest to the bridge."""
        path = scope.get("path", "")
        own = scope["type"] == "http" and (path in _FILES or path.startswith("/demo/"))
        await (self._own if own else self._app)(scope, receive, send)

    async def _tell(self, _: Request) -> Response:
        return JSONResponse(self._about, headers=_HEADERS)

    async def _on_restart(self, request: Request) -> Response:
        # a page of another origin may post here, but must not
        if request.headers.get("sec-fetch-site", "same-origin") != "same-origin":
            return Response(status_code=403, headers=_HEADERS)
        await self._restart()
        return Response(status_code=204, headers=_HEADERS)


def _file(name: str, kind: str) -> Callable[[Request], Awaitable[Response]]:
    content = (files("bridge.demo") / name).read_bytes()

    async def respond(_: Request) -> Response:
        return Response(content, headers=_HEADERS, media_type=kind)

    return respond
