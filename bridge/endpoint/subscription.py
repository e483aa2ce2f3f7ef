"""One channel on one WebSocket: the outlet between a fan-out and a conversation.

Decides only whether a batch goes to the wire as it is or entry by entry, for a client that is told
more than payloads.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from bridge.endpoint.batch import Batch, Form
from bridge.endpoint.fanout import Fanout
from bridge.history.log import Gap
from bridge.wire.endings import Ending
from bridge.wire.event import CURSOR
from bridge.wire.names import ChannelName

if TYPE_CHECKING:  # the conversation makes its subscriptions
    from bridge.endpoint.conversation import Conversation


class Subscription:
    """An `Outlet` (see `bridge.endpoint.reader`).

    Args:
        conversation: whose socket is written to.
        name: the channel.
        fanout: where it is read; held until the subscription is left.
        chatty: whether the client is told of holes or places, not of payloads alone.
    """

    __slots__ = ("_conversation", "fanout", "form", "name", "write")

    def __init__(
        self, conversation: Conversation, name: ChannelName, fanout: Fanout, *, chatty: bool
    ) -> None:
        self._conversation, self.name, self.fanout = conversation, name, fanout
        wire = conversation.wire
        self.form = Form.ENTRIES if chatty else wire.form
        self.write: Callable[[object], None] = self._tell if chatty else wire.write

    def gap(self, gap: Gap) -> None:
        """Tell of a hole, where the client wants to know."""
        self._conversation.tell_gap(self.name, gap.data)

    def end(self, ending: Ending, reason: str) -> None:
        """The channel is over."""
        self._conversation.ended(self.name, ending, reason)

    def abort(self) -> None:
        """Drop the whole connection."""
        self._conversation.wire.abort()

    def _tell(self, made: object) -> None:
        if not isinstance(made, Batch):
            return
        for entry in made.entries:
            if entry.event.is_notice:
                self._conversation.tell_gap(self.name, str(entry.event.data))
            for payload in made.payloads(entry):
                self._conversation.wire.deliver(payload)
        self._conversation.notify(CURSOR, self.name, id=str(made.cursor))
