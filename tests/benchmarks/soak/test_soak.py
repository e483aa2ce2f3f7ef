"""The soak itself, in small: real processes, a backend that is killed, and the exit status."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks import record
from benchmarks.machine import ROOT
from benchmarks.soak import __main__ as program
from benchmarks.soak.backend import Clockwork


def test_a_small_crowd_loses_nothing_while_the_backend_is_killed() -> None:
    command = [sys.executable, "-m", "benchmarks.soak", "--quick", "--only", "churn"]
    ran = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=100, check=False
    )
    rows = [line.split("|") for line in ran.stdout.splitlines() if "PASS" in line or "FAIL" in line]
    verdicts = {row[1].strip(): row[4].strip() for row in rows}
    memory = verdicts.pop("resident memory, end to start")  # too short a run to say anything
    assert memory in {"PASS", "FAIL"}
    assert set(verdicts.values()) == {"PASS"}, ran.stdout + ran.stderr
    assert len(verdicts) == 4


def test_an_unknown_stage_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert program.main(["--only", "churn,nap"]) == 2
    assert "no such stage: nap" in capsys.readouterr().err


def test_the_matrix_is_told_with_its_reasons(tmp_path: Path) -> None:
    found = json.loads('{"held": 1210, "impossible": {"for a reason": 3}}')
    text = program.matrix(found)
    assert text.startswith("1,210 cells hold. 3 cannot be:")
    assert "| 3     | for a reason |" in text


@pytest.mark.parametrize(("name", "document"), [("soak", "operations"), ("matrix", "security")])
def test_the_documents_have_a_place_for_each(name: str, document: str) -> None:
    text = (ROOT / "docs" / f"{document}.md").read_text()
    assert "told" in record.recorded(text, name, "told")


def test_an_event_of_the_backend_follows_from_its_number_alone() -> None:
    one, other = Clockwork(10.0, 2, 80), Clockwork(10.0, 2, 80)
    assert one.chunk(7, 20.0) == other.chunk(7, 20.0)
    assert one.top(13.6) == 7
    assert one.due(7) == 13.5
