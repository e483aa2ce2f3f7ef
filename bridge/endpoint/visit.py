"""One WebSocket client as the guard knows it: what it shows, and what that grants.

Decides what of a socket's wishes is granted; never sends, and closes nothing. A socket outlives its
handshake, so each channel that it asks for later is judged by the credential that it showed.
"""

from __future__ import annotations

from collections.abc import Awaitable, Mapping, Sequence
from functools import partial

from starlette.requests import HTTPConnection

from bridge.endpoint.auth import Guard
from bridge.endpoint.carrier import Permit
from bridge.endpoint.credentials import NOTHING, Credential, bearer
from bridge.endpoint.grant import ANYONE, INVALID, Grant, Refusal, Verdict
from bridge.endpoint.judges import Deferred
from bridge.hub.channel import ChannelKey
from bridge.wire.names import ChannelName


class Visit:
    """A client's standing.

    Args:
        guard: judges.
        credential: what the client showed.
        grant: what that grants; None until the client has shown something in a frame.

    Attributes:
        grant: as given, then what the last frame that authenticated brought.
    """

    __slots__ = ("_credential", "_grants", "_guard", "grant")

    def __init__(self, guard: Guard, credential: Credential, grant: Grant | None) -> None:
        self._guard, self._credential, self.grant = guard, credential, grant
        self._grants: dict[ChannelName, Grant] = {}  # where they differ from channel to channel

    @property
    def waiting(self) -> bool:
        """Whether the client has still to show who it is."""
        return self.grant is None

    @property
    def by_frame(self) -> bool:
        """Whether a frame may show it."""
        options = self._guard.options
        return options.mode != "none" and "frame" in options.ways

    @property
    def patience(self) -> float:
        """Seconds in which it has to."""
        return self._guard.options.frame_timeout

    @property
    def principal(self) -> str:
        """Who it is; empty while nobody knows."""
        return self.grant.principal if self.grant else ""

    def grant_of(self, name: ChannelName) -> Grant:
        """What it may at a channel that it was admitted to."""
        return self._grants.get(name) or self.grant or ANYONE

    @property
    def expires_at(self) -> float | None:
        """When the first of its grants ends, by the wheel's clock; None for never."""
        grants = [*self._grants.values(), *([self.grant] if self.grant else [])]
        return min(
            (each.expires_at for each in grants if each.expires_at is not None), default=None
        )

    def key(self, name: ChannelName) -> ChannelKey:
        """The log that it reads."""
        return self.grant_of(name).key(name)

    def permit(self, name: ChannelName) -> Permit | None:
        """What allows each frame to a channel; None where the grant for reading says it all."""
        return partial(self._may_send, name) if self._guard.options.mode == "forward" else None

    async def _may_send(self, name: ChannelName) -> Refusal | None:
        asked = self._guard.judge(self._credential, name, sends=True)
        verdict = await self._guard.settle(asked)
        return verdict if isinstance(verdict, Refusal) else None

    def judge(self, names: Sequence[ChannelName]) -> Verdict | Awaitable[Verdict]:
        """Whether it may read all of these: the first refusal, else a grant."""
        return self._judge(self._credential, names)

    def show(self, token: str, names: Sequence[ChannelName]) -> Verdict | Awaitable[Verdict]:
        """Whether a token that came in a frame lets it read all of these; it counts if so."""
        credential = bearer(token, "frame")
        if credential is NOTHING:
            return INVALID
        return self._judge(credential, names)

    def _judge(
        self, credential: Credential, names: Sequence[ChannelName]
    ) -> Verdict | Awaitable[Verdict]:
        asked = {name: self._guard.judge(credential, name) for name in names or (None,)}
        known = {
            name: verdict for name, verdict in asked.items() if isinstance(verdict, Grant | Refusal)
        }
        if len(known) < len(asked):
            return self._later(credential, asked)
        return self._fold(credential, known)

    async def _later(
        self, credential: Credential, asked: Mapping[ChannelName | None, Verdict | Deferred]
    ) -> Verdict:
        known = {name: await self._guard.settle(verdict) for name, verdict in asked.items()}
        return self._fold(credential, known)

    def _fold(
        self, credential: Credential, verdicts: Mapping[ChannelName | None, Verdict]
    ) -> Verdict:
        """All or nothing: the first refusal, else a grant, which counts from now on."""
        grants: dict[ChannelName | None, Grant] = {}
        for name, verdict in verdicts.items():
            if isinstance(verdict, Refusal):
                return verdict
            grants[name] = verdict
        return self._note(credential, grants)

    def _note(self, credential: Credential, verdicts: dict[ChannelName | None, Grant]) -> Grant:
        if credential is not self._credential:
            self._credential = credential
            self._grants.clear()
        for name, grant in verdicts.items():
            if name is not None:
                self._grants[name] = grant
        self.grant = next(iter(verdicts.values()))
        return self.grant


async def visit(
    guard: Guard, connection: HTTPConnection, name: ChannelName | None
) -> Visit | Refusal:
    """Let a WebSocket client in, or not; one that may show a token in a frame waits for that."""
    credential = guard.read(connection.scope)
    if isinstance(credential, Refusal):
        return credential
    made = Visit(guard, credential, None)
    if made.by_frame and not credential.authorization and not credential.cookies:
        return made
    verdict = made.judge([name] if name else [])
    known = verdict if isinstance(verdict, Grant | Refusal) else await verdict
    return known if isinstance(known, Refusal) else made
