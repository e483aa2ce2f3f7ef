"""Starting and stopping what is measured.

Decides on which core a program runs and that it ends: by a time limit of its own if all else
fails, and by its own process id, never by a name.
"""

from __future__ import annotations

import os
import select
import shutil
import signal
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks import machine
from benchmarks.machine import ROOT

TIME_LIMIT = 3600
_PATIENCE = 5


@dataclass(frozen=True, slots=True)
class Program:
    """One process of a server.

    Attributes:
        argv: program and arguments.
        measured: whether its use of the processor counts; what doesn't runs with the load.
        env: variables beside those of this process.
    """

    argv: Sequence[str]
    measured: bool = True
    env: Mapping[str, str] = field(default_factory=dict)


class Running:
    """Started programs, seen as one server.

    Args:
        programs: started in this order.
        log: where they write; appended to.
    """

    def __init__(self, programs: Sequence[Program], log: Path) -> None:
        self._processes: list[tuple[Program, subprocess.Popen[bytes]]] = []
        try:
            for program in programs:
                self._processes.append((program, _start(program, log)))
        except OSError:
            self.stop()
            raise

    def cpu_seconds(self) -> float:
        """Of the measured programs, so far."""
        return sum(map(machine.cpu_seconds, self._measured()))

    def resident_kib(self) -> int:
        """Of the measured programs, now."""
        return sum(map(machine.resident_kib, self._measured()))

    @property
    def measured_pids(self) -> list[int]:
        """Every process of the measured programs."""
        return [pid for root in self._measured() for pid in machine.tree(root)]

    def fault(self) -> str:
        """Why it is not running, empty while it is."""
        for program, process in self._processes:
            status = process.poll()
            if status is not None:
                return f"{Path(program.argv[0]).name} ended with status {status}"
        return ""

    def stop(self) -> None:
        """End every process that was started here, and what those started."""
        for _, process in self._processes:
            if process.poll() is None:
                _end(machine.tree(process.pid))
            process.wait()

    def _measured(self) -> list[int]:
        return [process.pid for program, process in self._processes if program.measured]


def _end(pids: Sequence[int]) -> None:
    """Kill processes and wait until they are gone; a descriptor can't come to mean another one."""
    with ExitStack() as stack:
        descriptors = []
        for pid in pids:
            with suppress(ProcessLookupError):
                descriptors.append(os.pidfd_open(pid))
                stack.callback(os.close, descriptors[-1])
        for descriptor in descriptors:
            with suppress(ProcessLookupError):
                signal.pidfd_send_signal(descriptor, signal.SIGKILL)
        for descriptor in descriptors:
            select.select([descriptor], [], [], _PATIENCE)


def _start(program: Program, log: Path) -> subprocess.Popen[bytes]:
    server_core, load_core = machine.cores()
    timeout = shutil.which("timeout")
    argv = [*([timeout, "--signal=KILL", str(TIME_LIMIT)] if timeout else []), *program.argv]
    with machine.on_core(server_core if program.measured else load_core), log.open("ab") as sink:
        return subprocess.Popen(
            argv,
            cwd=ROOT,
            env={**os.environ, **program.env},
            stdin=subprocess.DEVNULL,
            stdout=sink,
            stderr=sink,
            start_new_session=True,
        )
