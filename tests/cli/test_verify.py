"""`ws2sse verify` on recordings, and how its commands are called."""

import json
from pathlib import Path

import pytest

from bridge.cli import main
from bridge.parity.observation import Observation, Side
from bridge.parity.recording import Header
from bridge.verify.files import RecordingFile

Captured = pytest.CaptureFixture[str]


def recording(path: Path, side: Side = Side.LEGACY, but: int = -1, count: int = 200) -> str:
    with RecordingFile(path, Header("", ("c",), {side.value: "ws"})) as file:
        for number in range(count):
            if number != but:
                text = json.dumps({"type": "n", "object": {"id": f"e{number}", "at": side.value}})
                file.add(Observation(side, "c", text, number / 50))
    return str(path)


@pytest.fixture
def pair(tmp_path: Path) -> tuple[str, str]:
    return recording(tmp_path / "a.ndjson"), recording(tmp_path / "b.ndjson")


def test_the_first_word_may_be_a_file(pair: tuple[str, str], capsys: Captured) -> None:
    assert main(["verify", *pair]) == 0
    assert capsys.readouterr().out.startswith("PASS  ")
    assert main(["verify", "files", *pair]) == 0
    assert main(["verify", "--format", "json", *pair]) == 0


def test_the_status_tells_fail_and_insufficient_apart(tmp_path: Path) -> None:
    old = recording(tmp_path / "a.ndjson")
    assert main(["verify", old, recording(tmp_path / "b.ndjson", but=100)]) == 1
    short = [recording(tmp_path / name, count=3) for name in ("c.ndjson", "d.ndjson")]
    assert main(["verify", *short]) == 3


def test_rules_are_given_by_options_or_by_the_configuration(tmp_path: Path) -> None:
    old = recording(tmp_path / "a.ndjson")
    new = recording(tmp_path / "b.ndjson", Side.CANDIDATE)
    assert main(["verify", old, new]) == 1
    assert main(["verify", old, new, "--ignore", "$.object.at"]) == 0
    config = tmp_path / "bridge.toml"
    config.write_text(
        '[parity]\nignore = ["$.object.at"]\n[upstream.ws]\nurl = "ws://h/{channel}"\n'
    )
    assert main(["verify", old, new, "--config", str(config)]) == 0


def test_reports_are_written_beside_what_is_printed(
    pair: tuple[str, str], tmp_path: Path, capsys: Captured
) -> None:
    page, suite = tmp_path / "report.html", tmp_path / "report.xml"
    assert main(["verify", *pair, "-o", str(page), "-o", str(suite)]) == 0
    assert page.read_text().startswith("<!doctype html>")
    assert suite.read_text().startswith("<?xml")
    assert capsys.readouterr().out.startswith("PASS")


def test_schemas_are_learned_from_a_recording(pair: tuple[str, str], tmp_path: Path) -> None:
    assert main(["verify", "learn", pair[0], "-o", str(tmp_path / "schemas")]) == 0
    (path,) = (tmp_path / "schemas").iterdir()
    assert json.loads(path.read_text())["type"] == "object"


def test_a_contract_is_held_against_both(
    pair: tuple[str, str], tmp_path: Path, capsys: Captured
) -> None:
    schemas = str(tmp_path / "schemas")
    assert main(["verify", "learn", pair[0], "-o", schemas]) == 0
    assert main(["verify", *pair, "--contract", schemas]) == 0
    new = recording(tmp_path / "c.ndjson", Side.CANDIDATE)
    differing = ["verify", pair[0], new, "--ignore", "$.object.at"]
    assert main(differing) == 0
    assert main([*differing, "--contract", schemas]) == 1
    assert "breaks the contract of 'n' at $.object.at" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ([], "missing command"),
        (["none.ndjson"], "none.ndjson: cannot be read: no such file or directory"),
        (["a", "b", "c"], "invalid value for A [B]: name one recording, or two"),
        (["a", "--format", "pdf"], "invalid value for '--format'"),
        (["a", "--window", "-1"], "verify: window is -1.0"),
        (["a", "--ignore", "url"], "verify: 'url' is no path"),
        (["a", "-o", "none/a.html"], "none/a.html: cannot be written"),
        (["a", "--contract", "none"], "none: cannot be read"),
        (["live"], "missing argument 'CHANNEL...'"),
        (["live", "test"], "upstream: is not given"),
        (
            ["live", "test", "--ws-upstream", "ws://h/{channel}"],
            "upstream: a comparison needs both",
        ),
        (["learn", "a"], "missing option '--output' / '-o'"),
    ],
)
def test_misuse_is_one_line(arguments: list[str], complaint: str, capsys: Captured) -> None:
    assert main(["verify", *arguments]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"ws2sse: {complaint}")
