"""`make fuzz`: each target under a coverage-guided fuzzer (atheris), for a bounded time.

usage: python -m tests.fuzz [--seconds N] [--only TARGET,...]
       python -m tests.fuzz --only TARGET --replay FILE

Each target runs in a process of its own, because libFuzzer ends the one that it runs in. What it
finds is kept in `build/fuzz/found`, what it learned in `build/fuzz/corpus`.
"""

import argparse
import importlib
import importlib.util
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

BUILD = Path(__file__).parents[2] / "build" / "fuzz"
ENOUGH = 60
"""Seconds beyond its time after which a fuzzer is taken for hanging."""

_RUNS = re.compile(r"stat::number_of_executed_units:\s*(\d+)")
_COVERED = re.compile(r"\bcov: (\d+)")


def options(arguments: Sequence[str]) -> argparse.Namespace:
    """What the command line says."""
    parser = argparse.ArgumentParser(prog="make fuzz", description=__doc__.partition("\n")[0])
    parser.add_argument("--seconds", type=int, default=20, help="for each target (20)")
    parser.add_argument("--only", default="", metavar="TARGETS", help="some of them, with commas")
    parser.add_argument("--replay", type=Path, metavar="FILE", help="feed one input to one target")
    parser.add_argument("--child", default="", help=argparse.SUPPRESS)
    return parser.parse_args(arguments)


def main(arguments: Sequence[str]) -> int:
    """Run; the exit status is 1 where a target found something."""
    given = options(arguments)
    if given.child:
        return _child(given.child, given.seconds)
    from tests.fuzz.targets import TARGETS  # noqa: PLC0415 - a child has it instrumented

    names = [word for word in given.only.split(",") if word] or list(TARGETS)
    fault = _fault(given, names, list(TARGETS))
    if fault:
        print(fault, file=sys.stderr)
        return 2
    if given.replay:
        TARGETS[names[0]](given.replay.read_bytes())
        print(f"{names[0]} holds for {given.replay}")
        return 0
    if importlib.util.find_spec("atheris") is None:
        print("atheris is not installed here; use `make fuzz`.", file=sys.stderr)
        return 2
    try:
        held = [_run(name, given.seconds) for name in names]
    except KeyboardInterrupt:
        return 130
    return int(not all(held))


def _fault(given: argparse.Namespace, names: Sequence[str], known: Sequence[str]) -> str:
    """What is wrong with the command line; empty where nothing is."""
    unknown = [name for name in names if name not in known]
    if unknown:
        return f"no such target: {', '.join(unknown)}; there are {', '.join(known)}"
    if given.seconds < 1:
        return "--seconds must be 1 or more"
    if given.replay and len(names) != 1:
        return "--replay needs one target; name it by --only"
    if given.replay and not given.replay.is_file():
        return f"{given.replay}: there is no such file"
    return ""


def _run(name: str, seconds: int) -> bool:
    """Fuzz one target; prints a line, and what was found."""
    command = [sys.executable, "-m", "tests.fuzz", "--child", name, "--seconds", str(seconds)]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace"
    ) as child:
        try:
            said, _ = child.communicate(timeout=seconds + ENOUGH)
        except BaseException:
            child.kill()
            raise
    runs, covered = _RUNS.search(said), _COVERED.findall(said)
    held = child.returncode == 0 and runs is not None
    count = f"{int(runs[1]):,} runs" if runs else "no end"
    edges = f"{covered[-1]} edges" if covered else "no coverage"
    print(f"{'PASS' if held else 'FAIL'}  {name:18} {count:>16}  {edges}", flush=True)
    if not held:
        print(said[-4000:])
        print(f'Again: make fuzz ARGS="--only {name} --replay FILE", with a file of {BUILD}/found')
    return held


def _child(name: str, seconds: int) -> int:
    """Fuzz one target in this process, which does not survive it."""
    atheris = importlib.import_module("atheris")
    with atheris.instrument_imports(include=["bridge"]):
        targets = importlib.import_module("tests.fuzz.targets")
    corpus, found = BUILD / "corpus" / name, BUILD / "found"
    for folder in (corpus, found):
        folder.mkdir(parents=True, exist_ok=True)
    for number, seed in enumerate(targets.SEEDS[name]):
        (corpus / f"seed-{number}").write_bytes(seed)
    flags = [f"-max_total_time={seconds}", "-max_len=2048", "-rss_limit_mb=2048", "-timeout=10"]
    flags += [f"-artifact_prefix={found}/{name}-", "-print_final_stats=1", str(corpus)]
    atheris.Setup([sys.argv[0], *flags], targets.TARGETS[name])
    atheris.Fuzz()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
