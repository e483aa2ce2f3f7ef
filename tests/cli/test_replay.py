"""`ws2sse replay` as a process, with its options."""

import json
import signal
import subprocess
import sys
from pathlib import Path

import aiohttp
import pytest
from anyio import to_thread

from bridge.cli import main
from bridge.parity.observation import Observation, Side
from bridge.parity.recording import Header
from bridge.verify.files import RecordingFile

Captured = pytest.CaptureFixture[str]


@pytest.fixture
def recording(tmp_path: Path) -> str:
    path = tmp_path / "a.ndjson"
    with RecordingFile(path, Header("", ("test",), {"legacy": "ws"})) as file:
        for number in range(20):
            data = json.dumps({"type": "count", "n": number})
            file.add(Observation(Side.LEGACY, "test", data, number * 10.0))
    return str(path)


def process(*arguments: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "bridge.cli", "replay", *arguments]
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, bufsize=1
    )


async def test_it_serves_tells_where_and_counts_its_faults(recording: str) -> None:
    options = ["--port", "0", "--speed", "max", "--fault", "drop:0.5", "--seed", "7"]
    running = process(recording, *options)
    try:
        assert running.stdout
        _, sse = [await to_thread.run_sync(running.stdout.readline) for _ in range(2)]
        async with (
            aiohttp.ClientSession() as session,
            session.get(sse.strip().replace("{channel}", "test")) as stream,
        ):
            sent = (await stream.text()).count("data:")
        told = await to_thread.run_sync(running.stdout.readline)
    finally:
        running.send_signal(signal.SIGINT)
        _, said = await to_thread.run_sync(running.communicate)
    assert told == "played 20 by sse, 20 by ws; Ctrl-C stops\n"
    assert 0 < sent < 20
    assert f"faults on sse: {20 - sent} drop" in said
    assert running.returncode == 0


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["--speed", "0"], "invalid value for --speed: write a number such as 2, or max"),
        (["--speed", "fast"], "invalid value for --speed"),
        (["--fault", "explode"], "invalid value for --fault: there is no fault 'explode'"),
        (["--fault-on", "udp"], "invalid value for '--fault-on'"),
        (["--side", "other"], "invalid value for '--side'"),
        (["--host", "256.0.0.1"], "256.0.0.1:9000: cannot listen"),
    ],
)
def test_misuse_is_one_line(
    arguments: list[str], complaint: str, recording: str, capsys: Captured
) -> None:
    assert main(["replay", recording, *arguments]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"ws2sse: {complaint}")


@pytest.mark.parametrize("name", ["none.ndjson", "README.md"])
def test_what_is_no_recording_is_one_line(name: str, tmp_path: Path, capsys: Captured) -> None:
    (tmp_path / "README.md").write_text("# hello\n")
    assert main(["replay", str(tmp_path / name)]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert name in line
