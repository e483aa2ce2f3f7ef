"""Which credential a request brings, and by which way.

Decides the order of the ways: a ticket, the Authorization header, the `bearer` subprotocol, the
query, the cookie; the first that is there counts, and a browser's cookies, which come unasked,
count last. Never whether a credential is any good. A query that held one is rewritten without it,
so that no access log of a server underneath holds it either.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, MutableMapping
from dataclasses import dataclass, field
from typing import Any, Literal
from urllib.parse import unquote_plus

Way = Literal["ticket", "header", "subprotocol", "query", "cookie", "frame"]
WAYS: tuple[Way, ...] = ("ticket", "header", "subprotocol", "query", "cookie", "frame")
"""In the order in which they count."""

TICKET = "ticket"
"""The query parameter that holds a ticket."""

SUBPROTOCOL = "bearer"
"""What stands before the token among the offered subprotocols."""

_ASKING = frozenset({b"authorization", b"cookie", b"host", b"origin", b"sec-fetch-site"})
_BEARER = re.compile(r"[Bb][Ee][Aa][Rr][Ee][Rr] +([!-~]+)", re.ASCII)
_SAYABLE = re.compile(r"[\t -~]+", re.ASCII)
"""What can stand in a header line. Nothing in it can begin another one."""


@dataclass(frozen=True, slots=True)
class Credential:
    """What a client shows.

    Attributes:
        way: how it came.
        authorization: as it would stand in an Authorization header.
        cookies: the whole Cookie header, where cookies count as credentials.
    """

    way: Way | None = None
    authorization: str = field(default="", repr=False)
    cookies: str = field(default="", repr=False)

    @property
    def token(self) -> str:
        """The bearer token, empty where it is another scheme's or there is none."""
        found = _BEARER.fullmatch(self.authorization)
        return found[1] if found else ""


NOTHING = Credential()


def bearer(token: str, way: Way) -> Credential:
    """A token that came bare; nothing where it could not stand in a header line."""
    return Credential(way, f"Bearer {token}") if _BEARER.fullmatch(f"Bearer {token}") else NOTHING


@dataclass(frozen=True, slots=True)
class Names:
    """Where credentials may stand.

    Attributes:
        ways: those that count.
        cookie: the name of the cookie that holds a token.
        query: the name of the query parameter that does.
    """

    ways: frozenset[Way]
    cookie: str
    query: str

    def read(self, scope: Mapping[str, Any], head: Mapping[str, str]) -> Credential:
        """The credential of a request, tickets aside.

        Args:
            scope: of the request.
            head: its header fields, see `head_of`.
        """
        cookies = head.get("cookie", "") if "cookie" in self.ways else ""
        if not _SAYABLE.fullmatch(cookies):
            cookies = ""
        found = self._shown(scope, head.get("authorization", ""), cookies)
        return Credential(found.way, found.authorization, cookies)

    def _shown(self, scope: Mapping[str, Any], header: str, cookies: str) -> Credential:
        if "header" in self.ways and header and _SAYABLE.fullmatch(header):
            return Credential("header", header)
        offered = scope.get("subprotocols") or ()
        if "subprotocol" in self.ways and SUBPROTOCOL in offered:
            follows = list(offered).index(SUBPROTOCOL) + 1
            if follows < len(offered):
                return bearer(offered[follows], "subprotocol")
        if "query" in self.ways and (token := first_of(scope["query_string"], self.query)):
            return bearer(token, "query")
        token = _cookie(cookies, self.cookie)
        return bearer(token, "cookie") if token else NOTHING

    def clean(self, scope: MutableMapping[str, Any]) -> None:
        """Take what may be a credential out of the query."""
        if scope["query_string"]:
            scope["query_string"] = without(scope["query_string"], {self.query, TICKET})


def head_of(scope: Mapping[str, Any]) -> dict[str, str]:
    """The header fields that say who asks, by their names in lower case; of several the first."""
    head: dict[str, str] = {}
    for name, value in scope["headers"]:
        if name in _ASKING:
            head.setdefault(name.decode(), value.decode("latin-1").strip())
    return head


def first_of(query: bytes, name: str) -> str:
    """The first value of a query parameter, decoded; empty where it has none."""
    return next((value for key, value in _pairs(query) if key == name), "")


def without(query: bytes, names: set[str]) -> bytes:
    """The query without some parameters, the others as they were written."""
    kept = [
        part
        for part in query.split(b"&")
        if unquote_plus(part.partition(b"=")[0].decode("latin-1")) not in names
    ]
    return b"&".join(kept)


def _pairs(query: bytes) -> Iterator[tuple[str, str]]:
    for part in query.decode("latin-1").split("&"):
        name, _, value = part.partition("=")
        yield unquote_plus(name), unquote_plus(value)


def _cookie(cookies: str, name: str) -> str:
    """The first cookie of this name (RFC 6265, 5.4), its quotes removed."""
    for pair in cookies.split(";"):
        key, _, value = pair.strip().partition("=")
        if key == name:
            return value.strip('"')
    return ""
