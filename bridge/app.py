"""The ASGI application: which URL is served by which endpoint.

Decides the routes and the order of start and stop; the endpoints decide everything else. Runs
under any ASGI server; `bridge.server` is the one that drains.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from functools import partial

from starlette.applications import Starlette
from starlette.routing import BaseRoute, Route, WebSocketRoute, request_response
from starlette.types import ASGIApp, Receive, Scope, Send

from bridge.assembly import Bridge
from bridge.config import Config
from bridge.control.admin import Guard
from bridge.control.parity_pages import ParityPages
from bridge.endpoint import host
from bridge.endpoint.access import AccessLog
from bridge.endpoint.auth_options import DEFAULT
from bridge.endpoint.cors import Cors
from bridge.endpoint.gate import Gate
from bridge.endpoint.hint import TransportHint
from bridge.endpoint.methods import ByMethod
from bridge.endpoint.openapi import OpenApi
from bridge.endpoint.probes import Probes
from bridge.endpoint.relay import relay_routes
from bridge.endpoint.shortcut import Shortcut
from bridge.endpoint.sse import EventStream
from bridge.endpoint.stepped import servers_own_kept
from bridge.endpoint.talk import Talk
from bridge.endpoint.ticket_desk import TicketDesk
from bridge.endpoint.unknown import Unknown
from bridge.endpoint.uplink import Uplink
from bridge.endpoint.ws import SocketEndpoint
from bridge.upstream.reachability import report_unreachable
from bridge.wire.routes import RouteOptions, plain


class BridgeApp(Starlette):
    """Starlette, with a short way to the streams, whose server's own `send` is where they find it.

    Where middleware was added, it is passed by all requests, the short way's too.

    Attributes:
        shortcut: to the routes that most connections take.
        access: logs what was served, where that is configured.
    """

    shortcut = Shortcut(())
    access: AccessLog | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve as Starlette; see `bridge.endpoint.stepped.servers_own`."""
        if self.access and scope["type"] != "lifespan":
            await self.access(self._serve, scope, receive, send)
        else:
            await self._serve(scope, receive, send)

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "lifespan" and not host.names_one_host(scope):
            await host.refuse(scope, receive, send)
            return
        with servers_own_kept(scope, send):
            endpoint = None if self.user_middleware else self.shortcut.find(scope)
            await (endpoint or super().__call__)(scope, receive, send)


def create_app(config: Config, bridge: Bridge | None = None) -> Starlette:
    """The application of a configuration.

    Args:
        config: checked settings.
        bridge: its parts, where the caller wants to hold them; made here by default. They are
            found as `app.state.bridge` either way.
    """
    parts = bridge or Bridge(config)

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        async with parts.running():
            made = routes(parts)
            app.router.routes[:], bridge_app.shortcut = made, Shortcut(made)
            probing = asyncio.create_task(report_unreachable(parts.backends()))
            yield
            probing.cancel()
            await asyncio.wait((probing,))

    bridge_app = app = BridgeApp(lifespan=lifespan)
    # Not a route that matches everything: that would win over one that knows the URL and not the
    # method, and say 404 for 405. A missing slash is not mended: EventSource follows redirects,
    # a WebSocket does not, and both wires are to answer alike.
    app.router.default, app.router.redirect_slashes = Unknown(), False
    app.state.bridge = parts
    if config.access_log:
        app.access = AccessLog(time.monotonic)
    return app


def routes(bridge: Bridge) -> list[BaseRoute]:
    """All routes, the most particular first; needs the running session."""
    talk, probes = bridge.talk(), Probes(bridge.hub, bridge.metrics)
    served = bridge.config.routes if bridge.config.source else ()
    hint = TransportHint(bridge.gateway, bridge.config.routes)
    shown = _for_pages(bridge, "", {"GET": hint, "HEAD": hint})
    made: list[BaseRoute] = [
        Route("/healthz", probes.healthz),
        Route("/readyz", probes.readyz),
        Route("/metrics", probes.metrics),
        Route(
            "/openapi.json", OpenApi(served, bridge.config.relays, bridge.config.all_auths).__call__
        ),
        Route("/api/v1/transport/{channel}", shown),
        *ticket_routes(bridge),
    ]
    if bridge.config.admin.token:
        made += admin_routes(bridge)
    for relay in bridge.config.relays:
        behind = partial(_behind, bridge, relay.auth)
        made += relay_routes(relay, bridge.session, bridge.metrics, behind)
    for route in served:
        made += channel_routes(bridge, route, talk)
    return made


def admin_routes(bridge: Bridge) -> list[BaseRoute]:
    """The routes of operators, behind their token."""
    token, pages = bridge.config.admin.token, ParityPages(bridge.shadow)
    return [
        Route(path, Guard(token, ByMethod({"GET": page, "HEAD": page})))
        for path, page in (
            ("/admin/parity", request_response(pages.overview)),
            ("/admin/parity/{channel}", request_response(pages.channel)),
        )
    ]


def channel_routes(bridge: Bridge, route: RouteOptions, talk: Talk) -> list[BaseRoute]:
    """The routes of one channel family: WebSocket, SSE, and POST towards the backend."""
    gateway, made = bridge.gateway, list[BaseRoute]()
    if route.ws:
        made.append(WebSocketRoute(plain(route.ws), SocketEndpoint(talk, route, bridge.pulse)))
    for path in route.sse_paths:
        stream = EventStream(gateway, bridge.fanouts, route, talk.joining)
        uplink = Uplink(gateway, route)
        methods: dict[str, ASGIApp] = {"GET": stream, "HEAD": stream, "POST": uplink}
        made.append(Route(plain(path), _for_pages(bridge, route.auth, methods)))
    return made


def ticket_routes(bridge: Bridge) -> Iterator[BaseRoute]:
    """Where tickets are issued: one URL for each guard that has them."""
    for name, guard in bridge.guards.by_name.items():
        if guard.tickets:
            desk = TicketDesk(bridge.gateway, guard)
            path = f"/api/v1/tickets/{name}".rstrip("/")
            yield Route(path, _for_pages(bridge, name, {"POST": desk}))


def _behind(bridge: Bridge, auth: str, app: ASGIApp) -> ASGIApp:
    """A relay behind the guard that it names, else before pages that are let in, within limits."""
    guards = bridge.guards
    guard = guards.by_name["" if auth == DEFAULT else auth] if auth else guards.open
    return Gate(app, bridge.gateway, guard)


def _for_pages(bridge: Bridge, auth: str, endpoints: Mapping[str, ASGIApp]) -> ASGIApp:
    """One URL, for pages of the origins that are let in as well."""
    options = bridge.guards.by_name[auth].options
    cookies = options.mode != "none" and "cookie" in options.ways
    methods = ", ".join(endpoints)
    return Cors(ByMethod(endpoints), bridge.config.browsers, methods, cookies=cookies)
