"""Which store keeps the logs, by the configuration.

Decides how a channel is written down where it is; the stores decide everything else.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable
from hashlib import sha256

from bridge.history.log import LogOptions
from bridge.history.memory import MemoryStore
from bridge.history.pool import Pool
from bridge.history.sqlite import SqliteStore
from bridge.seams import Meter


def store_of(
    options: LogOptions, new_epoch: Callable[[], str], meter: Meter, pool: Pool | None = None
) -> MemoryStore | SqliteStore:
    """The store that `options.persist` names; it is not started yet.

    Args:
        options: how much is kept, and where.
        new_epoch: a fresh epoch of letters and digits.
        meter: counts commits.
        pool: bounds the bytes of all logs together.
    """
    pool = pool or Pool()
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
