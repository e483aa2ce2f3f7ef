"""What a client's request becomes at the backend of a relay: its URL, headers and credential.

Decides, before anything goes upstream, whose credential is sent and what stays here; never sends.
Credentials: a token that the server holds wins and keeps the client's own from the backend. Cookies
are never passed on in either direction: a page of another origin may open a WebSocket with them,
which no CORS check of the backend would see.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import quote, unquote_plus, urlsplit

from bridge.errors import InvalidChannel
from bridge.upstream.relay import HOP_BY_HOP, Headers, RelayCall, nominated
from bridge.upstream.target import check_address, check_headers, has_user
from bridge.upstream.tls import SYSTEM, TlsOptions
from bridge.wire.endings import BAD_REQUEST, NOT_FOUND, UNAUTHORIZED, Ending
from bridge.wire.names import ChannelName, fields
from bridge.wire.routes import converters

Wire = Literal["post", "get", "ws"]

_HEADER_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+", re.ASCII)
_TOKEN = re.compile(r"[A-Za-z0-9._~+/-]+=*", re.ASCII)
"""RFC 6750, 2.1: what may follow `Bearer`. Nothing in it can begin another header."""

_KEPT = "!#$%&'()*+,/:;=?@[]~"
"""What stays as the client wrote it in a query; the parser lets nothing in that ends a line."""

_OWN = frozenset({b"host", b"content-length", b"accept", b"accept-encoding", b"expect", b"cookie"})
"""Request fields that the bridge says itself, or never passes on."""


@dataclass(frozen=True, slots=True)
class RelayOptions:
    """One route whose POST opens a stream.

    Attributes:
        path: where it is served, such as `/v2/echat`; may hold parameters (`/jobs/{id}/run`).
        url: the backend's URL; may use the path's parameters by name.
        headers: sent to the backend with each request. With `Authorization` among them the
            client's own is not sent; else it is passed through.
        query: whether the client's query string is passed on.
        get: whether `GET` is served as well, for EventSource, which can do nothing else: the
            query parameter `data` is the JSON body. EventSource asks again after each end, so
            its page must close it when the stream is over.
        token: query parameter that holds a bearer token for clients that cannot send headers
            (EventSource, browsers' WebSocket). Never passed on in the query. Empty for none.
        max_body: the largest body or WebSocket frame, in bytes.
        connect_timeout: seconds to reach the backend.
        silence: seconds without a byte from the backend after which it counts as dead.
        done: a text frame for WebSocket clients when one stream is over; empty for none.
        error: a text frame for WebSocket clients when one stream fails, after which the socket
            stays open; `{status}`, `{code}`, `{reason}` and `{body}` are filled in as JSON string
            contents. Empty closes the socket with the code that the failure maps to.
        queue: frames of one WebSocket that may wait for their turn; then reading pauses.
        max_event_bytes: the largest event that is decoded for WebSocket clients.
        tls: whom `https` trusts, and what it proves of the bridge.
        auth: which of `[[auths]]` a client has to satisfy before it reaches the backend, or
            `default` for `[auth]`; empty leaves it to the backend.
    """

    path: str
    url: str
    headers: dict[str, str] = field(default_factory=dict, repr=False)
    query: bool = True
    get: bool = False
    token: str = "auth"  # noqa: S105 - the name of a parameter
    max_body: int = 16 * 1024 * 1024
    connect_timeout: float = 10.0
    silence: float = 300.0
    done: str = ""
    error: str = ""
    queue: int = 16
    max_event_bytes: int = 16 * 1024 * 1024
    tls: TlsOptions = SYSTEM
    auth: str = ""

    def __post_init__(self) -> None:
        _check_url(self.url)
        unknown = fields(self.url) - converters(self.path).keys()
        if unknown:
            raise ValueError(f"url uses {{{min(unknown)}}}, which path does not hold; add it there")
        for name, value in self.headers.items():
            _check_header(name, value)
        check_headers("headers", self.headers, self.url)
        for name in ("max_body", "connect_timeout", "silence", "queue", "max_event_bytes"):
            if not getattr(self, name) > 0:
                raise ValueError(f"{name} must be more than 0")
        if self.token == "data":  # noqa: S105 - as above
            raise ValueError("token must not be data, which holds the body; choose another name")


@dataclass(frozen=True, slots=True)
class Refused:
    """A request that does not go upstream.

    Attributes:
        ending: why, for either wire.
        reason: one line for the client.
    """

    ending: Ending
    reason: str


@dataclass(frozen=True, slots=True)
class Asked:
    """What a client's request says, as ASGI gives it.

    Attributes:
        wire: how the client came.
        parameters: of the path.
        query: the raw query string.
        headers: names in lower case.
    """

    wire: Wire
    parameters: Mapping[str, object]
    query: bytes
    headers: Headers


def prepare(options: RelayOptions, asked: Asked) -> RelayCall | Refused:
    """The backend's request, complete but for the body of a POST or frame; or why there is none."""
    try:
        url = _fill(options.url, asked.parameters)
    except InvalidChannel:
        return Refused(NOT_FOUND, "the path holds what no name here does")
    taken, rest = split_query(asked.query, _taken(options, asked.wire))
    token = taken.get(options.token, "").removeprefix("Bearer ")
    if token and not _TOKEN.fullmatch(token):
        return Refused(UNAUTHORIZED, f"the query's {options.token} is no bearer token")
    if asked.wire == "get" and "data" not in taken:
        return Refused(BAD_REQUEST, "the query must hold the JSON body as data")
    return RelayCall(
        url=_with_query(url, rest if options.query else b""),
        headers=_headers(options, asked, token),
        body=taken.get("data", "").encode(),
        connect_timeout=options.connect_timeout,
        silence=options.silence,
        tls=options.tls,
    )


def without_secrets(options: RelayOptions, wire: Wire, query: bytes) -> bytes:
    """The query string as a log may show it: no token, and of a GET no body."""
    return split_query(query, _taken(options, wire))[1]


def split_query(query: bytes, names: frozenset[str]) -> tuple[dict[str, str], bytes]:
    """The first value of each parameter in `names`, decoded, and the others as they came."""
    found: dict[str, str] = {}
    rest: list[bytes] = []
    for pair in query.split(b"&"):
        name, _, value = pair.partition(b"=")
        key = _decoded(name)
        if key in names:
            found.setdefault(key, _decoded(value))
        elif pair:
            rest.append(pair)
    return found, b"&".join(rest)


def _taken(options: RelayOptions, wire: Wire) -> frozenset[str]:
    names = {options.token, "data" if wire == "get" else ""}
    return frozenset(names - {""})


def _decoded(text: bytes) -> str:
    return unquote_plus(text.decode("latin-1"), errors="replace")


def _fill(template: str, parameters: Mapping[str, object]) -> str:
    """The URL with its parameters, which obey the grammar of channel names: no way out of a path.

    Raises:
        InvalidChannel: one does not.
    """
    for name in fields(template):
        value = ChannelName.parse(str(parameters[name])).text
        template = template.replace(f"{{{name}}}", quote(value, safe=""))
    return template


def _with_query(url: str, query: bytes) -> str:
    if not query:
        return url
    return url + ("&" if "?" in url else "?") + quote(query, safe=_KEPT + "%")


def _headers(options: RelayOptions, asked: Asked, token: str) -> tuple[tuple[str, str], ...]:
    """The client's end-to-end fields under those of the bridge, under those of the options."""
    said = {"accept": "text/event-stream", "accept-encoding": "identity"}
    if asked.wire != "post":
        said["content-type"] = "application/json"
    held = {"authorization"} if has_user(options.url) else set[str]()
    if token and not held and not any(name == b"authorization" for name, _ in asked.headers):
        said["authorization"] = f"Bearer {token}"
    said |= {name.lower(): value for name, value in options.headers.items()}
    dropped = (
        HOP_BY_HOP
        | _OWN
        | nominated(asked.headers)
        | {name.encode() for name in said.keys() | held}
    )
    return (*_passed(asked.headers, dropped), *said.items())


def _passed(headers: Headers, dropped: frozenset[bytes]) -> Iterable[tuple[str, str]]:
    # Sec- fields are a browser's word about its own request (Fetch, 2.2.2), handshakes included
    for name, value in headers:
        if name not in dropped and not name.startswith(b"sec-"):
            yield name.decode(), value.decode("utf-8", "replace")


def _check_url(url: str) -> None:
    check_address("url", url, ("http", "https"))
    parts = urlsplit(url)
    if parts.fragment:
        raise ValueError("url must not hold a fragment (#); a server never sees it")
    if "{" in parts.netloc:
        raise ValueError("url must not take its host from the path; write the host out")


def _check_header(name: str, value: str) -> None:
    if not _HEADER_NAME.fullmatch(name):
        raise ValueError("headers hold a name that HTTP does not allow; use letters and hyphens")
    if any(sign in value for sign in "\r\n\0"):
        raise ValueError(f"the header {name} holds a line end; write it on one line")
