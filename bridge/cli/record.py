"""`ws2sse record`: write down what backends say, and when, for a comparison or a replay later.

Decides the summary and the exit status: 0, or 1 where no backend ever answered.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import anyio
import typer

from bridge.cli.durations import Duration
from bridge.cli.interrupts import Interrupt
from bridge.cli.options import (
    Channels,
    ConfigFile,
    Control,
    SseUpstream,
    WsUpstream,
    channel_names,
    tapped,
)

if TYPE_CHECKING:
    from bridge.verify.capture import Captured

Output = Annotated[
    Path,
    typer.Option("-o", "--output", metavar="FILE", help="Write here; a .gz name compresses."),
]
Force = Annotated[
    bool, typer.Option("--force", help="Replace the file where there is one already.")
]
Count = Annotated[
    int | None,
    typer.Option("--count", metavar="N", min=1, help="Stop after N messages of all sides."),
]


def record(
    channels: Channels,
    *,
    output: Output,
    ws_upstream: WsUpstream = None,
    sse_upstream: SseUpstream = None,
    config: ConfigFile = None,
    seconds: Duration = None,
    count: Count = None,
    control: Control = False,
    force: Force = False,
) -> int:
    """Record what one or both backends say on some channels, with arrival times.

    Ends with the backends, after --for or --count, or on Ctrl-C; the file is whole either way,
    and a summary goes to stderr.
    """
    names = channel_names(channels)
    settings = tapped(config, sse_upstream, ws_upstream)
    if control and settings.upstream.ws is None:
        said = "listens to the WebSocket backend a second time; name it by --ws-upstream"
        raise typer.BadParameter(said, param_hint="--control")
    # the clients load only here: the other commands start at once without them
    from bridge.verify.capture import capture  # noqa: PLC0415

    with Interrupt() as interrupt:

        async def run() -> Captured:
            return await capture(
                settings,
                names,
                output,
                seconds=seconds,
                count=count,
                is_over=lambda: interrupt.asked,
                control=control,
                replace=force,
            )

        captured = anyio.run(run)
    for trouble in captured.troubles:
        _tell(settings.mask(trouble))
    heard = ", ".join(f"{number} of {side.value}" for side, number in captured.messages.items())
    _tell(f"{output}: {heard} in {captured.seconds:.1f} s")
    return 0 if captured.opened else 1


def _tell(text: str) -> None:
    print(f"ws2sse: {text}", file=sys.stderr, flush=True)
