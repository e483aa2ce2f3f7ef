"""A lead with a last resort: a stream that is polled for once it has told no result for long.

Decides when the polling begins and ends (with the stream, and at the first completion, whoever
brought it); which completion is let through is the channel's latch's business.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from bridge.seams import Downstream, Lead
from bridge.upstream.poll import LastResort, PollOptions, PollUpstream
from bridge.upstream.snapshot import SnapshotOptions
from bridge.wire.completion import CompletionOptions, Latch
from bridge.wire.endings import Ending
from bridge.wire.event import Event
from bridge.wire.frame import Frame
from bridge.wire.names import ChannelName, served


def latch_for(
    options: CompletionOptions,
    sources: Sequence[PollOptions | SnapshotOptions],
    name: ChannelName,
) -> Latch | None:
    """A channel's latch, only where a second source could tell a result again.

    It costs a look at each event.
    """
    if options.repeat == "keep" and not any(served(name, each.match) for each in sources):
        return None
    return Latch(options, name)


class PolledLead:
    """A `Lead` to the channel and a `Downstream` to its stream: it stands between the two.

    Args:
        downstream: the channel.
        latch: the channel's latch, which knows whether a completion was told.
        supervise: makes the stream's own lead, writing to this.
        poll: what is asked.
        after: seconds without a completion before it is.
    """

    def __init__(
        self,
        downstream: Downstream,
        latch: Latch,
        supervise: Callable[[Downstream], Lead],
        poll: PollUpstream,
        after: float,
    ) -> None:
        self._downstream, self._latch = downstream, latch
        self._last_resort = LastResort(poll, self.publish, after=after)
        self._lead = supervise(self)

    def start(self) -> None:
        """Start the stream, and the wait for a completion unless there was one."""
        self._lead.start()
        if self._latch.completed_at() is None:
            self._last_resort.start()

    def stop(self) -> None:
        """Stop both."""
        self._last_resort.stop()
        self._lead.stop()

    async def wait_closed(self) -> None:
        """Return once the polling has ended; the stream's own lead is waited for by its owner."""
        await self._last_resort.wait_closed()

    @property
    def resumable(self) -> bool:
        """As the stream itself."""
        return self._lead.resumable

    @property
    def can_send(self) -> bool:
        """Whether the stream's backend takes clients' frames at all."""
        return bool(getattr(self._lead, "can_send", True))

    async def send(self, frame: Frame) -> Ending | None:
        """By the stream's own way."""
        return await self._lead.send(frame)

    @property
    def has_room(self) -> bool:
        """As the channel itself."""
        return bool(getattr(self._downstream, "has_room", True))

    def opened(self) -> None:
        """Pass on."""
        self._downstream.opened()

    def publish(self, events: Sequence[Event]) -> None:
        """Pass on; the first completion ends the polling."""
        self._downstream.publish(events)
        if self._latch.completed_at() is not None:
            self._last_resort.stop()

    def gap(self, reason: str, lost: int | None = None) -> None:
        """Pass on."""
        self._downstream.gap(reason, lost)

    def ended(self, ending: Ending, reason: str = "") -> None:
        """Pass on. Polling goes on: a stream that is over may leave its result behind."""
        self._downstream.ended(ending, reason)
