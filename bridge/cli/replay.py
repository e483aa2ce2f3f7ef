"""`ws2sse replay`: a recording as a backend, on both wires, at any speed, with faults on request.

Decides how the options are written and what is told of a run.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import anyio
import typer

from bridge.cli.interrupts import Interrupt

if TYPE_CHECKING:
    from bridge.verify.faults import FaultPlan
    from bridge.verify.player import Played
    from bridge.verify.replay import ReplayBackend

LOOK = 0.1

File = Annotated[Path, typer.Argument(metavar="FILE", help="What `ws2sse record` wrote.")]
Host = Annotated[str, typer.Option(metavar="ADDRESS", help="Listen here.")]
Port = Annotated[
    int, typer.Option(metavar="PORT", min=0, max=65535, help="Listen here; 0 takes a free one.")
]
Speed = Annotated[
    str, typer.Option(metavar="FACTOR", help="Play so many times faster; max: as clients read.")
]
Clients = Annotated[
    int, typer.Option(metavar="N", min=0, help="Begin once N streams are open; 0: at once.")
]
PlayedSide = Annotated[
    Literal["legacy", "candidate", "control"] | None,
    typer.Option("--side", help="Play this side on both wires, not each wire's own."),
]
FaultTexts = Annotated[
    list[str] | None,
    typer.Option(
        "--fault",
        metavar="KIND[:RATE]",
        help="Put this in: drop, duplicate, alter, type-drift, reorder, delay, coalesce, "
        "encoding, envelope or disconnect, such as drop:0.01; repeatable.",
    ),
]
FaultOn = Annotated[
    Literal["ws", "sse"] | None,
    typer.Option(help="Put faults into this wire only."),
]
Seed = Annotated[int, typer.Option(metavar="N", help="Of the faults' dice.")]
KeepOpen = Annotated[bool, typer.Option("--keep-open", help="Leave streams open at the end.")]


def replay(
    file: File,
    *,
    host: Host = "127.0.0.1",
    port: Port = 9000,
    speed: Speed = "1",
    clients: Clients = 1,
    side: PlayedSide = None,
    faults: FaultTexts = None,
    fault_on: FaultOn = None,
    seed: Seed = 0,
    keep_open: KeepOpen = False,
) -> int:
    """Serve a recording as a WebSocket and an SSE backend, until Ctrl-C.

    Each wire plays its own side where the recording has both. At the end sockets are closed and
    event streams ended for good.
    """
    factor = _factor(speed)
    # the server loads only here: the other commands start at once without it
    from bridge.parity.observation import Side  # noqa: PLC0415
    from bridge.verify.player import Player, PlayOptions  # noqa: PLC0415
    from bridge.verify.replay import ReplayBackend  # noqa: PLC0415

    options = PlayOptions(
        factor,
        Side(side) if side else None,
        tuple(_plan(text) for text in faults or ()),
        frozenset({fault_on}) if fault_on else frozenset({"ws", "sse"}),
        seed,
    )
    player = Player(file, options)
    backend = ReplayBackend(player, clients=clients, keep_open=keep_open)
    with Interrupt() as interrupt:
        anyio.run(_serve, backend, player.played, host, port, lambda: interrupt.asked)
    for line in _summary(player.played):
        print(f"ws2sse: {line}", file=sys.stderr, flush=True)
    return 0


async def _serve(
    backend: ReplayBackend, played: Played, host: str, port: int, is_asked: Callable[[], bool]
) -> None:
    from bridge.verify.replay import SSE_PATH, WS_PATH  # noqa: PLC0415

    async with backend.running(host, port) as authority:
        print(f"ws://{authority}{WS_PATH}\nhttp://{authority}{SSE_PATH}", flush=True)
        told = False
        while not is_asked():
            await anyio.sleep(LOOK)
            if backend.is_over.is_set() and not told:
                told = True
                print(f"played {_counted(played)}; Ctrl-C stops", flush=True)


def _counted(played: Played) -> str:
    return ", ".join(f"{played.messages[wire]} by {wire}" for wire in sorted(played.faults))


def _summary(played: Played) -> list[str]:
    lines = [*played.notes, f"played {_counted(played) or 'nothing'}"]
    for wire, counts in sorted(played.faults.items()):
        put_in = ", ".join(f"{number} {fault.value}" for fault, number in sorted(counts.items()))
        if put_in:
            lines.append(f"faults on {wire}: {put_in}")
    return lines


def _factor(text: str) -> float:
    try:
        factor = math.inf if text == "max" else float(text)
    except ValueError:
        factor = math.nan
    if not factor > 0:
        raise typer.BadParameter("write a number such as 2, or max", param_hint="--speed")
    return factor


def _plan(text: str) -> FaultPlan:
    from bridge.verify.faults import plan  # noqa: PLC0415

    try:
        return plan(text)
    except ValueError as fault:
        raise typer.BadParameter(str(fault), param_hint="--fault") from None
