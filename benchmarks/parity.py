"""`make bench-parity`: what comparing two backends costs, in CPU time and in memory.

Two recordings of the same made-up project are compared, each case in a process of its own: sides
that are equal, sides with faults and disorder, and sides whose every message differs by nature.
A live comparison is measured without files.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from heapq import merge
from pathlib import Path
from random import Random

from bridge.parity.comparison import Comparison
from bridge.parity.observation import Observation, Side, Sight
from bridge.parity.options import CompareOptions
from bridge.parity.recording import Header, Transcript
from bridge.verify.collecting import seldom_collected
from bridge.verify.files import RecordingFile, sights

CHANNEL = "project.42"
RATE = 500.0
MIB = 1024
_LOST, _CHANGED, _TWICE = 0.001, 0.002, 0.0025
_JITTER = 0.5
_SEED = 7


@dataclass(frozen=True, slots=True)
class Case:
    """One thing to measure.

    Attributes:
        name: in the table.
        share: how many of the asked events a side has.
        faults: whether one message in a thousand is lost, one changed, one in two thousand said
            twice, and all come in disorder within half a second.
        stamped: whether every message holds an address that no two taps agree on.
        live: whether it is measured without files.
    """

    name: str
    share: float = 1.0
    faults: bool = False
    stamped: bool = False
    live: bool = False


CASES = (
    Case("equal"),
    Case("faults", faults=True),
    Case("stamped", 0.1, stamped=True),
    Case("live", 0.2, live=True),
)


def said(side: Side, count: int, *, stamped: bool) -> Iterator[Observation]:
    """One side's messages, some 400 bytes each, 500 a second."""
    chance, own = Random(_SEED), Random(side.value)  # noqa: S311 - no secrets
    wire = "ws" if side is Side.LEGACY else "sse"
    for number in range(count):
        body: dict[str, object] = {
            "id": f"f{number % 1500}",
            "status": ("in_progress", "completed")[number % 2],
            "progress": chance.randrange(100),
            "tasks": [{"id": f"t{each}", "status": "ok", "step": number} for each in range(3)],
            "prompt": f"a picture of {chance.getrandbits(128):032x} in the style of {number}",
        }
        signature = own.getrandbits(128) if stamped else number
        body["url"] = f"https://cdn.example/f{number % 1500}.webp?sig={signature:032x}"
        data = json.dumps({"type": "file", "object": body}, separators=(",", ":"))
        at = number / RATE + (0.02 if wire == "sse" else 0.0)
        yield Observation(side, CHANNEL, data, at, wire)  # type: ignore[arg-type]


def faulty(stream: Iterator[Observation]) -> Iterator[Observation]:
    """A stream with losses, changes, duplicates and disorder."""
    chance, held = Random(_SEED + 1), list[Observation]()  # noqa: S311 - as above
    for seen in stream:
        luck = chance.random()
        if luck >= _LOST:
            late = replace(seen, at=seen.at + chance.random() * _JITTER)
            if luck < _CHANGED:
                late = replace(late, data=str(late.data).replace("a picture", "no picture"))
            held.append(late)
            if _CHANGED <= luck < _TWICE:
                held.append(replace(late, at=late.at + 0.1))
        if len(held) > RATE:
            held.sort(key=lambda each: each.at)
            ready = sum(each.at < seen.at for each in held)
            yield from held[:ready]
            del held[:ready]
    yield from sorted(held, key=lambda each: each.at)


def write(path: Path, stream: Iterator[Observation]) -> None:
    """Put a stream into a recording."""
    with RecordingFile(path, Header()) as file:
        for seen in stream:
            file.add(seen)


def compare(case: Case, count: int, legacy: Path, candidate: Path) -> dict[str, float | str]:
    """Compare once, and say what that took."""
    if case.live:
        both = [said(side, count, stamped=False) for side in (Side.LEGACY, Side.CANDIDATE)]
        source: Iterator[Sight] = iter(list(merge(*both, key=lambda sight: sight.at)))
    else:
        files = (sights(path, Transcript(path.name)) for path in (legacy, candidate))
        source = merge(*files, key=lambda sight: sight.at)
    made, before = Comparison(CompareOptions()), _spent()
    with seldom_collected():  # as `ws2sse verify` does
        for sight in source:
            made.take(sight)
        made.close()
    report = made.report()
    spent = _spent() - before
    largest = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / MIB
    return {
        "name": case.name,
        "events": count,
        "seconds": spent,
        "rate": count / spent,
        "mib": largest,
        "verdict": report.verdict.reason,
    }


def _spent() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def measured(case: Case, count: int, folder: Path) -> dict[str, float | str]:
    """What a case takes, in a process that does nothing else."""
    paths = folder / f"{case.name}-legacy.ndjson", folder / f"{case.name}-candidate.ndjson"
    if not case.live:
        spoil: Callable[[Iterator[Observation]], Iterator[Observation]] = (
            faulty if case.faults else iter
        )
        write(paths[0], said(Side.LEGACY, count, stamped=case.stamped))
        write(paths[1], spoil(said(Side.CANDIDATE, count, stamped=case.stamped)))
    command = [sys.executable, "-m", "benchmarks.parity", "--one", case.name]
    command += ["--events", str(count), *map(str, paths)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    for path in paths:
        path.unlink(missing_ok=True)
    found: dict[str, float | str] = json.loads(done.stdout)
    return found


def main(arguments: Sequence[str]) -> None:
    """Measure every case and print the table."""
    parser = argparse.ArgumentParser(prog="make bench-parity", description=__doc__)
    parser.add_argument("--events", type=int, default=1_000_000, help="a side (1000000)")
    parser.add_argument("--only", default="", metavar="CASE", help="one case alone")
    parser.add_argument("--one", help=argparse.SUPPRESS)
    parser.add_argument("paths", nargs="*", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args(arguments)
    if given.one:
        case = next(each for each in CASES if each.name == given.one)
        print(json.dumps(compare(case, given.events, *given.paths)))
        return
    print("| Case | Events a side | CPU | Pairs a second | Largest memory | Outcome |")
    print("|---|--:|--:|--:|--:|---|")
    with tempfile.TemporaryDirectory() as folder:
        for case in CASES:
            if given.only in ("", case.name):
                found = measured(case, int(given.events * case.share), Path(folder))
                print(_row(found), flush=True)


def _row(found: dict[str, float | str]) -> str:
    return (
        f"| {found['name']} | {found['events']:,} | {found['seconds']:.1f} s | {found['rate']:,.0f}"
        f" | {found['mib']:.0f} MiB | {found['verdict']} |"
    )


if __name__ == "__main__":
    main(sys.argv[1:])
