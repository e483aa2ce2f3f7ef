"""A running bridge compares its second backend; clients notice nothing, whatever happens to it."""

import json
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import anyio
import pytest

from bridge.config import UpstreamOptions
from bridge.endpoint.auth_options import AuthOptions
from bridge.parity.comparison import Comparison
from bridge.parity.observation import Sight
from bridge.upstream.sse import SseOptions
from bridge.upstream.ws import WsOptions
from tests.endpoint.parts import Running, bridging, streaming
from tests.support.backends import SseBackend, WsBackend
from tests.support.waiting import until

CHANNEL = "project.1"
TOKEN = "a-long-enough-token"
COUNT = 150


@asynccontextmanager
async def shadowing(ws: WsBackend, sse: SseBackend, **shadow: Any) -> AsyncIterator[Running]:
    upstream = UpstreamOptions(ws=WsOptions(ws.url), sse=SseOptions(sse.url))
    settings = {"channels": ("project.*",)} | shadow
    async with bridging(
        upstream, source="legacy", shadow=settings, admin={"token": TOKEN}, parity={"window": 1.0}
    ) as running:
        yield running


async def asked(running: Running, path: str, accept: str = "application/json") -> tuple[int, str]:
    headers = {"Authorization": f"Bearer {TOKEN}", "Accept": accept}
    async with (
        aiohttp.ClientSession() as session,
        session.get(f"http://{running.authority}{path}", headers=headers) as answer,
    ):
        return answer.status, await answer.text()


def said(number: int) -> str:
    return json.dumps({"type": "n", "object": {"id": f"e{number}", "n": number}})


async def delivered(running: Running, ws: WsBackend, sse: SseBackend, *, skip: int = -1) -> None:
    """Publish on both backends while a client reads; it gets all that the lead says, in order."""
    async with streaming(running.authority) as client:
        await until(lambda: ws.subscribers(CHANNEL))
        await until(lambda: sse.subscribers(CHANNEL) or running.bridge.shadow is None)
        for number in range(COUNT):
            ws.publish(CHANNEL, said(number))
            if number != skip:
                sse.publish(CHANNEL, said(number))
        for number in range(COUNT):
            assert (await client.event()).data == said(number)


async def test_both_backends_are_compared_and_the_report_is_behind_a_token() -> None:
    async with WsBackend() as ws, SseBackend() as sse, shadowing(ws, sse) as running:
        async with streaming(running.authority) as client:
            await until(lambda: ws.subscribers(CHANNEL) and sse.subscribers(CHANNEL))
            for number in range(COUNT):
                ws.publish(CHANNEL, said(number))
                sse.publish(CHANNEL, said(number))
            for number in range(COUNT):
                assert (await client.event()).data == said(number)
            with anyio.fail_after(10):
                matched = 0
                while matched < COUNT:
                    status, text = await asked(running, f"/admin/parity/{CHANNEL}")
                    report = json.loads(text).get("report")
                    matched = report["evidence"]["matched"] if report else 0
            assert (status, report["outcome"]) == (200, "pass")
        status, text = await asked(running, "/admin/parity")
        assert [each["channel"] for each in json.loads(text)["channels"]] == [CHANNEL]
        for path in ("/admin/parity", f"/admin/parity/{CHANNEL}"):
            status, page = await asked(running, path, "text/html")
            assert (status, page[:15]) == (200, "<!doctype html>")
            async with aiohttp.ClientSession() as session:
                answer = await session.get(f"http://{running.authority}{path}")
                assert answer.status == 401


async def test_what_the_other_backend_lacks_is_counted() -> None:
    async with WsBackend() as ws, SseBackend() as sse, shadowing(ws, sse) as running:
        await delivered(running, ws, sse, skip=70)
        shadow = running.bridge.shadow
        assert shadow is not None

        async def differences() -> float:
            await shadow.standing(CHANNEL)
            return running.count("shadow_differences", kind="missing")

        with anyio.fail_after(10):
            while await differences() != 1:
                pass


async def test_the_shadow_needs_no_client_to_leave_and_keeps_no_channel_open() -> None:
    async with WsBackend() as ws, SseBackend() as sse, shadowing(ws, sse) as running:
        await delivered(running, ws, sse)
        await until(lambda: running.readers == 0)
        running.bridge.hub.close()
        await until(lambda: not sse.subscribers(CHANNEL))


def breaking(monkeypatch: pytest.MonkeyPatch, how: str, gate: threading.Event) -> None:
    def take(self: Comparison, sight: Sight) -> None:
        if how == "raise":
            raise RuntimeError("the shadow is broken")
        gate.wait(30)

    monkeypatch.setattr(Comparison, "take", take)


@pytest.mark.parametrize("how", ["raise", "hang"])
async def test_a_broken_comparison_is_nobodys_business(
    how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = threading.Event()
    breaking(monkeypatch, how, gate)
    async with (
        WsBackend() as ws,
        SseBackend() as sse,
        shadowing(ws, sse, patience=0.2, queue=10) as running,
    ):
        await delivered(running, ws, sse)
        await delivered(running, ws, sse)
        gate.set()


async def test_a_flood_on_the_other_side_is_nobodys_business() -> None:
    async with (
        WsBackend() as ws,
        SseBackend() as sse,
        shadowing(ws, sse, queue=50) as running,
        streaming(running.authority) as client,
    ):
        await until(lambda: ws.subscribers(CHANNEL) and sse.subscribers(CHANNEL))
        for number in range(20_000):
            sse.publish(CHANNEL, said(-number))
        for number in range(COUNT):
            ws.publish(CHANNEL, said(number))
            assert (await client.event()).data == said(number)


async def test_a_second_backend_that_is_away_is_nobodys_business() -> None:
    async with (
        WsBackend() as ws,
        SseBackend(running=False) as sse,
        shadowing(ws, sse) as running,
        streaming(running.authority) as client,
    ):
        await until(lambda: ws.subscribers(CHANNEL))
        ws.publish(CHANNEL, "a")
        assert (await client.event()).data == "a"


async def test_a_stream_on_a_clients_own_credential_has_no_shadow() -> None:
    """Neither that credential nor the bridge's would show the other backend's side of it."""
    async with (
        WsBackend() as ws,
        SseBackend() as sse,
        bridging(
            UpstreamOptions(ws=WsOptions(ws.url), sse=SseOptions(sse.url)),
            source="legacy",
            shadow={"channels": ("project.*",)},
            auth=AuthOptions(mode="passthrough"),
        ) as running,
        streaming(running.authority, headers={"Authorization": "Bearer mine"}) as client,
    ):
        await until(lambda: ws.subscribers(CHANNEL))
        ws.publish(CHANNEL, "a")
        assert (await client.event()).data == "a"
        assert running.channel().key.scope
        assert running.bridge.shadow is not None
        assert running.bridge.shadow.live() == ()
        assert not sse.openings


async def test_without_a_token_there_is_no_such_route() -> None:
    async with (
        WsBackend() as ws,
        bridging(UpstreamOptions(ws=WsOptions(ws.url))) as running,
    ):
        assert (await asked(running, "/admin/parity"))[0] == 404
