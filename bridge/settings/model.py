"""The whole configuration as one frozen value; its tables are the parts' own options.

Decides what holds across tables (which upstream leads, no route twice); what holds within one
is its options' business. Never reads a file or the environment.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Annotated, Any, Literal, Self

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PrivateAttr,
    field_validator,
    model_validator,
)

from bridge.control.admin import AdminOptions
from bridge.control.sampling import ShadowOptions
from bridge.endpoint.auth_options import AuthOptions
from bridge.endpoint.limits import LimitOptions
from bridge.endpoint.options import ClientOptions
from bridge.endpoint.origin import BrowserOptions
from bridge.endpoint.relay_request import RelayOptions
from bridge.history.log import LogOptions
from bridge.hub.hub import HubOptions
from bridge.ops.secrets import Mask, secrets_in
from bridge.parity.options import CompareOptions
from bridge.settings.access import check_auths
from bridge.upstream.backoff import ReconnectOptions
from bridge.upstream.poll import PollOptions
from bridge.upstream.snapshot import SnapshotOptions
from bridge.upstream.sse import SseOptions
from bridge.upstream.ws import WsOptions
from bridge.wire.alias import DEFAULT_ALIASES, AliasOptions
from bridge.wire.completion import CompletionOptions
from bridge.wire.dialect_options import DialectOptions
from bridge.wire.mapping import EnvelopeOptions
from bridge.wire.names import fields
from bridge.wire.routes import DEFAULT_ROUTES, RouteOptions

Source = Literal["legacy", "sse"]

OWN_PATHS = (
    "/healthz",
    "/readyz",
    "/metrics",
    "/openapi.json",
    "/admin",
    "/api/v1/transport",
    "/api/v1/tickets",
)
"""What the bridge answers itself, with all that lies below."""

_HOST_NAME = re.compile(r"[A-Za-z0-9_]([A-Za-z0-9_.-]{0,252}[A-Za-z0-9_.])?", re.ASCII)
_PATH_FIELD = re.compile(r"\{[^}]*\}")
_PATTERN = re.compile(r"[A-Za-z0-9._~@:+=,*?!\[\]-]+", re.ASCII)


def _lowered(value: Any) -> Any:  # noqa: ANN401 - whatever the user wrote
    return value.lower() if isinstance(value, str) else value


LogLevel = Annotated[
    Literal["debug", "info", "warning", "error", "critical"], BeforeValidator(_lowered)
]


@dataclass(frozen=True, slots=True)
class UpstreamOptions:
    """The backends.

    Attributes:
        sse: the SSE backend, if there is one.
        ws: the legacy WebSocket backend, if there is one.
    """

    sse: SseOptions | None = None
    ws: WsOptions | None = None

    def __post_init__(self) -> None:
        for name, options in (("sse", self.sse), ("ws", self.ws)):
            if options and not fields(options.url):
                # without one, all channels would silently read the same stream
                raise ValueError(
                    f"{name}.url names no channel; put {{channel}} or {{id}} into it, into the "
                    "query if its path has no place for one"
                )


class Config(BaseModel):
    """Every setting of a bridge.

    Attributes:
        host: the address to listen on.
        port: the port to listen on; 0 lets the kernel choose.
        source: which backend leads: `legacy` (WebSocket) or `sse`. Where one is given it leads
            unasked; None only where there is none, for relays alone.
        channels: which channels are served; `*` matches any run of characters.
        log_level: the least severe level that is logged.
        log_format: `console` for people, `json` for machines.
        access_log: whether each request and connection that is over is logged, at `info`, by its
            path without the query.
        drain_timeout: seconds that open sessions get to end when the bridge stops.
        drain_rate: sessions that are ended a second when it stops, 0 = all at once; more where all
            would not end in time. And clients a second that come back, by the delays that they are
            told when sessions end together.
        upstream: the backends.
        reconnect: when to try a lost backend again.
        history: how much of a channel is kept.
        hub: how long channels outlive their clients.
        client: how sessions are treated.
        limits: what clients may use up.
        dialect: what legacy WebSocket clients say and expect.
        envelope: what is read from a payload, and added to it.
        completion: which messages are results, told once.
        routes: where channels are served.
        aliases: other names of channels.
        polls: what is asked where a stream stays silent.
        snapshots: what is shown to those who join.
        relays: streams that are opened by POST.
        parity: how backends are compared.
        shadow: which channels are compared while clients read them.
        admin: who may look into the running bridge.
        auth: how clients are authenticated, and which channels each may use.
        auths: other ways to do so, for routes that name one.
        browsers: which pages may use the bridge.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    host: str = "127.0.0.1"
    port: int = Field(default=8080, ge=0, le=65535)
    source: Source | None = None
    channels: tuple[str, ...] = ("project.*", "file.*", "user.*", "test")
    log_level: LogLevel = "info"
    log_format: Literal["console", "json"] = "console"
    access_log: bool = False
    drain_timeout: float = Field(default=10.0, ge=0, allow_inf_nan=False)
    drain_rate: float = Field(default=500.0, ge=0, allow_inf_nan=False)
    upstream: UpstreamOptions = UpstreamOptions()
    reconnect: ReconnectOptions = ReconnectOptions()
    history: LogOptions = LogOptions()
    hub: HubOptions = HubOptions()
    client: ClientOptions = ClientOptions()
    limits: LimitOptions = LimitOptions()
    dialect: DialectOptions = DialectOptions()
    envelope: EnvelopeOptions = EnvelopeOptions()
    completion: CompletionOptions = CompletionOptions()
    routes: tuple[RouteOptions, ...] = DEFAULT_ROUTES
    aliases: tuple[AliasOptions, ...] = DEFAULT_ALIASES
    polls: tuple[PollOptions, ...] = ()
    snapshots: tuple[SnapshotOptions, ...] = ()
    relays: tuple[RelayOptions, ...] = ()
    parity: CompareOptions = CompareOptions()
    shadow: ShadowOptions = ShadowOptions()
    admin: AdminOptions = AdminOptions()
    auth: AuthOptions = AuthOptions()
    auths: tuple[AuthOptions, ...] = ()
    browsers: BrowserOptions = BrowserOptions()

    _mask: Mask = PrivateAttr(default_factory=Mask)

    @property
    def all_auths(self) -> tuple[AuthOptions, ...]:
        """`[auth]` and `[[auths]]`."""
        return (self.auth, *self.auths)

    @property
    def mask(self) -> Mask:
        """Hides this configuration's secrets in any text."""
        return self._mask

    def hiding(self, secrets: frozenset[str]) -> Self:
        """This configuration, with more secrets for its mask than its values show."""
        self._mask = Mask(secrets.union(secrets_in(self.model_dump())))
        return self

    def model_post_init(self, _: object) -> None:
        """Make the mask from what the values themselves show to be secret."""
        self.hiding(frozenset())

    def __repr__(self) -> str:
        return self._mask(super().__repr__())

    __str__ = __repr__

    @field_validator("host")
    @classmethod
    def _is_address(cls, host: str) -> str:
        if not _HOST_NAME.fullmatch(host):
            try:
                ip_address(host)
            except ValueError:
                raise ValueError("is no host name or address; the port goes into port") from None
        return host

    @field_validator("channels")
    @classmethod
    def _are_patterns(cls, channels: tuple[str, ...]) -> tuple[str, ...]:
        if not channels:
            raise ValueError('names no channel; write patterns such as "project.*"')
        for pattern in channels:
            if not _PATTERN.fullmatch(pattern):
                raise ValueError('holds what no channel can match; write patterns as "project.*"')
        return channels

    @model_validator(mode="after")
    def _serves_each_path_once(self) -> Self:
        for wire, paths in (("WebSocket", self._ws_paths()), ("HTTP", self._http_paths())):
            counts = Counter(map(_shape, paths))
            path = next((path for path, count in counts.items() if count > 1), None)
            if path:
                raise ValueError(
                    f"routes serve the {wire} path {path} twice, relays counted; remove one"
                )
            own = next((path for path in paths if _is_own(path)), None)
            if own:
                raise ValueError(f"routes serve {own}, which is the bridge's own; use another")
        return self

    @model_validator(mode="after")
    def _has_one_lead(self) -> Self:
        both = {"legacy": self.upstream.ws, "sse": self.upstream.sse}
        given = [source for source, options in both.items() if options]
        if not given and not self.relays:
            raise ValueError("upstream is not given; use --sse-upstream URL or --ws-upstream URL")
        if self.source is None and len(given) > 1:
            raise ValueError(
                'source is not chosen, though two upstreams are given; set it to "legacy" for the '
                'WebSocket backend or to "sse"'
            )
        if self.source and self.source not in given:
            table = "ws" if self.source == "legacy" else "sse"
            raise ValueError(f'source is "{self.source}", but there is no upstream.{table}')
        if given and not self.source:
            # whoever reads the configuration need not repeat this choice
            object.__setattr__(self, "source", given[0])
        return self

    @model_validator(mode="after")
    def _shadows_a_second_backend(self) -> Self:
        if self.shadow.channels and not (self.upstream.ws and self.upstream.sse):
            raise ValueError("shadow compares two backends; give upstream.ws and upstream.sse both")
        return self

    @model_validator(mode="after")
    def _lets_nobody_in_unasked(self) -> Self:
        check_auths(
            self.all_auths,
            [route.auth for route in self.routes],
            self.relays,
            host=self.host,
            browsers=self.browsers,
            words=self.dialect.auth,
            urls=[side.url for side in (self.upstream.sse, self.upstream.ws) if side],
        )
        return self

    def _ws_paths(self) -> list[str]:
        return [route.ws for route in self.routes if route.ws] + self._relay_paths()

    def _http_paths(self) -> list[str]:
        return [path for route in self.routes for path in route.sse_paths] + self._relay_paths()

    def _relay_paths(self) -> list[str]:
        return [relay.path for relay in self.relays]


def _is_own(path: str) -> bool:
    return f"{_shape(path)}/".startswith(tuple(f"{own}/" for own in OWN_PATHS))


def _shape(path: str) -> str:
    """A path without the names of its fields, which do not tell two paths apart."""
    return _PATH_FIELD.sub("{}", path)
