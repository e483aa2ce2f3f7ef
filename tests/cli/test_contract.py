"""`ws2sse contract`, as a user runs it."""

import json
from pathlib import Path

import pytest

from bridge.cli import main
from bridge.parity.observation import Observation, Side
from bridge.parity.recording import Header
from bridge.verify.files import RecordingFile


def task(status: str) -> str:
    return json.dumps({"type": "task", "object": {"id": "t", "type": "x", "status": status}})


@pytest.fixture
def recording(tmp_path: Path) -> str:
    """The candidate says `done` where the contract has `completed`."""
    path = tmp_path / "a.ndjson"
    with RecordingFile(path, Header()) as file:
        for number in range(20):
            file.add(Observation(Side.LEGACY, "c", task("completed"), number))
            file.add(Observation(Side.CANDIDATE, "c", task("done"), number, "sse"))
    return str(path)


def test_a_breach_is_told_and_fails(recording: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["contract", "check", recording]) == 1
    breach, total = capsys.readouterr().out.splitlines()
    assert breach.startswith("candidate breaks the contract of 'task' at $.object.status 20 times")
    assert total == "40 messages, 20 against the contract"


def test_one_side_may_be_looked_at_alone(recording: str) -> None:
    assert main(["contract", "check", recording, "--side", "legacy"]) == 0
    assert main(["contract", "check", recording, "--side", "control"]) == 3


def test_what_is_learnt_from_one_side_is_held_against_the_other(
    recording: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, document = str(tmp_path / "contract"), str(tmp_path / "api.json")
    assert main(["contract", "learn", recording, "-o", folder, "--side", "legacy"]) == 0
    assert capsys.readouterr().out == f"{folder}/task.json (20 messages)\n"
    assert main(["contract", "asyncapi", "--contract", folder, "-o", document]) == 0
    for contract in (folder, document):
        assert main(["contract", "check", recording, "--contract", contract]) == 1
        assert 'expected one of "completed", came "done"' in capsys.readouterr().out


def test_a_document_goes_to_stdout(capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["--channel", "job.{id}", "--ws", "ws://h/ws", "--sse", "http://h/events"]
    assert main(["contract", "asyncapi", *arguments]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["channels"]["job"]["address"] == "job.{id}"
    assert document["servers"]["ws"]["host"] == "h"


def test_nothing_to_learn_from_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "a.ndjson"
    with RecordingFile(path, Header()) as file:
        file.add(Observation(Side.LEGACY, "c", "[DONE]", 0.0))
    assert main(["contract", "learn", str(path), "-o", str(tmp_path / "x")]) == 3
    assert capsys.readouterr().err.splitlines() == [
        f"ws2sse: {path}: 1 messages are no JSON and have no schema",
        f"ws2sse: {path}: no message to learn from",
    ]


@pytest.mark.parametrize(
    "arguments",
    [[], ["check"], ["check", "none.ndjson"], ["asyncapi", "--contract", "none"], ["learn", "x"]],
)
def test_a_mistake_is_one_line(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["contract", *arguments]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("ws2sse: ")


def test_what_cannot_all_be_read_is_not_all_well(
    recording: str, capsys: pytest.CaptureFixture[str]
) -> None:
    path = Path(recording)
    path.write_bytes(path.read_bytes()[:-20])
    assert main(["contract", "check", recording, "--side", "legacy"]) == 3
    assert "a.ndjson:41" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("flag", "value", "complaint"),
    [
        ("--ws", "foo", "'foo' is no URL; begin it with ws"),
        ("--sse", "wss://host/x", "is no URL; begin it with http"),
        ("--channel", "a b/{", "'a b/{' is no address"),
    ],
)
def test_addresses_are_checked(
    flag: str, value: str, complaint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["contract", "asyncapi", flag, value]) == 2
    assert complaint in capsys.readouterr().err
