"""The options that `serve` and `check` share, and the settings that they set.

Decides their names and help; whether a value is any good, the configuration says.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from bridge.config import Config, load

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
