"""Live comparisons: when they end, and what is looked at meanwhile."""

import json

import pytest
from anyio import create_task_group

from bridge.config import Config, UpstreamOptions
from bridge.errors import ConfigError
from bridge.parity.comparison import Comparison
from bridge.parity.report import Outcome, Report
from bridge.upstream.backoff import ReconnectOptions
from bridge.upstream.sse import SseOptions
from bridge.upstream.ws import WsOptions
from bridge.verify.live import Look, verify
from bridge.wire.names import ChannelName
from tests.support.backends import SseBackend, WsBackend
from tests.support.waiting import until

NAMES = [ChannelName("test")]


def configured(ws: WsBackend, sse: SseBackend) -> Config:
    return Config(
        source="legacy",
        upstream=UpstreamOptions(ws=WsOptions(ws.url), sse=SseOptions(sse.url)),
        reconnect=ReconnectOptions(base=0.01, cap=0.02),
    )


async def test_it_ends_once_each_side_said_enough() -> None:
    looks: list[Look] = []
    reports: list[Report] = []
    async with WsBackend() as ws, SseBackend() as sse, create_task_group() as tasks:

        async def run() -> None:
            config, comparison = configured(ws, sse), Comparison()
            reports.append(await verify(config, NAMES, comparison, count=120, show=looks.append))

        tasks.start_soon(run)
        await until(lambda: ws.subscribers("test") == 2 and sse.subscribers("test"))
        for number in range(120):
            text = json.dumps({"type": "n", "object": {"id": f"e{number}"}})
            ws.publish("test", text)
            sse.publish("test", text)
    (report,) = reports
    assert report.verdict.outcome is Outcome.PASS
    assert report.verdict.evidence.matched == 120
    assert report.notes == ()
    assert looks[0].elapsed <= looks[-1].elapsed


async def test_a_backend_that_is_away_is_told_and_proves_nothing() -> None:
    async with WsBackend(running=False) as ws, SseBackend() as sse:
        report = await verify(
            configured(ws, sse),
            NAMES,
            Comparison(),
            control=False,
            is_over=lambda: bool(sse.subscribers("test")),
        )
    assert report.verdict.outcome is Outcome.INSUFFICIENT
    assert report.channels == ("test",)
    assert report.notes[0].startswith("legacy test: cannot reach the backend")


async def test_it_ends_with_both_backends() -> None:
    async with WsBackend() as ws, SseBackend() as sse:
        ws.refusal = sse.refusal = 404
        report = await verify(configured(ws, sse), NAMES, Comparison())
    assert set(report.notes) == {
        "legacy test: the backend answered 404",
        "candidate test: the backend answered 404",
        "control test: the backend answered 404",
    }


async def test_one_backend_is_no_comparison() -> None:
    config = Config(source="legacy", upstream=UpstreamOptions(ws=WsOptions("ws://h/{channel}")))
    with pytest.raises(ConfigError, match=r"needs both backends \(give both --ws-upstream"):
        await verify(config, NAMES, Comparison())
