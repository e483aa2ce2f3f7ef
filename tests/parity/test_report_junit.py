"""The report for continuous integration."""

from xml.etree import ElementTree as ET

import pytest

from bridge.parity.finding import Kind
from bridge.parity.report import Report
from bridge.parity.report_junit import junit
from tests.parity.samples import ALL, EMPTY, NASTY, PASSED, REPORT


def suite(report: Report) -> ET.Element:
    found = ET.fromstring(junit(report)).find("testsuite")
    assert found is not None
    return found


def failed(report: Report, tag: str = "failure") -> list[str]:
    return [case.get("name", "") for case in suite(report) if case.find(tag) is not None]


@pytest.mark.parametrize("report", ALL)
def test_the_counts_are_those_of_the_cases(report: Report) -> None:
    found = suite(report)
    assert found.get("tests") == str(len(found.findall("testcase")))
    assert found.get("failures") == str(len(failed(report)))
    assert found.get("errors") == str(len(failed(report, "error")))


def test_a_kind_that_was_found_fails_by_message_type() -> None:
    assert failed(REPORT) == [
        "verdict",
        "missing: messages without a type",
        "altered: file",
        "type-drift: file",
        "reordered: file",
        "encoding: file",
    ]


def test_a_kind_that_was_not_found_passes() -> None:
    names = {case.get("name") for case in suite(PASSED).findall("testcase")}
    assert failed(PASSED) == []
    assert names == {"verdict", *(f"nothing is {kind.value}" for kind in Kind)}


def test_insufficient_is_an_error_and_no_pass() -> None:
    assert failed(EMPTY, "error") == ["verdict"]


def test_a_failure_shows_where_and_what() -> None:
    (failure,) = (each for each in suite(REPORT).iter("failure") if each.get("type") == "altered")
    assert failure.get("message") == "another value, 30 times"
    assert '$.object.url on project.42, 30 times\n  legacy has "https://a/1"' in (
        failure.text or ""
    )


def test_what_xml_cannot_hold_is_replaced() -> None:
    assert b"\x1b" not in junit(NASTY)
    assert suite(NASTY).find("testcase/failure") is not None
