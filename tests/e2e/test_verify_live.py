"""Two backends of other processes, compared live: faults are found by their kinds, and only they."""

import json
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import pytest
from anyio import to_thread

from bridge.parity.observation import Observation, Side
from bridge.parity.recording import Header
from bridge.verify.files import RecordingFile
from tests.support.peers import Nchan

CHANNEL = "project.1"
COUNT = 600
PUBLISHED = 10_000


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    """A channel of several entities, four seconds long."""
    path = tmp_path / "said.ndjson"
    with RecordingFile(path, Header("", (CHANNEL,), {"legacy": "ws"})) as file:
        for number in range(COUNT):
            said = {
                "type": "progress",
                "object": {"id": f"f{number % 7}", "seq": number, "note": f"step {number}"},
            }
            text = json.dumps(said, separators=(",", ":"))
            file.add(Observation(Side.LEGACY, CHANNEL, text, number / 150))
    return path


def process(*arguments: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "bridge.cli", *arguments]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


async def line(running: subprocess.Popen[str]) -> str:
    assert running.stdout
    return (await to_thread.run_sync(running.stdout.readline)).strip()


@asynccontextmanager
async def replaying(recording: Path, *options: str) -> AsyncIterator[tuple[str, str]]:
    """The addresses of a replay, by WebSocket and by SSE."""
    running = process("replay", str(recording), "--port", "0", *options)
    try:
        yield await line(running), await line(running)
    finally:
        running.send_signal(signal.SIGINT)
        await to_thread.run_sync(running.communicate)


async def verified(ws: str, sse: str, *options: str) -> tuple[int, dict[str, Any]]:
    """The status and the report of `verify live`."""
    backends = ["--ws-upstream", ws, "--sse-upstream", sse]
    running = process("verify", "live", CHANNEL, *backends, "--format", "json", *options)
    said, complaints = await to_thread.run_sync(running.communicate)
    assert said, complaints
    return running.returncode, json.loads(said)


async def compared(
    recording: Path, faults: Sequence[str] = (), options: Sequence[str] = ()
) -> tuple[int, dict[str, Any]]:
    """Two replays, the legacy one heard twice, the candidate one faulty."""
    put_in = [word for fault in faults for word in ("--fault", fault)]
    async with (
        replaying(recording, "--clients", "2") as (ws, _),
        replaying(recording, "--clients", "1", "--seed", "5", *put_in) as (_, sse),
    ):
        return await verified(ws, sse, "--window", "3", "--for", "60s", *options)


def failing(report: dict[str, Any]) -> set[str]:
    return {each["kind"] for each in report["findings"] if each["excused"] is None}


async def test_backends_that_say_the_same_pass(recording: Path) -> None:
    status, report = await compared(recording)
    assert (status, report["outcome"], failing(report)) == (0, "pass", set()), report["findings"]
    assert report["evidence"]["matched"] >= COUNT - 10


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        ("drop:0.05", "missing"),
        ("duplicate:0.05", "duplicated"),
        ("alter:0.05", "altered"),
        ("type-drift:0.05", "type-drift"),
        ("reorder:0.05", "reordered"),
        ("encoding:0.05", "encoding"),
        ("envelope:0.05", "envelope"),
        ("delay:0.003:5", "late"),
    ],
)
async def test_faults_are_found_by_their_kinds(fault: str, kind: str, recording: Path) -> None:
    status, report = await compared(recording, [fault])
    assert (status, report["outcome"]) == (1, "fail"), report
    assert failing(report) == {kind}, report["findings"]


async def test_three_events_are_no_evidence(recording: Path) -> None:
    first = recording.read_bytes().splitlines(keepends=True)[:4]
    recording.write_bytes(b"".join(first))
    status, report = await compared(recording)
    assert (status, report["outcome"]) == (3, "insufficient")


async def test_ctrl_c_gives_the_report_so_far(recording: Path) -> None:
    async with (
        replaying(recording, "--clients", "2") as (ws, _),
        replaying(recording) as (_, sse),
    ):
        backends = ["--ws-upstream", ws, "--sse-upstream", sse]
        running = process("verify", "live", CHANNEL, *backends, "--format", "json")
        await anyio.sleep(3)
        running.send_signal(signal.SIGINT)
        said, _ = await to_thread.run_sync(running.communicate)
    report = json.loads(said)
    assert 0 < report["evidence"]["legacy"] < COUNT
    assert running.returncode == {"pass": 0, "fail": 1, "insufficient": 3}[report["outcome"]]


async def test_nchan_says_the_same_on_both_wires(nchan: Nchan) -> None:
    """Ten thousand messages, published by eight at a time."""
    found: list[tuple[int, dict[str, Any]]] = []

    async def verify() -> None:
        options = ["--for", "50s", "--count", str(PUBLISHED), "--no-control"]
        found.append(await verified(nchan.ws_url, nchan.sse_url, *options))

    async def publish(numbers: range) -> None:
        for number in numbers:
            said = {"type": "n", "object": {"id": f"f{number % 8}", "seq": number}}
            await nchan.publish(CHANNEL, json.dumps(said))

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(verify)
        await nchan.wait_subscribers(CHANNEL, 2)
        async with anyio.create_task_group() as publishers:
            for first in range(8):
                publishers.start_soon(publish, range(first, PUBLISHED, 8))
    ((status, report),) = found
    assert (status, report["outcome"]) == (0, "pass"), report["findings"]
    assert report["evidence"]["matched"] >= PUBLISHED - 10
