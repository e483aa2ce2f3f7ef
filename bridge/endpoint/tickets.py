"""Tickets: what stands for a credential in a URL, once and for a short while.

Decides how long a ticket lives and that it serves one attempt. EventSource cannot send headers, so
a page fetches a ticket by a request that can, and puts it into the stream's URL. A URL ends up in
logs and histories; by the time that anybody reads it there, the ticket is spent.

A ticket holds the credential in memory and grants what that grants at the time of use, in every
mode. It is kept by its digest, so that looking one up tells nothing by its time. A principal has a
share of them, so that none can take the tickets of all.
"""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, replace
from hashlib import sha256

from bridge.endpoint.auth_options import TicketOptions
from bridge.endpoint.credentials import Credential
from bridge.seams import Meter


class Tickets:
    """Unused tickets, in the order of their issue.

    Args:
        options: how many, and for how long.
        clock: monotonic, in seconds.
        random: a new ticket's text, which nobody can guess.
        meter: counts `tickets` by outcome: `issued`, `used`, `refused` or `full`.
    """

    def __init__(
        self,
        options: TicketOptions,
        clock: Callable[[], float],
        random: Callable[[], str],
        meter: Meter,
    ) -> None:
        self.options, self._clock, self._random, self._meter = options, clock, random, meter
        self._unused: OrderedDict[bytes, _Unused] = OrderedDict()
        self._had: Counter[str] = Counter()  # by whose they are

    def issue(self, credential: Credential, principal: str = "") -> str | None:
        """A ticket for a credential; None where too many are unused, in all or of its principal.

        Args:
            credential: good now.
            principal: whose it is; where nobody knows, it is the credential's own.
        """
        self._forget_expired()
        options, holder = self.options, principal or _digest_of(credential)
        if len(self._unused) >= options.most or self._had[holder] >= options.share:
            self._meter.count("tickets", outcome="full")
            return None
        text = self._random()
        due = self._clock() + options.lifetime
        self._unused[_digest(text)] = _Unused(due, credential, holder)
        self._had[holder] += 1
        self._meter.count("tickets", outcome="issued")
        return text

    def redeem(self, text: str) -> Credential | None:
        """The credential that a ticket stands for, once."""
        self._forget_expired()
        found = self._unused.pop(_digest(text), None)
        outcome = "used" if found else "refused"
        self._meter.count("tickets", outcome=outcome)
        if found is None:
            return None
        self._give_back(found.holder)
        return replace(found.credential, way="ticket")

    def _forget_expired(self) -> None:
        now = self._clock()
        while self._unused and next(iter(self._unused.values())).until <= now:
            _, spent = self._unused.popitem(last=False)
            self._give_back(spent.holder)

    def _give_back(self, holder: str) -> None:
        self._had[holder] -= 1
        if not self._had[holder]:
            del self._had[holder]


@dataclass(frozen=True, slots=True)
class _Unused:
    """One ticket: good until `until`, of the share that `holder` has."""

    until: float
    credential: Credential
    holder: str


def _digest(text: str) -> bytes:
    return sha256(text.encode()).digest()


def _digest_of(credential: Credential) -> str:
    return _digest("\n".join((credential.authorization, credential.cookies))).hex()
