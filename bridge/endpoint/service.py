"""What all fan-outs of one bridge share: options, counts, time and the hub.

Decides nothing; it is handed down so that a fan-out reaches for nothing by itself.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from bridge.endpoint.options import ClientOptions
from bridge.endpoint.outgoing import Outgoing
from bridge.endpoint.wheel import Wheel
from bridge.hub.hub import Hub
from bridge.seams import Meter
from bridge.wire.endings import Ending


@dataclass(frozen=True, slots=True)
class Service:
    """What all fan-outs of one bridge share.

    Attributes:
        hub: opens channels, and says whether it drains.
        options: heartbeat, send timeout and batch.
        meter: counts.
        wheel: heartbeats and deadlines.
        call_soon: runs a call in the event loop's next turn.
        outgoing: the WebSocket frames of an event.
        delayed: an ending with a delay for returning clients.
        slice: clients that are served in one turn of the event loop, so that a large fan-out never
            starves a handshake.
    """

    hub: Hub
    options: ClientOptions
    meter: Meter
    wheel: Wheel
    call_soon: Callable[..., object]
    outgoing: Outgoing
    delayed: Callable[[Ending], Ending]
    slice: int = 256
