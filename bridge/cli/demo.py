"""`ws2sse demo`: see the bridge at work, with nothing prepared.

Decides the options and how a run looks in a terminal: one line that changes, and one to keep for
each render. Where the output is no terminal, only the lines to keep are written.
"""

from __future__ import annotations

import shlex
import shutil
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Annotated, Literal

import typer
from rich.cells import set_cell_size

from bridge.cli.durations import Duration

if TYPE_CHECKING:
    from bridge.demo.compare import Heard, Wire
    from bridge.demo.run import Addresses

Port = Annotated[
    int,
    typer.Option(metavar="PORT", min=0, max=65535, help="Serve page and bridge here; 0: any."),
]
Source = Annotated[
    Literal["legacy", "sse"],
    typer.Option(help="Which of the backend's wires the bridge reads; legacy is WebSocket."),
]
Renders = Annotated[
    int | None, typer.Option(metavar="N", min=1, help="Stop after this many renders.")
]
NoClients = Annotated[
    bool, typer.Option("--no-clients", help="Do without the two built-in clients.")
]
Speed = Annotated[
    float, typer.Option(metavar="FACTOR", min=0.1, max=1000, help="Render this much faster.")
]

_SIGNS = {True: "✓", False: "…"}


def demo(
    *,
    port: Port = 8080,
    source: Source = "sse",
    seconds: Duration = None,
    renders: Renders = None,
    no_clients: NoClients = False,
    speed: Speed = 1.0,
) -> int:
    """Run an emulated backend, the bridge and a page that shows both wires side by side.

    Two built-in clients, one for each wire, go through the bridge and compare what they get. Ends
    on Ctrl-C; the status is 1 where anything differed.
    """
    # the server and its libraries load only here: the other commands start at once without them
    from bridge.demo.run import DemoOptions, run  # noqa: PLC0415

    options = DemoOptions(port, source, seconds, renders, not no_clients, speed)
    terminal = Terminal(sys.stdout.isatty(), lambda: shutil.get_terminal_size().columns)
    with suppress(KeyboardInterrupt):  # before the server listens to signals
        try:
            return run(options, terminal)
        finally:
            terminal.finish()
    return 0


class Terminal:
    """The run on stdout (`bridge.demo.run.Screen`).

    Args:
        is_live: whether there is a terminal, on which a line can change.
        width: its columns.
    """

    def __init__(self, is_live: bool, width: Callable[[], int]) -> None:
        self._is_live, self._width = is_live, width
        self._is_dirty = False

    def greet(self, addresses: Addresses) -> None:
        """The URLs, and what to try."""
        wire = "WebSocket" if addresses.source == "legacy" else "SSE"
        program = _program()
        print(
            f"One render, watched over two wires. Open the page:\n\n"
            f"  {addresses.page}\n\n"
            f"The bridge   {addresses.ws}\n"
            f"             {addresses.sse}\n"
            f"reads        {addresses.backend}, an emulated backend, by {wire}\n\n"
            f"Try in another terminal:\n\n"
            f"  {program} tap {addresses.ws}\n"
            f"  curl -N {addresses.sse}\n\n"
            f"Ctrl-C stops.\n",
            flush=True,
        )

    def note(self, text: str) -> None:
        """A line to keep, in place of the one that changes."""
        self._clear()
        print(text, flush=True)

    def live(self, newest: Heard, arrived: frozenset[Wire], render: int) -> None:
        """Write the changing line anew."""
        if not self._is_live:
            return
        self._clear()
        place = f"  id {newest.id}" if newest.id else ""
        ws, sse = (_SIGNS[wire in arrived] for wire in ("ws", "sse"))
        line = f"render {render}  ws {ws}  sse {sse}  {newest.title}{place}"
        width = max(1, self._width() - 1)
        print(set_cell_size(line, width).rstrip(), end="", flush=True)
        self._is_dirty = True

    def finish(self) -> None:
        """Leave the cursor at the start of a line."""
        self._clear()

    def _clear(self) -> None:
        if self._is_dirty:
            print("\r\x1b[2K", end="", flush=True)
            self._is_dirty = False


def _program() -> str:
    """How this program is called from where it was started."""
    return "ws2sse" if shutil.which("ws2sse") else shlex.quote(sys.argv[0])
