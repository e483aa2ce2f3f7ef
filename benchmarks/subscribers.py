"""The load generator, driven: subscribers that stay connected and take one segment after another.

Decides how a segment is asked for and what of its result is kept; `load.c` does the work, or
`generator` where that was not built.
"""

from __future__ import annotations

import json
import select
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from benchmarks import machine
from benchmarks.machine import ROOT

Mode = Literal["sse", "ws"]
_PATIENCE = 90.0


@dataclass(frozen=True, slots=True)
class Segment:
    """What is published for a while.

    Attributes:
        name: how the table calls it.
        seconds: how long.
        rate: events a second in an open loop; 0 is a closed loop, where the next burst goes out
            once every client has the last.
        burst: events published at once.
        warm: seconds at the start whose events are not timed.
    """

    name: str
    seconds: float
    rate: float = 0.0
    burst: int = 1
    warm: float = 0.0

    def line(self) -> str:
        """As `load.c` reads it."""
        return f"{self.rate:g} 1 {self.burst} {self.seconds:g} {self.warm:g}\n"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a segment brought.

    Attributes:
        clients: connected at its start.
        published: events.
        received: deliveries.
        missing: deliveries that never came.
        dropped: clients that lost their connection.
        elapsed: seconds until the last delivery.
        p50: milliseconds from publishing to receipt.
        p99: the same.
    """

    clients: int
    published: int
    received: int
    missing: int
    dropped: int
    elapsed: float
    p50: float
    p99: float


class Subscribers:
    """One generator process with its connections.

    Args:
        program: the generator and its options.
    """

    def __init__(self, program: Sequence[str]) -> None:
        with machine.on_core(machine.cores()[1]):
            self._process = subprocess.Popen(
                program, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0
            )
        opened = self._read()
        self.ready, self.failed = int(opened["ready"]), int(opened["failed"])

    def run(self, segment: Segment) -> Outcome:
        """Publish a segment and wait for its last delivery."""
        assert self._process.stdin
        self._process.stdin.write(segment.line().encode())
        told = self._read()
        return Outcome(
            clients=int(told["clients"]),
            published=int(told["published"]),
            received=int(told["received"]),
            missing=int(told["missing"]),
            dropped=int(told["dropped"]),
            elapsed=told["elapsed_s"],
            p50=told["p50_us"] / 1e3,
            p99=told["p99_us"] / 1e3,
        )

    def close(self) -> None:
        """Reset all connections and end the process."""
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe:
                pipe.close()

    def _read(self) -> dict[str, float]:
        assert self._process.stdout
        ready, _, _ = select.select([self._process.stdout], [], [], _PATIENCE)
        line = self._process.stdout.readline() if ready else b""
        if not line:
            self.close()
            raise ConnectionError("the load generator fell silent")
        told: dict[str, float] = json.loads(line)
        return told
