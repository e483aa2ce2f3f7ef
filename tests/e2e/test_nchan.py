"""nginx with nchan behind the bridge: one channel as WebSocket and as EventSource upstream."""

import pytest

from bridge.config import UpstreamOptions
from bridge.upstream.sse import SseOptions
from bridge.upstream.ws import WsOptions
from tests.support.bridges import CHANNEL, bridging
from tests.support.clients import Hole, SseClient, WsClient
from tests.support.peers import Nchan
from tests.support.proxy import CuttableProxy
from tests.support.waiting import until
from tests.support.ways import Wire, new_client

PAYLOADS = [f'{{"type":"file","object":{{"id":"f{n}","name":"снег ❄ 🤖"}}}}' for n in range(30)]
HOSTILE = ["two\nlines", " leading", "data: x", "id: 1", "\u2028", '{ "a" : 1 }', "x" * 100_000]


def _upstream(source: Wire, authority: str) -> UpstreamOptions:
    if source == "sse":
        options = SseOptions(f"http://{authority}/api/v1/events/{{channel}}", replay="trusted")
        return UpstreamOptions(sse=options)
    # nchan answers no subscription, so none is sent: it would be kept as a client's frame
    return UpstreamOptions(ws=WsOptions(f"ws://{authority}/api/v1/ws/{{channel}}", subscribe=""))


async def _publish(nchan: Nchan, payloads: list[str]) -> None:
    for payload in payloads:
        await nchan.publish(CHANNEL, payload)


@pytest.mark.parametrize("source", ["ws", "sse"])
async def test_messages_arrive_alike_and_in_order_on_both_wires(source: Wire, nchan: Nchan) -> None:
    async with (
        bridging(_upstream(source, nchan.authority)) as bridge,
        SseClient(bridge.authority) as stream,
        WsClient(bridge.authority) as socket,
    ):
        await nchan.wait_subscribers(CHANNEL, 1)
        await _publish(nchan, PAYLOADS + HOSTILE)
        for client in (stream, socket):
            await client.wait_payloads(len(PAYLOADS + HOSTILE))
            assert client.told == PAYLOADS + HOSTILE


async def test_both_sources_at_once_say_the_same(nchan: Nchan) -> None:
    async with (
        bridging(_upstream("ws", nchan.authority)) as legacy,
        bridging(_upstream("sse", nchan.authority)) as modern,
        SseClient(legacy.authority) as by_socket,
        SseClient(modern.authority) as by_stream,
    ):
        await nchan.wait_subscribers(CHANNEL, 2)
        await _publish(nchan, PAYLOADS)
        await by_socket.wait_payloads(len(PAYLOADS))
        await by_stream.wait_payloads(len(PAYLOADS))
        assert by_socket.told == by_stream.told == PAYLOADS


@pytest.mark.parametrize("wire", ["ws", "sse"])
async def test_a_cut_connection_loses_nothing_that_nchan_replays(wire: Wire, nchan: Nchan) -> None:
    async with (
        CuttableProxy(nchan.authority) as proxy,
        bridging(_upstream("sse", proxy.authority)) as bridge,
        new_client(wire, bridge, notices=True) as client,
    ):
        await nchan.wait_subscribers(CHANNEL, 1)
        for start in range(0, len(PAYLOADS), 5):
            before, unseen = PAYLOADS[start : start + 3], PAYLOADS[start + 3 : start + 5]
            await _publish(nchan, before)
            await client.wait_payloads(start + 3)
            assert proxy.cut() == 1
            await _publish(nchan, unseen)
        await client.wait_payloads(len(PAYLOADS))
        assert client.told == PAYLOADS
        assert proxy.accepted > len(PAYLOADS) // 5


async def test_a_cut_socket_to_nchan_is_announced(nchan: Nchan) -> None:
    async with (
        CuttableProxy(nchan.authority) as proxy,
        bridging(_upstream("ws", proxy.authority)) as bridge,
        SseClient(bridge.authority) as client,
    ):
        await nchan.wait_subscribers(CHANNEL, 1)
        await nchan.publish(CHANNEL, "before")
        await client.wait_payloads(1)
        proxy.cut()
        await until(lambda: client.holes)
        await nchan.publish(CHANNEL, "after")
        await client.wait_payloads(2)
        assert client.told == ["before", Hole("reconnected", None), "after"]


@pytest.mark.parametrize("source", ["ws", "sse"])
async def test_frames_of_clients_reach_nchan(source: Wire, nchan: Nchan) -> None:
    upstream = _upstream("ws", nchan.authority)
    if source == "sse":
        upstream = UpstreamOptions(sse=SseOptions(nchan.sse_url, send_url=nchan.sse_url))
    sent = SseOptions(nchan.sse_url.replace("{channel}", "sent.{channel}"))
    async with (
        bridging(upstream) as bridge,
        bridging(UpstreamOptions(sse=sent)) as other_way,
        WsClient(bridge.authority) as client,
        SseClient(other_way.authority) as reader,
    ):
        await nchan.wait_subscribers(CHANNEL, 1)
        await nchan.wait_subscribers(f"sent.{CHANNEL}", 1)
        await client.socket.send("said by a client")
        assert await reader.wait_payloads(1) == ["said by a client"]
