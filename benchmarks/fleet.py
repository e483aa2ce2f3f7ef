"""Servers kept up with their subscribers connected, and one segment after another on each.

Decides the order of starting, how CPU is attributed, and that whatever was started is stopped.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks import machine
from benchmarks.peers import TOKENS, Peer, Place, generator
from benchmarks.servers import Running
from benchmarks.subscribers import Mode, Outcome, Segment, Subscribers

_SETTLE = 0.3
_REST = 0.05
WARMING = Segment("warm-up", seconds=0.2, rate=50)


@dataclass(slots=True)
class Workshop:
    """What all measurements share.

    Attributes:
        folder: where servers keep their files.
        descriptors: how many files a process may open.
        say: tells of progress.
        left_out: who can't run here, and why.
    """

    folder: Path
    descriptors: int
    say: Callable[[str], None]
    left_out: dict[str, str] = field(default_factory=dict)

    def leave_out(self, name: str, reason: str) -> None:
        """Note it, once."""
        if name not in self.left_out:
            self.left_out[name] = reason
            self.say(f"left out: {name}: {reason}")


@dataclass(slots=True)
class Member:
    """A running server.

    Attributes:
        peer: which.
        place: where.
        running: its processes.
    """

    peer: Peer
    place: Place
    running: Running

    def connect(self, clients: int, *, publishing: bool = True) -> Subscribers:
        """Open connections to it."""
        how, port = ("post", self.place.web) if self.peer.post else ("line", self.place.feed)
        options: dict[str, object] = {
            "mode": self.place.mode,
            "port": self.place.web,
            "path": self.peer.path(self.place.mode),
            "clients": clients,
            "publish": how if publishing else "none",
            "publish-port": port,
        }
        if self.peer.tokens:
            options["tokens"] = self.place.folder / TOKENS
        return Subscribers(
            [*generator(), *(f"--{name}={value}" for name, value in options.items())]
        )

    def measure(self, subscribers: Subscribers, segment: Segment) -> tuple[Outcome, float]:
        """The outcome of a segment, and the CPU-seconds that it took."""
        before = self.running.cpu_seconds()
        outcome = subscribers.run(segment)
        used = self.running.cpu_seconds() - before
        time.sleep(_REST)  # what is still to be done is nobody else's
        return outcome, used


def launch(peer: Peer, mode: Mode, workshop: Workshop) -> Member | None:
    """Start a server, not waiting for it; None where it can't run, which is noted."""
    reason = peer.missing()
    if reason:
        workshop.leave_out(peer.name, reason)
        return None
    web, feed, backend = machine.free_ports(3)
    folder = Path(tempfile.mkdtemp(dir=workshop.folder))
    place = Place(mode, web, feed, backend, folder, workshop.descriptors)
    return Member(peer, place, Running(peer.programs(place), workshop.folder / "servers.log"))


def listening(member: Member, workshop: Workshop) -> bool:
    """Wait until a server listens; where it doesn't, it is stopped and that is noted."""
    ports = [member.place.web, *([] if member.peer.post else [member.place.feed])]
    try:
        for port in ports:
            machine.wait_for_port(port, fault=member.running.fault)
    except TimeoutError as error:
        workshop.leave_out(member.peer.name, str(error))
        member.running.stop()
        return False
    return True


@contextmanager
def fleet(peers: Sequence[Peer], mode: Mode, workshop: Workshop) -> Iterator[list[Member]]:
    """All of these servers that can run here, started together; stopped at the end."""
    launched: list[Member] = []
    try:
        for peer in peers:
            if mode in peer.modes:
                member = launch(peer, mode, workshop)
                launched += [member] if member else []
        yield [member for member in launched if listening(member, workshop)]
    finally:
        for member in launched:
            member.running.stop()


@contextmanager
def subscribed(member: Member, clients: int) -> Iterator[Subscribers]:
    """Connected subscribers; closed at the end.

    Raises:
        ConnectionError: none could connect.
    """
    subscribers = member.connect(clients)
    try:
        if not subscribers.ready:
            raise ConnectionError("it let nobody in")
        yield subscribers
    finally:
        subscribers.close()


def warm(crowds: Iterable[Subscribers]) -> None:
    """Let upstreams open and code run once; nothing of it is kept."""
    time.sleep(_SETTLE)
    for subscribers in crowds:
        subscribers.run(WARMING)
