"""`ws2sse serve` hands the configuration to the server."""

import pytest

from bridge import server
from bridge.cli import main
from bridge.config import Config


def test_the_server_gets_what_the_flags_say_and_its_status_is_ours(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    given: list[Config] = []

    def run(config: Config) -> int:
        given.append(config)
        return 3

    monkeypatch.setattr(server, "serve", run)
    flags = ["--ws-upstream", "ws://127.0.0.1:9/ws/{channel}", "--port", "0"]
    assert main(["serve", *flags, "--log-format", "json"]) == 3
    (config,) = given
    assert (config.source, config.port, config.log_format) == ("legacy", 0, "json")
