"""Waiting for a condition instead of sleeping for a time."""

from collections.abc import Callable

import anyio


async def until(condition: Callable[[], object], *, within: float = 10.0) -> None:
    """Return once `condition()` is true; fail the test after `within` seconds."""
    with anyio.fail_after(within):
        while not condition():  # noqa: ASYNC110 - a condition over foreign state has no event
            await anyio.sleep(0.005)
