"""`ws2sse record` against real backends."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest
from anyio import create_task_group, to_thread

from bridge.cli import main
from bridge.parity.observation import Observation, Side
from bridge.parity.recording import Transcript
from bridge.verify.files import header_of, sights
from tests.support.backends import SseBackend, WsBackend
from tests.support.servers import free_port
from tests.support.waiting import until

Captured = pytest.CaptureFixture[str]


async def recorded(*arguments: str) -> int:
    return await to_thread.run_sync(main, ["record", *arguments])


def payloads(path: Path, side: Side) -> list[str | bytes]:
    found = sights(path, Transcript(path.name))
    return [each.data for each in found if isinstance(each, Observation) and each.side is side]


async def test_both_backends_and_a_control_are_recorded(tmp_path: Path, capsys: Captured) -> None:
    path = tmp_path / "both.ndjson.gz"
    async with WsBackend() as ws, SseBackend(numbered=True) as sse, create_task_group() as tasks:

        async def publish() -> None:
            await until(lambda: ws.subscribers("test") == 2 and sse.subscribers("test"))
            for number in range(2):
                ws.publish("test", str(number))
                sse.publish("test", str(number))

        tasks.start_soon(publish)
        backends = ["--ws-upstream", ws.url, "--sse-upstream", sse.url]
        status = await recorded("test", "-o", str(path), *backends, "--control", "--count", "6")
    assert status == 0
    assert payloads(path, Side.LEGACY) == payloads(path, Side.CONTROL) == ["0", "1"]
    assert payloads(path, Side.CANDIDATE) == ["0", "1"]
    assert header_of(path).channels == ("test",)
    assert header_of(path).sides == {"legacy": "ws", "candidate": "sse", "control": "ws"}
    assert "2 of legacy, 2 of candidate, 2 of control" in capsys.readouterr().err


async def test_no_url_reaches_the_file(tmp_path: Path) -> None:
    path = tmp_path / "a.ndjson"
    url = f"ws://ada:pass-word@127.0.0.1:{free_port()}/{{channel}}?token=s3cret-value"
    await recorded("test", "-o", str(path), "--ws-upstream", url, "--for", "0.2s")
    assert b"127.0.0.1" not in path.read_bytes()
    assert b"s3cret" not in path.read_bytes()


async def test_a_backend_that_never_answers_is_told_with_status_one(
    tmp_path: Path, capsys: Captured
) -> None:
    url = f"ws://127.0.0.1:{free_port()}/{{channel}}"
    path = str(tmp_path / "a.ndjson")
    assert await recorded("test", "-o", path, "--ws-upstream", url, "--for", "0.2s") == 1
    trouble, summary = capsys.readouterr().err.splitlines()
    assert trouble.startswith("ws2sse: legacy test: cannot reach the backend")
    assert "0 of legacy" in summary


def process(*arguments: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "bridge.cli", *arguments]
    return subprocess.Popen(command, stderr=subprocess.PIPE, text=True)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_a_signal_finishes_the_file(number: signal.Signals, tmp_path: Path) -> None:
    path = tmp_path / "a.ndjson"
    async with WsBackend() as ws:
        command = ["record", "test", "-o", str(path), "--ws-upstream", ws.url]
        running = process(*command)
        await until(lambda: ws.subscribers("test"))
        ws.publish("test", "hello")
        part = path.with_name("a.ndjson.part")
        await until(lambda: b"hello" in part.read_bytes())
        running.send_signal(number)
        _, said = await to_thread.run_sync(running.communicate)
    assert running.returncode == 0
    assert payloads(path, Side.LEGACY) == ["hello"]
    assert said.count("\n") == 1
    assert "1 of legacy" in said


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["-o", "x"], "missing argument 'CHANNEL...'"),
        (["test"], "missing option '-o' / '--output'"),
        (["a/b", "-o", "x"], "invalid value for CHANNEL: a channel name is dotted words"),
        (["test", "-o", "x"], "upstream: is not given"),
        (["test", "-o", "x", "--for", "soon"], "invalid value for '--for'"),
        (["test", "-o", "/", "--ws-upstream", "ws://h/{channel}"], "/: cannot be written"),
    ],
)
def test_misuse_is_one_line(arguments: list[str], complaint: str, capsys: Captured) -> None:
    assert main(["record", *arguments]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert complaint in line


@pytest.mark.parametrize(
    ("more", "complaint"),
    [
        (["-o", "there.ndjson"], "there.ndjson: exists (choose another name, or replace it by --f"),
        (["-o", "new.ndjson", "--control"], "--control: listens to the WebSocket backend"),
    ],
)
def test_a_mistake_is_one_line_and_replaces_nothing(
    more: list[str],
    complaint: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: Captured,
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("there.ndjson").write_text("mine")
    source = ["--sse-upstream", "http://127.0.0.1:9/{channel}"]
    assert main(["record", "c", *source, *more]) == 2
    said = capsys.readouterr().err
    assert complaint in said
    assert said.count("\n") == 1
    assert [path.read_text() for path in tmp_path.iterdir()] == ["mine"]
