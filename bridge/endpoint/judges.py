"""The modes of authentication that need nobody else: anyone, tokens, the client's own credential.

Decides what a credential grants. `bridge.endpoint.forward` has the mode that asks a backend.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Protocol

from bridge.endpoint.auth_options import PassthroughOptions
from bridge.endpoint.credentials import Credential
from bridge.endpoint.grant import (
    ANYONE,
    INVALID,
    MISSING,
    NOT_YOURS,
    UNKNOWABLE,
    Grant,
    Refusal,
    Verdict,
)
from bridge.endpoint.tokens import SIGNATURE, UNKNOWN_KEY, Tokens
from bridge.wire.credential import OwnCredential
from bridge.wire.names import ChannelName

Deferred = Awaitable[Verdict]


class Judge(Protocol):
    """One mode."""

    def judge(
        self, credential: Credential, name: ChannelName | None, /, *, sends: bool = False
    ) -> Verdict | Deferred:
        """What a credential grants: at once, or later where that has to be asked.

        Args:
            credential: what the client shows; any that it may not use is left out.
            name: the channel, canonical; None where none is named yet.
            sends: whether the client wants to send.
        """


class Keys(Protocol):
    """Where a token's keys come from."""

    @property
    def usable(self) -> bool:
        """Whether the keys at hand may still be relied on."""

    @property
    def certain(self) -> bool:
        """Whether the last attempt to have them succeeded, so that what it lacks is not there."""

    def ask(self) -> Awaitable[None] | None:
        """A fetch that runs or begins; None where it is too early for another one."""


class Anyone:
    """The mode `none`."""

    def judge(
        self,
        credential: Credential,  # noqa: ARG002 - whatever it is
        name: ChannelName | None,  # noqa: ARG002
        /,
        *,
        sends: bool = False,  # noqa: ARG002
    ) -> Verdict:
        """Everyone may do everything."""
        return ANYONE


class ByToken:
    """The mode `jwt`.

    Args:
        tokens: verifies.
        keys: fetches keys; None where they are configured.
    """

    def __init__(self, tokens: Tokens, keys: Keys | None = None) -> None:
        self._tokens, self._keys = tokens, keys

    def judge(
        self,
        credential: Credential,
        name: ChannelName | None,
        /,
        *,
        sends: bool = False,  # noqa: ARG002 - the grant says it
    ) -> Verdict | Deferred:
        """At once, unless the token's key may have been published meanwhile."""
        if not credential.token:
            return INVALID if credential.authorization else MISSING
        keys = self._keys
        if keys is not None and not keys.usable:
            asked = keys.ask()
            return UNKNOWABLE if asked is None else self._later(asked, credential, name)
        verdict = self._tokens.verify(credential.token)
        if keys is not None and _may_be_new(verdict):
            asked = keys.ask()
            if asked is not None:
                return self._later(asked, credential, name)
        return self._final(verdict, name)

    async def _later(
        self, asked: Awaitable[None], credential: Credential, name: ChannelName | None
    ) -> Verdict:
        await asked
        if self._keys is not None and not self._keys.usable:
            return UNKNOWABLE
        return self._final(self._tokens.verify(credential.token), name)

    def _final(self, verdict: Verdict, name: ChannelName | None) -> Verdict:
        """What is not known counts as refused only where the keys are certain."""
        if self._keys is not None and not self._keys.certain and _may_be_new(verdict):
            return UNKNOWABLE
        return _within(verdict, name)


class ByCredential:
    """The mode `passthrough`: the backend is to judge, by a stream of this client's own.

    Args:
        named: makes of a credential the name of its scope, from which nobody can tell it.
        places: where the credential goes in requests to the backend.
    """

    def __init__(self, named: Callable[[str], str], places: PassthroughOptions) -> None:
        self._named, self._places = named, places

    def judge(
        self,
        credential: Credential,
        name: ChannelName | None,  # noqa: ARG002 - the backend's business
        /,
        *,
        sends: bool = False,  # noqa: ARG002
    ) -> Verdict:
        """Whoever shows anything may ask the backend by it."""
        shown = credential.authorization
        if not shown:
            return MISSING
        own = OwnCredential(shown, self._places.header, self._places.query)
        scope = self._named("\n".join((own.header.lower(), own.query, shown)))
        return Grant(scope, scope=scope, credential=own)


def _may_be_new(verdict: Verdict) -> bool:
    """Whether another set of keys could say otherwise.

    A key that takes the name of another one, or that has none as the other had, shows itself by
    signatures that do not hold.
    """
    return verdict is UNKNOWN_KEY or (isinstance(verdict, Refusal) and verdict.label == SIGNATURE)


def _within(verdict: Verdict, name: ChannelName | None) -> Verdict:
    """The verdict for one channel."""
    if isinstance(verdict, Grant) and name is not None and not verdict.may(name):
        return NOT_YOURS
    return verdict
