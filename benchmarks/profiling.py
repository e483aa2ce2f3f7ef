"""Where the bridge's time goes: its processor samples, by part and by function.

Decides which parts a table has; `perf` takes the samples while 1,000 clients are served.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterable, Sequence
from pathlib import Path

from benchmarks.fleet import Member, Workshop, fleet, subscribed, warm
from benchmarks.peers import FAN_OUT
from benchmarks.report import table
from benchmarks.servers import Running
from benchmarks.stages import BRIDGE, CLIENTS
from benchmarks.subscribers import Mode, Segment

SECONDS = 6.0
FREQUENCY = 499
FUNCTIONS = 25
_LINE = re.compile(r"^\s*([\d.]+)%\s+(.*\S)\s*$")
_NOTHING = re.compile(r"(\s+-)+$")  # columns that are empty
_PATIENCE = 120.0

Share = tuple[str, float]


def shares(report: str) -> list[Share]:
    """Name and per cent of each line of a `perf report`."""
    found = filter(None, map(_LINE.match, report.splitlines()))
    return [(_NOTHING.sub("", match[2]), float(match[1])) for match in found]


def part(library: str) -> str:
    """What a shared object is, in words."""
    if "kernel" in library:
        return "kernel"
    if library.startswith(("libpython", "python")):
        return "Python interpreter"
    return "uvloop" if library.startswith("loop.") else library.split(".", maxsplit=1)[0]


def by_part(found: Iterable[Share]) -> list[Share]:
    """The shares of parts, the largest first."""
    sums: dict[str, float] = {}
    for name, share in found:
        sums[part(name)] = sums.get(part(name), 0.0) + share
    return sorted(sums.items(), key=lambda item: -item[1])


def shown(what: str, found: Sequence[Share]) -> str:
    """A table of shares."""
    return table([what, "%"], [[name, f"{share:.1f}"] for name, share in found])


def profile(mode: Mode, workshop: Workshop) -> str:
    """Tables of single events and of overload; says why where there are none."""
    perf = shutil.which("perf")
    if perf is None:
        return "perf is not installed (Debian: linux-perf)."
    bridge = [peer for peer in FAN_OUT if peer.name == BRIDGE]
    segments = (Segment("single", SECONDS), Segment("overload", SECONDS, rate=1000))
    with fleet(bridge, mode, workshop) as members:
        return "\n\n".join(
            _profiled(perf, member, segment, workshop.folder)
            for member in members
            for segment in segments
        )


def _profiled(perf: str, member: Member, segment: Segment, folder: Path) -> str:
    data = str(folder / f"{segment.name}.data")
    with subscribed(member, CLIENTS) as subscribers:
        warm([subscribers])
        recording = _record(perf, member.running, data)
        subscribers.run(segment)
        recording.wait(_PATIENCE)
    parts = by_part(shares(_report(perf, data, "dso")))
    functions = shares(_report(perf, data, "symbol"))[:FUNCTIONS]
    return f"**{segment.name}**\n\n{shown('part', parts)}\n\n{shown('function', functions)}"


def _record(perf: str, running: Running, data: str) -> subprocess.Popen[bytes]:
    pids = ",".join(map(str, running.measured_pids))
    command = [perf, "record", "-q", "-F", str(FREQUENCY), "-p", pids, "-o", data]
    return subprocess.Popen([*command, "--", "sleep", str(SECONDS)])


def _report(perf: str, data: str, sort: str) -> str:
    command = [perf, "report", "-i", data, "--stdio", "--sort", sort]
    done = subprocess.run(command, capture_output=True, check=True, text=True, timeout=_PATIENCE)
    return done.stdout
