"""The ASGI application: which URL is served by which endpoint.

Decides the routes and the order of start and stop; the endpoints decide everything else. Runs
under any ASGI server; `bridge.server` is the one that drains.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.routing import BaseRoute, Route, WebSocketRoute
from starlette.types import Receive, Scope, Send

from bridge.assembly import Bridge
from bridge.config import Config
from bridge.endpoint import host
from bridge.endpoint.hint import TransportHint
from bridge.endpoint.methods import ByMethod
from bridge.endpoint.openapi import OpenApi
from bridge.endpoint.probes import Probes
from bridge.endpoint.relay import relay_routes
from bridge.endpoint.sse import EventStream
from bridge.endpoint.stepped import servers_own_kept
from bridge.endpoint.talk import Talk
from bridge.endpoint.unknown import Unknown
from bridge.endpoint.uplink import Uplink
from bridge.endpoint.ws import SocketEndpoint
from bridge.upstream.reachability import report_unreachable
from bridge.wire.routes import RouteOptions, plain


class BridgeApp(Starlette):
    """Starlette, leaving the server's own `send` where long streams find it."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve as Starlette; see `bridge.endpoint.stepped.servers_own`."""
        if scope["type"] != "lifespan" and not host.names_one_host(scope):
            await host.refuse(scope, receive, send)
            return
        with servers_own_kept(scope, send):
            await super().__call__(scope, receive, send)


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
            app.router.routes[:] = routes(parts)
            probing = asyncio.create_task(report_unreachable(parts.backends()))
            yield
            probing.cancel()
            await asyncio.wait((probing,))

    app = BridgeApp(lifespan=lifespan)
    # Not a route that matches everything: that would win over one that knows the URL and not the
    # method, and say 404 for 405. A missing slash is not mended: EventSource follows redirects,
    # a WebSocket does not, and both wires are to answer alike.
    app.router.default, app.router.redirect_slashes = Unknown(), False
    app.state.bridge = parts
    return app


def routes(bridge: Bridge) -> list[BaseRoute]:
    """All routes, the most particular first; needs the running session."""
    talk, probes = bridge.talk(), Probes(bridge.hub, bridge.metrics)
    served = bridge.config.routes if bridge.config.source else ()
    hint = TransportHint(bridge.gateway, bridge.config.routes)
    made: list[BaseRoute] = [
        Route("/healthz", probes.healthz),
        Route("/readyz", probes.readyz),
        Route("/metrics", probes.metrics),
        Route("/openapi.json", OpenApi(served, bridge.config.relays).__call__),
        Route("/api/v1/transport/{channel}", ByMethod({"GET": hint, "HEAD": hint})),
    ]
    for relay in bridge.config.relays:
        made += relay_routes(relay, bridge.session, bridge.metrics)
    for route in served:
        made += channel_routes(bridge, route, talk)
    return made


def channel_routes(bridge: Bridge, route: RouteOptions, talk: Talk) -> list[BaseRoute]:
    """The routes of one channel family: WebSocket, SSE, and POST towards the backend."""
    gateway, made = bridge.gateway, list[BaseRoute]()
    if route.ws:
        made.append(WebSocketRoute(plain(route.ws), SocketEndpoint(talk, route, bridge.pulse)))
    for path in route.sse_paths:
        stream = EventStream(gateway, bridge.fanouts, route, talk.joining)
        uplink = Uplink(gateway, route)
        served = ByMethod({"GET": stream, "HEAD": stream, "POST": uplink})
        made.append(Route(plain(path), served))
    return made
