"""`bridge.demo.run`: the whole demonstration, over real sockets, in this process."""

import json
from collections.abc import Callable
from typing import Any

import aiohttp
import anyio
import pytest
from websockets.asyncio.client import connect

from bridge.assembly import Bridge
from bridge.demo import run as module
from bridge.demo import script
from bridge.demo.compare import Heard, Wire
from bridge.demo.run import Addresses, Demo, DemoOptions, configuration, run
from bridge.errors import ConfigError
from bridge.server import bind
from bridge.settings.model import Source

EVENTS = len(script.render(1))
IDENTICAL = f"{EVENTS} events, identical on both wires"


class Record:
    """A screen that remembers, and may act on what it is shown."""

    def __init__(self, act: Callable[["Record"], None] = lambda _: None) -> None:
        self.addresses: Addresses | None = None
        self.notes: list[str] = []
        self.lines: list[tuple[Heard, frozenset[Wire], int]] = []
        self.act = act

    def greet(self, addresses: Addresses) -> None:
        self.addresses = addresses
        self.act(self)

    def note(self, text: str) -> None:
        self.notes.append(text)

    def live(self, newest: Heard, arrived: frozenset[Wire], render: int) -> None:
        self.lines.append((newest, arrived, render))
        self.act(self)


def _demo(screen: Record, **options: Any) -> Demo:
    return Demo(DemoOptions(**({"port": 0, "speed": 50.0} | options)), screen, away=0.2)


@pytest.mark.parametrize("source", ["sse", "legacy"])
async def test_both_clients_get_the_same_through_the_bridge(source: Source) -> None:
    screen = Record()
    assert await _demo(screen, source=source, renders=2, speed=500).run() == 0
    assert screen.notes == [f"render 1: {IDENTICAL}", f"render 2: {IDENTICAL}"]
    heard, arrived, render = screen.lines[-1]
    assert (heard.wire, set(arrived), render) == ("sse", {"ws", "sse"}, 2)
    assert heard.id.endswith(f"-{2 * EVENTS}")


@pytest.mark.parametrize(
    ("source", "ends"), [("sse", IDENTICAL), ("legacy", "on both wires, gaps told: 1")]
)
async def test_a_crash_in_mid_render_loses_nothing_or_is_told(source: Source, ends: str) -> None:
    screen = Record()
    demo = _demo(screen, source=source, renders=1, speed=5)
    async with anyio.create_task_group() as tasks:

        def crash(shown: Record) -> None:
            if len(shown.lines) == 10:
                tasks.start_soon(demo._restart)

        screen.act = crash
        assert await demo.run() == 0
    assert screen.notes[0] == "backend: crashed in mid-stream, back in 0.2 s"
    assert screen.notes[1].endswith(ends)


async def test_a_run_ends_after_its_time() -> None:
    assert await _demo(Record(), seconds=0.0).run() == 0


async def test_without_clients_the_backend_renders_all_the_same() -> None:
    screen = Record()
    demo = _demo(screen, clients=False, renders=1, speed=500)
    assert await demo.run() == 0
    assert (screen.notes, demo._backend.journal.top) == ([], EVENTS)


async def test_other_clients_may_watch_and_ask_for_renders() -> None:
    screen = Record()
    demo = _demo(screen, clients=False, speed=0.1)
    async with anyio.create_task_group() as tasks:
        greeted = anyio.Event()
        screen.act = lambda _: greeted.set()
        tasks.start_soon(demo.run)
        await greeted.wait()
        assert screen.addresses
        async with (
            connect(screen.addresses.ws) as socket,
            aiohttp.ClientSession() as http,
            http.get(screen.addresses.page) as page,
        ):
            assert "<title>ws2sse demo" in await page.text()
            await socket.send(script.SUBSCRIPTION)
            assert await socket.recv() == script.ACKNOWLEDGEMENT
            await socket.send('{"type":"render"}')
            assert json.loads(await socket.recv())["object"]["status"] == "error"
            demo.stop()


async def test_a_client_that_is_cut_off_fails_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    bridges = []
    make = Bridge

    def remember(config: Any) -> Any:
        bridges.append(make(config))
        return bridges[0]

    def act(screen: Record) -> None:
        if len(screen.lines) == 4:
            bridges[0].hub.drain()

    monkeypatch.setattr(module, "Bridge", remember)
    screen = Record(act)
    assert await _demo(screen).run() == 1
    assert "client lost its connection: " in screen.notes[-1]


async def test_payloads_that_differ_fail_the_run() -> None:
    screen = Record()
    demo = _demo(screen, seconds=0.0)
    demo._heard(Heard("ws", "a"))
    demo._heard(Heard("sse", "b", "e-1"))
    assert await demo.run() == 1
    assert screen.notes == ["DIFFERENT at e-1: 'a' 'b'"]


@pytest.mark.parametrize(
    ("heard", "note"),
    [
        ([Heard("ws", "a")], "1 events reached only one of the clients"),
        ([], "some events reached no client, and no gap was told"),
    ],
)
async def test_what_is_missing_at_the_end_fails_the_run(
    heard: list[Heard], note: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "SETTLE_SECONDS", 0.01)
    screen = Record()
    demo = _demo(screen)
    demo._backend.journal.append("a")
    for each in heard:
        demo._heard(each)
    await demo._settle()
    assert (screen.notes, demo._failed) == ([note], True)


async def test_a_stop_before_the_start_does_nothing() -> None:
    _demo(Record()).stop()


def test_a_taken_port_is_a_users_mistake() -> None:
    with bind("127.0.0.1", 0) as listener:
        options = DemoOptions(listener.getsockname()[1])
        with pytest.raises(ConfigError, match="cannot listen"):
            run(options, Record())


@pytest.mark.parametrize("source", ["sse", "legacy"])
def test_the_bridge_knows_both_backends_and_follows_one(source: Source) -> None:
    config = configuration(Addresses("127.0.0.1:1", "127.0.0.1:2", source))
    assert config.source == source
    assert config.upstream.sse
    assert config.upstream.sse.replay == "trusted"  # as the emulated backend does replay
    assert config.upstream.sse.send_url == "http://127.0.0.1:2/api/v1/events/{channel}"
    assert config.upstream.ws
    assert config.upstream.ws.url == "ws://127.0.0.1:2/api/v1/ws/{channel}"
