"""A comparison with a contract: who breaks it alone fails, who does as the other is excused."""

import json

import pytest

from bridge.parity.contract import Contract
from bridge.parity.contracted import Contracted
from bridge.parity.observation import Observation, Side
from bridge.parity.options import CompareOptions
from bridge.parity.report import Report

CONTRACT = Contract({"n": {"properties": {"state": {"enum": ["on", "off"]}}}})
IGNORING = CompareOptions(min_messages=10, ignore=("$.state",))


def compared(legacy: str, candidate: str, options: CompareOptions = IGNORING) -> Report:
    """Fifty messages a side, of which the one in the middle has these states."""
    comparison = Contracted(CONTRACT, options)
    for number in range(50):
        for side, state in ((Side.LEGACY, legacy), (Side.CANDIDATE, candidate)):
            said = {"type": "n", "id": f"e{number}", "state": state if number == 25 else "on"}
            comparison.take(Observation(side, "c", json.dumps(said), number / 10))
    comparison.close()
    return comparison.report()


def test_what_the_candidate_alone_breaks_fails_though_it_may_differ() -> None:
    report = compared("off", "standby")
    assert report.verdict.outcome.value == "fail"
    assert report.verdict.reason == (
        "candidate breaks the contract of 'n' at $.state once: "
        'expected one of "on", "off", came "standby"'
    )


@pytest.mark.parametrize(("legacy", "notes"), [("standby", 2), ("on", 0)])
def test_nothing_else_does(legacy: str, notes: int) -> None:
    report = compared(legacy, legacy)
    assert (report.verdict.outcome.value, len(report.notes)) == ("pass", notes), report


def test_both_reasons_are_told_where_both_fail() -> None:
    reason = compared("off", "standby", CompareOptions(min_messages=10)).verdict.reason
    assert "; candidate breaks the contract" in reason


def test_too_little_to_pass_is_enough_to_fail() -> None:
    options = CompareOptions(min_messages=1000, ignore=("$.state",))
    assert compared("on", "on", options).verdict.outcome.value == "insufficient"
    assert compared("on", "standby", options).verdict.outcome.value == "fail"
