"""How a live comparison looks, in a terminal and elsewhere."""

import io
from dataclasses import replace

from rich.console import Console

from bridge.cli.board import PACE, Board
from bridge.parity.comparison import Comparison
from bridge.parity.finding import Kind
from bridge.parity.report import Lag
from bridge.verify.live import Look

STATISTICS = replace(
    Comparison().statistics(),
    legacy=1234,
    candidate=1230,
    same=1200,
    kinds={Kind.MISSING: 4, Kind.ALTERED: 7, Kind.LATE: 0},
    lag=Lag(1200, 0.002, 0.03),
)
LOOK = Look(12.0, STATISTICS, ("candidate c: away\x1b[31m",))


def shown(*looks: Look, is_terminal: bool, seconds: float | None = 60.0) -> str:
    console = Console(file=io.StringIO(), force_terminal=is_terminal, width=200, color_system=None)
    with Board(console, seconds) as board:
        for look in looks:
            board.show(look)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_a_terminal_shows_counts_lag_differences_and_troubles() -> None:
    found = shown(LOOK, is_terminal=True)
    for part in ("12 s of 1 min 0 s", "1,234 messages", "p50 2 ms, p99 30 ms", "7 altered, 4 miss"):
        assert part in found
    assert "away\\x1b[31m" in found
    assert [line for line in found.splitlines() if "━" in line and "legacy" in line] == []


def test_elsewhere_a_line_is_written_now_and_then() -> None:
    looks = [replace(LOOK, elapsed=at, troubles=()) for at in (1.0, PACE, PACE + 1, 2 * PACE)]
    assert shown(*looks, is_terminal=False, seconds=None).splitlines() == [
        f"ws2sse: {at} s: 1,234 of legacy, 1,230 of candidate, 1,200 the same; "
        "7 altered, 4 missing, noise included"
        for at in (10, 20)
    ]


def test_nothing_seen_is_said_so() -> None:
    empty = Look(0.0, Comparison().statistics(), ())
    assert "no differences" in shown(empty, is_terminal=True, seconds=None)
