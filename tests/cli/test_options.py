"""The options that set settings."""

from pathlib import Path
from typing import Any

import pytest

from bridge.cli.options import configured
from bridge.config import Config

NONE: dict[str, Any] = dict.fromkeys(
    ("sse_upstream", "ws_upstream", "source", "host", "port", "log_level", "log_format")
)


def made(file: Path | None = None, **options: str) -> Config:
    return configured(file, **(NONE | options))


def test_each_option_sets_its_setting() -> None:
    config = made(
        sse_upstream="http://h/{channel}",
        ws_upstream="ws://h/{channel}",
        source="sse",
        host="::1",
        port="81",
        log_level="debug",
        log_format="json",
    )
    assert config.upstream.sse
    assert config.upstream.ws
    assert (config.upstream.sse.url, config.upstream.ws.url) == (
        "http://h/{channel}",
        "ws://h/{channel}",
    )
    assert (config.source, config.host, config.port) == ("sse", "::1", 81)
    assert (config.log_level, config.log_format) == ("debug", "json")


def test_what_is_not_given_comes_from_the_environment_and_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "bridge.toml"
    file.write_text('port = 1\nhost = "::1"\nupstream.sse.url = "http://h/{channel}"')
    monkeypatch.setenv("WS2SSE_PORT", "2")
    config = made(file, log_level="error")
    assert (config.host, config.port, config.log_level) == ("::1", 2, "error")
