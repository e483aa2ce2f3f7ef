"""`make bench`: measure, print the tables, and end with the figures against their bars."""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, replace
from importlib.metadata import version
from pathlib import Path

from benchmarks import machine, plan, report
from benchmarks.bars import Figure, judged
from benchmarks.fleet import Workshop
from benchmarks.machine import ROOT
from benchmarks.peers import BUILD, LOAD
from benchmarks.picture import picture
from benchmarks.profiling import profile
from benchmarks.reading import reading
from benchmarks.samples import Sample
from benchmarks.stages import STAGES

DESCRIPTORS = 60_000
LIBRARIES = (
    "uvicorn",
    "uvloop",
    "starlette",
    "websockets",
    "aiohttp",
    "httptools",
    "sse-starlette",
)


def options(arguments: Sequence[str]) -> argparse.Namespace:
    """What the command line says."""
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="the main rows, in a minute or so")
    parser.add_argument("--only", default="", metavar="TOPICS", help=", ".join(plan.ALL))
    parser.add_argument("--cycles", type=int, help="rounds over all servers")
    parser.add_argument(
        "--profile", choices=("sse", "ws"), help="sample the bridge by perf instead"
    )
    parser.add_argument("--out", type=Path, default=BUILD, help="where the results are written")
    return parser.parse_args(arguments)


def main(arguments: Sequence[str]) -> int:
    """Run; gives the exit status, which does not depend on the bars."""
    given = options(arguments)
    words = [word for word in given.only.split(",") if word]
    try:
        names = plan.selected(words, quick=given.quick)
    except ValueError as error:
        print(error, file=sys.stderr)
        return 2
    # servers are stopped on the way out, however that comes
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    folder = Path(tempfile.mkdtemp(prefix="ws2sse-bench-"))
    try:
        workshop = Workshop(folder, machine.raise_descriptors(DESCRIPTORS), _saying())
        if not LOAD.is_file():
            workshop.leave_out("the load generator in C", "no compiler; a slower one serves")
        _run(given, names, workshop)
    except KeyboardInterrupt:
        return 130
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return 0


def _run(given: argparse.Namespace, names: Sequence[str], workshop: Workshop) -> None:
    if given.profile:
        print(profile(given.profile, workshop))
        return
    started = time.monotonic()
    samples = list(_measured(workshop, _effort(given), names))
    _tell(samples, workshop, time.monotonic() - started, given.out)


def _effort(given: argparse.Namespace) -> plan.Effort:
    effort = plan.QUICK if given.quick else plan.FULL
    return replace(effort, cycles=given.cycles) if given.cycles else effort


def _measured(workshop: Workshop, effort: plan.Effort, names: Sequence[str]) -> Iterator[Sample]:
    """All samples; a stage that breaks off is told of, and the others go on."""
    for name, stage in {**STAGES, "reading": reading}.items():
        try:
            yield from stage(workshop, effort, names)
        except (OSError, subprocess.SubprocessError) as error:
            workshop.leave_out(name, f"broke off: {error}")


def _tell(samples: Sequence[Sample], workshop: Workshop, seconds: float, out: Path) -> None:
    figures = judged(samples)
    print(f"\n{_machine()}\n\n{report.tables(samples)}\n")
    print(f"Against the bars\n\n{report.bars(figures)}\n")
    if workshop.left_out:
        print(report.left_out(workshop.left_out))
    print(f"{report.summary(figures)}; {seconds:.0f} s; results in {_relative(out)}")
    _write(samples, figures, workshop, out)


def _write(
    samples: Sequence[Sample], figures: Sequence[Figure], workshop: Workshop, out: Path
) -> None:
    out.mkdir(parents=True, exist_ok=True)
    told = {
        "machine": _machine(),
        "left_out": workshop.left_out,
        "figures": [{**asdict(figure), "verdict": figure.verdict} for figure in figures],
        "samples": [asdict(sample) for sample in samples],
    }
    (out / "results.json").write_text(json.dumps(told, indent=1))
    (out / "bars.svg").write_text(picture(figures, "ws2sse beside its peers: shares of each bar"))


def _machine() -> str:
    cores = len(os.sched_getaffinity(0))
    libraries = ", ".join(f"{name} {version(name)}" for name in LIBRARIES)
    system = f"Linux {platform.release()}, {cores} cores, Python {platform.python_version()}"
    return f"{system}; {libraries}"


def _relative(path: Path) -> str:
    return os.path.relpath(path, ROOT)


def _saying() -> Callable[[str], None]:
    started = time.monotonic()
    return lambda text: print(
        f"{time.monotonic() - started:6.1f} s  {text}", file=sys.stderr, flush=True
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
