"""`bridge.demo.front`: the page before the bridge, on the same origin."""

from collections.abc import AsyncIterator

import aiohttp
import anyio
import pytest
from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from bridge.demo.front import Front
from tests.support.servers import serving

ABOUT = {"source": "sse", "channel": "project.demo", "backend": "127.0.0.1:1"}


async def _behind(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "http":
        await PlainTextResponse("the bridge")(scope, receive, send)


@pytest.fixture
def restarts() -> list[bool]:
    return []


@pytest.fixture
async def url(restarts: list[bool]) -> AsyncIterator[str]:
    async def restart() -> None:
        restarts.append(True)

    async with serving(Front(_behind, ABOUT, restart), lifespan="off") as authority:
        yield f"http://{authority}"


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/", "text/html"),
        ("/demo", "text/html"),
        ("/demo/page.css", "text/css"),
        ("/demo/page.js", "text/javascript"),
        ("/demo/pairing.js", "text/javascript"),
    ],
)
async def test_the_page_and_its_parts_are_served(url: str, path: str, kind: str) -> None:
    async with aiohttp.ClientSession() as http, http.get(url + path) as answer:
        assert (answer.status, answer.content_type) == (200, kind)
        assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
        assert await answer.read()


async def test_the_page_loads_nothing_from_elsewhere(url: str) -> None:
    async with aiohttp.ClientSession() as http:
        for path in ("/", "/demo/page.css", "/demo/page.js", "/demo/pairing.js"):
            async with http.get(url + path) as answer:
                text = await answer.text()
            assert "//" not in text.replace("// ", "").replace("${scheme}//", ""), path


async def test_the_page_is_told_the_set_up(url: str) -> None:
    async with aiohttp.ClientSession() as http, http.get(f"{url}/demo/about") as answer:
        assert await answer.json() == ABOUT


@pytest.mark.parametrize(
    ("site", "status", "count"), [(None, 204, 1), ("same-origin", 204, 1), ("cross-site", 403, 0)]
)
async def test_only_the_page_itself_may_restart_the_backend(
    url: str, restarts: list[bool], site: str | None, status: int, count: int
) -> None:
    headers = {"Sec-Fetch-Site": site} if site else {}
    async with (
        aiohttp.ClientSession(headers=headers) as http,
        http.post(f"{url}/demo/restart") as answer,
    ):
        assert (answer.status, len(restarts)) == (status, count)


async def test_a_look_at_the_control_restarts_nothing(url: str, restarts: list[bool]) -> None:
    async with aiohttp.ClientSession() as http, http.get(f"{url}/demo/restart") as answer:
        assert (answer.status, restarts) == (405, [])


@pytest.mark.parametrize("path", ["/healthz", "/api/v1/events/project.demo", "/demonstration"])
async def test_all_else_is_the_bridges(url: str, path: str) -> None:
    async with aiohttp.ClientSession() as http, http.get(url + path) as answer:
        assert await answer.text() == "the bridge"


async def test_sockets_are_the_bridges_too() -> None:
    asked: list[str] = []

    async def bridge(scope: Scope, receive: Receive, send: Send) -> None:
        asked.append(scope["path"])
        await send({"type": "websocket.close"})

    front = Front(bridge, ABOUT, anyio.lowlevel.checkpoint)
    async with serving(front, lifespan="off") as authority:
        with pytest.raises(InvalidStatus):
            await connect(f"ws://{authority}/demo/page.js")
    assert asked == ["/demo/page.js"]
