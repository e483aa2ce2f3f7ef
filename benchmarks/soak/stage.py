"""What a soak runs: the bridge on one core, a mortal backend and the crowd on the other.

Decides the order of events in each stage; ends, by its process id, all that it started.
"""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks import machine
from benchmarks.machine import LOOPBACK, ROOT
from benchmarks.soak import report
from benchmarks.soak.backend import Clockwork
from benchmarks.soak.crowd import Crowd, Tally, wait_for
from benchmarks.soak.report import Endured, Figure

_DOWN = 0.5
_PROOF = 2.5


@dataclass(frozen=True, slots=True)
class Effort:
    """How much is done.

    Attributes:
        clients: of the crowd that comes and goes.
        seconds: for how long it does.
        settle: seconds before the first look at memory.
        kill_every: seconds between two deaths of the backend.
        audience: clients of the other stages.
        stalled: how many of those stall.
        rounds: of the comparison with none stalled.
        measure: seconds of each.
        fill: seconds in which the log fills for those who will stall.
        drain_rate: endings a second.
    """

    clients: int = 5_000
    seconds: int = 120
    settle: int = 40
    kill_every: int = 10
    audience: int = 2_000
    stalled: int = 200
    rounds: int = 5
    measure: float = 6.0
    fill: float = 25.0
    drain_rate: int = 500


QUICK = Effort(100, 6, 3, 2, audience=60, stalled=6, rounds=1, measure=1.0, fill=4, drain_rate=30)


class Backend:
    """The mortal backend.

    Args:
        port: where it listens.
        rate: events a second on each channel.
        size: of a payload.
        log: where it writes.
    """

    def __init__(self, port: int, rate: float, size: int, log: Path) -> None:
        self._epoch = time.monotonic()
        self._command = [sys.executable, "-m", "benchmarks.soak.backend", str(port)]
        self._command += [str(self._epoch), str(rate), str(size)]
        self._port, self._log = port, log
        self._events = Clockwork(self._epoch, rate, size)
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def top(self) -> int:
        """The last event that is due."""
        return self._events.top(time.monotonic())

    def start(self) -> None:
        """Serve."""
        self._process = _spawn(self._command, self._log, machine.cores()[1])

    def kill(self) -> None:
        """Die at once."""
        if self._process:
            self._process.kill()
            self._process.wait()
            self._process = None


class Stage:
    """Processes, started and ended here.

    Args:
        folder: for files.
        say: tells of progress.
    """

    def __init__(self, folder: Path, say: Callable[[str], None]) -> None:
        self._folder, self.say = folder, say

    @contextmanager
    def backend(self, rate: float, size: int) -> Iterator[tuple[Backend, int]]:
        """A running one, and its port."""
        port = machine.free_ports(1)[0]
        backend = Backend(port, rate, size, self._folder / "backend.log")
        backend.start()
        try:
            machine.wait_for_port(port)
            yield backend, port
        finally:
            backend.kill()

    @contextmanager
    def bridge(self, backend: int, settings: str) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
        """A running bridge before that port, with more settings; its process and its port."""
        port = machine.free_ports(1)[0]
        config = self._folder / f"bridge-{port}.toml"
        url = f"http://{LOOPBACK}:{backend}/events/{{channel}}"
        config.write_text(f'{settings}\n[upstream.sse]\nurl = "{url}"\n')
        command = [sys.executable, "-m", "bridge.cli", "serve", "--config", str(config)]
        command += ["--port", str(port), "--log-level", "error"]
        log = self._folder / f"bridge-{port}.log"
        process = _spawn(command, log, machine.cores()[0])
        try:
            machine.wait_for_port(port, fault=lambda: _fault(process, log))
            yield process, port
        finally:
            process.kill()
            process.wait()
            if log.stat().st_size:
                self.say(f"the bridge says: {log.read_text()[-2000:]}")


def _fault(process: subprocess.Popen[bytes], log: Path) -> str:
    return "" if process.poll() is None else f"the bridge did not start: {log.read_text()[-500:]}"


def _spawn(command: list[str], log: Path, core: int) -> subprocess.Popen[bytes]:
    with machine.on_core(core), log.open("ab") as sink:
        return subprocess.Popen(
            command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=sink, stderr=sink
        )


_SMALL_LOG = """
[history]
max_events = 60
[reconnect]
base = 0.1
cap = 1.0
"""


