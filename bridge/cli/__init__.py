"""The command line: `serve`, `check`, `tap`, `record`, `replay`, `verify`, `contract`, `demo`.

Decides how a mistake is told (one line on stderr, status 2) and what ends a command; the commands
themselves are one module each.
"""

from __future__ import annotations

import io
import os
import re
import sys
from collections.abc import Sequence
from importlib.metadata import version
from typing import Annotated

import typer
from typer.main import get_command

from bridge.cli.check import check
from bridge.cli.contract import contract
from bridge.cli.demo import demo
from bridge.cli.record import record
from bridge.cli.replay import replay
from bridge.cli.serve import serve
from bridge.cli.tap import tap
from bridge.cli.verify import verify
from bridge.errors import ConfigError, NotARecording

PROGRAM = "ws2sse"
_GUESS = re.compile(r"\. Did you mean (.+)\?$")

app = typer.Typer(
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for _command in (serve, check, tap, record, replay, demo):
    app.command()(_command)
app.add_typer(verify, name="verify")
app.add_typer(contract, name="contract")


def _show_version(wanted: bool) -> None:
    if wanted:
        print(f"{PROGRAM} {version(PROGRAM)}")
        raise typer.Exit


@app.callback()
def _root(
    *,
    _: Annotated[
        bool,
        typer.Option(
            "--version", callback=_show_version, is_eager=True, help="Show the version and exit."
        ),
    ] = False,
) -> None:
    """A bridge between WebSocket and Server-Sent Events, for moving clients without a flag day."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command.

    Args:
        argv: the arguments after the program's name; the process's own if None.

    Returns:
        The exit status: 0, 1 for a peer's failure, 2 for a user's mistake, 3 for insufficient
        evidence, 130 after Ctrl-C.
    """
    arguments = list(sys.argv[1:] if argv is None else argv)
    if isinstance(sys.stdout, io.TextIOWrapper):
        # a terminal that cannot show a character gets its escape, not a traceback
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        status = _run(arguments or ["--help"])
        sys.stdout.flush()
    except BrokenPipeError:
        _forget_stdout()
        return 0
    except KeyboardInterrupt:
        return 130
    return status


def _run(arguments: list[str]) -> int:
    # not `command.main()`: it has endings of its own for Ctrl-C and closed pipes
    command = get_command(app)
    try:
        with command.make_context(PROGRAM, arguments) as context:
            return int(command.invoke(context) or 0)
    except typer.Exit as exit_:
        return exit_.exit_code
    except typer.TyperException as error:
        _tell(_usage_line(error))
    except (ConfigError, NotARecording) as error:
        for line in str(error).splitlines():
            _tell(line)
    return 2


def _tell(line: str) -> None:
    print(f"{PROGRAM}: {line}", file=sys.stderr)


def _usage_line(error: typer.TyperException) -> str:
    """One line for a wrong use; typer's own takes four."""
    context = getattr(error, "ctx", None)
    possible = getattr(error, "possibilities", None)
    what = error.message if possible else error.format_message()
    what = _GUESS.sub(r" (did you mean \1?)", " ".join(what.split()).removesuffix("."))
    if possible:
        what += f" (did you mean {' or '.join(sorted(possible))}?)"
    command = context.command_path if context else PROGRAM
    return f"{what[:1].lower()}{what[1:]}; try '{command} --help'"


def _forget_stdout() -> None:
    """Whoever read our output has gone: a later flush must not complain."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
