"""A report for a terminal: the verdict first, then what it rests on, then each finding.

Decides columns and cutting; foreign text is shown without anything a terminal would obey.
"""

from __future__ import annotations

from collections.abc import Iterator

from bridge.parity import wording
from bridge.parity.finding import Finding
from bridge.parity.report import Outcome, Report

WIDTH = 100
_COLOURS = {Outcome.PASS: "32", Outcome.FAIL: "31", Outcome.INSUFFICIENT: "33"}
_LABEL = 11


def text(report: Report, *, width: int = WIDTH, colour: bool = False) -> str:
    """The report as lines, with a line end after the last.

    Args:
        report: what to show.
        width: columns that lines are cut to.
        colour: whether the verdict may be coloured by an ANSI sequence.
    """
    parts = [_head(report, colour=colour), _evidence(report), _findings(report, width)]
    lines = [wording.cut(line, width * 3) for part in parts[1:] for line in part]
    notes = [wording.visible(note) for note in report.notes]
    if notes:
        lines += ["", "Notes", *(f"  {note}" for note in notes)]
    return "\n".join([*parts[0], *lines, ""])


def _head(report: Report, *, colour: bool) -> list[str]:
    outcome = report.verdict.outcome
    word = outcome.value.upper()
    if colour:
        word = f"\x1b[1;{_COLOURS[outcome]}m{word}\x1b[0m"
    return [f"{word}  {wording.visible(report.verdict.reason)}", ""]


def _evidence(report: Report) -> Iterator[str]:
    verdict, lag = report.verdict, report.lag
    evidence = verdict.evidence
    sides = zip(report.names, (evidence.legacy, evidence.candidate), strict=True)
    said = ", ".join(f"{wording.counted(count, 'message')} of {name}" for name, count in sides)
    yield _line("compared", f"{said}, in {wording.seconds(report.duration)}")
    yield _line("channels", ", ".join(report.channels) or "none")
    counts = ", ".join(
        f"{wording.number(count)} {name}" for name, count in wording.counts(evidence)
    )
    yield _line("counted", counts)
    yield _line("bound", wording.bound(verdict))
    if lag.count:
        yield _line(
            "lag",
            f"p50 {wording.seconds(lag.p50)}, p99 {wording.seconds(lag.p99)}, "
            f"largest {wording.seconds(lag.largest)}, over {wording.counted(lag.count, 'pair')}",
        )


def _line(label: str, said: str) -> str:
    return f"{label:<{_LABEL}}{said}"


def _findings(report: Report, width: int) -> Iterator[str]:
    failing = [each for each in report.findings if each.excused is None]
    excused = [each for each in report.findings if each.excused is not None]
    for title, findings in (("Differences", failing), ("Excused", excused)):
        if findings:
            yield from ("", f"{title}")
            for finding in findings:
                yield from _finding(finding, width)


def _finding(finding: Finding, width: int) -> Iterator[str]:
    times = f"{wording.number(finding.count)}x"
    what = finding.message or "message"
    yield wording.cut(
        f"  {finding.kind.value:<11} {times:>8}  {what}  {finding.path}  on {finding.channel}",
        width,
    )
    if finding.excused is not None:
        yield wording.cut(f"{'':24}{finding.excused}", width)
        return
    if finding.reason:
        yield wording.cut(f"{'':24}{finding.reason}", width)
    for side, value in _values(finding):
        yield wording.cut(f"{'':24}{side:<10} {value}", width)


def _values(finding: Finding) -> Iterator[tuple[str, str]]:
    """What either side said: the value at the path where one is given, else the whole message."""
    example = finding.example
    pairs = (
        ("legacy", finding.legacy, example.legacy),
        ("candidate", finding.candidate, example.candidate),
    )
    is_whole = finding.legacy is None and finding.candidate is None
    for side, value, seen in pairs:
        said = wording.payload(seen) if is_whole and seen is not None else value
        yield side, "nothing" if said is None else said
