"""Records live backends into a file.

Decides when a recording is over; what is written is `bridge.verify.files`' business.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import anyio

from bridge.config import Config
from bridge.errors import ConfigError
from bridge.parity.observation import Observation, Side, Sight
from bridge.parity.recording import Header
from bridge.verify.files import RecordingFile
from bridge.verify.taps import Taps, sides_of, tapping
from bridge.wire.names import ChannelName

LOOK = 0.1
"""Seconds between two looks at whether to end."""

FLUSH = 1.0
"""Seconds after which what was recorded is in the file, whatever becomes of the process."""


@dataclass(frozen=True, slots=True)
class Captured:
    """What a recording came to.

    Attributes:
        messages: by side.
        seconds: for how long.
        troubles: a line for each subscription that was not open at the end.
        opened: whether any backend ever answered.
    """

    messages: dict[Side, int]
    seconds: float
    troubles: tuple[str, ...]
    opened: bool


async def capture(
    config: Config,
    channels: Sequence[ChannelName],
    path: Path,
    *,
    seconds: float | None = None,
    count: int | None = None,
    is_over: Callable[[], bool] = lambda: False,
    control: bool = False,
    replace: bool = False,
) -> Captured:
    """Record until the end of the backends, the time or the count, or until `is_over`.

    Args:
        config: the backends.
        channels: what to record.
        path: where to.
        seconds: for how long; None for no limit.
        count: so many messages, of all sides together; None for no limit.
        is_over: asked several times a second.
        control: listen to the legacy backend a second time, to learn what differs by nature.
        replace: whether a recording that is there already may go.

    Raises:
        ConfigError: the file cannot be written.
    """
    began = time.monotonic()
    sides = sides_of(config)
    if control and Side.LEGACY in sides:
        sides[Side.CONTROL] = sides[Side.LEGACY]
    said = {side.value: wire for side, wire in sides.items()}
    header = Header(_now(), tuple(name.text for name in channels), said)
    with RecordingFile(path, header, replace=replace) as file:
        recorder = _Recorder(file, count)
        async with tapping(
            config, channels, sides, recorder.take, lambda: time.monotonic() - began
        ) as taps:
            await _listen(taps, recorder, seconds, is_over)
        if recorder.failure is not None:
            raise recorder.failure
        return _summary(taps, sides, time.monotonic() - began)


class _Recorder:
    """Writes until there were enough messages, or the disk takes no more."""

    def __init__(self, file: RecordingFile, count: int | None) -> None:
        self._file, self._left = file, count
        self.failure: ConfigError | None = None

    @property
    def is_full(self) -> bool:
        return self._left == 0 or self.failure is not None

    def take(self, sight: Sight) -> None:
        if self.is_full:
            return
        try:
            self._file.add(sight)
        except ConfigError as error:
            self.failure = error
        if self._left is not None and isinstance(sight, Observation):
            self._left -= 1

    def flush(self) -> None:
        try:
            self._file.flush()
        except ConfigError as error:
            self.failure = error


async def _listen(
    taps: Taps, recorder: _Recorder, seconds: float | None, is_over: Callable[[], bool]
) -> None:
    async def watch() -> None:
        flushed = time.monotonic()
        while not (is_over() or recorder.is_full):
            await anyio.sleep(LOOK)
            if time.monotonic() - flushed >= FLUSH:
                recorder.flush()
                flushed = time.monotonic()
        tasks.cancel_scope.cancel()

    with anyio.move_on_after(seconds):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(watch)
            await taps.run()
            tasks.cancel_scope.cancel()


def _summary(taps: Taps, sides: Iterable[Side], seconds: float) -> Captured:
    messages = {side: sum(tap.messages for tap in taps.taps if tap.side is side) for side in sides}
    return Captured(messages, seconds, taps.troubles(), any(tap.opened for tap in taps.taps))


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
