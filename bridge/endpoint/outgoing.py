"""What an event becomes for WebSocket clients, made once however many of them there are.

Decides how much of that is kept; what it is, is the mapping's business. SSE needs none of this: a
log's entry keeps its own bytes.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

from bridge.wire.event import Event
from bridge.wire.names import ChannelName

Outgoing = Callable[[Event, ChannelName], tuple[str | bytes, ...]]
"""The frames that an event becomes for WebSocket clients of a channel."""

KEPT = 512
"""Events that are kept: two batches, since clients at the head read the same one."""

LARGEST = 64 * 1024
"""Larger ones, in characters or bytes, are made anew each time: so what is kept has a bound."""


def remembered(outgoing: Outgoing) -> Outgoing:
    """The same function, asked once for each of the latest events of a moderate size."""
    kept = lru_cache(KEPT)(outgoing)

    def remembering(event: Event, name: ChannelName) -> tuple[str | bytes, ...]:
        return (outgoing if len(event.data) > LARGEST else kept)(event, name)

    return remembering
