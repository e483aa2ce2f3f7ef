"""What pages of other origins are told over HTTP (CORS; WHATWG Fetch, 3.2).

Decides the header fields and answers preflights; whether a page may ask is the guard's business,
by the same list of origins. A refusal carries the fields as well, so that a page can read why.
"""

from __future__ import annotations

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bridge.endpoint.answers import answer, refusal
from bridge.endpoint.auth import page_of
from bridge.endpoint.credentials import head_of
from bridge.endpoint.grant import FOREIGN
from bridge.endpoint.offer import changed
from bridge.endpoint.origin import BrowserOptions, Origins

Fields = list[tuple[bytes, bytes]]

_ALLOWED_HEADERS = b"authorization, cache-control, content-type, last-event-id"
_EXPOSED = b"retry-after, www-authenticate"
_VARY = (b"vary", b"origin")


class Cors:
    """An endpoint for pages of the origins that are let in.

    Args:
        app: the endpoint, which answers by HTTP.
        options: the origins.
        methods: those that the endpoint serves.
        cookies: whether cookies count as credentials here.
    """

    def __init__(
        self, app: ASGIApp, options: BrowserOptions, methods: str, *, cookies: bool = False
    ) -> None:
        self._app, self._options, self._methods = app, options, methods
        self._origins, self._cookies = Origins(options.origins), cookies

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a preflight, else pass on and add the fields to the answer's head."""
        head = head_of(scope)
        origin = head.get("origin")
        if origin is None:
            # a cache must not give a page what was answered to no page
            await _with([_VARY], self._app, scope, receive, send)
        elif not self._origins.admit(page_of(scope, head)):
            refused = refusal(FOREIGN.ending, FOREIGN.reason)
            app = refused if scope["method"] == "OPTIONS" else self._app
            await _with([_VARY], app, scope, receive, send)
        elif scope["method"] == "OPTIONS":
            fields = [*self._fields(origin), *self._preflight()]
            await _with(fields, answer(204, {}), scope, receive, send)
        else:
            fields = [*self._fields(origin), (b"access-control-expose-headers", _EXPOSED)]
            await _with(fields, self._app, scope, receive, send)

    def _fields(self, origin: str) -> Fields:
        if self._options.lets_all_in:
            return [(b"access-control-allow-origin", b"*")]
        fields = [_VARY, (b"access-control-allow-origin", origin.encode("latin-1"))]
        if self._cookies:
            fields.append((b"access-control-allow-credentials", b"true"))
        return fields

    def _preflight(self) -> Fields:
        return [
            (b"access-control-allow-methods", self._methods.encode()),
            (b"access-control-allow-headers", _ALLOWED_HEADERS),
            (b"access-control-max-age", str(self._options.max_age).encode()),
        ]


async def _with(fields: Fields, app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
    """Call `app`, whose answer gets these fields whichever way it begins."""

    def adding(message: Message) -> Message:
        if message["type"] != "http.response.start":
            return message
        return {**message, "headers": [*message["headers"], *fields]}

    async def sending(message: Message) -> None:
        await send(adding(message))

    changed(scope, adding)
    await app(scope, receive, sending)
