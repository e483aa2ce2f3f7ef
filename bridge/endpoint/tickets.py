"""Tickets: what stands for a credential in a URL, once and for a short while.

Decides how long a ticket lives and that it serves one attempt. EventSource cannot send headers, so
a page fetches a ticket by a request that can, and puts it into the stream's URL. A URL ends up in
logs and histories; by the time that anybody reads it there, the ticket is spent.

A ticket holds the credential in memory and grants what that grants at the time of use, in every
mode. It is kept by its digest, so that looking one up tells nothing by its time.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import replace
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
        self._unused: OrderedDict[bytes, tuple[float, Credential]] = OrderedDict()

    def issue(self, credential: Credential) -> str | None:
        """A ticket for a credential; None where too many are unused."""
        self._forget_expired()
        if len(self._unused) >= self.options.most:
            self._meter.count("tickets", outcome="full")
            return None
        text = self._random()
        self._unused[_digest(text)] = self._clock() + self.options.lifetime, credential
        self._meter.count("tickets", outcome="issued")
        return text

    def redeem(self, text: str) -> Credential | None:
        """The credential that a ticket stands for, once."""
        self._forget_expired()
        found = self._unused.pop(_digest(text), None)
        outcome = "used" if found else "refused"
        self._meter.count("tickets", outcome=outcome)
        return replace(found[1], way="ticket") if found else None

    def _forget_expired(self) -> None:
        now = self._clock()
        while self._unused and next(iter(self._unused.values()))[0] <= now:
            self._unused.popitem(last=False)


def _digest(text: str) -> bytes:
    return sha256(text.encode()).digest()
