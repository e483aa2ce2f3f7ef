"""Who is measured: each server's programs, where its subscribers go and how it is published to.

Decides nothing of what is measured. A peer that can't run here says why, and is left out.
"""

from __future__ import annotations

import importlib.util
import shutil
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import jwt

from benchmarks.machine import ROOT
from benchmarks.peers import nginx
from benchmarks.plan import GUARDED
from benchmarks.servers import Program
from benchmarks.subscribers import Mode

BUILD = ROOT / "build" / "benchmarks"
LOAD, LIMIT = BUILD / "load", BUILD / "limit"
CLIENTS = 6_000
"""Tokens: more than there are idle clients, so that none is shown twice."""
BOTH: tuple[Mode, ...] = ("sse", "ws")

CONFIG = """# A backend that is silent between segments is not dead.
[upstream.{table}]
silence = 0.0
"""
JWT = """
[auth]
mode = "jwt"

[auth.jwt]
algorithms = ["HS256"]
secret = "{secret}"
channels = ["project.1"]
"""
SECRET = "a secret of the benchmarks, long enough for HS256"  # noqa: S105 - theirs
TOKENS = "tokens"


@dataclass(frozen=True, slots=True)
class Place:
    """What a server is given to run with.

    Attributes:
        mode: the wire of its subscribers.
        web: its port.
        feed: where lines are published.
        backend: the port of what stands behind it.
        folder: a place for its files, its own.
        descriptors: how many files it may open.
    """

    mode: Mode
    web: int
    feed: int
    backend: int
    folder: Path
    descriptors: int


@dataclass(frozen=True, slots=True)
class Peer:
    """A server that is measured.

    Attributes:
        name: how the table calls it.
        programs: what to start.
        missing: why it can't run here; empty where it can.
        modes: the wires it serves.
        paths: where subscribers go, by wire; `{i}` is the subscriber's number.
        post: whether events are posted to it, rather than written to its feed.
        tokens: whether each client shows a token of its own.
    """

    name: str
    programs: Callable[[Place], Sequence[Program]]
    missing: Callable[[], str]
    modes: Sequence[Mode] = BOTH
    paths: Mapping[Mode, str] | None = None
    post: bool = False
    tokens: bool = False

    def path(self, mode: Mode) -> str:
        """Where subscribers go."""
        return self.paths[mode] if self.paths else "/"


def _nothing() -> str:
    return ""


def _missing_compiled() -> str:
    return "" if LIMIT.is_file() else "no C compiler was found to build it"


def _missing_node() -> str:
    if not shutil.which("node"):
        return "Node.js is not installed"
    package = ROOT / "tests" / "peers" / "node_modules" / "ws"
    return "" if package.is_dir() else "its npm packages are not installed"


def _missing_module(name: str) -> Callable[[], str]:
    return lambda: "" if importlib.util.find_spec(name) else f"{name} is not installed"


def limit(place: Place, *options: str, port: int = 0, measured: bool = True) -> Program:
    """The C program, as the limit or as a backend."""
    ports = ["--port", str(port or place.web), "--feed", str(place.feed)]
    return Program([str(LIMIT), "--mode", place.mode, *ports, *options], measured)


def generator() -> list[str]:
    """The load generator; a slower one where the real one could not be built."""
    return [str(LOAD)] if LOAD.is_file() else [sys.executable, "-m", "benchmarks.generator"]


def backend(place: Place) -> Program:
    """The smallest possible backend, which waits for those who read slowly."""
    if _missing_compiled():
        arguments = map(str, (place.mode, place.backend, place.feed))
        return Program([sys.executable, "-m", "benchmarks.peers.backend", *arguments], False)
    return limit(place, "--coalesce", "--patient", port=place.backend, measured=False)


def _module(name: str, *arguments: object) -> Program:
    return Program([sys.executable, "-m", f"benchmarks.peers.{name}", *map(str, arguments)])


