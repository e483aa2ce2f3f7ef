"""What operators ask a running bridge: the admin routes, behind a token.

Decides who is let in: who brings the configured token, as a bearer credential or, in a browser, as
the password of any user. Without a token there are no such routes.
"""

from __future__ import annotations

import binascii
import hmac
from base64 import b64decode
from dataclasses import dataclass, field

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from bridge.endpoint.answers import answer

SHORTEST = 16
"""Characters below which a token could be guessed."""


@dataclass(frozen=True, slots=True)
class AdminOptions:
    """Who may look into a running bridge (`[admin]`).

    Attributes:
        token: whoever brings it is let in, as `Authorization: Bearer` or as the password of any
            user; at least 16 characters. Empty serves no admin routes.
    """

    token: str = field(default="", repr=False)

    def __post_init__(self) -> None:
        if self.token and len(self.token) < SHORTEST:
            raise ValueError(f"token is short enough to be guessed; use {SHORTEST} characters")
        if not (self.token.isascii() and self.token.isprintable()) or " " in self.token:
            raise ValueError("token holds characters that no header carries; use letters or digits")


class Guard:
    """Lets nobody through to an endpoint without the token.

    Args:
        token: what has to be brought.
        endpoint: what is guarded.
    """

    def __init__(self, token: str, endpoint: ASGIApp) -> None:
        self._token, self._endpoint = token.encode(), endpoint

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on, or answer 401."""
        admitted = self._admits(Request(scope).headers.get("authorization", ""))
        await (self._endpoint if admitted else _refusal())(scope, receive, send)

    def _admits(self, credential: str) -> bool:
        scheme, _, value = credential.partition(" ")
        brought = value.strip() if scheme.lower() == "bearer" else _password(scheme, value)
        # the comparison takes as long wherever the two differ
        return hmac.compare_digest(brought.encode(), self._token)


def _password(scheme: str, value: str) -> str:
    if scheme.lower() != "basic":
        return ""
    try:
        return b64decode(value.strip(), validate=True).decode().partition(":")[2]
    except (binascii.Error, ValueError):
        return ""


def _refusal() -> Response:
    body = {"code": "unauthorized", "reason": "the admin token is missing or wrong"}
    return answer(401, body, {"WWW-Authenticate": 'Basic realm="ws2sse", charset="UTF-8"'})
