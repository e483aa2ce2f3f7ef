"""The command as people run it, and above all as they misuse it."""

import socket
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

import pytest
import typer

from bridge import cli
from bridge.cli import main
from bridge.errors import ConfigError, ConfigErrors

URL = "http://127.0.0.1:9/events/{channel}"


def run(*arguments: str, folder: Path | None = None) -> subprocess.CompletedProcess[str]:
    """The installed command, in a process of its own without our environment."""
    return subprocess.run(
        [sys.executable, "-m", "bridge.cli", *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        cwd=folder,
        env={"PATH": "/usr/bin"},
        check=False,
    )


def complaint(*arguments: str, capsys: pytest.CaptureFixture[str]) -> str:
    assert main(arguments) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    return captured.err.rstrip("\n")


@pytest.fixture
def taken() -> Iterator[int]:
    """A port on which somebody listens."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield listener.getsockname()[1]


@pytest.fixture
def failing(monkeypatch: pytest.MonkeyPatch) -> typer.Typer:
    """A command line to which a test adds commands that fail."""
    app = typer.Typer(add_completion=False)
    app.callback()(lambda: None)
    monkeypatch.setattr(cli, "app", app)
    return app


def test_without_arguments_it_helps(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 0
    said = capsys.readouterr().out
    assert all(command in said for command in ("serve", "check", "tap"))


def test_the_process_s_own_arguments_are_taken_by_default(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "argv", ["ws2sse", "--version"])
    assert main() == 0
    assert capsys.readouterr().out == f"ws2sse {version('ws2sse')}\n"


def test_a_mistyped_flag_is_answered_with_the_right_one(
    capsys: pytest.CaptureFixture[str],
) -> None:
    said = complaint("serve", "--sse-upstraem", URL, capsys=capsys)
    assert said == (
        "ws2sse: no such option: --sse-upstraem (did you mean --sse-upstream or --ws-upstream?); "
        "try 'ws2sse serve --help'"
    )


def test_a_mistyped_command_is_answered_with_the_right_one(
    capsys: pytest.CaptureFixture[str],
) -> None:
    said = complaint("sevre", capsys=capsys)
    assert said == "ws2sse: no such command 'sevre' (did you mean 'serve'?); try 'ws2sse --help'"


def test_other_misuse_is_one_line_too(capsys: pytest.CaptureFixture[str]) -> None:
    said = complaint("tap", capsys=capsys)
    assert said == "ws2sse: missing argument 'URL'; try 'ws2sse tap --help'"
    assert complaint("serve", "extra", capsys=capsys).count("\n") == 0
    assert complaint("serve", "--port", capsys=capsys).count("\n") == 0


def test_a_setting_that_cannot_be_used_is_one_line(
    failing: typer.Typer, capsys: pytest.CaptureFixture[str]
) -> None:
    @failing.command()
    def fail() -> None:
        raise ConfigError("port", "is odd", "mend it")

    assert complaint("fail", capsys=capsys) == "ws2sse: port: is odd (mend it)"


def test_several_are_one_line_each(
    failing: typer.Typer, capsys: pytest.CaptureFixture[str]
) -> None:
    @failing.command()
    def fail() -> None:
        raise ConfigErrors([ConfigError("a", "is odd"), ConfigError("b", "is odd")])

    assert complaint("fail", capsys=capsys) == "ws2sse: a: is odd\nws2sse: b: is odd"


def test_an_interrupted_command_ends_with_130_and_says_nothing(
    failing: typer.Typer, capsys: pytest.CaptureFixture[str]
) -> None:
    @failing.command()
    def fail() -> None:
        raise KeyboardInterrupt

    assert main(["fail"]) == 130
    assert capsys.readouterr() == ("", "")


def test_a_bug_is_not_hidden(failing: typer.Typer) -> None:
    @failing.command()
    def fail() -> None:
        raise RuntimeError("a bug")

    with pytest.raises(RuntimeError, match="a bug"):
        main(["fail"])


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["--port", "70000"], "--port: must be less than or equal to 65535"),
        (["--port", "http"], "--port: must be a valid integer"),
        (["--source", "legacy"], '--source: is "legacy", but there is no upstream.ws'),
        (["--log-format", "xml"], "--log-format: must be 'console' or 'json'"),
        (
            ["--host", "127.0.0.1:80"],
            "--host: is no host name or address (the port goes into port)",
        ),
        (["--config", "nowhere.toml"], "nowhere.toml: there is no such file"),
        (["--config", "."], ".: is a directory (name the file in it)"),
    ],
)
def test_serve_refuses_settings_in_one_line(
    arguments: list[str], line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    said = complaint("serve", "--sse-upstream", URL, *arguments, capsys=capsys)
    assert said == f"ws2sse: {line}"


def test_the_installed_command_tells_a_bad_url_in_one_line() -> None:
    done = run("serve", "--sse-upstream", "ftp://127.0.0.1/{channel}")
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr == (
        "ws2sse: --sse-upstream: is not a full URL (begin it with http:// or https:// and a host)\n"
    )


def test_the_installed_command_tells_an_unknown_key_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "bridge.toml").write_text(f'prot = 80\nupstream.sse.url = "{URL}"')
    done = run("serve", "--config", "bridge.toml", folder=tmp_path)
    assert done.returncode == 2
    assert done.stderr == "ws2sse: bridge.toml: prot: unknown key (did you mean port?)\n"


def test_the_installed_command_tells_a_taken_port_in_one_line(taken: int) -> None:
    done = run("serve", "--sse-upstream", URL, "--port", str(taken))
    assert done.returncode == 2
    assert done.stdout == ""
    (line,) = done.stderr.splitlines()
    assert line.startswith(f"ws2sse: 127.0.0.1:{taken}: cannot listen: Address already in use")


def test_a_reader_that_leaves_gets_no_traceback() -> None:
    """`ws2sse check | head -c 1`, but with the pipe closed before anything is written."""
    command = [sys.executable, "-m", "bridge.cli", "check", "--sse-upstream", URL]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env={"PATH": "/usr/bin"}
    ) as process:
        assert process.stdout
        assert process.stderr
        process.stdout.close()
        said = process.stderr.read()
    assert (process.returncode, said) == (0, b"")
