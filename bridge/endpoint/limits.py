"""What clients may use up, on all wires together (`[limits]`).

Decides which settings are possible; the budget, the hub, the store and the door decide by them.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

from bridge.endpoint.address import networks


@dataclass(frozen=True, slots=True)
class LimitOptions:
    """What clients may use up, on all wires together. 0 is no limit, wherever 0 is possible.

    Limits on one address are off by default: behind a proxy that is not listed in
    `trusted_proxies`, all clients have the proxy's. So are rates, since after a restart all
    clients come at once, and rightly.

    Attributes:
        connections: clients at once: WebSockets, event streams, and requests in flight.
        per_address: of those, from one address; IPv6 counts by its /64 network.
        per_principal: of those, of one authenticated principal.
        per_channel: readers of one channel.
        arrivals: new clients a second; POSTs of frames are not counted.
        arrivals_per_address: of those, from one address.
        frames: frames a second from one client. By WebSocket a client is a socket, by POST its
            principal or its address.
        frame_bytes: bytes of frames a second from one client.
        channels: channels in memory. Where there are so many, the one that has been without
            readers for longest is forgotten for a new one.
        log_bytes: payload bytes of all logs together; the largest are trimmed first.
        head_bytes: the head of one request.
        head_timeout: seconds in which the head of a request has to arrive, from the opening of
            the connection or from the head's first byte.
        body_timeout: seconds in which the body has to arrive after the head.
        keep_alive: seconds for which a connection stays open between two requests.
        trusted_proxies: addresses or networks of the proxies in front, whose word on a client's
            address is taken: the rightmost address of `X-Forwarded-For` that is not in the list.
            Empty: what the environment's `FORWARDED_ALLOW_IPS` lists, else 127.0.0.1 alone.
        proxy_protocol: whether connections from `trusted_proxies` begin with a header of the PROXY
            protocol, version 1 or 2; one without it is then refused.
    """

    connections: int = 50_000
    per_address: int = 0
    per_principal: int = 0
    per_channel: int = 0
    arrivals: float = 0.0
    arrivals_per_address: float = 0.0
    frames: float = 0.0
    frame_bytes: float = 0.0
    channels: int = 50_000
    log_bytes: int = 1024 * 1024 * 1024
    head_bytes: int = 64 * 1024
    head_timeout: float = 10.0
    body_timeout: float = 60.0
    keep_alive: float = 5.0
    trusted_proxies: tuple[str, ...] = ()
    proxy_protocol: bool = False

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if not isinstance(value, (tuple, bool)) and not 0 <= value < float("inf"):
                raise ValueError(f"{field.name} must be 0 or more")
        for name in ("head_bytes", "head_timeout", "body_timeout", "keep_alive"):
            if not getattr(self, name):
                raise ValueError(f"{name} must be more than 0")
        networks(self.trusted_proxies)
        if self.proxy_protocol and not self.trusted_proxies:
            raise ValueError(
                "proxy_protocol is set, but trusted_proxies is empty; list who sends it"
            )
