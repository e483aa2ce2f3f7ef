"""The report for machines keeps to its schema."""

import json

import jsonschema
import pytest

from bridge.parity import report_json
from bridge.parity.report import Report
from tests.parity.samples import ALL, NASTY, REPORT


def test_the_schema_is_one() -> None:
    jsonschema.Draft202012Validator.check_schema(report_json.SCHEMA)


@pytest.mark.parametrize("report", ALL)
def test_every_document_keeps_to_the_schema(report: Report) -> None:
    document = json.loads(report_json.json(report))
    jsonschema.validate(document, report_json.SCHEMA, jsonschema.Draft202012Validator)


def test_a_document_that_says_more_or_less_does_not() -> None:
    document = report_json.document(REPORT)
    for wrong in (document | {"more": 1}, document | {"outcome": "maybe"}, document | {"bound": 2}):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(wrong, report_json.SCHEMA)


def test_what_was_found_is_there() -> None:
    document = report_json.document(REPORT)
    assert document["outcome"] == "fail"
    assert document["evidence"]["matched"] == 9_938
    assert [each["kind"] for each in document["findings"]][:2] == ["altered", "missing"]
    assert document["lag"]["histogram"][-1] == {"upTo": None, "count": 2}
    assert document["findings"][1]["example"]["candidate"] is None


def test_binary_messages_are_base64() -> None:
    example = report_json.document(NASTY)["findings"][0]["example"]["candidate"]
    assert (example["data"], example["base64"]) == (None, "AP8=")
