"""Two backends of other processes, compared live: what was put in is found by its kind."""

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
from tests.support.backends import SseBackend, WsBackend
from tests.support.peers import Nchan
from tests.support.waiting import until

CHANNEL = "project.1"
COUNT = 600
PUBLISHED = 10_000


def recorded(path: Path, entities: int = COUNT, count: int = COUNT) -> Path:
    """A channel of so many entities, four seconds long."""
    with RecordingFile(path, Header("", (CHANNEL,), {"legacy": "ws"})) as file:
        for number in range(count):
            entity = {"id": f"f{number % entities}", "seq": number, "note": f"step {number}"}
            text = json.dumps({"type": "progress", "object": entity}, separators=(",", ":"))
            file.add(Observation(Side.LEGACY, CHANNEL, text, number / 150))
    return path


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    """One in which each message is about something else."""
    return recorded(tmp_path / "said.ndjson")


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
        ("encoding:0.05", "encoding"),
        ("envelope:0.05", "envelope"),
        ("delay:0.003:5", "late"),
    ],
)
async def test_faults_are_found_by_their_kinds(fault: str, kind: str, recording: Path) -> None:
    status, report = await compared(recording, [fault])
    assert (status, report["outcome"]) == (1, "fail"), report
    assert failing(report) == {kind}, report["findings"]


@pytest.mark.parametrize(
    ("fault", "kind", "entities"),
    [("reorder:0.05", "reordered", 1), ("coalesce:0.05", "coalesced", 50)],
)
async def test_so_are_those_of_entities_states(
    fault: str, kind: str, entities: int, tmp_path: Path
) -> None:
    status, report = await compared(recorded(tmp_path / "states.ndjson", entities), [fault])
    # an entity's last state has no newer one that could stand for it
    assert (status, failing(report) - {"missing"}) == (1, {kind}), report["findings"]


async def test_three_events_are_no_evidence(tmp_path: Path) -> None:
    status, report = await compared(recorded(tmp_path / "short.ndjson", count=3))
    assert (status, report["outcome"]) == (3, "insufficient")


async def test_ctrl_c_gives_the_report_so_far() -> None:
    async with WsBackend() as ws, SseBackend() as sse:
        backends = ["--ws-upstream", ws.url, "--sse-upstream", sse.url, "--no-control"]
        running = process("verify", "live", CHANNEL, *backends, "--format", "json")
        await until(lambda: ws.subscribers(CHANNEL) and sse.subscribers(CHANNEL))
        for number in range(3):
            ws.publish(CHANNEL, str(number))
        (socket,) = ws._sockets[CHANNEL]
        await (await socket.ping())  # answered behind all that was published
        running.send_signal(signal.SIGINT)
        said, _ = await to_thread.run_sync(running.communicate)
    report = json.loads(said)
    assert (running.returncode, report["outcome"]) == (3, "insufficient")
    assert report["evidence"]["legacy"] == 3


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
