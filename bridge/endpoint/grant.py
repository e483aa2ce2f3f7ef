"""What an authenticated client may do, and why another one may not.

Decides only by what it holds; who gets which grant is `bridge.endpoint.auth`'s business.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase

from bridge.hub.channel import ChannelKey
from bridge.wire.credential import OwnCredential
from bridge.wire.endings import FORBIDDEN, TRY_LATER, UNAUTHORIZED, Ending
from bridge.wire.names import ChannelName

UNAVAILABLE = replace(TRY_LATER, http=503)
"""Nobody can be asked at present whether the client may; it should come back."""

EXPIRED = "the credential has expired"


@dataclass(frozen=True, slots=True)
class Channels:
    """A set of channel names. Plain names are looked up; only wildcards cost a comparison each.

    Attributes:
        names: those without a wildcard.
        patterns: the others; `*` matches any run of characters.
    """

    names: frozenset[str] = frozenset()
    patterns: tuple[str, ...] = ()

    @classmethod
    def of(cls, patterns: Iterable[str]) -> Channels:
        """Those that match one of `patterns`."""
        given = frozenset(patterns)
        wild = {each for each in given if any(sign in each for sign in "*?[")}
        return cls(given - wild, tuple(sorted(wild)))

    def __contains__(self, name: ChannelName) -> bool:
        return name.text in self.names or any(
            fnmatchcase(name.text, pattern) for pattern in self.patterns
        )


EVERY = Channels.of("*")


@dataclass(frozen=True, slots=True)
class Grant:
    """A client that is let in.

    Attributes:
        principal: stands for who it is in limits and logs, never a secret; empty for anyone.
        reads: the channels that it may read.
        sends: of those, the channels that it may send to.
        expires_at: when its connection ends, in seconds of the wheel's clock; None for never.
        scope: whose streams these are where upstreams are the principal's own, else empty.
        credential: what goes upstream with that scope; never shown.
    """

    principal: str = ""
    reads: Channels = EVERY
    sends: Channels = EVERY
    expires_at: float | None = None
    scope: str = ""
    credential: OwnCredential | None = field(default=None, repr=False, compare=False)

    def may(self, name: ChannelName) -> bool:
        """Whether it may read a channel, by its canonical name."""
        return name in self.reads

    def may_send(self, name: ChannelName) -> bool:
        """Whether it may send to a channel."""
        return name in self.reads and name in self.sends

    def key(self, name: ChannelName) -> ChannelKey:
        """The log that it reads."""
        return ChannelKey(name, self.scope, self.credential)


@dataclass(frozen=True, slots=True)
class Refusal:
    """A client that is not let in.

    Attributes:
        ending: why, for either wire.
        reason: one line for the client; repeats nothing of what it sent.
        label: a word for the counters.
    """

    ending: Ending
    reason: str
    label: str


Verdict = Grant | Refusal

ANYONE = Grant()

MISSING = Refusal(UNAUTHORIZED, "a credential is required", "missing")
INVALID = Refusal(UNAUTHORIZED, "the credential is not valid", "invalid")
SPENT = Refusal(UNAUTHORIZED, "the ticket is unknown, expired or spent", "ticket")
TOO_LATE = Refusal(UNAUTHORIZED, EXPIRED, "expired")
NOT_YOURS = Refusal(FORBIDDEN, "this channel is not yours to read", "channel")
NOT_TO_SEND = Refusal(FORBIDDEN, "you may not send to this channel", "send")
FOREIGN = Refusal(FORBIDDEN, "pages of this origin are not served", "origin")
UNKNOWABLE = Refusal(UNAVAILABLE, "the authorisation cannot be checked now", "unavailable")
