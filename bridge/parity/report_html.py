"""A report as one page that needs nothing else: no script, no font, no request.

Decides the page's structure. All foreign text is escaped, and the page's own policy (CSP) allows
its one style sheet, by its digest, and nothing besides.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable, Iterator
from hashlib import sha256
from html import escape
from importlib.resources import files

from bridge.parity import report_pictures, wording
from bridge.parity.finding import Finding, Kind
from bridge.parity.observation import Observation
from bridge.parity.report import Outcome, Report
from bridge.parity.report_diff import Line, Row, rows

STYLE = (files("bridge.parity") / "report.css").read_text()
POLICY = (
    "default-src 'none'; "
    f"style-src 'sha256-{b64encode(sha256(STYLE.encode()).digest()).decode()}'; "
    "base-uri 'none'; form-action 'none'"
)
"""What the page may load: the style sheet that stands in it."""

_SAID = {Outcome.PASS: "Pass", Outcome.FAIL: "Fail", Outcome.INSUFFICIENT: "Insufficient"}
_RAW = frozenset({Kind.ENCODING})
SHOWN = 200
"""Findings of which an example is shown; the table lists all."""


def html(report: Report) -> str:
    """The page."""
    title = f"{_SAID[report.verdict.outcome]}: {' and '.join(report.names)}"
    return page(title, "\n".join(_body(report)))


def page(title: str, body: str) -> str:
    """A page in the report's dress.

    Args:
        title: plain text.
        body: markup.
    """
    return f"""\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{POLICY}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{_text(title)}</title>
<style>{STYLE}</style>
</head>
<body>
{body}
</body>
</html>
"""


def _body(report: Report) -> Iterator[str]:
    yield from _head(report)
    yield "<main>"
    yield from _pictures(report)
    failing = [each for each in report.findings if each.excused is None]
    excused = [each for each in report.findings if each.excused is not None]
    yield "<h2>Differences</h2>"
    if failing:
        yield _table(failing)
        yield from (_example(number, each) for number, each in enumerate(failing[:SHOWN], 1))
    else:
        yield '<p class="quiet">None was found.</p>'
    if excused:
        yield f"<h2>Excused</h2>{_excused(excused)}"
    if report.notes:
        items = "".join(f"<li><code>{_text(note)}</code></li>" for note in report.notes)
        yield f'<h2>Notes</h2><ul class="notes">{items}</ul>'
    yield "</main>"


def _head(report: Report) -> Iterator[str]:
    verdict = report.verdict
    legacy, candidate = report.names
    yield f"<header><h1>Parity of {_text(legacy)} and {_text(candidate)}</h1>"
    yield f'<div class="verdict {verdict.outcome.value}" role="status">'
    yield f"<strong>{_SAID[verdict.outcome]}</strong><p>{_text(verdict.reason)}</p></div>"
    channels = ", ".join(report.channels) or "no channel"
    yield f'<p class="facts">{_text(channels)}, over {wording.seconds(report.duration)}; '
    yield f"{wording.bound(verdict)}.</p>"
    evidence = verdict.evidence
    counts = [
        (f"messages of {legacy}", evidence.legacy),
        (f"messages of {candidate}", evidence.candidate),
        *wording.counts(evidence),
    ]
    cards = "".join(
        f"<div><dt>{_text(name)}</dt><dd>{wording.number(count)}</dd></div>"
        for name, count in counts
    )
    yield f'<dl class="counts">{cards}</dl></header>'


def _pictures(report: Report) -> Iterator[str]:
    lag = report.lag
    if lag.count:
        said = (
            f"How much later {_text(report.names[1])} says the same: median "
            f"{wording.seconds(lag.p50)}, 99th percentile {wording.seconds(lag.p99)}, largest "
            f"{wording.seconds(lag.largest)}, over {wording.counted(lag.count, 'pair')}."
        )
        yield f"<h2>Lag</h2><figure>{report_pictures.histogram(lag)}"
        yield f"<figcaption>{said}</figcaption></figure>"
    if report.timeline:
        items = "".join(
            f'<li><span class="swatch k-{_text(kind)}"></span>{_text(kind)} {count}</li>'
            for kind, count in report_pictures.legend(report.timeline)
        )
        yield f"<h2>Over time</h2><figure>{report_pictures.timeline(report.timeline)}"
        yield f'<figcaption><ul class="legend">{items}</ul>'
        yield "The band below shows how much said the same.</figcaption></figure>"


def _table(findings: Iterable[Finding]) -> str:
    body = "".join(_row(number, each) for number, each in enumerate(findings, 1))
    return f"""\
