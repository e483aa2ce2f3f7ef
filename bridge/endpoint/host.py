"""Which requests name one host, as HTTP/1.1 demands.

Decides only that: RFC 9112, 3.2, has a server refuse a request without a `Host`, with several, or
with one that is none. Two of them are how a proxy in front and the server behind it come to speak
of different sites, and what compares an `Origin` with the host has to know which.
"""

from __future__ import annotations

import re

from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket

from bridge.endpoint.answers import deny, refusal
from bridge.wire.endings import for_status

_HOST = re.compile(rb"(?:[A-Za-z0-9._~!$&'()*+,;=%-]*|\[[0-9A-Fa-fv:.]+\])(?::[0-9]*)?")


def names_one_host(scope: Scope) -> bool:
    """Whether a request (`http` or `websocket`) says for which host it is, once and legibly.

    HTTP/1.0 may leave it out.
    """
    hosts = [value for name, value in scope["headers"] if name == b"host"]
    if not hosts:
        return bool(scope.get("http_version") == "1.0")
    return len(hosts) == 1 and _HOST.fullmatch(hosts[0]) is not None


async def refuse(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer 400 to a request that does not."""
    ending, reason = for_status(400), "the request has to name one host"
    if scope["type"] == "websocket":
        await deny(WebSocket(scope, receive, send), ending, reason)
    else:
        await refusal(ending, reason)(scope, receive, send)
