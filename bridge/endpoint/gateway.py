"""What every endpoint shares: the hub, the rules for names, the options for clients.

Decides which channel a request means and how long a client should stay away; never reads a
request's body and never sends.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache

from starlette.datastructures import QueryParams
from starlette.types import Scope

from bridge.endpoint.auth import Guard
from bridge.endpoint.budget import Budget, Refused, Seat
from bridge.endpoint.fallback import Fallback
from bridge.endpoint.limits import LimitOptions
from bridge.endpoint.options import ClientOptions
from bridge.errors import InvalidChannel
from bridge.hub.channel import ChannelKey
from bridge.hub.hub import Hub
from bridge.seams import Meter
from bridge.wire.alias import Aliases
from bridge.wire.endings import TOO_BIG, TRY_LATER, Ending
from bridge.wire.names import ChannelName, served
from bridge.wire.routes import RouteOptions, channel_of

RETURN_AFTER = (1000, 5000)
"""Bounds of the random delay, in milliseconds, for clients that are asked to come back."""

_LONGEST_WAIT = 60_000
"""The longest delay, in milliseconds, that a client over its rate is told."""

KEPT = 1024
"""Paths whose channels are remembered: clients of one channel come by the same one."""

Place = tuple[tuple[str, object], ...]
"""A path's parameters."""

NO_QUERY = QueryParams()


def query_of(scope: Scope) -> QueryParams:
    """A request's query, which costs nothing where there is none."""
    return QueryParams(scope["query_string"]) if scope["query_string"] else NO_QUERY


RESTARTS = "the bridge restarts"
"""What clients are told while the bridge drains."""


def label(ending: Ending) -> str:
    """An ending's name as a metric's label: applications' own codes are too many for one each."""
    return "close" if ending.name.startswith("close-") else ending.name


@dataclass(frozen=True, slots=True)
class Gateway:
    """Shared by all endpoints of one application.

    Attributes:
        hub: the channels.
        options: how sessions are treated.
        meter: counts.
        random: uniform in [0, 1), for the delays of returning clients.
        aliases: other names of channels.
        patterns: the channels that are served; anything else is not found.
        guards: let clients in, by the name that a route gives; the empty one serves all others.
        budget: what clients may use up.
        clock: seconds, monotonic.
        fallback: notes the clients whose connections are not taken over.
    """

    hub: Hub
    options: ClientOptions
    meter: Meter
    random: Callable[[], float]
    aliases: Aliases
    patterns: Sequence[str] = ("*",)
    guards: Mapping[str, Guard] = field(default_factory=lambda: {"": Guard()})
    budget: Budget = field(default_factory=lambda: Budget(LimitOptions()))
    clock: Callable[[], float] = time.monotonic
    fallback: Fallback = field(init=False)
    _named: Callable[[RouteOptions, Place], ChannelName | None] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        fallback = Fallback(self.meter, wanted=self.options.fast_path)
        object.__setattr__(self, "fallback", fallback)
        object.__setattr__(self, "_named", lru_cache(KEPT)(self._name_of))

    def guard_of(self, name: str) -> Guard:
        """Who lets clients of a route in."""
        return self.guards[name]

    def admit(self, name: ChannelName) -> ChannelName:
        """The canonical name of a channel that is served here.

        Raises:
            InvalidChannel: where none is.
        """
        canonical = self.aliases.canonical(name)
        if not served(canonical, self.patterns):
            raise InvalidChannel("no such channel is served here")
        return canonical

    def name_of(
        self, route: RouteOptions, path: Mapping[str, object], query: QueryParams
    ) -> ChannelName | None:
        """The channel of a request: by its path, else by `fileId`, `projectId` or `userId`.

        None where neither names one.

        Raises:
            InvalidChannel: a name breaks the grammar or is not served here.
        """
        found = self._named(route, tuple(path.items()))
        if found:
            return found
        name = self.aliases.from_fields(query)
        return self.admit(name) if name else None

    def _name_of(self, route: RouteOptions, place: Place) -> ChannelName | None:
        name = channel_of(route, dict(place))
        return self.admit(name) if name else None

    @contextmanager
    def seated(self, scope: Scope, *, lasting: bool = True) -> Iterator[Seat | Refused]:
        """A client's seat, for the length of the block unless it is kept; or why it gets none.

        Taken before anybody asks who the client is, since asking costs too; `Seat.name` says it.

        Args:
            scope: of the client's request.
            lasting: see `Budget.enter`.
        """
        client = scope.get("client")
        address = client[0] if client else ""
        seat = self.budget.enter(address, "", self.clock(), lasting=lasting)
        try:
            yield seat
        finally:
            if isinstance(seat, Seat) and not seat.kept:
                seat.release()

    def full(self, key: ChannelKey) -> tuple[Ending, str] | None:
        """As `over`, where a channel takes no further reader. Asked right before it is joined."""
        limit = self.budget.options.per_channel
        if limit and self.hub.readers(key) >= limit:
            return self.over(Refused("channel"))
        return None if self.hub.make_room(key) else self.over(Refused("channels"))

    def too_much(self, seat: Seat, size: int) -> tuple[Ending, str] | None:
        """As `over`, where a frame is too large or its client sends too many."""
        limit = self.options.max_frame_bytes
        if size > limit:
            return TOO_BIG, f"a frame exceeds {limit} bytes"
        refused = seat.frame(size, self.clock())
        return self.over(refused) if refused else None

    def over(self, refused: Refused) -> tuple[Ending, str]:
        """What a client over a limit is told, which is counted: when to come back, and why."""
        self.meter.count("clients_refused", reason=refused.reason)
        if refused.wait is None:
            return self.delayed(TRY_LATER), refused.why
        # later at random, so that all who are refused now are not refused together again
        wait = refused.wait * 1000 * (1 + self.random())
        return TRY_LATER.after(math.ceil(min(wait, _LONGEST_WAIT))), refused.why

    def delayed(self, ending: Ending) -> Ending:
        """The ending with a random delay, where it has none and the client should come back.

        Many clients that are sent away together so do not come back together.
        """
        if not ending.reconnect or ending.delay is not None:
            return ending
        low, high = RETURN_AFTER
        return ending.after(low + int(self.random() * (high - low)))

    def opened(self, wire: str) -> None:
        """Count a client that has come."""
        self.meter.count("clients_opened", wire=wire)
        self.meter.gauge("clients", 1, wire=wire)

    def gone(self, wire: str) -> None:
        """Count a client that has left; once for each `opened`."""
        self.meter.gauge("clients", -1, wire=wire)
