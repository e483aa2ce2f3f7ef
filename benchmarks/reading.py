"""What reading a backend costs: events a second and core, by the bridge and by plain libraries.

Decides who reads what in which order; `readers` and `peers.source` do the work, each in a process
of its own, so that neither pays for the other.
"""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from collections.abc import Collection, Iterator

from benchmarks import machine
from benchmarks.fleet import Workshop
from benchmarks.machine import ROOT
from benchmarks.plan import Effort
from benchmarks.samples import Sample
from benchmarks.servers import Program, Running
from benchmarks.stages import BRIDGE

TOPIC = "reading"
READERS = (
    ("sse", "bridge"),
    ("sse", "httptools"),
    ("sse", "aiohttp"),
    ("sse", "httpx"),
    ("ws", "bridge"),
    ("ws", "websockets"),
    ("ws", "aiohttp"),
)
COUNTS = {"packed": 60_000, "single": 6_000}
_PATIENCE = 60


def reading(workshop: Workshop, effort: Effort, names: Collection[str]) -> Iterator[Sample]:
    """Every reader, on events packed and one by one; in a quick run the bridge's alone."""
    if TOPIC not in names:
        return
    share = 4 if effort.quick else 1
    readers = [reader for reader in READERS if BRIDGE in reader] if effort.quick else READERS
    for cycle in range(effort.fresh):
        for mode, library in readers:
            if importlib.util.find_spec(library) is None:
                workshop.leave_out(f"reading by {library}", f"{library} is not installed")
                continue
            for how, count in COUNTS.items():
                cpu = _cost(workshop, mode, library, how, count // share)
                found = {"cpu_us": cpu, "reads": 1e6 / cpu}
                yield Sample(f"{TOPIC}-{mode}-{how}", library, cycle, found)
        workshop.say(f"reading: cycle {cycle + 1}")


def _cost(workshop: Workshop, mode: str, library: str, how: str, count: int) -> float:
    port = machine.free_ports(1)[0]
    arguments = [mode, how, str(port), str(count)]
    source = Program([sys.executable, "-m", "benchmarks.peers.source", *arguments], measured=False)
    running = Running([source], workshop.folder / "servers.log")
    try:
        machine.wait_for_port(port)
        argv = [sys.executable, "-m", "benchmarks.readers", f"{library}-{mode}"]
        with machine.on_core(machine.cores()[0]):
            done = subprocess.run(
                [*argv, str(port), str(count)],
                cwd=ROOT,
                capture_output=True,
                check=True,
                timeout=_PATIENCE,
            )
        return float(done.stdout)
    finally:
        running.stop()
