"""`ws2sse check`: say what a configuration would do, or what is wrong with it."""

from __future__ import annotations

import os
from pathlib import Path

from bridge.cli.options import (
    ConfigFile,
    Host,
    LogFormat,
    LogLevel,
    Port,
    Source,
    SseUpstream,
    WsUpstream,
    configured,
)
from bridge.config import Config, explain
from bridge.endpoint.guards import configured_keys
from bridge.errors import ConfigError


def check_files(config: Config) -> None:
    """Read the files that a start would read, and look where it would write.

    Raises:
        ConfigError: one of them is not as it has to be.
    """
    for auth in config.all_auths:
        if auth.mode == "jwt" and auth.jwt:
            configured_keys(auth.jwt)
    path = Path(config.history.path)
    if config.history.persist == "sqlite" and not os.access(path.parent, os.W_OK | os.X_OK):
        said = f"{config.history.path} cannot be written: its folder is not there or not ours"
        raise ConfigError("history.path", said)


def check(
    *,
    config: ConfigFile = None,
    sse_upstream: SseUpstream = None,
    ws_upstream: WsUpstream = None,
    source: Source = None,
    host: Host = None,
    port: Port = None,
    log_level: LogLevel = None,
    log_format: LogFormat = None,
) -> int:
    """Check a configuration and explain it, without starting anything.

    Takes the same options as serve. Secrets are not shown. The status is 2 where something is
    wrong, with one line for each problem.
    """
    settings = configured(
        config,
        sse_upstream=sse_upstream,
        ws_upstream=ws_upstream,
        source=source,
        host=host,
        port=port,
        log_level=log_level,
        log_format=log_format,
    )
    check_files(settings)
    for line in explain(settings):
        print(line)
    return 0
