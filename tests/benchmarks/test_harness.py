"""The C programs: every event reaches every subscriber, on both wires."""

import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from benchmarks import machine
from benchmarks.machine import ROOT
from benchmarks.servers import Program, Running
from benchmarks.subscribers import Segment, Subscribers
from tests.support.waiting import until

COMPILER = shutil.which("cc")
needs_compiler = pytest.mark.skipif(COMPILER is None, reason="there is no C compiler")
CLIENTS = 20


@pytest.fixture(scope="module")
def programs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    folder = tmp_path_factory.mktemp("harness")
    assert COMPILER
    for name in ("load", "limit"):
        source = ROOT / "benchmarks" / f"{name}.c"
        command = [COMPILER, "-Wall", "-Wextra", "-Werror", "-o", str(folder / name), str(source)]
        subprocess.run(command, check=True)
    return {name: str(folder / name) for name in ("load", "limit")}


@contextmanager
def crowd(programs: dict[str, str], mode: str, log: Path, *options: str) -> Iterator[Subscribers]:
    web, feed = machine.free_ports(2)
    limit = [programs["limit"], "--mode", mode, "--port", str(web), "--feed", str(feed), *options]
    running = Running([Program(limit)], log)
    try:
        machine.wait_for_port(web)
        load = [programs["load"], "--mode", mode, "--port", str(web), "--clients", str(CLIENTS)]
        load += ["--path", "/stream.{i}", "--publish", "line", "--publish-port", str(feed)]
        subscribers = Subscribers(load)
        try:
            yield subscribers
        finally:
            subscribers.close()
    finally:
        running.stop()


def assert_complete(subscribers: Subscribers) -> None:
    assert (subscribers.ready, subscribers.failed) == (CLIENTS, 0)
    for segment in (Segment("burst", 0.02, burst=8), Segment("open", 0.02, rate=500)):
        outcome = subscribers.run(segment)
        assert outcome.published > 0
        assert outcome.received == outcome.published * outcome.clients == outcome.published * 20
        assert (outcome.missing, outcome.dropped) == (0, 0)
        assert 0 < outcome.p50 <= outcome.p99


@needs_compiler
@pytest.mark.parametrize("mode", ["sse", "ws"])
@pytest.mark.parametrize("options", [(), ("--coalesce",), ("--coalesce", "--patient")])
def test_nothing_is_missing(
    programs: dict[str, str], mode: str, options: tuple[str, ...], tmp_path: Path
) -> None:
    with crowd(programs, mode, tmp_path / "log", *options) as subscribers:
        assert_complete(subscribers)


@pytest.mark.parametrize("mode", ["sse", "ws"])
def test_without_a_compiler_nothing_is_missing_either(mode: str, tmp_path: Path) -> None:
    python = [sys.executable, "-m"]
    web, feed = machine.free_ports(2)
    backend = [*python, "benchmarks.peers.backend", mode, str(web), str(feed)]
    running = Running([Program(backend)], tmp_path / "log")
    try:
        machine.wait_for_port(web)
        load = [*python, "benchmarks.generator", "--mode", mode, "--port", str(web)]
        load += ["--clients", str(CLIENTS), "--publish", "line", "--publish-port", str(feed)]
        subscribers = Subscribers(load)
        try:
            assert_complete(subscribers)
        finally:
            subscribers.close()
    finally:
        running.stop()


@needs_compiler
def test_a_generator_without_a_server_says_so(programs: dict[str, str]) -> None:
    port = machine.free_ports(1)[0]
    subscribers = Subscribers([programs["load"], "--port", str(port), "--clients", "5"])
    subscribers.close()
    assert (subscribers.ready, subscribers.failed) == (0, 5)


@needs_compiler
async def test_what_was_started_is_stopped(programs: dict[str, str], tmp_path: Path) -> None:
    web, feed = machine.free_ports(2)
    limit = [programs["limit"], "--port", str(web), "--feed", str(feed)]
    running = Running([Program(limit)], tmp_path / "log")
    await until(lambda: machine.listens(web))
    assert running.fault() == ""
    assert running.resident_kib() > 0
    running.stop()
    assert not machine.listens(web)
    assert running.resident_kib() == 0


async def test_a_program_that_fails_says_with_what(tmp_path: Path) -> None:
    running = Running([Program(["false"])], tmp_path / "log")
    await until(lambda: bool(running.fault()))
    assert running.fault() == "false ended with status 1"
    running.stop()


def test_a_program_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="No such file"):
        Subscribers([str(tmp_path / "missing")])
