"""The real peers of the tests: nginx with nchan, Chromium, curl and two npm packages.

Decides whether a peer is on this machine. A test that misses one is skipped and the run says so
at its end, except where `CI=true` promises that all are there: then it fails.
"""

import json
import os
import pwd
import re
import shutil
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import aiohttp
import anyio
import pytest
from anyio.abc import Process

from tests.support.ports import reserved_port

REMEDY = "make system-deps"
"""What puts every peer in place."""

SCRIPTS = Path(__file__).parents[1] / "peers"
CHROMIUM_FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)

_MISSING = pytest.StashKey[set[str]]()
_Found = TypeVar("_Found")


def needed(stash: pytest.Stash, name: str, found: _Found | None) -> _Found:
    """What was found; where nothing was, the end of the test that asks.

    Args:
        stash: of the run's configuration; collects the names for the notice at its end.
        name: what people call the peer.
        found: None where it is not on this machine.
    """
    if found is not None:
        return found
    stash.setdefault(_MISSING, set()).add(name)
    reason = f"{name} is missing ({REMEDY} installs it)"
    if os.environ.get("CI") == "true":
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)


def missing(stash: pytest.Stash) -> list[str]:
    """The names of all peers that tests of this run asked for in vain."""
    names: set[str] = stash.setdefault(_MISSING, set())
    return sorted(names)


def find_program(*names: str) -> str | None:
    """The first of these programs that is installed; also looks where a user's PATH does not."""
    path = os.pathsep.join((os.environ.get("PATH", os.defpath), "/usr/sbin", "/usr/local/sbin"))
    return next((found for name in names if (found := shutil.which(name, path=path))), None)


def find_chromium() -> str | None:
    """A Chromium that is installed as a program of the system."""
    return find_program("chromium", "chromium-browser", "google-chrome")


@dataclass(frozen=True, slots=True)
class Message:
    """What a Node.js client printed for one message or event.

    Attributes:
        data: the payload; base64 of a binary WebSocket message.
        id: `lastEventId` of an event, None of a WebSocket message.
        type: the event's name, or `text` or `binary`.
    """

    data: str
    id: str | None
    type: str


class NodeClient:
    """A running script of `tests/peers`."""

    def __init__(self, process: Process) -> None:
        self._process = process

    async def messages(self) -> list[Message]:
        """All messages, once the script has ended by itself; fails the test where it failed."""
        printed = await _drain(self._process.stdout)
        complaint = await _drain(self._process.stderr)
        assert await self._process.wait() == 0, complaint
        return [Message(**json.loads(line)) for line in printed.split("\n") if line]


@dataclass(frozen=True, slots=True)
class Node:
    """Node.js with the packages `ws` and `eventsource`."""

    program: str

    @classmethod
    def find(cls) -> "Node | None":
        """Node.js and its packages, None where either is missing."""
        program = find_program("node", "nodejs")
        packages = (SCRIPTS / "node_modules" / name for name in ("ws", "eventsource"))
        return cls(program) if program and all(map(Path.is_dir, packages)) else None

    @asynccontextmanager
    async def client(self, script: str, *arguments: str) -> AsyncIterator[NodeClient]:
        """Run a script for at most the length of the block."""
        process = await anyio.open_process([self.program, str(SCRIPTS / script), *arguments])
        try:
            yield NodeClient(process)
        finally:
            if process.returncode is None:
                process.kill()
            await process.aclose()


async def _drain(stream: anyio.abc.ByteReceiveStream | None) -> str:
    assert stream is not None
    return b"".join([chunk async for chunk in stream]).decode()


@dataclass(frozen=True, slots=True)
class NchanProgram:
    """An nginx that can load nchan.

    Attributes:
        nginx: path of the program.
        module: path of the module.
    """

    nginx: str
    module: Path

    @classmethod
    def find(cls) -> "NchanProgram | None":
        """Ask nginx where its modules are; None where it or nchan is not installed."""
        nginx = find_program("nginx")
        if nginx is None:
            return None
        built = subprocess.run([nginx, "-V"], capture_output=True, text=True, check=True).stderr
        folder = re.search(r"--modules-path=(\S+)", built)
        module = Path(folder[1] if folder else "") / "ngx_nchan_module.so"
        return cls(nginx, module) if module.is_file() else None


