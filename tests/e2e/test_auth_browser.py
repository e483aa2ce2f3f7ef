"""Chromium's own rules about origins and cookies, and the bridge's, on pages of two origins."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import web
from playwright.async_api import Page

from bridge.endpoint.auth_options import AuthOptions
from bridge.endpoint.origin import BrowserOptions
from tests.support.backends import SseBackend
from tests.support.bridges import CHANNEL, Running, bridging, upstream_of
from tests.support.issuers import by_token, token
from tests.support.waiting import until

STREAM, SOCKET = f"/api/v1/events/{CHANNEL}", f"/api/v1/ws/{CHANNEL}"

SCRIPT = """
() => {
  window.fetched = async (url, options) => {
    try {
      const answer = await fetch(url, options);
      answer.body?.cancel();
      return answer.status;
    } catch { return "blocked"; }
  };
  window.socket = (url, protocols = []) => new Promise((resolve) => {
    const socket = new WebSocket(url, protocols);
    socket.onopen = () => { resolve(`open ${socket.protocol}`); socket.close(); };
    socket.onclose = ({code}) => resolve(`closed ${code}`);
  });
  window.source = (url, options) => new Promise((resolve) => {
    const source = new EventSource(url, options);
    source.onmessage = ({data}) => { source.close(); resolve(data); };
    source.onerror = () => { if (source.readyState === 2) resolve("given up"); };
  });
  window.ticketed = async (bridge, stream, token) => {
    const answer = await fetch(`${bridge}/api/v1/tickets`,
      {method: "POST", headers: {Authorization: `Bearer ${token}`}});
    const url = `${bridge}${stream}?ticket=${(await answer.json()).ticket}`;
    return [await source(url), await source(url)];
  };
}
"""


@asynccontextmanager
async def site() -> AsyncIterator[str]:
    """A page of another origin than the bridge's; gives that origin."""
    app = web.Application()

    async def page(_: web.Request) -> web.Response:
        return web.Response(text="<!doctype html><title>page</title>", content_type="text/html")

    app.router.add_get("/", page)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


@asynccontextmanager
async def visited(
    page: Page, auth: AuthOptions, *, listed: bool
) -> AsyncIterator[tuple[Running, SseBackend]]:
    """The page is another origin's, which the bridge lets in or not."""
    async with site() as origin, SseBackend() as backend:
        browsers = BrowserOptions((origin,) if listed else ("self",))
        upstream = upstream_of(backend)
        async with bridging(upstream, auth=auth, browsers=browsers) as bridge:
            await page.goto(origin)
            await page.evaluate(SCRIPT)
            yield bridge, backend


async def fetched(page: Page, url: str, **options: Any) -> Any:
    return await page.evaluate("([url, options]) => fetched(url, options)", [url, options])


async def opened(page: Page, url: str, *protocols: str) -> Any:
    return await page.evaluate("([url, names]) => socket(url, names)", [url, list(protocols)])


async def test_a_listed_page_fetches_posts_and_opens_sockets_by_a_token(page: Page) -> None:
    async with visited(page, by_token(), listed=True) as (bridge, backend):
        http, ws = f"http://{bridge.authority}", f"ws://{bridge.authority}"
        headers = {"Authorization": f"Bearer {token()}"}
        assert await fetched(page, http + STREAM, headers=headers) == 200
        posted = await fetched(page, http + STREAM, headers=headers, method="POST", body="{}")
        assert posted == 202
        assert await fetched(page, http + STREAM) == 401
        assert await opened(page, ws + SOCKET, "bearer", token()) == "open bearer"
        assert await opened(page, ws + SOCKET) == "closed 1006"
        assert backend.received


async def test_another_page_is_kept_out_on_both_wires_and_nothing_goes_upstream(
    page: Page,
) -> None:
    async with visited(page, by_token(), listed=False) as (bridge, backend):
        headers = {"Authorization": f"Bearer {token()}"}
        assert await fetched(page, f"http://{bridge.authority}{STREAM}", headers=headers) == (
            "blocked"
        )
        url = f"ws://{bridge.authority}{SOCKET}"
        assert await opened(page, url, "bearer", token()) == "closed 1006"
        assert (backend.openings, backend.received) == ([], [])


@pytest.mark.parametrize("listed", [True, False])
async def test_a_visitors_cookie_counts_for_listed_pages_alone(page: Page, *, listed: bool) -> None:
    async with visited(page, by_token(ways=("cookie",)), listed=listed) as (bridge, backend):
        # the port is no part of a cookie's site, so the browser sends it from this page too
        await page.context.add_cookies([{"name": "token", "value": token(), "url": page.url}])
        socket = await opened(page, f"ws://{bridge.authority}{SOCKET}")
        url = f"http://{bridge.authority}{STREAM}"
        answer = await fetched(page, url, credentials="include")
        # what a page can do without being asked: a request that it may not read the answer of
        await fetched(page, url, credentials="include", mode="no-cors")
        if listed:
            assert (socket, answer) == ("open ", 200)
        else:
            assert (socket, answer) == ("closed 1006", "blocked")
            assert bridge.parts.metrics.value("auth_refused", reason="origin") >= 3
            assert backend.openings == []


async def test_an_event_source_opens_by_a_ticket_once_and_then_gives_up(page: Page) -> None:
    async with visited(page, by_token(), listed=True) as (bridge, backend):
        arguments = [f"http://{bridge.authority}", STREAM, token()]
        result = await page.evaluate_handle(
            "([bridge, stream, token]) => ({told: ticketed(bridge, stream, token)})", arguments
        )
        await until(lambda: bool(backend.subscribers(CHANNEL)))
        backend.publish(CHANNEL, "hello")
        assert await result.evaluate("({told}) => told") == ["hello", "given up"]


async def test_a_page_of_the_bridges_own_host_needs_no_listing(page: Page) -> None:
    async with (
        SseBackend() as backend,
        bridging(upstream_of(backend), auth=by_token(ways=("cookie",))) as bridge,
    ):
        await page.goto(f"http://{bridge.authority}/healthz")
        await page.evaluate(SCRIPT)
        await page.context.add_cookies([{"name": "token", "value": token(), "url": page.url}])
        assert await fetched(page, STREAM) == 200
        assert await opened(page, f"ws://{bridge.authority}{SOCKET}") == "open "
