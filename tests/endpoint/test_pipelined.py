"""A stream behind whose request others wait notices that its client has left."""

import pytest

from bridge.endpoint.options import ClientOptions
from bridge.endpoint.pipelined import MOST_WAITING
from tests.endpoint.parts import bridging
from tests.endpoint.raw import get, line
from tests.support.waiting import until

BEHIND = b"GET /healthz HTTP/1.1\r\nHost: b\r\n\r\n"

pytestmark = pytest.mark.usefixtures("way", "errors")


@pytest.mark.parametrize("behind", [1, 3])
async def test_a_stream_before_other_requests_ends_with_its_connection(behind: int) -> None:
    # nothing is read while requests wait, so a heartbeat has to find out
    async with bridging(client=ClientOptions(heartbeat=0.1)) as running:
        async with line(running.authority) as client:
            client.send(get(), BEHIND * behind)
            await client.until(b"\n\n")
            await until(lambda: running.readers == 1)
        await until(lambda: running.readers == 0)


async def test_requests_in_a_row_are_answered_in_their_order() -> None:
    async with bridging() as running, line(running.authority) as client:
        client.send(BEHIND * 2, BEHIND.replace(b"healthz", b"nothing"))
        for status in (b"200", b"200", b"404"):
            assert b" " + status + b" " in await client.until(b"}\n")


async def test_a_client_cannot_pile_up_requests() -> None:
    async with bridging() as running, line(running.authority) as client:
        client.send(BEHIND * 5000)
        got = await client.rest()
    assert b" 400 " in got
    assert got.count(b" 200 ") <= MOST_WAITING
