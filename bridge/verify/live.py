"""Compares live backends on some channels, for some time.

Decides when it is over and how often the look of it is renewed; never prints.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import anyio

from bridge.config import Config
from bridge.errors import ConfigError
from bridge.parity.comparison import Comparison, Statistics
from bridge.parity.observation import Side
from bridge.parity.report import Report
from bridge.verify.taps import Taps, sides_of, tapping
from bridge.wire.names import ChannelName

LOOK = 0.2
"""Seconds between two looks."""


@dataclass(frozen=True, slots=True)
class Look:
    """How a live comparison stands.

    Attributes:
        elapsed: seconds since it began.
        statistics: what was counted.
        troubles: a line for each subscription that is not open.
    """

    elapsed: float
    statistics: Statistics
    troubles: tuple[str, ...]


async def verify(
    config: Config,
    channels: Sequence[ChannelName],
    comparison: Comparison,
    *,
    seconds: float | None = None,
    count: int | None = None,
    control: bool = True,
    is_over: Callable[[], bool] = lambda: False,
    show: Callable[[Look], object] = lambda _: None,
) -> Report:
    """Listen to both backends and compare until the time or the backends are over.

    Args:
        config: both backends.
        channels: what to compare.
        comparison: a fresh one.
        seconds: for how long; None for no limit.
        count: until each side said so many messages; None for no limit.
        control: whether to listen to the legacy backend twice, to learn what differs by nature.
        is_over: asked several times a second.
        show: gets a look as often.

    Raises:
        ConfigError: one of the backends is not configured.
    """
    sides: list[Side] = list(sides_of(config))
    if len(sides) < 2:
        remedy = "give both --ws-upstream URL and --sse-upstream URL"
        raise ConfigError("upstream", "a comparison needs both backends", remedy)
    if control:
        sides.append(Side.CONTROL)
    began = time.monotonic()

    def clock() -> float:
        return time.monotonic() - began

    def is_done() -> bool:
        return is_over() or (count is not None and _least(taps, sides) >= count)

    async with tapping(config, channels, sides, comparison.take, clock) as taps:
        await _listen(taps, comparison, clock, seconds, is_done, show)
    comparison.close()
    report, troubles = comparison.report(), taps.troubles()
    return replace(
        report,
        channels=report.channels or tuple(name.text for name in channels),
        notes=(*(config.mask(each) for each in troubles), *report.notes),
    )


async def _listen(
    taps: Taps,
    comparison: Comparison,
    clock: Callable[[], float],
    seconds: float | None,
    is_over: Callable[[], bool],
    show: Callable[[Look], object],
) -> None:
    async def watch() -> None:
        while not is_over():
            comparison.advance(clock())
            show(Look(clock(), comparison.statistics(), taps.troubles()))
            await anyio.sleep(LOOK)
        tasks.cancel_scope.cancel()

    with anyio.move_on_after(seconds):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(watch)
            await taps.run()
            tasks.cancel_scope.cancel()


def _least(taps: Taps, sides: Sequence[Side]) -> int:
    """How many messages the side that said least has said, over all channels."""
    return min(sum(tap.messages for tap in taps.taps if tap.side is side) for side in sides)
