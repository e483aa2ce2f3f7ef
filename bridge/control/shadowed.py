"""A lead with a shadow: the comparison of a channel lives as long as its lead runs.

Decides nothing else; the lead does all that it did before, first.
"""

from __future__ import annotations

from typing import Protocol

from bridge.hub.channel import Channel
from bridge.seams import Lead
from bridge.wire.endings import Ending
from bridge.wire.frame import Frame


class Companion(Protocol):
    """What begins and ends with a lead: `bridge.control.shadow.Shadow`."""

    def begin(self, channel: Channel) -> None:
        """The lead has started."""

    def end(self, channel: Channel) -> None:
        """The lead has stopped."""


class ShadowedLead:
    """A `bridge.seams.Lead` that takes a companion along.

    Args:
        lead: does the work.
        channel: what it writes to.
        companion: begins and ends with it.
    """

    def __init__(self, lead: Lead, channel: Channel, companion: Companion) -> None:
        self._lead, self._channel, self._companion = lead, channel, companion

    def start(self) -> None:
        """Start the lead, then the companion."""
        self._lead.start()
        self._companion.begin(self._channel)

    def stop(self) -> None:
        """Stop both."""
        self._lead.stop()
        self._companion.end(self._channel)

    @property
    def resumable(self) -> bool:
        """As the lead itself."""
        return self._lead.resumable

    @property
    def can_send(self) -> bool:
        """Whether the lead's backend takes clients' frames at all."""
        return bool(getattr(self._lead, "can_send", True))

    async def send(self, frame: Frame) -> Ending | None:
        """By the lead's own way."""
        return await self._lead.send(frame)
