"""Chromium's own WebSocket and EventSource through the bridge."""

import json
from collections.abc import Iterator
from contextlib import AsyncExitStack
from typing import Any

import pytest
from playwright.async_api import Page

from bridge.endpoint.options import ClientOptions
from bridge.wire.endings import RESTART
from tests.support.backends import SseBackend, WsBackend
from tests.support.bridges import CHANNEL, bridge_process, bridging, upstream_of
from tests.support.ports import reserved_port
from tests.support.proxy import CuttableProxy
from tests.support.tabs import Tab
from tests.support.waiting import until
from tests.support.ways import FOUR_WAYS, Way, new_backend

SOCKET = f"/api/v1/ws/{CHANNEL}"
STREAM = f"/api/v1/events/{CHANNEL}"
PROMPT = ClientOptions(retry=20)
"""Chromium waits three seconds before it reconnects, unless it is told otherwise."""

PAYLOADS = [
    '{"type":"file","object":{"name":"снег ❄ 🤖"}}',
    "",
    " leading",
    "data: x",
    "two\nlines",
    "\u2028\ufeff",
    "\ufeffmarked",
    "[DONE]",
    "long " * 50_000,
]


@pytest.mark.parametrize("way", FOUR_WAYS, ids=str)
async def test_handlers_get_the_backends_payloads_and_nothing_else(way: Way, page: Page) -> None:
    async with (
        new_backend(way.source) as backend,
        bridging(upstream_of(backend)) as bridge,
        Tab(page, bridge.authority) as tab,
    ):
        await (tab.open_socket(SOCKET) if way.wire == "ws" else tab.open_source(STREAM))
        await until(lambda: backend.subscribers(CHANNEL))
        for payload in PAYLOADS:
            backend.publish(CHANNEL, payload)
        assert await tab.wait_messages(len(PAYLOADS)) == PAYLOADS
        assert await tab.named() == []


async def test_a_legacy_page_subscribes_is_acknowledged_and_sends(page: Page) -> None:
    async with (
        WsBackend() as backend,
        bridging(upstream_of(backend)) as bridge,
        Tab(page, bridge.authority) as tab,
    ):
        await tab.open_socket(SOCKET)
        await tab.say('{"type":"subscribe","projectId":"project.1"}')
        (acknowledgement,) = await tab.wait_messages(1)
        assert json.loads(acknowledgement)["type"] == "subscribe"
        await tab.say("a frame of the page's")
        await until(lambda: backend.received[-1].raw == "a frame of the page's")
        backend.publish(CHANNEL, b"\x00" * 7)
        assert (await tab.wait_messages(2))[1] == "7 bytes"


async def test_an_event_source_resumes_by_itself_and_misses_nothing(page: Page) -> None:
    expected: list[str] = []
    async with (
        SseBackend() as backend,
        bridging(upstream_of(backend), client=PROMPT) as bridge,
        CuttableProxy(bridge.authority) as proxy,
        Tab(page, proxy.authority) as tab,
    ):
        await tab.open_source(STREAM)
        await until(lambda: backend.subscribers(CHANNEL))
        for cut in range(5):
            for number in range(3):
                expected.append(f'{{"cut":{cut},"n":{number}}}')
                backend.publish(CHANNEL, expected[-1])
            await tab.wait_messages(len(expected))
            assert proxy.cut()
            expected.append(f"while {cut} was away")
            backend.publish(CHANNEL, expected[-1])
        assert await tab.wait_messages(len(expected)) == expected
        places = [int(place.split("-")[1]) for place in await tab.ids()]
        assert places == list(range(1, len(expected) + 1))
        assert await tab.named() == []
        assert set(await tab.states()) == {0}
        assert len(backend.openings) == 1


async def test_a_client_that_has_seen_no_event_resumes_as_well(page: Page) -> None:
    async with (
        SseBackend() as backend,
        bridging(upstream_of(backend), client=PROMPT) as bridge,
        CuttableProxy(bridge.authority) as proxy,
        Tab(page, proxy.authority) as tab,
    ):
        await tab.open_source(STREAM)
        await until(lambda: backend.subscribers(CHANNEL))
        assert proxy.cut()
        backend.publish(CHANNEL, "while nobody was there")
        assert await tab.wait_messages(1) == ["while nobody was there"]


async def test_gaps_and_heartbeats_never_reach_onmessage(page: Page) -> None:
    lively = ClientOptions(heartbeat=0.05)
    async with (
        SseBackend() as backend,
        bridging(upstream_of(backend), client=lively) as bridge,
        Tab(page, bridge.authority) as tab,
    ):
        await tab.open_source(STREAM)
        await until(lambda: backend.subscribers(CHANNEL))
        backend.publish(CHANNEL, "before")
        await tab.wait_messages(1)
        await backend.restart()
        gap = await tab.wait_named("bridge.gap")
        said = json.loads(gap.data)
        assert (said["new"], said["reason"]) == (gap.id, "reconnected")
        await tab.wait_named("bridge.ping", gap.id)
        await until(lambda: backend.subscribers(CHANNEL))
        backend.publish(CHANNEL, "after")
        assert await tab.wait_messages(2) == ["before", "after"]


@pytest.fixture
def port() -> Iterator[int]:
    """A port on which one bridge follows another."""
    with reserved_port() as number:
        yield number


async def test_a_bridge_that_lost_its_log_says_so_to_those_who_come_back(
    page: Page, port: int
) -> None:
    async with SseBackend() as backend, AsyncExitStack() as later:
        settings: dict[str, Any] = {"port": port, "client": PROMPT}
        async with bridging(upstream_of(backend), **settings) as bridge:
            tab = await later.enter_async_context(Tab(page, bridge.authority))
            await tab.open_source(STREAM)
            await until(lambda: backend.subscribers(CHANNEL))
            backend.publish(CHANNEL, "before")
            await tab.wait_messages(1)
            bridge.parts.hub.drain(RESTART.after(10))
        await until(lambda: not backend.subscribers(CHANNEL))
        await later.enter_async_context(bridging(upstream_of(backend), **settings))
        gap = await tab.wait_named("bridge.gap")
        said = json.loads(gap.data)
        assert (said["old"], said["reason"]) == ((await tab.ids())[0], "other-epoch")
        await until(lambda: backend.subscribers(CHANNEL))
        backend.publish(CHANNEL, "after")
        assert await tab.wait_messages(2) == ["before", "after"]
        assert set(await tab.states()) == {0}
        await tab.close()


async def test_a_page_comes_back_after_the_process_was_stopped_and_started(
    page: Page, port: int
) -> None:
    async with SseBackend() as backend, AsyncExitStack() as later:
        serve = (port, "--sse-upstream", backend.url, "--log-level", "error")
        async with bridge_process(*serve) as bridge:
            tab = await later.enter_async_context(Tab(page, bridge.authority))
            await tab.open_source(STREAM)
            await until(lambda: backend.subscribers(CHANNEL))
            assert await bridge.stop() == 0
        end = await tab.wait_named("bridge.end")
        said = json.loads(end.data)
        assert (said["code"], said["reconnect"]) == ("restart", True)
        assert await tab.wait_state() == 0
        async with bridge_process(*serve):
            await tab.wait_named("bridge.gap")
            await until(lambda: backend.subscribers(CHANNEL))
            backend.publish(CHANNEL, "after")
            assert await tab.wait_messages(1) == ["after"]
            assert set(await tab.states()) == {0}
