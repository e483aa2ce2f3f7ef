"""How a live comparison looks while it runs: a table that changes, or a line now and then.

Decides the columns and the pace; what is counted is the comparison's business.
"""

from __future__ import annotations

from rich.console import Console, Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from bridge.parity import wording
from bridge.verify.live import Look

PACE = 10.0
"""Seconds between two lines where the output is no terminal."""


class Board:
    """Shows looks, on stderr, so that stdout holds the report alone; a context manager.

    Args:
        console: where.
        seconds: how long the comparison is to run; None for no limit.
    """

    def __init__(self, console: Console, seconds: float | None) -> None:
        self._console, self._seconds = console, seconds
        self._live = Live(console=console, transient=True, auto_refresh=False)
        self._told = 0.0

    def __enter__(self) -> Board:
        if self._console.is_terminal:
            self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._console.is_terminal:
            self._live.stop()

    def show(self, look: Look) -> None:
        """Renew the table; elsewhere write a line, at most one in `PACE` seconds."""
        if self._console.is_terminal:
            self._live.update(self.table(look), refresh=True)
        elif look.elapsed - self._told >= PACE:
            self._told = look.elapsed
            self._console.print(Text(self.line(look)), soft_wrap=True)

    def table(self, look: Look) -> Group:
        """The look as a table with a progress bar."""
        seen = look.statistics
        table = Table(box=None, padding=(0, 2, 0, 0), show_header=False)
        for name, value in (
            ("legacy", wording.counted(seen.legacy, "message")),
            ("candidate", wording.counted(seen.candidate, "message")),
            ("the same", wording.counted(seen.same, "pair")),
            ("waiting", wording.number(seen.waiting)),
            ("lag", _lag(look)),
            ("differences", _differences(look)),
        ):
            table.add_row(Text(name, "dim"), Text(value))
        troubles = [Text(wording.visible(each), "yellow") for each in look.troubles]
        bar = Table.grid()  # by itself, a bar ends no line
        bar.add_row(ProgressBar(total=self._seconds, completed=look.elapsed, width=40))
        head = Text(f"{wording.seconds(look.elapsed)}{self._of()}; Ctrl-C ends with the report")
        return Group(head, *((bar,) if self._seconds else ()), table, *troubles)

    def line(self, look: Look) -> str:
        """The look in one line."""
        seen = look.statistics
        return (
            f"ws2sse: {wording.seconds(look.elapsed)}{self._of()}: "
            f"{wording.number(seen.legacy)} of legacy, {wording.number(seen.candidate)} of "
            f"candidate, {wording.number(seen.same)} the same; {_differences(look)}"
            + "".join(f"; {wording.visible(each)}" for each in look.troubles)
        )

    def _of(self) -> str:
        return f" of {wording.seconds(self._seconds)}" if self._seconds else ""


def _lag(look: Look) -> str:
    lag = look.statistics.lag
    if not lag.count:
        return "-"
    return f"p50 {wording.seconds(lag.p50)}, p99 {wording.seconds(lag.p99)}"


def _differences(look: Look) -> str:
    found = sorted(look.statistics.kinds.items(), key=lambda each: -each[1])
    said = ", ".join(f"{wording.number(count)} {kind.value}" for kind, count in found if count)
    return f"{said}, noise included" if said else "no differences"
