"""The load generator again, in Python, for a machine without a C compiler.

Takes the options of `load.c` and speaks as it does with its driver, so that whoever starts it need
not know which one it is. It is slower: deliveries a second end at its own pace and latencies hold
its own work, so they say less; the CPU of a server says as much as ever.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import select
import socket
import struct
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import cycle
from pathlib import Path

HOST = "127.0.0.1"
PER_SOURCE = 25_000
OPENING = 128
QUIET, PATIENCE = 2.0, 30.0
STDIN = 0
_EVENT = re.compile(rb'"t":(\d+)\D')
_CARRIED = 32
_RESET = struct.pack("ii", 1, 0)  # leaves no TIME_WAIT behind
_UPGRADE = (
    "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
)


@dataclass(slots=True)
class Client:
    """One subscriber.

    Attributes:
        socket: its connection.
        index: its number.
        opened: whether it has seen the end of the response's head.
        carried: what may be the start of a marker, or of the head.
    """

    socket: socket.socket
    index: int
    opened: bool = False
    carried: bytes = b""


@dataclass(slots=True)
class Count:
    """What a segment has brought so far; times in nanoseconds.

    Attributes:
        since: when it began; earlier events are late ones of another segment.
        timed_since: from when on receipt is timed.
        published: events.
        received: deliveries.
        delays: from publishing to receipt.
    """

    since: int = 0
    timed_since: int = 0
    published: int = 0
    received: int = 0
    delays: list[int] = field(default_factory=list)

    def take(self, stamps: Sequence[bytes], now: int) -> None:
        """Count events by their times of publishing."""
        for stamp in map(int, stamps):
            if stamp >= self.since:
                self.received += 1
                if stamp >= self.timed_since:
                    self.delays.append(now - stamp)

    def quantile(self, part: float) -> float:
        """Microseconds that this part of the deliveries did not exceed."""
        ordered = sorted(self.delays)
        return ordered[min(int(len(ordered) * part), len(ordered) - 1)] / 1e3 if ordered else 0.0


class Generator:
    """All subscribers and the publisher.

    Args:
        given: the options.
    """

    def __init__(self, given: argparse.Namespace) -> None:
        self._given, self._poll = given, select.epoll()
        self._clients: dict[int, Client] = {}
        self._opened = self._ready = self._failed = 0
        self._count = Count()
        self._tokens = cycle(Path(given.tokens).read_text().split() if given.tokens else [""])
        self._publisher: socket.socket | None = None
        if given.publish != "none":
            self._publisher = socket.create_connection((HOST, given.publish_port))
            self._publisher.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def connect(self) -> None:
        """Open all connections and tell how it went."""
        wanted, started = self._given.clients, time.monotonic()
        while self._ready + self._failed < wanted and self._failed <= wanted / 10:
            while self._opened < wanted and self._opened - self._ready - self._failed < OPENING:
                self._open()
            self._turn(0.001)
        took = time.monotonic() - started
        _tell({"ready": self._ready, "failed": self._failed, "setup_s": took})

    def obey(self) -> None:
        """Run segments until stdin ends."""
        self._poll.register(STDIN, select.EPOLLIN)
        while True:
            if self._turn(1.0):
                line = os.read(STDIN, 256).split()
                if len(line) != 5:
                    return
                rate, _, burst, seconds, warm = map(float, line)
                self._run(rate, int(burst), seconds, warm)

    def _open(self) -> None:
        client = socket.socket()
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        client.setblocking(False)
        if self._opened >= PER_SOURCE:  # one address has some 28,000 ports only
            client.bind((f"127.0.0.{1 + self._opened // PER_SOURCE}", 0))
        client.connect_ex((HOST, self._given.port))
        self._clients[client.fileno()] = Client(client, self._opened)
        self._poll.register(client.fileno(), select.EPOLLOUT)
        self._opened += 1

    def _turn(self, seconds: float) -> bool:
        """Whether stdin has something."""
        commanded = False
        for descriptor, events in self._poll.poll(max(seconds, 0)):
            client = self._clients.get(descriptor)
            if client is None:
                commanded = commanded or descriptor == STDIN
                continue
            try:
                if events & select.EPOLLOUT:
                    self._request(client)
                else:
                    self._read(client)
            except OSError:
                self._drop(client)
        return commanded

    def _request(self, client: Client) -> None:
        path = self._given.path.replace("{i}", str(client.index))
        wire = _UPGRADE if self._given.mode == "ws" else "Accept: text/event-stream\r\n"
        token, extra = next(self._tokens), "".join(f"{each}\r\n" for each in self._given.header)
        extra += f"Authorization: Bearer {token}\r\n" if token else ""
        host = f"Host: {HOST}:{self._given.port}\r\n"
        client.socket.send(f"GET {path} HTTP/1.1\r\n{host}{wire}{extra}\r\n".encode())
        self._poll.modify(client.socket.fileno(), select.EPOLLIN)

    def _read(self, client: Client) -> None:
        got = client.socket.recv(1 << 18)
        if not got:
            raise ConnectionResetError
        data = client.carried + got
        if not client.opened:
            head, end, data = data.partition(b"\r\n\r\n")
            if not end:
                client.carried = head
                return
            if head[9:12] != (b"101" if self._given.mode == "ws" else b"200"):
                raise ConnectionRefusedError
            client.opened, self._ready = True, self._ready + 1
        client.carried = self._taken(client, data)

    def _taken(self, client: Client, data: bytes) -> bytes:
        """Count what is whole; gives what may go on in the next read."""
        if self._given.mode == "ws" and data[:1] == b"\x89":  # a ping comes alone: nobody is busy
            client.socket.send(b"\x8a" + bytes([0x80 | data[1]]) + bytes(4) + data[2 : 2 + data[1]])
        found = list(_EVENT.finditer(data))
        self._count.take([match[1] for match in found], time.monotonic_ns())
        rest = found[-1].end() if found else 0
        return data[max(rest, len(data) - _CARRIED) :]

    def _drop(self, client: Client) -> None:
        del self._clients[client.socket.fileno()]
        client.socket.close()
        self._failed += 1
        self._ready -= client.opened

    def _publish(self, burst: int) -> None:
        assert self._publisher
        parts = []
        for _ in range(burst):
            event = self._event()
            if self._given.publish == "post":
                head = f"POST {self._given.publish_path} HTTP/1.1\r\nHost: x\r\n"
                parts.append(f"{head}Content-Length: {len(event)}\r\n\r\n{event}")
            else:
                parts.append(f"{event}\n")
        self._publisher.sendall("".join(parts).encode())
        with suppress(BlockingIOError):
            self._publisher.recv(65536, socket.MSG_DONTWAIT)

    def _event(self) -> str:
        number = self._count.published
        self._count.published += 1
        start = f'{{"t":{time.monotonic_ns()},"seq":{number},"kind":"tick","pad":"'
        return f'{start.ljust(self._given.size - 2, "x")}"}}'

    def _run(self, rate: float, burst: int, seconds: float, warm: float) -> None:
        began, clients, failed = time.monotonic_ns(), self._ready, self._failed
        self._count = count = Count(began, began + int(warm * 1e9))
        start = last = due = now = began / 1e9
        seen, publishing = 0, self._publisher is not None and clients > 0
        while now < start + seconds + PATIENCE:
            publishing = publishing and now < start + seconds
            if publishing and rate:
                while now >= due:
                    self._publish(burst)
                    due += burst / rate
            elif publishing and count.received >= count.published * clients:
                self._publish(burst)
            self._turn(min(0.001, due - now) if publishing and rate else 0.001)
            now = time.monotonic()
            if count.received != seen:
                seen, last = count.received, now
            done = count.received >= count.published * clients or now - last > QUIET
            if not publishing and done and now >= start + seconds:
                break
        self._tell_result(clients, self._failed - failed, last - start)

    def _tell_result(self, clients: int, dropped: int, elapsed: float) -> None:
        count = self._count
        _tell(
            {
                "clients": clients,
                "published": count.published,
                "received": count.received,
                "missing": count.published * clients - count.received,
                "dropped": dropped,
                "elapsed_s": elapsed,
                "p50_us": count.quantile(0.5),
                "p99_us": count.quantile(0.99),
            }
        )


def _tell(values: dict[str, float]) -> None:
    print(json.dumps(values), flush=True)


def options(arguments: Sequence[str]) -> argparse.Namespace:
    """Those of `load.c`."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--mode", choices=("sse", "ws"), default="sse")
    parser.add_argument("--publish", choices=("none", "line", "post"), default="none")
    parser.add_argument("--path", default="/")
    parser.add_argument("--publish-path", default="/pub")
    parser.add_argument("--header", action="append", default=[])
    parser.add_argument("--tokens", default="", help="a file: a bearer token for each client")
    for name, default in (("port", 0), ("clients", 1), ("size", 200), ("publish-port", 0)):
        parser.add_argument(f"--{name}", type=int, default=default)
    return parser.parse_args(arguments)


if __name__ == "__main__":
    generator = Generator(options(sys.argv[1:]))
    generator.connect()
    generator.obey()
