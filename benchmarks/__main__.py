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

from benchmarks import machine, plan, record, report
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
RESULTS = "results.json"
TITLE = "The bridge beside its peers, as a share of each bar: left is better, dashed is the stretch"
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
    parser.add_argument("--record", action="store_true", help="put it into docs/performance.md")
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
        text = profile(given.profile, workshop)
        print(text)
        if given.record:
            record.write(given.profile, text)
        return
    samples = list(_measured(workshop, _effort(given), names))
    _tell(samples, workshop, given.out)
    if given.record:
        _record(samples, workshop)


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


def _tell(samples: Sequence[Sample], workshop: Workshop, out: Path) -> None:
    figures = judged(samples)
    print(f"\n{_machine()}\n\n{report.tables(samples)}\n")
    print(f"Against the bars\n\n{_bars(figures, workshop)}")
    _write(samples, figures, workshop, out)
    print(f"Every sample is in {os.path.relpath(out / RESULTS, ROOT)}.")


def _bars(figures: Sequence[Figure], workshop: Workshop) -> str:
    ends = [report.left_out(workshop.left_out), f"{report.summary(figures)}."]
    return "\n\n".join(filter(None, [report.bars(figures), *ends]))


def _record(samples: Sequence[Sample], workshop: Workshop) -> None:
    figures = judged(samples)
    record.write("bars", _bars(figures, workshop))
    record.write("run", f"{_machine()}\n\n{report.tables(samples)}")
    record.PICTURE.write_text(picture(figures, TITLE))


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
    (out / RESULTS).write_text(json.dumps(told, indent=1))
    (out / "bars.svg").write_text(picture(figures, TITLE))


def _machine() -> str:
    cores = len(os.sched_getaffinity(0))
    libraries = ", ".join(f"{name} {version(name)}" for name in LIBRARIES)
    kernel = ".".join(platform.release().split(".")[:2])
    system = f"Linux {kernel}, {cores} cores, Python {platform.python_version()}"
    return f"{system}; {libraries}"


def _saying() -> Callable[[str], None]:
    started = time.monotonic()
    return lambda text: print(
        f"{time.monotonic() - started:6.1f} s  {text}", file=sys.stderr, flush=True
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