class Nchan:
    """A running nginx: a backend that nobody here wrote, on both wires.

    Every channel is served as WebSocket and as EventSource (which must be asked for by
    `Accept: text/event-stream`), with ids and replay by `Last-Event-ID`. It answers no
    `subscribe`; what clients send is kept in the channel `sent.{channel}`.
    """

    def __init__(self, authority: str, session: aiohttp.ClientSession) -> None:
        self.authority = authority
        self.ws_url = f"ws://{authority}/api/v1/ws/{{channel}}"
        self.sse_url = f"http://{authority}/api/v1/events/{{channel}}"
        self._session = session

    async def publish(self, channel: str, payload: str) -> None:
        """Deliver to all subscribers of the channel, and keep for those to come."""
        # The publisher's content type decides between text and binary WebSocket messages.
        text = {"Content-Type": "text/plain; charset=utf-8"}
        url = self._publisher(channel)
        async with self._session.post(url, data=payload.encode(), headers=text) as answer:
            answer.raise_for_status()

    async def wait_subscribers(self, channel: str, count: int) -> None:
        """Return once the channel has this many subscribers, on both wires together."""
        with anyio.fail_after(10):
            while await self._subscribers(channel) != count:  # noqa: ASYNC110 - asks a server
                await anyio.sleep(0.01)

    async def _subscribers(self, channel: str) -> int:
        headers = {"Accept": "application/json"}
        async with self._session.get(self._publisher(channel), headers=headers) as answer:
            found = await answer.json(content_type=None) if answer.status == 200 else {}
        return int(found.get("subscribers", 0))

    def _publisher(self, channel: str) -> str:
        return f"http://{self.authority}/pub/{channel}"


@asynccontextmanager
async def running_nchan(program: NchanProgram, prefix: Path) -> AsyncIterator[Nchan]:
    """Run nginx out of `prefix` on a loopback port, for the length of the block."""
    with reserved_port() as port, (prefix / "output.log").open("wb") as output:
        (prefix / "nginx.conf").write_text(_configuration(program.module, prefix, port))
        command = [program.nginx, "-p", str(prefix), "-c", "nginx.conf", "-e", "error.log"]
        process = await anyio.open_process(command, stdout=output, stderr=output)
        try:
            await _wait_listening(process, port, prefix)
            async with aiohttp.ClientSession() as session:
                yield Nchan(f"127.0.0.1:{port}", session)
        finally:
            if process.returncode is None:
                process.terminate()
            await process.aclose()


async def _wait_listening(process: Process, port: int, prefix: Path) -> None:
    with anyio.fail_after(10):
        while process.returncode is None:
            try:
                stream = await anyio.connect_tcp("127.0.0.1", port)
            except OSError:
                await anyio.sleep(0.005)
            else:
                await stream.aclose()
                return
    pytest.fail((prefix / "output.log").read_text(), pytrace=False)


def _configuration(module: Path, prefix: Path, port: int) -> str:
    # Started by root, nginx gives its workers to another user, who could not enter the prefix.
    user = f"user {pwd.getpwuid(0).pw_name};" if os.geteuid() == 0 else ""
    folders = "\n  ".join(
        f"{kind}_temp_path {prefix / kind};"
        for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    return f"""\
load_module {module};
{user}
daemon off;
worker_processes 1;
pid nginx.pid;
events {{ worker_connections 1024; }}
http {{
  access_log off;
  client_max_body_size 64m;
  {folders}
  nchan_shared_memory_size 64m;
  nchan_message_buffer_length 20000;
  nchan_message_timeout 10m;
  server {{
    listen 127.0.0.1:{port};
    location ~ ^/pub/([^/]+)$ {{
      nchan_publisher http;
      nchan_channel_id $1;
    }}
    location ~ ^/api/v1/ws/([^/]+)$ {{
      nchan_subscriber websocket;
      nchan_subscriber_first_message newest;
      nchan_publisher websocket;
      nchan_subscriber_channel_id $1;
      nchan_publisher_channel_id sent.$1;
    }}
    location ~ ^/api/v1/events/([^/]+)$ {{
      nchan_subscriber eventsource;
      nchan_subscriber_first_message newest;
      nchan_publisher http;
      nchan_subscriber_channel_id $1;
      nchan_publisher_channel_id sent.$1;
    }}
  }}
}}
"""
