"""`ws2sse verify`: whether two backends say the same, of recordings or live.

Decides how the commands are called; the report, its forms and the exit status are
`bridge.cli.judgement`'s.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import anyio
import typer
from rich.console import Console
from typer.core import TyperGroup

from bridge.cli.contract import learn
from bridge.cli.durations import Duration
from bridge.cli.interrupts import Interrupt
from bridge.cli.judgement import (
    Confidence,
    Destination,
    FormatOption,
    Identity,
    Ignore,
    MaxShare,
    MinMessages,
    NoiseFile,
    Normalise,
    Outputs,
    PromisedBy,
    Window,
    chosen,
    comparison_of,
)
from bridge.cli.options import (
    Channels,
    ConfigFile,
    SseUpstream,
    WsUpstream,
    channel_names,
    tapped,
)

if TYPE_CHECKING:
    from bridge.config import Config
    from bridge.parity.comparison import Comparison
    from bridge.parity.report import Report
    from bridge.wire.names import ChannelName

_HELP = frozenset({"-h", "--help"})
_FILES = "files"


class Verify(TyperGroup):
    """A group whose first word may be a file: `verify A B` is `verify files A B`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:  # noqa: ANN401 - typer's own
        """Name the command that is meant."""
        if args and args[0] not in self.commands and args[0] not in _HELP:
            args = [_FILES, *args]
        return super().parse_args(ctx, args)


verify = typer.Typer(
    cls=Verify,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Say whether two backends say the same: verify A B, verify FILE, verify live CHANNEL.\n\n"
    "The status is 0 for pass, 1 for fail, 3 where the evidence does not suffice, 2 for a "
    "mistake in the call. Ctrl-C gives the report so far.",
)

Recordings = Annotated[
    list[Path],
    typer.Argument(metavar="A [B]", help="One recording of both sides, or legacy and candidate."),
]
Count = Annotated[
    int | None, typer.Option(metavar="N", min=1, help="Stop once each side said N messages.")
]
UseControl = Annotated[
    bool,
    typer.Option(
        "--control/--no-control", help="Listen to the WebSocket backend twice, for noise."
    ),
]


@verify.command(_FILES)
def recordings(
    recordings: Recordings,
    *,
    form: FormatOption = "text",
    outputs: Outputs = None,
    config: ConfigFile = None,
    noise: NoiseFile = None,
    contract: PromisedBy = None,
    window: Window = None,
    ignore: Ignore = None,
    normalise: Normalise = None,
    identity: Identity = None,
    confidence: Confidence = None,
    max_share: MaxShare = None,
    min_messages: MinMessages = None,
) -> int:
    """Compare recordings: what is readable is compared, and the rest is counted."""
    if len(recordings) > 2:
        raise typer.BadParameter("name one recording, or two", param_hint="A [B]")
    from bridge.parity.options import CompareOptions  # noqa: PLC0415
    from bridge.verify.matching import compare, parts  # noqa: PLC0415

    options = chosen(
        tapped(config, None, None).parity if config else CompareOptions(),
        window=window,
        ignore=ignore,
        normalise=normalise,
        identity=identity,
        confidence=confidence,
        max_share=max_share,
        min_messages=min_messages,
        clocks="two" if len(recordings) > 1 else None,
    )
    destination = Destination(form, tuple(outputs or ()), noise)
    destination.check()
    comparison = comparison_of(options, noise, contract)
    with Interrupt() as interrupt:
        report = compare(parts(recordings), comparison, lambda _: interrupt.asked)
    return destination.conclude(report, comparison)


@verify.command("live")
def live(
    channels: Channels,
    *,
    ws_upstream: WsUpstream = None,
    sse_upstream: SseUpstream = None,
    config: ConfigFile = None,
    seconds: Duration = None,
    count: Count = None,
    control: UseControl = True,
    form: FormatOption = "text",
    outputs: Outputs = None,
    noise: NoiseFile = None,
    contract: PromisedBy = None,
    window: Window = None,
    ignore: Ignore = None,
    normalise: Normalise = None,
    identity: Identity = None,
    confidence: Confidence = None,
    max_share: MaxShare = None,
    min_messages: MinMessages = None,
) -> int:
    """Listen to both backends and compare, until --for, --count, Ctrl-C or their end."""
    names = channel_names(channels)
    settings = tapped(config, sse_upstream, ws_upstream)
    destination = Destination(form, tuple(outputs or ()), noise)
    destination.check()
    options = chosen(
        settings.parity,
        window=window,
        ignore=ignore,
        normalise=normalise,
        identity=identity,
        confidence=confidence,
        max_share=max_share,
        min_messages=min_messages,
    )
    comparison = comparison_of(options, noise, contract)
    report = _listened(settings, names, comparison, seconds, count, control=control)
    return destination.conclude(report, comparison)


def _listened(
    settings: Config,
    names: list[ChannelName],
    comparison: Comparison,
    seconds: float | None,
    count: int | None,
    *,
    control: bool,
) -> Report:
    """What both backends say is compared and shown until the end."""
    from bridge.cli.board import Board  # noqa: PLC0415
    from bridge.verify.live import verify as listen  # noqa: PLC0415

    console = Console(file=sys.stderr, highlight=False)
    with Interrupt() as interrupt, Board(console, seconds) as board:

        async def run() -> Report:
            return await listen(
                settings,
                names,
                comparison,
                seconds=seconds,
                count=count,
                control=control,
                is_over=lambda: interrupt.asked,
                show=board.show,
            )

        return anyio.run(run)


verify.command("learn")(learn)
