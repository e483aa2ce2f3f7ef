"""What the OpenAPI document says of credentials: schemes, who needs one, and where tickets are had.

Decides the wording only, from the options in force; `bridge.endpoint.auth` decides who is let in.
Ways that only a WebSocket has (`subprotocol`, `frame`) are no part of it, as WebSockets are none.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from bridge.endpoint.answers import CHALLENGE
from bridge.endpoint.auth_options import DEFAULT, AuthOptions
from bridge.endpoint.credentials import TICKET

Json = dict[str, Any]

TICKET_SCHEMA: Json = {
    "type": "object",
    "properties": {
        "ticket": {"type": "string", "minLength": 1},
        "expires_in": {"type": "number", "exclusiveMinimum": 0},
    },
    "required": ["ticket", "expires_in"],
}

CHALLENGED: Json = {
    "WWW-Authenticate": {"schema": {"const": CHALLENGE}, "required": True},
}
"""The header of each 401."""


def schemes(auths: Sequence[AuthOptions]) -> Json:
    """`components.securitySchemes`: one for each way of each guard that asks for a credential."""
    return {
        _scheme(options, way): told for options in auths for way, told in _told(options).items()
    }


def secured(operation: Json, options: AuthOptions | None, *, but: Sequence[str] = ()) -> Json:
    """The operation, with what its guard asks for; any one of the ways will do.

    Args:
        operation: as it is without a guard.
        options: the guard's; None where there is none.
        but: ways that do not count here.
    """
    ways = [way for way in _told(options) if way not in but] if options else []
    if not options or not ways:
        return operation
    return operation | {"security": [{_scheme(options, way): []} for way in ways]}


def desks(auths: Sequence[AuthOptions]) -> Iterator[tuple[str, AuthOptions]]:
    """The paths at which tickets are had."""
    for options in auths:
        if options.mode != "none" and "ticket" in options.ways:
            yield f"/api/v1/tickets/{options.name}".rstrip("/"), options


def _scheme(options: AuthOptions, way: str) -> str:
    return f"{options.name or DEFAULT}.{way}"


def _told(options: AuthOptions) -> Mapping[str, Json]:
    """The schemes of a guard's ways, in the order in which ways count."""
    if options.mode == "none":
        return {}
    header: Json = {"type": "http", "scheme": "bearer"}
    if options.mode != "jwt":
        header = {"type": "apiKey", "in": "header", "name": "Authorization"}
    every: Mapping[str, Json] = {
        "ticket": {"type": "apiKey", "in": "query", "name": TICKET},
        "header": header,
        "query": {"type": "apiKey", "in": "query", "name": options.query},
        "cookie": {"type": "apiKey", "in": "cookie", "name": options.cookie},
    }
    return {way: told for way, told in every.items() if way in options.ways}
