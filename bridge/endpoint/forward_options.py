"""How a backend's endpoint is asked whether a client may read a channel (`[auth.forward]`).

Decides which settings are possible; `bridge.endpoint.forward` asks.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from bridge.upstream.answer import check_positive
from bridge.upstream.target import check_headers, check_url
from bridge.upstream.tls import SYSTEM, TlsOptions


@dataclass(frozen=True, slots=True)
class ForwardOptions:
    """Which endpoint is asked for each connection and channel, as nginx's `auth_request` asks.

    2xx lets the client in, 401 and 403 refuse it, and anything else, or no answer in time, counts
    as neither: the client is told to come back.

    Attributes:
        url: the endpoint, asked by GET; `{channel}`, `{kind}` and `{id}` may stand in its path and
            query. The headers `X-Channel` and `X-Original-Method` say what is asked for: GET to
            read, POST to read and send, for each POST and each WebSocket frame to the backend.
        headers: of the bridge's own, sent with each question; never shown.
        tls: whom `https` trusts, and what it proves of the bridge.
        timeout: seconds for an answer.
        fresh: seconds for which an answer serves equal questions; 0 shares those in flight only.
        max_answers: answers that are kept.
        principal_header: the answer's header that says who it is, for limits.
        expires_header: the answer's header that says until when, in seconds since 1970; the
            connection ends then.
        send_header: the answer's header that says whether the client may send as well: it may not
            where that is `0`, `false` or `no`.

    Raises:
        ValueError: a setting cannot be used.
    """

    url: str = field(repr=False)
    headers: dict[str, str] = field(default_factory=dict, repr=False)
    tls: TlsOptions = SYSTEM
    timeout: float = 5.0
    fresh: float = 5.0
    max_answers: int = 10_000
    principal_header: str = "X-Auth-Principal"
    expires_header: str = "X-Auth-Expires"
    send_header: str = "X-Auth-Send"

    def __post_init__(self) -> None:
        check_url("url", self.url, ("http", "https"))
        check_headers("headers", self.headers, self.url)
        check_positive(timeout=self.timeout, max_answers=self.max_answers)
        if not 0 <= self.fresh <= 300:
            raise ValueError("fresh must be from 0 to 300 seconds; rights change meanwhile")
        for name in self.headers:
            if name.lower() in ("authorization", "cookie"):
                raise ValueError(f"headers hold {name}, which is the client's own; leave it out")
