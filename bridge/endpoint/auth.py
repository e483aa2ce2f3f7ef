"""Who a client is and what it may: the one gate that every endpoint asks.

Decides the order: the page's origin, then the credential, then the channel, by its canonical name.
What is not known to be allowed is refused, and nothing goes upstream for a client that is. What a
credential grants is the mode's business (`bridge.endpoint.judges`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from starlette.requests import HTTPConnection

from bridge.endpoint.auth_options import AuthOptions
from bridge.endpoint.credentials import NOTHING, TICKET, Credential, Names, first_of, head_of
from bridge.endpoint.grant import (
    FOREIGN,
    INVALID,
    NOT_TO_SEND,
    SPENT,
    Grant,
    Refusal,
    Verdict,
)
from bridge.endpoint.judges import Anyone, Deferred, Judge
from bridge.endpoint.origin import Origins, Page
from bridge.endpoint.tickets import Tickets
from bridge.seams import Meter, Unmetered
from bridge.wire.names import ChannelName

MAX_CREDENTIAL = 16 * 1024
"""Characters of a credential; a longer one is refused unread."""


class Guard:
    """Lets clients in, or not.

    Args:
        options: how credentials come.
        judge: the mode.
        origins: the pages that are let in.
        meter: counts `auth_refused` by reason.
        tickets: those that stand for credentials; None where there are none.

    Attributes:
        options: as given.
        tickets: as given.
    """

    def __init__(
        self,
        options: AuthOptions | None = None,
        judge: Judge | None = None,
        origins: Origins | None = None,
        meter: Meter | None = None,
        tickets: Tickets | None = None,
    ) -> None:
        self.options, self.tickets = options or AuthOptions(), tickets
        self._judge, self._origins = judge or Anyone(), origins or Origins()
        self._meter = meter or Unmetered()
        ways = frozenset(self.options.ways)
        self._names = Names(ways, self.options.cookie, self.options.query)

    @property
    def is_open(self) -> bool:
        """Whether it lets anyone in."""
        return self.options.mode == "none"

    async def admit(
        self, connection: HTTPConnection, name: ChannelName | None, *, sends: bool = False
    ) -> Verdict:
        """Whether a request may use a channel, or be here at all where it names none.

        Args:
            connection: not answered yet; a credential in its query is taken out of its scope.
            name: the channel, canonical.
            sends: whether it is to send.
        """
        credential = self.read(connection.scope)
        if isinstance(credential, Refusal):
            return credential
        return await self.settle(self.judge(credential, name, sends=sends))

    def read(self, scope: Any) -> Credential | Refusal:  # noqa: ANN401 - an ASGI scope
        """The credential that a request shows and may use, by the page that it comes from."""
        head = head_of(scope)
        page = page_of(scope, head)
        if not self._origins.admit(page):
            return self._refused(FOREIGN)
        if self.is_open:
            return NOTHING
        credential = self._shown(scope, head)
        if isinstance(credential, Refusal):
            return self._refused(credential)
        # a ticket's cookies were shown, and judged, when it was issued
        shown = credential.cookies and credential.way != "ticket"
        if shown and not self._origins.admit_cookies(page):
            if credential.way == "cookie":
                return self._refused(FOREIGN)
            credential = replace(credential, cookies="")
        return credential

    def judge(
        self, credential: Credential, name: ChannelName | None, *, sends: bool = False
    ) -> Verdict | Deferred:
        """What a credential grants, at once or later; see `Judge.judge`."""
        verdict = self._judge.judge(credential, name, sends=sends)
        if not isinstance(verdict, Grant | Refusal):
            return self._later(verdict, name, sends=sends)
        return self._final(verdict, name, sends=sends)

    async def settle(self, verdict: Verdict | Deferred) -> Verdict:
        """The verdict, waited for where it has to be asked."""
        return verdict if isinstance(verdict, Grant | Refusal) else await verdict

    async def _later(self, asked: Deferred, name: ChannelName | None, *, sends: bool) -> Verdict:
        return self._final(await asked, name, sends=sends)

    def _final(self, verdict: Verdict, name: ChannelName | None, *, sends: bool) -> Verdict:
        if isinstance(verdict, Refusal):
            return self._refused(verdict)
        if sends and name is not None and not verdict.may_send(name):
            return self._refused(NOT_TO_SEND)
        return verdict

    def _refused(self, refusal: Refusal) -> Refusal:
        self._meter.count("auth_refused", reason=refusal.label)
        return refusal

    def _shown(self, scope: Any, head: Mapping[str, str]) -> Credential | Refusal:  # noqa: ANN401
        ticket = first_of(scope["query_string"], TICKET) if scope["query_string"] else ""
        if ticket and self.tickets and "ticket" in self._names.ways:
            self._names.clean(scope)
            return self.tickets.redeem(ticket) or SPENT
        credential = self._names.read(scope, head)
        self._names.clean(scope)
        if len(credential.authorization) + len(credential.cookies) > MAX_CREDENTIAL:
            return replace(INVALID, label="size")
        return credential


def page_of(scope: Mapping[str, Any], head: Mapping[str, str]) -> Page:
    """Where a request comes from."""
    return Page(
        origin=head.get("origin"),
        host=head.get("host", ""),
        site=head.get("sec-fetch-site", ""),
        secure=scope.get("scheme") in ("https", "wss"),
    )
