"""Which breaches of a contract are found, how they are told, and what they do to a verdict."""

import json

import pytest

from bridge.parity.breach import MOST_BREACHES, Checker, judged
from bridge.parity.contract import Contract, legacy
from bridge.parity.observation import Mark, Observation, Side, Turn
from bridge.parity.report import Evidence, Outcome, Report, Verdict

KNOWN = (
    "a type that the contract has (data, entity, file, render_progress, render_result, scene, task)"
)
PASSED = Report(Verdict(Outcome.PASS, "equal", 0.0, 0.95, Evidence()))


def said(message: object, side: Side = Side.CANDIDATE, at: float = 0.0) -> Observation:
    return Observation(side, "project.1", json.dumps(message), at)


def task(status: object = "completed") -> dict[str, object]:
    return {"type": "task", "object": {"id": 1, "type": "x", "status": status}}


@pytest.mark.parametrize(
    ("message", "path", "expected", "found"),
    [
        (task("done"), "$.object.status", 'one of "in_progress", "completed", "error", null',
         '"done"'),
        ({"type": "task", "object": {"id": 1}}, "$.object", "the member 'type'", '{"id":1}'),
        ({"type": "task", "object": 5}, "$.object", "object or string", "5"),
        ({"type": "file", "object": {"id": 1, "type": "image", "tasks": [{"id": 1, "type": 2}]}},
         "$.object.tasks[*].type", "string", "2"),
        ({"type": "file", "object": {"id": 1, "type": "image", "url": "a b"}},
         "$.object.url", "the format uri", '"a b"'),
        ({"type": "render_progress", "object": {"progress": 101}},
         "$.object.progress", "maximum 100", "101"),
        ({"type": "file", "object": {}}, "$.object",
         "what one of its alternatives demands (anyOf)", "{}"),
        ({"type": "none"}, "$", KNOWN, '{"type":"none"}'),
    ],
)  # fmt: skip
def test_a_breach_names_the_path_what_was_due_and_what_came(
    message: object, path: str, expected: str, found: str
) -> None:
    breach = Checker(legacy()).take(said(message))
    assert breach is not None
    assert (breach.path, breach.expected, breach.found) == (path, expected, found)


def test_what_is_no_json_breaks_any_contract() -> None:
    breach = Checker(legacy()).take(Observation(Side.LEGACY, "c", b"\0\1", 0.0))
    assert breach is not None
    assert (breach.expected, breach.found) == ("JSON", '"2 bytes"')


def test_equal_breaches_are_one_and_are_counted() -> None:
    checker = Checker(legacy())
    for at in (1.0, 2.0, 5.0):
        checker.take(said(task("done"), at=at))
    checker.take(said(task("done"), Side.LEGACY))
    checker.take(said(task()))
    checker.take(Mark(Side.LEGACY, "c", 0.0, Turn.OPENED))
    first, second = checker.breaches()
    assert (first.side, first.count, first.first, first.last) == (Side.CANDIDATE, 3, 1.0, 5.0)
    assert (second.side, checker.checked) == (Side.LEGACY, 5)
    assert str(first) == (
        "candidate breaks the contract of 'task' at $.object.status 3 times: "
        'expected one of "in_progress", "completed", "error", null, came "done"'
    )


def test_sorts_of_breach_are_bounded() -> None:
    checker = Checker(Contract({}))
    for number in range(MOST_BREACHES + 10):
        checker.take(said({"type": f"kind {number}"}))
    assert len(checker.breaches()) == MOST_BREACHES


def test_a_long_value_is_shortened() -> None:
    breach = Checker(Contract({"message": {"type": "object"}})).take(said("x" * 10_000))
    assert breach is not None
    assert len(breach.found) < 250


def test_what_the_candidate_breaks_fails_a_report() -> None:
    checker = Checker(legacy())
    checker.take(said(task("done")))
    report = judged(PASSED, checker.breaches())
    assert report.verdict.outcome is Outcome.FAIL
    assert report.verdict.reason.startswith("candidate breaks the contract of 'task'")
    assert report.notes == (report.verdict.reason,)


@pytest.mark.parametrize("sides", [[Side.LEGACY], [Side.LEGACY, Side.CANDIDATE]])
def test_what_the_legacy_side_breaks_as_well_is_the_contracts_fault(sides: list[Side]) -> None:
    checker = Checker(legacy())
    for side in sides:
        checker.take(said(task("done"), side))
    report = judged(PASSED, checker.breaches())
    assert report.verdict == PASSED.verdict
    assert len(report.notes) == len(sides)


def test_a_report_without_breaches_stays_as_it_is() -> None:
    assert judged(PASSED, ()) is PASSED
