"""The report in a terminal."""

import pytest

from bridge.parity.report import Report
from bridge.parity.report_text import text
from tests.parity.samples import ALL, EMPTY, NASTY, PASSED, REPORT


def test_the_verdict_comes_first_with_its_reason() -> None:
    assert text(REPORT).startswith("FAIL  47 of 9,997 messages differ")
    assert text(EMPTY).startswith("INSUFFICIENT  3 pairs were seen")
    assert text(PASSED).startswith("PASS  No difference")


def test_evidence_bound_lag_and_notes_are_told() -> None:
    shown = text(REPORT)
    assert "9,998 messages of monday.ndjson, 9,986 messages of tuesday.ndjson.gz" in shown
    assert "9,938 matched, 47 failed, 120 excused, 3 outside, 2 unreadable" in shown
    assert "at most 0.62 % of messages differ, with 95 % confidence" in shown
    assert "p50 2.1 ms, p99 38 ms" in shown
    assert "b.ndjson:17: a half-written line" in shown


def test_a_finding_shows_both_values_or_both_messages() -> None:
    shown = text(REPORT)
    assert 'legacy     "https://a/1"\n' in shown
    assert 'legacy     {"a": 1}\n' in shown
    assert "candidate  nothing\n" in shown


def test_excused_findings_stand_apart_with_their_reason() -> None:
    _, _, excused = text(REPORT).partition("\nExcused\n")
    assert "$.timestamp" in excused
    assert "differs between two legacy subscriptions" in excused
    assert "Differences" not in text(PASSED)


@pytest.mark.parametrize("report", ALL)
def test_no_line_of_a_finding_is_wider_than_the_terminal(report: Report) -> None:
    _, _, findings = text(report, width=60).partition("\nDifferences\n")
    assert [line for line in findings.partition("\n\n")[0].splitlines() if len(line) > 60] == []


def test_nothing_foreign_reaches_the_terminal_as_it_is() -> None:
    assert not set(text(NASTY)) & {"\x1b", "\0", "\u202e"}


def test_colour_is_the_verdicts_alone() -> None:
    assert text(REPORT, colour=True) == text(REPORT).replace("FAIL", "\x1b[1;31mFAIL\x1b[0m", 1)