async def endure(stage: Stage, effort: Effort) -> list[Figure]:
    """A crowd of which a hundredth comes or goes each second, before a backend that dies."""
    channels = max(1, effort.clients // 100)
    with (
        stage.backend(rate=2, size=120) as (backend, upstream),
        stage.bridge(upstream, _SMALL_LOG) as (bridge, port),
    ):
        crowd = Crowd((LOOPBACK, port), channels)
        clients = [crowd.new_client() for _ in range(effort.clients)]
        await crowd.gather(clients, rate=1000)
        stage.say(f"{crowd.open} clients on {channels} channels")
        await asyncio.sleep(_PROOF)  # three ids in a row prove that they count
        await _churn(crowd, backend, effort, effort.settle, [], bridge.pid)
        samples: list[float] = []
        kills = await _churn(crowd, backend, effort, effort.seconds, samples, bridge.pid)
        await crowd.served(20)
        behind = await _caught_up(crowd, backend.top)
        tenth = max(1, len(samples) // 12)
        found = Endured(
            effort.clients,
            effort.seconds,
            kills,
            _counts(crowd.tally),
            behind,
            report.steady(samples[:tenth]),
            report.steady(samples[-tenth:]),
        )
        stage.say(f"memory in MiB: {[round(each / 1024) for each in samples[::tenth]]}")
        await crowd.go()
    return report.endurance(found)


async def _churn(
    crowd: Crowd, backend: Backend, effort: Effort, seconds: int, samples: list[float], pid: int
) -> int:
    """Let them come and go, and the backend die; gives how often it did."""
    kills, begun = 0, time.monotonic()
    for second in range(seconds):
        crowd.churn(0.01)
        if second % effort.kill_every == effort.kill_every // 2:
            backend.kill()
            await asyncio.sleep(_DOWN)
            backend.start()
            kills += 1
        samples.append(machine.resident_kib(pid))
        await asyncio.sleep(max(0.0, begun + second + 1 - time.monotonic()))
    return kills


async def _caught_up(crowd: Crowd, top: int) -> int:
    """How many lack an event that is due, after some patience."""
    await wait_for(lambda: not crowd.behind(top), 20)
    return crowd.behind(top)


def _counts(tally: Tally) -> Mapping[str, int]:
    more = {"opened": tally.opened, "refused": tally.refused, "dropped": tally.dropped}
    return tally.account.told() | more


_PATIENT = """
[client]
send_timeout = 120
[history]
max_bytes = 4000000
"""


async def stall(stage: Stage, effort: Effort) -> list[Figure]:
    """The latency of those who read, beside some that do not and beside as many that do."""
    with (
        stage.backend(rate=8, size=4000) as (_, upstream),
        stage.bridge(upstream, _PATIENT) as (_, port),
    ):
        others = Crowd((LOOPBACK, port), 1)
        await others.gather([others.new_client()], 1)
        first = others.clients[0].follower
        await wait_for(lambda: first.place, 20)
        place = first.place
        readers = [others.new_client() for _ in range(effort.audience - effort.stalled - 1)]
        await others.gather(readers, 1000)
        await asyncio.sleep(effort.fill)
        late: dict[bool, list[float]] = {False: [], True: []}
        for stalls in (False, True) * effort.rounds:
            found = await _beside(others, place, effort, stalls=stalls)
            late[stalls].append(found)
            stage.say(f"{'stalled' if stalls else 'none stalled'}: p99 {found:.1f} ms")
        await others.go()
    return [report.stalling(late[False], late[True], effort.audience, effort.stalled)]


async def _beside(others: Crowd, place: str, effort: Effort, *, stalls: bool) -> float:
    """The p99 of the others while so many more are there, all of which come from far behind."""
    beside = Crowd(others.address, 1)
    more = [beside.new_client() for _ in range(effort.stalled)]
    for client in more:
        client.stalls, client.follower.place = stalls, place
    await beside.gather(more, 200)
    await asyncio.sleep(1)
    others.tally.late.clear()
    others.tally.timing = True
    await asyncio.sleep(effort.measure)
    others.tally.timing = False
    await beside.go()
    await asyncio.sleep(0.5)
    return report.p99(others.tally.late)


async def drain(stage: Stage, effort: Effort) -> list[Figure]:
    """A bridge that is told to stop, and another at which its clients come back."""
    settings = f"drain_rate = {effort.drain_rate}\ndrain_timeout = 60"
    with (
        stage.backend(rate=2, size=120) as (_, upstream),
        stage.bridge(upstream, settings) as (old, port),
        stage.bridge(upstream, settings) as (_, other),
    ):
        crowd = Crowd((LOOPBACK, port), 20)
        await crowd.gather([crowd.new_client() for _ in range(effort.audience)], 1000)
        crowd.back_at = (LOOPBACK, other)
        os.kill(old.pid, signal.SIGTERM)
        await wait_for(lambda: len(crowd.tally.returns) >= effort.audience, 60)
        await crowd.served(20)
        returns = crowd.tally.returns
        stage.say(f"{len(returns)} came back, {crowd.tally.dropped} of them without an ending")
        await crowd.go()
    return report.drained(returns, effort.audience, effort.drain_rate)
