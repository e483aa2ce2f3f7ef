"""`make soak`: churn before a dying backend, stalled readers and a drain, against their bars."""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path

import uvloop

from benchmarks import machine, record
from benchmarks import report as tables
from benchmarks.machine import ROOT
from benchmarks.soak import report, stage
from benchmarks.soak.report import Figure
from benchmarks.soak.stage import Effort, Stage

DESCRIPTORS = 20_000
STAGES: Mapping[str, Callable[[Stage, Effort], Awaitable[list[Figure]]]] = {
    "churn": stage.endure,
    "stall": stage.stall,
    "drain": stage.drain,
}
MATRIX = ROOT / "build" / "faults" / "matrix.json"


def options(arguments: Sequence[str]) -> argparse.Namespace:
    """What the command line says."""
    parser = argparse.ArgumentParser(prog="make soak", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a few clients for a few seconds")
    parser.add_argument("--only", default="", metavar="STAGES", help=", ".join(STAGES))
    parser.add_argument(
        "--record", action="store_true", help="put it into docs/operations.md and docs/security.md"
    )
    return parser.parse_args(arguments)


def main(arguments: Sequence[str]) -> int:
    """Run; the exit status is 1 where a bar is missed."""
    given = options(arguments)
    names = [word for word in given.only.split(",") if word] or list(STAGES)
    unknown = [name for name in names if name not in STAGES]
    if unknown:
        print(
            f"no such stage: {', '.join(unknown)}; there are {', '.join(STAGES)}", file=sys.stderr
        )
        return 2
    machine.raise_descriptors(DESCRIPTORS)
    os.sched_setaffinity(0, {machine.cores()[1]})
    folder = Path(tempfile.mkdtemp(prefix="ws2sse-soak-"))
    try:
        figures = uvloop.run(_run(names, stage.QUICK if given.quick else Effort(), folder))
    except KeyboardInterrupt:
        return 130
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    text = f"{_machine()}\n\n{report.tables(figures)}"
    print(text)
    if given.record:
        _record(text)
    return int(any(figure.holds is False for figure in figures))


async def _run(names: Sequence[str], effort: Effort, folder: Path) -> list[Figure]:
    figures: list[Figure] = []
    running = Stage(folder, _saying())
    for name in names:
        figures += await STAGES[name](running, effort)
    return figures


def _record(text: str) -> None:
    record.write("soak", text, ROOT / "docs" / "operations.md")
    if not MATRIX.is_file():
        print("The count of the fault matrix is not known: run `make test` first.", file=sys.stderr)
        return
    record.write("matrix", matrix(json.loads(MATRIX.read_text())), ROOT / "docs" / "security.md")


def matrix(found: Mapping[str, object]) -> str:
    """The count of the fault matrix' cells, as the last run of the tests left it."""
    impossible = found["impossible"]
    assert isinstance(impossible, dict)
    rows = [[str(count), reason] for reason, count in impossible.items()]
    head = f"{found['held']:,} cells hold. {sum(impossible.values())} cannot be:"
    return f"{head}\n\n{tables.table(['cells', 'why not'], rows)}"


def _machine() -> str:
    cores = len(os.sched_getaffinity(os.getppid()))
    kernel = ".".join(platform.release().split(".")[:2])
    return f"Linux {kernel}, {cores} cores, Python {platform.python_version()}"


def _saying() -> Callable[[str], None]:
    started = time.monotonic()
    return lambda text: print(
        f"{time.monotonic() - started:6.1f} s  {text}", file=sys.stderr, flush=True
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
