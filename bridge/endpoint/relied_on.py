"""What this package relies on of uvicorn beyond its documented options.

Decides nothing: a list, by name, that a test holds against the installed uvicorn, so that an
upgrade which takes something away fails there and not with a client.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import FunctionType

from uvicorn.config import Config
from uvicorn.protocols.http.flow_control import FlowControl
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from uvicorn.server import ServerState

RELIED_ON: Mapping[type, Iterable[str]] = {
    Config: (
        "asgi_version",
        "limit_concurrency",
        "load",
        "loaded",
        "loaded_app",
        "root_path",
        "ws_per_message_deflate",
        "ws_protocol_class",
    ),
    ServerState: ("connections", "default_headers", "tasks"),
    HttpToolsProtocol: (
        "app",
        "client",
        "connection_lost",
        "connection_made",
        "connections",
        "cycle",
        "data_received",
        "flow",
        "handle_websocket_upgrade",
        "on_headers_complete",
        "on_message_complete",
        "parser",
        "pipeline",
        "scope",
        "server_state",
        "transport",
        "ws_protocol_class",
    ),
    FlowControl: ("resume_reading", "write_paused"),
    RequestResponseCycle: (
        "chunked_encoding",
        "disconnected",
        "message_event",
        "response_complete",
        "response_started",
    ),
    WebSocketsSansIOProtocol: (
        "app",
        "client",
        "close_sent",
        "close_timer",
        "conn",
        "connection_made",
        "connections",
        "data_received",
        "disconnected",
        "handshake_complete",
        "handshake_initiated",
        "loop",
        "scope",
        "stop_keepalive",
        "transport",
        "writable",
    ),
}
"""Attributes of uvicorn's protocols that this file reads or sets."""


def missing(relied_on: Mapping[type, Iterable[str]] = RELIED_ON) -> Iterable[str]:
    """What the installed uvicorn lacks of that, as `Class.name`."""
    for protocol, names in relied_on.items():
        made = (each for each in vars(protocol).values() if isinstance(each, FunctionType))
        known = set(dir(protocol)).union(*(each.__code__.co_names for each in made))
        for name in names:
            if name not in known:
                yield f"{protocol.__name__}.{name}"
