"""Pass, fail or insufficient: too little evidence is never a pass."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.parity.options import CompareOptions
from bridge.parity.report import Evidence, Outcome
from bridge.parity.verdict import judge

PASS, FAIL, INSUFFICIENT = Outcome.PASS, Outcome.FAIL, Outcome.INSUFFICIENT


def evidence(matched: int = 0, failed: int = 0, **more: int) -> Evidence:
    heard = max(1, matched + failed)
    counts = {"legacy": heard, "candidate": heard, "matched": matched, "failed": failed}
    return Evidence(**counts | more)


@pytest.mark.parametrize(
    ("counted", "options", "silent", "outcome", "reason"),
    [
        (evidence(200), {}, 0, PASS, "200 compared messages say the same"),
        (evidence(99), {}, 0, INSUFFICIENT, "99 messages were compared; 100 are needed"),
        (evidence(2, 1), {}, 0, FAIL, "1 of 3 compared messages differ"),
        (evidence(199, 1), {}, 0, FAIL, "1 of 200 compared messages differ"),
        (evidence(0, legacy=0), {}, 0, INSUFFICIENT, "the legacy side said nothing"),
        (evidence(0, candidate=0), {}, 0, INSUFFICIENT, "the candidate said nothing"),
        (evidence(0, legacy=0, candidate=0), {}, 0, INSUFFICIENT, "neither side said anything"),
        (evidence(0), {}, 0, INSUFFICIENT, "no message in common"),
        (evidence(200), {}, 21, INSUFFICIENT, "one side fell silent: 21"),
        (evidence(200), {}, 20, PASS, "200 compared"),
        (evidence(9999, 1), {"max_share": 0.01}, 0, PASS, "at most 0.047% of messages differ"),
        (evidence(199, 1), {"max_share": 0.01}, 0, INSUFFICIENT, "up to 2.350% of messages may"),
        (evidence(180, 20), {"max_share": 0.01}, 0, FAIL, "20 of 200"),
        (evidence(8, 2), {"max_share": 0.01}, 0, INSUFFICIENT, "10 messages were compared"),
    ],
)
def test_verdicts(
    counted: Evidence, options: dict[str, float], silent: int, outcome: Outcome, reason: str
) -> None:
    found = judge(counted, CompareOptions(**options), silent)  # type: ignore[arg-type]
    assert found.outcome is outcome
    assert reason in found.reason
    assert "\n" not in found.reason


@given(st.integers(0, 500), st.integers(0, 500), st.floats(0, 0.5))
def test_the_bound_holds_the_share_and_a_pass_keeps_it_below_what_may_differ(
    matched: int, failed: int, share: float
) -> None:
    found = judge(evidence(matched, failed), CompareOptions(max_share=share))
    compared = matched + failed
    assert found.bound >= (failed / compared if compared else 1)
    if found.outcome is PASS and failed:
        assert found.bound <= share
    if found.outcome is PASS:
        assert compared >= 100


def test_the_bound_is_that_of_clopper_and_pearson() -> None:
    found = judge(evidence(10_000), CompareOptions(confidence=0.95))
    assert found.bound == pytest.approx(2.9953e-4, rel=1e-3)
    assert (found.confidence, found.evidence.matched) == (0.95, 10_000)


def test_there_is_no_pass_beside_a_difference_that_nothing_excuses() -> None:
    found = judge(evidence(200), CompareOptions(), findings=3)
    assert (found.outcome, found.reason) == (
        FAIL,
        "nothing excuses 3 of the differences that were found",
    )
    assert judge(evidence(9999, 1), CompareOptions(max_share=0.01), findings=1).outcome is PASS
