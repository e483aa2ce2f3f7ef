"""`ws2sse check`: say what a configuration would do, or what is wrong with it."""

from __future__ import annotations

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
from bridge.config import explain


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
    for line in explain(settings):
        print(line)
    return 0
