"""A report for continuous integration: JUnit XML, a test case for each kind of difference.

Decides which case fails: a kind that was found passes as little as an insufficient verdict does,
and a kind that was not found is a case that passed, so that a dashboard counts it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from bridge.parity import wording
from bridge.parity.finding import Finding, Kind
from bridge.parity.report import Outcome, Report
from bridge.parity.report_text import text

SUITE = "ws2sse.parity"
SHOWN = 2_000
"""Characters of a payload that are shown."""

_FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What XML 1.0 (2.2) cannot hold in any form."""


def junit(report: Report) -> bytes:
    """The document, in UTF-8 with its declaration."""
    suite = Element("testsuite", name=SUITE, time=f"{report.duration:.3f}")
    _verdict(suite, report)
    for kind in Kind:
        found = [each for each in report.findings if each.kind is kind]
        _kind(suite, kind, [each for each in found if each.excused is None])
    for name, tag in (("failures", "failure"), ("errors", "error")):
        suite.set(name, str(len(suite.findall(f"testcase/{tag}"))))
    suite.set("tests", str(len(suite.findall("testcase"))))
    suite.set("skipped", "0")
    SubElement(suite, "system-out").text = _clean(text(report))
    root = Element("testsuites")
    root.append(suite)
    indent(root)
    body: bytes = tostring(root, "utf-8")
    return b'<?xml version="1.0" encoding="UTF-8"?>\n' + body + b"\n"


def _verdict(suite: Element, report: Report) -> None:
    case = _case(suite, "verdict")
    verdict = report.verdict
    if verdict.outcome is Outcome.FAIL:
        SubElement(case, "failure", type="fail", message=_clean(verdict.reason))
    elif verdict.outcome is Outcome.INSUFFICIENT:
        SubElement(case, "error", type="insufficient", message=_clean(verdict.reason))


def _kind(suite: Element, kind: Kind, found: Iterable[Finding]) -> None:
    """One case for each type of message that shows it, else one that passed."""
    by_message: dict[str, list[Finding]] = {}
    for each in found:
        by_message.setdefault(each.message, []).append(each)
    if not by_message:
        _case(suite, f"nothing is {kind.value}")
    for message, findings in by_message.items():
        case = _case(suite, f"{kind.value}: {message or 'messages without a type'}")
        times = sum(each.count for each in findings)
        failure = SubElement(
            case,
            "failure",
            type=kind.value,
            message=f"{wording.MEANINGS[kind]}, {wording.counted(times, 'time')}",
        )
        failure.text = _clean("\n".join(map(_described, findings)))


def _described(finding: Finding) -> str:
    lines = [f"{finding.path} on {finding.channel}, {wording.counted(finding.count, 'time')}"]
    pairs = (
        ("legacy", finding.legacy, finding.example.legacy),
        ("candidate", finding.candidate, finding.example.candidate),
    )
    for side, value, seen in pairs:
        if value is not None:
            lines.append(f"  {side} has {wording.cut(value, SHOWN)}")
        if seen is not None:
            lines.append(f"  {side} said {wording.cut(wording.payload(seen), SHOWN)}")
    return "\n".join(lines)


def _case(suite: Element, name: str) -> Element:
    return SubElement(suite, "testcase", classname=SUITE, name=_clean(name), time="0")


def _clean(said: str) -> str:
    return _FORBIDDEN.sub("\N{REPLACEMENT CHARACTER}", said)
