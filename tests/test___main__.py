"""The program's start."""

import signal
import subprocess
import sys

import pytest

SLOW = """
import builtins, signal, sys, os
real = builtins.__import__
def slowly(name, *rest, **more):
    if name == "bridge.cli":
        os.kill(os.getpid(), signal.SIGINT)
    return real(name, *rest, **more)
builtins.__import__ = slowly
from bridge.__main__ import main
sys.exit(main())
"""
"""Presses Ctrl-C while the command line is being loaded."""


def test_ctrl_c_while_the_program_loads_is_quiet() -> None:
    done = subprocess.run([sys.executable, "-c", SLOW], capture_output=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (130, b"", b"")


@pytest.mark.parametrize("arguments", [["--version"], ["record"]])
def test_the_module_is_the_command(arguments: list[str]) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "bridge", *arguments], capture_output=True, check=False, text=True
    )
    assert done.returncode == (0 if arguments == ["--version"] else 2)
    assert (done.stdout + done.stderr).startswith("ws2sse")
    assert signal.SIGINT.name not in done.stderr
