"""One line for each request or connection that is over, on either wire, either way."""

from collections.abc import Iterator
from typing import Any

import pytest
from structlog.testing import capture_logs

from bridge.wire.endings import FORBIDDEN
from tests.endpoint.parts import EVENTS, SOCKET, ask, bridging, closing, streaming, talking
from tests.support.waiting import until

pytestmark = pytest.mark.usefixtures("way")

SECRET = "token=hush"


@pytest.fixture
def lines() -> Iterator[list[Any]]:
    with capture_logs() as found:
        yield found


def served(lines: list[Any]) -> list[Any]:
    return [each for each in lines if each["event"] == "served"]


async def the_line(lines: list[Any]) -> Any:
    await until(lambda: served(lines))
    (line,) = served(lines)
    assert "hush" not in str(line)
    assert line["client"] == "127.0.0.1"
    assert line["seconds"] >= 0
    return line


async def test_it_is_off_unless_it_is_asked_for(lines: list[Any]) -> None:
    async with bridging() as bridge:
        await ask(bridge.authority, "GET", "/healthz")
    assert not served(lines)


async def test_a_plain_request(lines: list[Any]) -> None:
    async with bridging(access_log=True) as bridge:
        await ask(bridge.authority, "GET", f"/healthz?{SECRET}")
        line = await the_line(lines)
    assert (line["method"], line["path"], line["status"]) == ("GET", "/healthz", 200)
    assert (line["wire"], line["ending"], line["taken"]) == ("http", "complete", False)
    assert line["bytes"] > 0


async def test_a_path_cannot_forge_a_line(lines: list[Any]) -> None:
    async with bridging(access_log=True) as bridge:
        await ask(bridge.authority, "GET", "/a%0Ab%1B")
        line = await the_line(lines)
    assert (line["path"], line["status"]) == ("/a%0Ab%1B", 404)


async def test_a_stream_whose_client_leaves(lines: list[Any], way: str) -> None:
    async with bridging(access_log=True) as bridge:
        async with streaming(bridge.authority, f"{EVENTS}?{SECRET}") as stream:
            await stream.block()
            assert not served(lines)
        line = await the_line(lines)
    assert (line["path"], line["status"], line["wire"]) == (EVENTS, 200, "sse")
    assert (line["ending"], line["taken"]) == ("left", way == "taken")


async def test_a_stream_that_ends(lines: list[Any], way: str) -> None:
    async with bridging(access_log=True) as bridge:
        async with streaming(bridge.authority) as stream:
            await until(lambda: bridge.readers)
            bridge.channel().ended(FORBIDDEN, "no")
            await stream.rest()
        line = await the_line(lines)
    assert line["ending"] == ("forbidden" if way == "taken" else "complete")


async def test_a_socket_whose_client_leaves(lines: list[Any], way: str) -> None:
    async with bridging(access_log=True) as bridge:
        async with talking(bridge.authority, f"{SOCKET}?{SECRET}"):
            await until(lambda: bridge.readers)
        line = await the_line(lines)
    assert (line["method"], line["path"], line["status"]) == ("GET", SOCKET, 101)
    assert (line["wire"], line["taken"]) == ("ws", way == "taken")
    assert line["ending"] == ("left" if way == "taken" else "closed 1000")


async def test_a_socket_that_is_closed(lines: list[Any], way: str) -> None:
    async with bridging(access_log=True) as bridge:
        async with talking(bridge.authority) as socket:
            await until(lambda: bridge.readers)
            bridge.channel().ended(FORBIDDEN, "no")
            await closing(socket)
        line = await the_line(lines)
    assert line["ending"] == ("forbidden" if way == "taken" else "closed 4403")


async def test_a_socket_that_is_refused(lines: list[Any]) -> None:
    async with bridging(access_log=True) as bridge:
        with pytest.raises(Exception, match="404"):
            async with talking(bridge.authority, "/api/v1/ws/secret.1"):
                pass
        line = await the_line(lines)
    assert (line["status"], line["wire"], line["ending"]) == (404, "ws", "complete")
