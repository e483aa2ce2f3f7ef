"""What of a channel reaches its comparison, and what is told of the rest."""

from collections.abc import Iterator

import pytest

from bridge.control.comparing import Comparing, ended
from bridge.control.worker import Worker
from bridge.parity.comparison import Comparison
from bridge.parity.observation import Mark, Observation, Side, Turn
from bridge.parity.options import CompareOptions
from bridge.parity.report import Evidence, Outcome, Report, Verdict
from tests.control.parts import Clerk
from tests.support.waiting import until


@pytest.fixture
def worker() -> Iterator[Worker]:
    made = Worker(4)
    yield made
    made.close()


def seen(number: int, side: Side = Side.LEGACY) -> Observation:
    return Observation(side, "c", str(number), float(number))


async def test_what_is_taken_is_compared_and_reported(worker: Worker) -> None:
    clerk = Clerk()
    comparing = Comparing("c", clerk, worker)
    comparing.take(seen(1))
    report = await comparing.report()
    assert clerk.heard == [("legacy", "1")]
    assert (report.verdict.evidence.matched, report.notes) == (1, ())
    comparing.close()
    await until(lambda: clerk.closed)


async def test_what_has_no_room_is_a_hole_of_its_side(worker: Worker) -> None:
    clerk = Clerk()
    comparing = Comparing("c", clerk, worker)
    clerk.gate.clear()
    comparing.take(seen(0))
    await until(lambda: not worker.waiting)
    for number in range(1, 8):
        comparing.take(seen(number))
    assert comparing.skipped == 3
    clerk.gate.set()
    await until(lambda: not worker.waiting)
    comparing.take(seen(9, Side.CANDIDATE))
    comparing.take(seen(8))
    report = await comparing.report()
    *_, other, hole, last = clerk.sights
    assert (other.side, last) == (Side.CANDIDATE, seen(8))
    assert isinstance(hole, Mark)
    assert (hole.side, hole.turn, hole.at) == (Side.LEGACY, Turn.GAP, 7.0)
    assert report.notes == ("c: 3 messages were left out, for the bridge was busy",)


async def test_a_comparison_that_raises_is_broken_and_raises_no_more(worker: Worker) -> None:
    comparing = Comparing("c", Clerk("take"), worker)
    comparing.take(seen(1))
    await until(lambda: comparing.is_broken)
    comparing.take(seen(2))
    report = await comparing.report()
    assert report.verdict.evidence.matched == 0
    assert (report.verdict.outcome, report.notes) == (
        Outcome.INSUFFICIENT,
        (report.verdict.reason,),
    )


async def test_a_real_comparison_that_breaks_off_passes_no_more(
    worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    judge = Comparison(CompareOptions(min_messages=1))
    comparing = Comparing("c", judge, worker)
    comparing.take(seen(1))
    comparing.take(seen(1, Side.CANDIDATE))
    assert (await comparing.report()).verdict.outcome is Outcome.PASS
    monkeypatch.setattr(judge, "advance", lambda now: 1 / 0)
    comparing.advance(2.0)
    report = await comparing.report()
    assert report.verdict.outcome is Outcome.INSUFFICIENT
    assert "failed and was ended" in report.verdict.reason


def test_differences_that_were_found_remain_where_a_comparison_fails_later() -> None:
    failed = Verdict(Outcome.FAIL, "1 differs", 1.0, 0.95, Evidence())
    found = ended(Report(failed, notes=("a",)))
    assert (found.verdict, found.notes[0], len(found.notes)) == (failed, "a", 2)
    assert ended(found) == found
