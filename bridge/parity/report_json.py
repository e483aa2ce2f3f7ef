"""A report for machines: one JSON document, with the JSON Schema that it keeps to.

Decides the names and shapes, which docs/verifying.md lists; a change that breaks a reader raises
`VERSION`.
"""

from __future__ import annotations

import math
from base64 import b64encode
from typing import Any

import orjson

from bridge.parity.finding import Finding, Kind
from bridge.parity.observation import Observation, Side
from bridge.parity.report import Outcome, Report

FORMAT = "ws2sse-report"
VERSION = 1

_COUNT = {"type": "integer", "minimum": 0}
_TEXT = {"type": "string"}
_TEXT_OR_NOTHING = {"type": ["string", "null"]}
_TIME = {"type": "number"}


def _object(**properties: object) -> dict[str, object]:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def _list(items: object) -> dict[str, object]:
    return {"type": "array", "items": items}


_MESSAGE = _object(
    side={"enum": [side.value for side in Side]},
    channel=_TEXT,
    at=_TIME,
    wire={"enum": ["ws", "sse"]},
    type=_TEXT,
    id=_TEXT,
    connection=_COUNT,
    data=_TEXT_OR_NOTHING,
    base64=_TEXT_OR_NOTHING,
)
_MESSAGE_OR_NOTHING = {"oneOf": [_MESSAGE, {"type": "null"}]}

SCHEMA: dict[str, Any] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "title": "ws2sse report",
    **_object(
        format={"const": FORMAT},
        version={"const": VERSION},
        outcome={"enum": [outcome.value for outcome in Outcome]},
        reason=_TEXT,
        bound={"type": "number", "minimum": 0, "maximum": 1},
        confidence={"type": "number", "minimum": 0, "maximum": 1},
        names=_object(legacy=_TEXT, candidate=_TEXT),
        channels=_list(_TEXT),
        duration=_TIME,
        evidence=_object(
            legacy=_COUNT,
            candidate=_COUNT,
            matched=_COUNT,
            outside=_COUNT,
            failed=_COUNT,
            excused=_COUNT,
            unreadable=_COUNT,
        ),
        lag=_object(
            count=_COUNT,
            p50=_TIME,
            p99=_TIME,
            largest=_TIME,
            histogram=_list(_object(upTo={"type": ["number", "null"]}, count=_COUNT)),
        ),
        timeline=_list(
            _object(
                at=_TIME,
                matched=_COUNT,
                differences={"type": "object", "additionalProperties": _COUNT},
            )
        ),
        findings=_list(
            _object(
                kind={"enum": [kind.value for kind in Kind]},
                channel=_TEXT,
                message=_TEXT,
                path=_TEXT,
                count=_COUNT,
                first=_TIME,
                last=_TIME,
                reason=_TEXT,
                excused=_TEXT_OR_NOTHING,
                legacy=_TEXT_OR_NOTHING,
                candidate=_TEXT_OR_NOTHING,
                example=_object(legacy=_MESSAGE_OR_NOTHING, candidate=_MESSAGE_OR_NOTHING),
            )
        ),
        notes=_list(_TEXT),
    ),
}
"""What every document keeps to."""


def json(report: Report) -> bytes:
    """The document, indented, with a line end."""
    options = orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE
    return orjson.dumps(document(report), option=options)


def document(report: Report) -> dict[str, Any]:
    """The document as plain values. Times are seconds; an endless bound is null."""
    verdict, evidence, lag = report.verdict, report.verdict.evidence, report.lag
    return {
        "format": FORMAT,
        "version": VERSION,
        "outcome": verdict.outcome.value,
        "reason": verdict.reason,
        "bound": verdict.bound,
        "confidence": verdict.confidence,
        "names": dict(zip(("legacy", "candidate"), report.names, strict=True)),
        "channels": list(report.channels),
        "duration": report.duration,
        "evidence": {name: getattr(evidence, name) for name in evidence.__slots__},
        "lag": {
            "count": lag.count,
            "p50": lag.p50,
            "p99": lag.p99,
            "largest": lag.largest,
            "histogram": [
                {"upTo": upper if math.isfinite(upper) else None, "count": count}
                for upper, count in lag.histogram
            ],
        },
        "timeline": [
            {"at": each.at, "matched": each.matched, "differences": dict(each.differences)}
            for each in report.timeline
        ],
        "findings": [_finding(each) for each in report.findings],
        "notes": list(report.notes),
    }


def _finding(finding: Finding) -> dict[str, Any]:
    return {
        "kind": finding.kind.value,
        "channel": finding.channel,
        "message": finding.message,
        "path": finding.path,
        "count": finding.count,
        "first": finding.first,
        "last": finding.last,
        "reason": finding.reason,
        "excused": finding.excused,
        "legacy": finding.legacy,
        "candidate": finding.candidate,
        "example": {
            "legacy": _message(finding.example.legacy),
            "candidate": _message(finding.example.candidate),
        },
    }


def _message(seen: Observation | None) -> dict[str, Any] | None:
    if seen is None:
        return None
    is_text = isinstance(seen.data, str)
    return {
        "side": seen.side.value,
        "channel": seen.channel,
        "at": seen.at,
        "wire": seen.wire,
        "type": seen.type,
        "id": seen.id,
        "connection": seen.connection,
        "data": seen.data if is_text else None,
        "base64": None if isinstance(seen.data, str) else b64encode(seen.data).decode(),
    }
