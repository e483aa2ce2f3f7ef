"""Says that clients are served by the portable way, where that happens.

Decides only that it is said once in the log, since it is the same for all clients of a server, and
counted for each in `clients_stepped`.
"""

from __future__ import annotations

import structlog

from bridge.seams import Meter

NOT_OFFERED = "the server does not offer its connections"
SWITCHED_OFF = "client.fast_path is off"


class Fallback:
    """Notes clients that are not taken over.

    Args:
        meter: counts.
        wanted: whether taking over is configured at all.
    """

    def __init__(self, meter: Meter, *, wanted: bool) -> None:
        self._meter, self._reason = meter, NOT_OFFERED if wanted else SWITCHED_OFF
        self._said = False

    def note(self, wire: str, *, offered: bool) -> None:
        """Count a client that is served by the server's own `send`.

        Args:
            wire: `ws` or `sse`.
            offered: whether its connection could have been taken, but for something that it did.
        """
        self._meter.count("clients_stepped", wire=wire)
        if not (offered or self._said):
            self._said = True
            log = structlog.get_logger("bridge.endpoint")
            log.info("clients are served without taking connections over", reason=self._reason)
