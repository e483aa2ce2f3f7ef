"""Whether a backend answers at all when the bridge starts."""

import asyncio

import pytest
import structlog

from bridge.upstream import reachability
from bridge.upstream.reachability import report_unreachable, unreachable
from tests.support.ports import reserved_port


async def test_a_backend_that_listens_is_reachable() -> None:
    async def greet(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    server = await asyncio.start_server(greet, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        assert await unreachable("127.0.0.1", port) is None
        with structlog.testing.capture_logs() as lines:
            await report_unreachable([f"http://127.0.0.1:{port}/{{channel}}"])
    assert lines == []


async def test_one_that_does_not_is_told_without_its_path_and_query() -> None:
    with reserved_port() as port, structlog.testing.capture_logs() as lines:
        url = f"ws://127.0.0.1:{port}/{{channel}}?token=secret"
        await report_unreachable([url, url])
    assert [line["backend"] for line in lines] == [f"127.0.0.1:{port}"] * 2
    assert "secret" not in str(lines)
    assert lines[0]["log_level"] == "warning"
    assert lines[0]["reason"]


@pytest.mark.parametrize("host", ["no-such-host.invalid", "a..b", "x" * 300])
async def test_a_host_that_cannot_be_looked_up_is_told_too(host: str) -> None:
    assert await unreachable(host, 80)


async def test_one_that_does_not_answer_in_time_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reachability, "PATIENCE", 0.0)
    assert "no answer" in (await unreachable("127.0.0.1", 80) or "")


@pytest.mark.parametrize(
    ("url", "port"), [("http://127.0.0.1", 80), ("wss://127.0.0.1/x", 443), ("ws://h:7", 7)]
)
async def test_a_scheme_has_its_port(url: str, port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []

    async def record(host: str, number: int) -> str | None:
        asked.append(number)
        return None

    monkeypatch.setattr(reachability, "unreachable", record)
    await report_unreachable([url])
    assert asked == [port]
