"""The options that commands share, and the settings that they set.

Decides their names and help; whether a value is any good, the configuration says.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from bridge.config import Config, load
from bridge.errors import InvalidChannel
from bridge.wire.names import ChannelName

ConfigFile = Annotated[
    Path | None,
    typer.Option("--config", metavar="FILE", help="Settings, as TOML [also: WS2SSE_CONFIG]."),
]
SseUpstream = Annotated[
    str | None,
    typer.Option(metavar="URL", help="The SSE backend; the URL holds {channel}."),
]
WsUpstream = Annotated[
    str | None,
    typer.Option(metavar="URL", help="The WebSocket backend; the URL holds {channel}."),
]
Source = Annotated[
    str | None,
    typer.Option(
        metavar="legacy|sse",
        help="Which backend leads where both are given; legacy is the WebSocket one.",
    ),
]
Host = Annotated[str | None, typer.Option(metavar="ADDRESS", help="Listen here [127.0.0.1].")]
Port = Annotated[
    str | None, typer.Option(metavar="PORT", help="Listen here [8080]; 0 takes a free one.")
]
LogLevel = Annotated[
    str | None,
    typer.Option(metavar="LEVEL", help="debug, info, warning, error or critical [info]."),
]
LogFormat = Annotated[
    str | None, typer.Option(metavar="console|json", help="For people or machines [console].")
]

Channels = Annotated[
    list[str], typer.Argument(metavar="CHANNEL...", help="Such as project.42; one or more.")
]
Control = Annotated[
    bool,
    typer.Option(
        help="Listen to the WebSocket backend twice, to learn what differs by nature.",
    ),
]


def tapped(file: Path | None, sse_upstream: str | None, ws_upstream: str | None) -> Config:
    """The configuration of commands that listen to backends; none of those has to lead.

    Raises:
        ConfigError: something in it is wrong.
    """
    flags = {"upstream.sse.url": sse_upstream, "upstream.ws.url": ws_upstream}
    return load(file, flags, os.environ, needs_lead=False)


def channel_names(texts: list[str]) -> list[ChannelName]:
    """The names, each once.

    Raises:
        typer.BadParameter: one of them is none.
    """
    try:
        return [ChannelName.parse(text) for text in dict.fromkeys(texts)]
    except InvalidChannel as fault:
        raise typer.BadParameter(str(fault), param_hint="CHANNEL") from None


def configured(
    file: Path | None,
    *,
    sse_upstream: str | None,
    ws_upstream: str | None,
    source: str | None,
    host: str | None,
    port: str | None,
    log_level: str | None,
    log_format: str | None,
) -> Config:
    """The configuration that the options, the environment and the file give together.

    Raises:
        ConfigError: something in it is wrong.
    """
    flags = {
        "upstream.sse.url": sse_upstream,
        "upstream.ws.url": ws_upstream,
        "source": source,
        "host": host,
        "port": port,
        "log_level": log_level,
        "log_format": log_format,
    }
    return load(file, flags, os.environ)
