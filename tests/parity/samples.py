"""Reports for the tests of those who write them down."""

import json
import math
from dataclasses import replace

from bridge.parity.finding import Example, Finding, Kind
from bridge.parity.observation import Observation, Side
from bridge.parity.report import Evidence, Lag, Moment, Outcome, Report, Verdict

HOSTILE = "</style><script>alert(1)</script>\x1b[31m\0\u202e]]>&\"'"
"""What a backend may say to whoever shows it."""


def said(side: Side, data: str | bytes, at: float = 12.5) -> Observation:
    wire = "ws" if side is Side.LEGACY else "sse"
    return Observation(side, "project.42", data, at, wire, id="" if wire == "ws" else "17")  # type: ignore[arg-type]


def file(url: str, progress: object = 80) -> str:
    tree = {
        "type": "file",
        "projectId": "p42",
        "object": {
            "id": "f1",
            "url": url,
            "progress": progress,
            "tasks": [{"id": f"t{n}", "status": "done"} for n in range(6)],
        },
    }
    return json.dumps(tree)


def finding(kind: Kind, path: str = "$", count: int = 1, **more: object) -> Finding:
    old, new = said(Side.LEGACY, file("https://a/1")), said(Side.CANDIDATE, file("https://b/1"))
    example = Example(None if kind is Kind.EXTRA else old, None if kind is Kind.MISSING else new)
    made = Finding(kind, "project.42", "file", path, count, 3.25, 540.0, example)
    return replace(made, **more)  # type: ignore[arg-type]


VERDICT = Verdict(
    Outcome.FAIL,
    "47 of 9,997 messages differ: 30 altered, 12 missing and 5 reordered.",
    0.0062,
    0.95,
    Evidence(9_998, 9_986, 9_938, 3, 47, 120, 2),
)
FINDINGS = (
    finding(Kind.ALTERED, "$.object.url", 30, legacy='"https://a/1"', candidate='"https://b/1"'),
    finding(Kind.MISSING, count=12, message=""),
    finding(Kind.REORDERED, count=5),
    finding(
        Kind.TYPE_DRIFT,
        "$.object.progress",
        2,
        legacy="80",
        candidate='"80"',
        example=Example(
            said(Side.LEGACY, file("https://a/1")), said(Side.CANDIDATE, file("https://a/1", "80"))
        ),
    ),
    finding(
        Kind.ENCODING,
        count=1,
        example=Example(said(Side.LEGACY, '{"a": 1}'), said(Side.CANDIDATE, '{"a":1}')),
    ),
    finding(Kind.ALTERED, "$.timestamp", 120, excused="differs between two legacy subscriptions"),
)
LAG = Lag(
    9_938,
    0.0021,
    0.038,
    -0.41,
    (
        (-0.1, 2),
        (-0.01, 14),
        (0.0, 600),
        (0.001, 2_200),
        (0.002, 3_100),
        (0.005, 2_500),
        (0.01, 900),
        (0.05, 560),
        (0.1, 60),
        (math.inf, 2),
    ),
)
TIMELINE = tuple(
    Moment(
        at * 10.0,
        160 + (at * 37) % 90,
        {"altered": at % 4, "missing": 6 if at in (20, 21) else 0, "reordered": int(at == 33)},
    )
    for at in range(60)
)
REPORT = Report(
    VERDICT,
    FINDINGS,
    LAG,
    TIMELINE,
    ("project.42", "file.f1"),
    602.0,
    ("b.ndjson:17: a half-written line",),
    ("monday.ndjson", "tuesday.ndjson.gz"),
)
EMPTY = Report(
    Verdict(
        Outcome.INSUFFICIENT, "3 pairs were seen, 100 are needed.", 1.0, 0.95, Evidence(3, 3, 3)
    )
)
PASSED = replace(
    REPORT,
    verdict=replace(VERDICT, outcome=Outcome.PASS, reason="No difference in 9,938 pairs."),
    findings=FINDINGS[-1:],
)
NASTY = replace(
    REPORT,
    verdict=replace(VERDICT, reason=HOSTILE),
    findings=(
        finding(
            Kind.ALTERED,
            HOSTILE,
            message=HOSTILE,
            channel=HOSTILE,
            legacy=HOSTILE,
            candidate=None,
            example=Example(said(Side.LEGACY, HOSTILE), said(Side.CANDIDATE, b"\0\xff")),
        ),
        finding(Kind.MISSING, excused=HOSTILE),
    ),
    channels=(HOSTILE,),
    notes=(HOSTILE,),
    names=(HOSTILE, "b"),
)
ALL = (REPORT, EMPTY, PASSED, NASTY)
