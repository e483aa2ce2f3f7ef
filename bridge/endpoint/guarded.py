"""A conversation with a client whose rights are limited.

Decides that nothing is delivered or carried before the client has shown who it is, that each
channel is judged when it is asked for, each frame for the backend before it is carried, and
that the conversation ends with the credential. While the guard has to ask somebody, the client's
frames wait in their order and it is read no further.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from functools import partial

from bridge.endpoint.budget import Seat
from bridge.endpoint.carrier import Permit
from bridge.endpoint.conversation import Conversation
from bridge.endpoint.grant import EXPIRED, MISSING, NOT_TO_SEND, Grant, Refusal, Verdict
from bridge.endpoint.talk import Talk, Wire
from bridge.endpoint.visit import Visit
from bridge.endpoint.wheel import cancel
from bridge.hub.channel import ChannelKey
from bridge.wire.dialect import Authenticate, Ignore, Meaning, Reply, Subscribe
from bridge.wire.endings import POLICY, UNAUTHORIZED
from bridge.wire.frame import Frame
from bridge.wire.names import ChannelName

NOT_IN_TIME = "no credential came in time"
OTHER = "the credential is another principal's"


class GuardedConversation(Conversation):
    """One accepted socket of a client that may not do everything.

    Args:
        talk: what all share.
        wire: the socket.
        name: the path's channel, None where it names none.
        seat: see `Conversation`.
        visit: what the client may.
        notices: see `Conversation`.
    """

    __slots__ = ("_held", "_place", "_visit")

    def __init__(
        self,
        talk: Talk,
        wire: Wire,
        name: ChannelName | None,
        seat: Seat,
        visit: Visit,
        *,
        notices: bool = False,
    ) -> None:
        super().__init__(talk, wire, name, seat, notices=notices)
        self._visit = visit
        self._held: deque[Frame] | None = None  # frames that wait while the guard asks
        self._place: str | None = None

    def open(self, place: str | None) -> None:
        """Begin as `Conversation.open`, or wait for the frame that says who this is."""
        self._place = place
        if not self._visit.waiting:
            self._expire()
            super().open(place)
            return
        due = self._talk.wheel.clock() + self._visit.patience
        self.expire_at(due, UNAUTHORIZED, NOT_IN_TIME)

    def hear(self, frame: Frame) -> None:
        """Do what a frame asks for, after those before it."""
        if self._held is None:
            super().hear(frame)
            return
        self._held.append(frame)
        if len(self._held) > self._talk.gateway.options.uplink_queue and not self._over:
            self._close(POLICY, "too many frames before an answer")

    def over(self) -> None:
        """Nothing more is to be said."""
        if self._held:
            self._held.clear()
        super().over()

    def _obey(self, meaning: Meaning) -> None:
        if isinstance(meaning, Authenticate) and self._visit.by_frame:
            self._on_shown(meaning)
        elif self._visit.waiting and not isinstance(meaning, Reply | Ignore):
            self._close(MISSING.ending, MISSING.reason)
        else:
            super()._obey(meaning)

    def _on_shown(self, shown: Authenticate) -> None:
        """The first token opens the conversation, a later one of the same principal prolongs it."""
        known = self._visit.grant
        names = [self._name] if self._name else []
        verdict = self._visit.show(shown.token, [*names, *(set(self.readers) - set(names))])
        self._when_known(verdict, partial(self._shown, shown.reply, known))

    def _shown(self, reply: str | None, known: Grant | None, verdict: Verdict) -> None:
        if isinstance(verdict, Refusal):
            self._close(self._talk.gateway.delayed(verdict.ending), verdict.reason)
        elif not known and (full := self.seat.name(verdict.principal)):
            self._close(*self._talk.gateway.over(full))
        elif known and (known.principal, known.scope) != (verdict.principal, verdict.scope):
            self._close(UNAUTHORIZED, OTHER)
        else:
            self._say(reply)
            self._expire()
            if known is None:
                super().open(self._place)

    def _begin_all(self, names: Sequence[ChannelName], wish: Subscribe) -> None:
        self._when_known(self._visit.judge(names), partial(self._judged, names, wish))

    def _judged(self, names: Sequence[ChannelName], wish: Subscribe, verdict: Verdict) -> None:
        if isinstance(verdict, Refusal):
            self._refuse(verdict.ending, verdict.reason)
        else:
            self._expire()
            super()._begin_all(names, wish)

    def _carry(self, name: ChannelName, frame: Frame, permit: Permit | None = None) -> None:
        if self._visit.grant_of(name).may_send(name):
            super()._carry(name, frame, permit or self._visit.permit(name))
        else:
            self._refuse(NOT_TO_SEND.ending, NOT_TO_SEND.reason)

    def _key(self, name: ChannelName) -> ChannelKey:
        return self._visit.key(name)

    def _expire(self) -> None:
        """End with the credential."""
        end = self._visit.expires_at
        if end is None:
            cancel(self._expiry)
        else:
            self.expire_at(end, UNAUTHORIZED, EXPIRED)

    def _when_known(
        self, verdict: Verdict | Awaitable[Verdict], then: Callable[[Verdict], None]
    ) -> None:
        if isinstance(verdict, Grant | Refusal):
            then(verdict)
            return
        self._held = deque()
        self.wire.listen(wanted=False)
        self._talk.background.spawn(self._wait(verdict, then))

    async def _wait(self, asked: Awaitable[Verdict], then: Callable[[Verdict], None]) -> None:
        verdict = await asked
        held, self._held = self._held or deque(), None
        if self._over:
            return
        self.wire.listen(wanted=True)
        then(verdict)
        for frame in held:  # one of them may have to be asked about as well
            self.hear(frame)
