"""How clients are authenticated and authorised (`[auth]`, `[[auths]]`).

Decides which settings are possible together; `bridge.endpoint.auth` decides by them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Literal, get_args

from bridge.endpoint.credentials import WAYS, Way
from bridge.endpoint.forward_options import ForwardOptions
from bridge.endpoint.jwt_options import JwtOptions

Mode = Literal["none", "jwt", "forward", "passthrough"]

DEFAULT = "default"
"""What relays call `[auth]`."""

_SHARES = 10
"""So many principals have to act together before there is no ticket for anybody else."""

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,39}", re.ASCII)
_PARAMETER = re.compile(r"[A-Za-z0-9._~-]+", re.ASCII)
_TOKEN = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+", re.ASCII)


@dataclass(frozen=True, slots=True)
class PassthroughOptions:
    """Where a client's own credential goes in requests to the backend (`passthrough`).

    Attributes:
        header: the request header.
        query: a query parameter that takes the bare token instead; empty for none. URLs end up in
            logs, so prefer the header.
    """

    header: str = "Authorization"
    query: str = ""

    def __post_init__(self) -> None:
        if not _TOKEN.fullmatch(self.header):
            raise ValueError("header is not a header name; use letters and -")
        if self.query and not _PARAMETER.fullmatch(self.query):
            raise ValueError("query is not a parameter's name; use letters, digits, _ and -")


@dataclass(frozen=True, slots=True)
class TicketOptions:
    """Tickets for clients that cannot send headers (`POST /api/v1/tickets`).

    Attributes:
        lifetime: seconds from its issue in which a ticket has to be used.
        most: unused tickets that exist at once; above that none is issued. One principal may have
            a tenth of them; raise it where one fetches the tickets of many.
    """

    lifetime: float = 30.0
    most: int = 10_000

    def __post_init__(self) -> None:
        if not 0 < self.lifetime <= 300:
            raise ValueError("lifetime must be above 0 and at most 300 seconds")
        if self.most < 1:
            raise ValueError("most must be 1 or more")

    @property
    def share(self) -> int:
        """Unused tickets that one principal may have."""
        return max(1, self.most // _SHARES)


@dataclass(frozen=True, slots=True)
class AuthOptions:
    """How clients are authenticated, and which channels each may use.

    Attributes:
        name: what a route calls it, in `[[auths]]`; `[auth]` serves all routes that name none.
        mode: `none` lets anyone in; `jwt` verifies tokens; `forward` asks an endpoint of the
            backend; `passthrough` sends the client's own credential to the backend, whose stream
            is then that client's alone.
        allow_anonymous: lets `none` serve on more than loopback, and so do relays that name no
            `auth` and send a credential of the bridge's own.
        ways: how a credential may come: `header` (Authorization), `subprotocol` (`bearer`, then
            the token), `query`, `cookie`, `frame` (the first WebSocket frame), and `ticket`.
        cookie: the name of the cookie that holds a token.
        query: the name of the query parameter that does.
        frame_timeout: seconds in which the first frame has to come.
        jwt: the tokens of `jwt`.
        forward: the endpoint of `forward`.
        passthrough: where the credential goes in `passthrough`.
        tickets: how long tickets live.

    Raises:
        ValueError: settings do not go together.
    """

    name: str = ""
    mode: Mode = "none"
    allow_anonymous: bool = False
    ways: tuple[Way, ...] = ("header", "subprotocol", "ticket")
    cookie: str = "token"
    query: str = "access_token"
    frame_timeout: float = 5.0
    jwt: JwtOptions | None = None
    forward: ForwardOptions | None = None
    passthrough: PassthroughOptions = field(default_factory=PassthroughOptions)
    tickets: TicketOptions = field(default_factory=TicketOptions)

    def __post_init__(self) -> None:
        if self.name == DEFAULT:
            raise ValueError("name is default, which means [auth]; choose another")
        if self.name and not _NAME.fullmatch(self.name):
            raise ValueError("name is not a plain word of at most 40 letters and digits")
        if self.mode not in get_args(Mode):
            raise ValueError(f"mode is {self.mode!r}; use {', '.join(get_args(Mode))}")
        for mode, table in (("jwt", self.jwt), ("forward", self.forward)):
            if self.mode == mode and table is None:
                raise ValueError(f'mode is "{mode}", but there is no table {mode} beside it')
            if table is not None and self.mode != mode:
                raise ValueError(f'there is a table {mode}, but mode is "{self.mode}"')
        self._check_ways()

    def _check_ways(self) -> None:
        unknown = [each for each in self.ways if each not in WAYS]
        if unknown or not self.ways:
            raise ValueError(f"ways holds what is none of {', '.join(WAYS)}")
        if self.mode != "none" and set(self.ways) == {"ticket"}:
            raise ValueError("ways holds tickets alone, and a ticket is had by another way only")
        if not _TOKEN.fullmatch(self.cookie) or not _PARAMETER.fullmatch(self.query):
            raise ValueError("cookie and query are names; use letters, digits, _ and -")
        if not 0 < self.frame_timeout <= 60:
            raise ValueError("frame_timeout must be above 0 and at most 60 seconds")
