"""What the kernel knows: cores, ports, descriptors, and what a process tree has used.

Reads `/proc` as proc(5) describes it, so it needs Linux; never starts or stops anything.
"""

from __future__ import annotations

import os
import resource
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

ROOT = Path(__file__).parents[1]
PROC = Path("/proc")
LOOPBACK = "127.0.0.1"
_NANOSECONDS = 1e9
_STAT_PARENT = 1  # the field of /proc/PID/stat after the state, which follows the name


def cores() -> tuple[int, int]:
    """One core for the measured server, another for all else; the same where there is only one."""
    allowed = sorted(os.sched_getaffinity(0))
    return allowed[0], allowed[-1]


@contextmanager
def on_core(core: int) -> Iterator[None]:
    """Whatever is started inside inherits this core alone."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def raise_descriptors(wanted: int) -> int:
    """Raise the limit of open files, for this process and its children; gives what it is then."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with suppress(ValueError, OSError):  # only root may pass the hard limit, and not everywhere
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(wanted, soft), max(wanted, hard)))
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < min(wanted, hard):
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(wanted, hard), hard))
    return resource.getrlimit(resource.RLIMIT_NOFILE)[0]


def free_ports(count: int) -> list[int]:
    """Ports on which nothing listens; all different, for all are held until the last is found."""
    held = [socket.socket() for _ in range(count)]
    try:
        for each in held:
            each.bind((LOOPBACK, 0))
        return [int(each.getsockname()[1]) for each in held]
    finally:
        for each in held:
            each.close()


def listens(port: int) -> bool:
    """Whether a connection is taken."""
    try:
        socket.create_connection((LOOPBACK, port), 0.2).close()
    except OSError:
        return False
    return True


def wait_for_port(
    port: int, seconds: float = 15.0, *, fault: Callable[[], str] = lambda: ""
) -> None:
    """Wait until a connection is taken.

    Raises:
        TimeoutError: nothing listens in time, or ever, because there is a fault.
    """
    deadline = time.monotonic() + seconds
    while not listens(port):
        reason = fault()
        if reason or time.monotonic() > deadline:
            raise TimeoutError(reason or f"nothing listens on port {port}")
        time.sleep(0.03)


def tree(root: int) -> list[int]:
    """A process and all that descend from it."""
    children: dict[int, list[int]] = {}
    for each in PROC.glob("[0-9]*/stat"):
        with suppress(OSError):
            fields = each.read_text().rpartition(")")[2].split()
            children.setdefault(int(fields[_STAT_PARENT]), []).append(int(each.parent.name))
    found = [root]
    for each_pid in found:
        found.extend(children.get(each_pid, []))
    return found


def cpu_seconds(root: int) -> float:
    """What a process tree has run so far, by the scheduler's count, which has no 10 ms steps."""
    total = 0
    for pid in tree(root):
        for task in (PROC / str(pid) / "task").glob("*/schedstat"):
            with suppress(OSError):
                total += int(task.read_text().split()[0])
    return total / _NANOSECONDS


def resident_kib(root: int) -> int:
    """What a process tree holds in memory."""
    total = 0
    for pid in tree(root):
        with suppress(OSError):
            for line in (PROC / str(pid) / "status").read_text().splitlines():
                total += int(line.split()[1]) if line.startswith("VmRSS") else 0
    return total
