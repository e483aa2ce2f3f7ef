"""One channel's comparison, seen from the event loop: what is seen goes in, reports come out.

Decides what becomes of a message for which there is no room: it is left out, and the comparison
is told of a hole there, so that nothing is concluded from it. Never compares in the loop.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Protocol

import structlog

from bridge.control.worker import Worker
from bridge.parity.observation import Mark, Side, Sight, Turn
from bridge.parity.report import Outcome, Report

_log: structlog.typing.FilteringBoundLogger = structlog.get_logger("bridge.shadow")

_ENDED = "the comparison itself failed and was ended; the bridge's log says why"


class Judge(Protocol):
    """What compares: `bridge.parity.comparison.Comparison`."""

    def take(self, sight: Sight) -> None:
        """Look at what one side showed."""

    def advance(self, now: float) -> None:
        """Take note that so much time has passed."""

    def close(self) -> None:
        """Nothing more will come."""

    def report(self) -> Report:
        """What may be said so far."""


class Comparing:
    """One channel that is being compared.

    Args:
        channel: its name.
        judge: compares; used in the worker's thread alone.
        worker: does it.

    Attributes:
        skipped: how many messages were left out.
        is_broken: whether the comparison failed; then nothing more is compared.
    """

    def __init__(self, channel: str, judge: Judge, worker: Worker) -> None:
        self.channel, self._judge, self._worker = channel, judge, worker
        self._holes: dict[Side, Mark] = {}
        self.skipped = 0
        self.is_broken = False

    @property
    def has_room(self) -> bool:
        """Whether whoever can wait should go on."""
        return self._worker.has_room

    def take(self, sight: Sight) -> None:
        """Have a sight compared, or remember that there is a hole where it was."""
        hole = self._holes.get(sight.side)
        if hole is not None and self._offer(partial(self._judge.take, hole)):
            del self._holes[sight.side]
        if sight.side not in self._holes and self._offer(partial(self._judge.take, sight)):
            return
        self.skipped += 1
        reason = "the comparison was too slow and left messages out"
        self._holes[sight.side] = Mark(sight.side, self.channel, sight.at, Turn.GAP, 0, reason)

    def advance(self, now: float) -> None:
        """Have time pass."""
        self._offer(partial(self._judge.advance, now))

    def close(self) -> None:
        """Nothing more comes; reports can still be asked for."""
        self._worker.ask(partial(self._guarded, self._judge.close))

    async def report(self) -> Report:
        """What may be said by now, with a note about what was left out.

        Raises whatever the comparison raises now; of one that failed before, what `ended` says.
        """
        report = await asyncio.wrap_future(self._worker.ask(self._judge.report))
        if self.is_broken:
            report = ended(report)
        if not self.skipped:
            return report
        note = f"{self.channel}: {self.skipped} messages were left out, for the bridge was busy"
        return replace(report, notes=(*report.notes, note))

    def _offer(self, job: Callable[[], None]) -> bool:
        return self._worker.offer(partial(self._guarded, job))

    def _guarded(self, job: Callable[[], None]) -> None:
        if self.is_broken:
            return
        try:
            job()
        except Exception:  # noqa: BLE001 - whatever fails, clients have nothing to do with it
            self.is_broken = True
            _log.exception("a comparison failed; this channel is compared no more")


def ended(report: Report) -> Report:
    """What may still be said where a comparison failed: nothing of what came after is known.

    Differences that were found before remain.
    """
    verdict = report.verdict
    if _ENDED in report.notes:
        return report
    if verdict.outcome is not Outcome.FAIL:
        verdict = replace(verdict, outcome=Outcome.INSUFFICIENT, reason=_ENDED)
    return replace(report, verdict=verdict, notes=(*report.notes, _ENDED))
