"""Which store keeps the logs, by the configuration.

Decides how a channel is written down where it is; the stores decide everything else.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Hashable
from hashlib import sha256

from bridge.history.log import LogOptions
from bridge.history.memory import MemoryStore
from bridge.history.pool import Pool
from bridge.history.sqlite import SqliteStore
from bridge.seams import Meter

EPOCH_BYTES = 6


def new_epoch() -> str:
    """A fresh epoch, of letters and digits."""
    return secrets.token_hex(EPOCH_BYTES)


def store_of(options: LogOptions, most: int, meter: Meter) -> MemoryStore | SqliteStore:
    """The store that `options.persist` names; it is not started yet.

    Args:
        options: how much is kept, and where.
        most: bytes that all logs may hold together; 0 is any amount.
        meter: counts commits, and bytes that were given up.
    """

    def reclaimed(size: int) -> None:
        meter.count("logs_reclaimed", size)

    pool = Pool(most, reclaimed)
    if options.persist == "memory":
        return MemoryStore(options, pool)
    return SqliteStore(
        options,
        identify=identity,
        new_epoch=new_epoch,
        clock=time.monotonic,
        wall=time.time,
        pool=pool,
        meter=meter,
    )


def identity(key: Hashable) -> tuple[str, str]:
    """How a channel is written down. A scope may be made of a credential, so only its digest is."""
    scope = getattr(key, "scope", "")
    return str(key), scope and sha256(scope.encode()).hexdigest()
