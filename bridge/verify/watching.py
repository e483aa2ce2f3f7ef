"""Listens to two backends from ordinary code: a thread of its own, and a list of what it saw.

Decides when both are listened to, and when enough was heard.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Self

import anyio

from bridge.config import Config
from bridge.errors import ConfigError
from bridge.parity.observation import Observation, Side, Sight
from bridge.verify.taps import Taps, sides_of, tapping
from bridge.wire.names import ChannelName

LOOK = 0.02
"""Seconds between two looks."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to listen; in seconds.

    Attributes:
        opening: for both backends to answer.
        most: for all messages to come.
        quiet: without any message, after which a stream counts as told.
        messages: so many of each side are waited for.
    """

    opening: float = 10.0
    most: float = 30.0
    quiet: float = 1.0
    messages: int = 1


class Watching:
    """Taps on both backends of some channels; a context manager, open on both sides within.

    Args:
        config: the backends.
        channels: what to listen to.
        patience: how long.
        control: listen to the legacy backend twice, to learn what differs by nature.
        clock: seconds, monotonic.
    """

    def __init__(
        self,
        config: Config,
        channels: Sequence[ChannelName],
        patience: Patience | None = None,
        *,
        control: bool = False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._config, self._channels = config, channels
        self._patience = patience or Patience()
        self._sides = [*sides_of(config), *([Side.CONTROL] if control else [])]
        if Side.LEGACY not in self._sides or Side.CANDIDATE not in self._sides:
            raise ConfigError("upstream", "parity takes two backends", "give both URLs")
        self._clock = clock
        self._seen: list[Sight] = []
        self._taps: Taps | None = None
        self._failed: BaseException | None = None
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._listen, name="ws2sse-taps", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        if not self._until(self._is_open, self._patience.opening):
            troubles = self._taps.troubles() if self._taps else ()
            self.stop()
            trouble = "; ".join(troubles) or str(self._failed or "no answer")
            raise ConfigError("upstream", f"cannot listen to both backends: {trouble}")
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def sights(self) -> tuple[Sight, ...]:
        """What was seen so far, by arrival."""
        return tuple(self._seen)

    def wait(self) -> bool:
        """Until both sides have said equally much, enough, and fell quiet; False on time-out."""
        return self._until(self._is_told, self._patience.most)

    def stop(self) -> None:
        """Listen no more."""
        self._stop.set()
        self._thread.join()

    def _until(self, condition: Callable[[], bool], seconds: float) -> bool:
        end = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > end or not self._thread.is_alive():
                return condition()
            time.sleep(LOOK)
        return True

    def _is_open(self) -> bool:
        taps = self._taps
        return taps is not None and bool(taps.taps) and all(tap.is_open for tap in taps.taps)

    def _is_told(self) -> bool:
        seen = self._seen
        counts = Counter(each.side for each in seen if isinstance(each, Observation))
        least = min(counts[side] for side in self._sides)
        alike = len({counts[side] for side in self._sides}) == 1
        quiet = bool(seen) and self._clock() - seen[-1].at >= self._patience.quiet
        return alike and quiet and least >= self._patience.messages

    def _listen(self) -> None:
        try:
            anyio.run(self._run)
        except BaseException as error:  # noqa: BLE001 - a thread has nobody else to tell
            self._failed = error

    async def _run(self) -> None:
        sink = self._seen.append
        async with tapping(self._config, self._channels, self._sides, sink, self._clock) as taps:
            self._taps = taps
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(taps.run)
                while not self._stop.is_set():  # noqa: ASYNC110 - set by another thread
                    await anyio.sleep(LOOK)
                tasks.cancel_scope.cancel()