def _bridge(fast: bool) -> Callable[[Place], list[Program]]:
    def programs(place: Place) -> list[Program]:
        config = place.folder / "bridge.toml"
        config.write_text(CONFIG.format(table=place.mode))
        scheme, path = ("http", "events") if place.mode == "sse" else ("ws", "ws")
        url = f"{scheme}://127.0.0.1:{place.backend}/api/v1/{path}/{{channel}}"
        argv = [sys.executable, "-m", "bridge.cli", "serve", "--config", str(config)]
        argv += [f"--{place.mode}-upstream", url, "--port", str(place.web)]
        env = {} if fast else {"WS2SSE_FAST_PATH": "off"}
        return [backend(place), Program([*argv, "--log-level", "warning"], env=env)]

    return programs


def _guarded(place: Place) -> list[Program]:
    """The bridge as `_bridge` has it, which checks a token that it has never seen for each."""
    programs = _bridge(fast=True)(place)
    with (place.folder / "bridge.toml").open("a") as config:
        config.write(JWT.format(secret=SECRET))
    claims = {"exp": int(time.time()) + 86_400}
    tokens = (jwt.encode({**claims, "sub": str(i)}, SECRET, "HS256") for i in range(CLIENTS))
    (place.folder / TOKENS).write_text("\n".join(tokens) + "\n")
    return programs


def _nchan(place: Place) -> list[Program]:
    return [Program(nginx.nchan(place.folder, place.web, place.descriptors))]


def _node(place: Place) -> list[Program]:
    script = str(Path(__file__).with_name("fan_out.mjs"))
    return [Program(["node", script, place.mode, str(place.web), str(place.feed)])]


def _python(kind: str) -> Callable[[Place], list[Program]]:
    return lambda place: [
        _module("fan_out", kind.replace("MODE", place.mode), place.web, place.feed)
    ]


def _relay(kind: str) -> Callable[[Place], list[Program]]:
    return lambda place: [
        backend(place),
        _module("relay", kind.replace("MODE", place.mode), place.web, place.backend),
    ]


def _proxy(place: Place) -> list[Program]:
    command = nginx.proxy(place.folder, place.web, place.backend, place.descriptors)
    return [backend(place), Program(command)]


SHARED: Mapping[Mode, str] = {
    "sse": "/api/v1/events/project.1",
    "ws": "/api/v1/ws/project.1",
}
OWN: Mapping[Mode, str] = {
    "sse": "/api/v1/events/project.{i}",
    "ws": "/api/v1/ws/project.{i}",
}
NCHAN: Mapping[Mode, str] = {"sse": "/sub", "ws": "/sub"}

FAN_OUT: tuple[Peer, ...] = (
    Peer("C limit", lambda place: [limit(place)], _missing_compiled),
    Peer("C limit, coalescing", lambda place: [limit(place, "--coalesce")], _missing_compiled),
    Peer("nchan", _nchan, nginx.missing_nchan, paths=NCHAN, post=True),
    Peer("Node.js", _node, _missing_node),
    Peer("websockets.broadcast", _python("broadcast"), _nothing, modes=("ws",)),
    Peer("naive", _python("naive-MODE"), _missing_module("sse_starlette")),
    Peer("bridge", _bridge(fast=True), _nothing, paths=SHARED),
    Peer("bridge, stepped", _bridge(fast=False), _nothing, paths=SHARED),
    Peer(GUARDED, _guarded, _nothing, paths=SHARED, tokens=True),
)
"""One channel for all clients. The naive one is uvicorn with a queue and a task for each."""

PROXY: tuple[Peer, ...] = (
    Peer("direct", lambda place: [backend(replace(place, backend=place.web))], _nothing),
    Peer("nginx", _proxy, nginx.missing_nginx),
    Peer("splice", _relay("splice"), _nothing),
    Peer("naive", _relay("naive-MODE"), _missing_module("httpx")),
    Peer("bridge", _bridge(fast=True), _nothing, paths=OWN),
    Peer("bridge, stepped", _bridge(fast=False), _nothing, paths=OWN),
)
"""One stream for each client. The naive one is Starlette over httpx, or over `websockets`."""
