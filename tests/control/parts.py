"""Judges for the tests of the shadow, and what they are made to do."""

import threading
from dataclasses import dataclass, field

from bridge.parity.observation import Observation, Sight
from bridge.parity.report import Evidence, Lag, Outcome, Report, Verdict


@dataclass
class Clerk:
    """A judge that remembers what it saw, and can be made to raise or to hang.

    Attributes:
        faulty: the call that raises.
        gate: waited for by each `take`; set unless the test clears it.
    """

    faulty: str = ""
    sights: list[Sight] = field(default_factory=list)
    closed: bool = False
    gate: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self.gate.set()

    @property
    def heard(self) -> list[tuple[str, str | bytes]]:
        """Side and payload of each message."""
        return [(s.side.value, s.data) for s in self.sights if isinstance(s, Observation)]

    def take(self, sight: Sight) -> None:
        self._may_fail("take")
        self.gate.wait(30)
        self.sights.append(sight)

    def advance(self, now: float) -> None:
        self._may_fail("advance")

    def close(self) -> None:
        self._may_fail("close")
        self.closed = True

    def report(self) -> Report:
        self._may_fail("report")
        count = len(self.heard)
        verdict = Verdict(Outcome.PASS, "fine", 0.0, 0.95, Evidence(count, count, count))
        return Report(verdict, lag=Lag(count, 0.5, 2.0))

    def _may_fail(self, call: str) -> None:
        if self.faulty == call:
            raise RuntimeError(f"{call} fails")
