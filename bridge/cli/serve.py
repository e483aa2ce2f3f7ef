"""`ws2sse serve`: run the bridge."""

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


def serve(
    *,
    sse_upstream: SseUpstream = None,
    ws_upstream: WsUpstream = None,
    source: Source = None,
    host: Host = None,
    port: Port = None,
    config: ConfigFile = None,
    log_level: LogLevel = None,
    log_format: LogFormat = None,
) -> int:
    """Run the bridge until SIGTERM or Ctrl-C.

    Flags win over WS2SSE_* variables, which win over the file. One upstream is enough; where
    both are given, --source says which one leads.
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
    # the server and its libraries load only here: the other commands start at once without them
    from bridge.server import serve as run  # noqa: PLC0415

    return run(settings)