<div class="scroll"><table class="findings"><thead><tr><th scope="col">Kind</th>\
<th scope="col" class="number">Times</th><th scope="col">Message</th><th scope="col">Where</th>\
<th scope="col">Channel</th><th scope="col">First and last</th></tr></thead>
<tbody>{body}</tbody></table></div>"""


def _row(number: int, finding: Finding) -> str:
    kind = f'<span class="swatch k-{finding.kind.value}"></span>{finding.kind.value}'
    if number <= SHOWN:
        kind = f'<a href="#finding-{number}">{kind}</a>'
    return (
        f'<tr><td title="{_text(wording.MEANINGS[finding.kind])}">{kind}</td>'
        f'<td class="number">{wording.number(finding.count)}</td>'
        f'<td class="message">{_text(finding.message or "none named")}</td>'
        f'<td class="path">{_text(finding.path)}</td><td>{_text(finding.channel)}</td>'
        f"<td>{wording.seconds(finding.first)} to {wording.seconds(finding.last)}</td></tr>"
    )


def _example(number: int, finding: Finding) -> str:
    example = finding.example
    payloads = [
        wording.payload(seen) if seen else None for seen in (example.legacy, example.candidate)
    ]
    changes = rows(*payloads, raw=finding.kind in _RAW)
    shown = "".join(map(_diff_row, changes))
    heads = "".join(
        f'<th scope="col">{side}{_arrival(seen)}</th>'
        for side, seen in (("legacy", example.legacy), ("candidate", example.candidate))
    )
    is_open = " open" if number <= 3 else ""
    return f"""\
<details id="finding-{number}"{is_open}><summary><span class="swatch k-{finding.kind.value}">\
</span>{finding.kind.value}: {_text(finding.message or "message")} <code>{_text(finding.path)}\
</code> <small>{wording.counted(finding.count, "time")}</small></summary>
<div class="inner">{_values(finding)}<div class="scroll"><table class="diff"><thead><tr>{heads}\
</tr></thead><tbody>{shown}</tbody></table></div></div></details>"""


def _arrival(seen: Observation | None) -> str:
    if seen is None:
        return " said nothing"
    return f" at {seen.at:.3f} s" + (f", id {_text(seen.id)}" if seen.id else "")


def _values(finding: Finding) -> str:
    why = f" ({_text(finding.reason)})" if finding.reason else ""
    if finding.path == "$" or (finding.legacy is None and finding.candidate is None):
        return f'<p class="quiet">{wording.MEANINGS[finding.kind].capitalize()}{why}.</p>'
    old, new = (
        f"<code>{_text(wording.cut(value, 400))}</code>" if value is not None else "nothing"
        for value in (finding.legacy, finding.candidate)
    )
    return f"<p>{old} became {new}{why}.</p>"


def _diff_row(row: Row) -> str:
    if row.sort == "skipped":
        said = wording.counted(row.count, "equal line")
        return f'<tr class="skipped"><td colspan="2">{said}</td></tr>'
    cells = _cell(row.legacy, "old"), _cell(row.candidate, "new")
    return f'<tr class="{row.sort}">{"".join(cells)}</tr>'


def _cell(line: Line | None, side: str) -> str:
    if line is None:
        return "<td></td>"
    marked = f"<mark>{_text(line.changed)}</mark>" if line.changed else ""
    return f'<td class="{side}">{_text(line.before)}{marked}{_text(line.after)}</td>'


def _excused(findings: Iterable[Finding]) -> str:
    body = "".join(
        f"<tr><td>{each.kind.value}</td>"
        f'<td class="number">{wording.number(each.count)}</td>'
        f'<td class="message">{_text(each.message or "none named")}</td>'
        f'<td class="path">{_text(each.path)}</td><td>{_text(each.excused or "")}</td></tr>'
        for each in findings
    )
    return f"""\
<div class="scroll"><table class="findings"><thead><tr><th scope="col">Kind</th>\
<th scope="col" class="number">Times</th><th scope="col">Message</th><th scope="col">Where</th>\
<th scope="col">Why</th></tr></thead><tbody>{body}</tbody></table></div>"""


def _text(said: str) -> str:
    return escape(wording.visible(said))
