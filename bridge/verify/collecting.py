"""How often garbage is collected while recordings are compared.

Decides that and nothing else. A comparison makes millions of objects that are soon free without
the collector, and looking through those that are still waiting costs a sixth of its time.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

SELDOM = (50_000, 50, 100)
"""See `gc.set_threshold`: by how many new objects, and then by how many rounds of the younger."""


@contextmanager
def seldom_collected() -> Iterator[None]:
    """Collect seldom inside the block, and as before after it."""
    before = gc.get_threshold()
    gc.set_threshold(*SELDOM)
    try:
        yield
    finally:
        gc.set_threshold(*before)
