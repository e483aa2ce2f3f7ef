"""`ws2sse demo`: its options, its lines, and its end."""

import re
import shutil
import signal
import socket
import sys
from contextlib import suppress
from subprocess import PIPE

import aiohttp
import anyio
import pytest
from anyio.abc import Process
from anyio.streams.text import TextReceiveStream
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from bridge.cli import main
from bridge.cli.demo import Terminal
from bridge.demo import run as runner
from bridge.demo.compare import Heard
from bridge.demo.run import Addresses, DemoOptions

Captured = pytest.CaptureFixture[str]

ADDRESSES = Addresses("127.0.0.1:1", "127.0.0.1:2", "legacy")
HEARD = Heard("sse", '{"type":"render_progress","object":{"progress":40}}', "3f2a-17")


def _started(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "bridge.cli", "demo", "--port", "0", *arguments]


async def _read_until(process: Process, mark: str) -> str:
    text = ""
    assert process.stdout
    with anyio.fail_after(20):
        async for chunk in TextReceiveStream(process.stdout):
            text += chunk
            if mark in text:
                break
    return text


async def test_a_run_shows_a_render_that_is_alike_on_both_wires() -> None:
    done = await anyio.run_process(_started("--renders", "1", "--speed", "500"), check=False)
    lines = done.stdout.decode().splitlines()
    assert (done.returncode, done.stderr) == (0, b"")
    assert lines[-1] == "render 1: 16 events, identical on both wires"
    assert any(re.fullmatch(r"  curl -N http://127.0.0.1:\d+/api/v1/events/.*", x) for x in lines)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_a_signal_ends_it_cleanly_with_clients_of_all_kinds(number: signal.Signals) -> None:
    async with (
        await anyio.open_process(_started("--speed", "100"), stdout=PIPE, stderr=PIPE) as process,
        aiohttp.ClientSession() as http,
    ):
        text = await _read_until(process, "identical on both wires")
        authority = re.findall(r"http://([\d.:]+)/", text)[0]
        async with (
            connect(f"ws://{authority}/api/v1/ws/project.demo") as websocket,
            http.get(f"http://{authority}/api/v1/events/project.demo") as stream,
        ):
            process.send_signal(number)
            with anyio.fail_after(10):
                with suppress(ConnectionClosed):
                    async for _ in websocket:
                        pass
                assert websocket.close_code == 1012
                assert b"event: bridge.end" in await stream.content.read()
        assert process.stderr
        complaint = b"".join([chunk async for chunk in process.stderr])
        assert (await process.wait(), complaint) == (0, b"")


def test_a_taken_port_is_told_in_one_line(capsys: Captured) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        assert main(["demo", "--port", str(taken.getsockname()[1])]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert re.fullmatch(r"ws2sse: 127.0.0.1:\d+: cannot listen: .*\n", captured.err)


@pytest.mark.parametrize(
    "arguments", [["--source", "poll"], ["--port", "70000"], ["--renders", "0"], ["--for", "-1"]]
)
def test_a_wrong_option_is_told_in_one_line(arguments: list[str], capsys: Captured) -> None:
    assert main(["demo", *arguments]) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_the_run_gets_what_the_options_say_and_its_status_is_ours(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    given: list[DemoOptions] = []

    def run(options: DemoOptions, _: object) -> int:
        given.append(options)
        return 1

    monkeypatch.setattr(runner, "run", run)
    flags = ["--port", "9", "--source", "legacy", "--for", "2.5", "--renders", "3"]
    assert main(["demo", *flags, "--no-clients", "--speed", "4"]) == 1
    assert main(["demo"]) == 1
    assert given == [DemoOptions(9, "legacy", 2.5, 3, clients=False, speed=4.0), DemoOptions()]


def test_ctrl_c_before_the_start_is_no_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    def run(*_: object) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr(runner, "run", run)
    assert main(["demo"]) == 0


def test_the_greeting_names_all_addresses(
    capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "which", lambda _: None)
    monkeypatch.setattr(sys, "argv", ["some where/ws2sse", "demo"])
    Terminal(is_live=False, width=lambda: 80).greet(ADDRESSES)
    text = capsys.readouterr().out
    assert "  http://127.0.0.1:1/\n" in text
    assert "127.0.0.1:2, an emulated backend, by WebSocket\n" in text
    assert "  'some where/ws2sse' tap ws://127.0.0.1:1/api/v1/ws/project.demo\n" in text


def test_the_greeting_calls_the_program_by_its_name_where_that_is_found(
    capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: f"/bin/{name}")
    Terminal(is_live=False, width=lambda: 80).greet(ADDRESSES)
    assert "  ws2sse tap ws://" in capsys.readouterr().out


def test_a_terminal_shows_the_newest_message_in_a_line_that_changes(capsys: Captured) -> None:
    terminal = Terminal(is_live=True, width=lambda: 80)
    terminal.live(Heard("ws", HEARD.text), frozenset({"ws"}), 2)
    assert capsys.readouterr().out == "render 2  ws ✓  sse …  render_progress 40"
    terminal.live(HEARD, frozenset({"ws", "sse"}), 2)
    line = "\r\x1b[2Krender 2  ws ✓  sse ✓  render_progress 40  id 3f2a-17"
    assert capsys.readouterr().out == line
    terminal.note("render 2: over")
    terminal.finish()
    assert capsys.readouterr().out == "\r\x1b[2Krender 2: over\n"


def test_the_changing_line_never_wraps(capsys: Captured) -> None:
    Terminal(is_live=True, width=lambda: 21).live(HEARD, frozenset({"ws"}), 1)
    assert capsys.readouterr().out == "render 1  ws ✓  sse"


def test_a_file_gets_only_the_lines_to_keep(capsys: Captured) -> None:
    terminal = Terminal(is_live=False, width=lambda: 80)
    terminal.live(HEARD, frozenset({"ws", "sse"}), 1)
    terminal.note("render 1: over")
    terminal.finish()
    assert capsys.readouterr().out == "render 1: over\n"
