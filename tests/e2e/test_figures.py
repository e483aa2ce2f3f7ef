"""Large events and long runs of events pass whole, in each of the four ways."""

import pytest

from bridge.history.log import LogOptions
from tests.support.bridges import CHANNEL, bridging, upstream_of
from tests.support.clients import Client, Hole, SseClient, WsClient
from tests.support.waiting import until
from tests.support.ways import FOUR_WAYS, Way, Wire, new_backend, travelling

EVENTS = 10_000
LARGE = '{"image":"' + "5 MB on one line ❄ " * 270_000 + '"}'


def test_the_large_event_is_large() -> None:
    assert len(LARGE.encode()) > 5_000_000
    assert "\n" not in LARGE


@pytest.mark.parametrize("way", FOUR_WAYS, ids=str)
async def test_five_megabytes_on_one_line_pass_whole(way: Way) -> None:
    async with travelling(way) as (backend, client):
        for payload in ("before", LARGE, "after"):
            backend.publish(CHANNEL, payload)
        # no list in the assertion: its difference would be megabytes of text
        before, large, after = await client.wait_payloads(3)
        assert (before, after) == ("before", "after")
        assert large == LARGE or pytest.fail("the large event was changed")


@pytest.mark.parametrize("way", FOUR_WAYS, ids=str)
async def test_ten_thousand_events_arrive_once_each_and_in_order(way: Way) -> None:
    payloads = [f'{{"type":"render_progress","object":{{"n":{n}}}}}' for n in range(EVENTS)]
    async with travelling(way) as (backend, client):
        for payload in payloads:
            backend.publish(CHANNEL, payload)
        await client.wait_payloads(EVENTS)
        assert client.told == payloads


async def _assert_all_accounted_for(client: Client) -> None:
    """Each number in its turn, where no hole says how many are left out."""
    await until(lambda: str(EVENTS - 1) in client.told, within=20)
    expected = 0
    for told in client.told:
        if isinstance(told, Hole):
            expected += told.lost or 0
        else:
            assert told == str(expected)
            expected += 1
    assert expected == EVENTS


@pytest.mark.parametrize("source", ["ws", "sse"])
async def test_a_burst_beyond_the_history_is_counted_and_not_passed_over(source: Wire) -> None:
    async with (
        new_backend(source) as backend,
        bridging(upstream_of(backend), history=LogOptions(max_events=100)) as bridge,
        SseClient(bridge.authority) as stream,
        WsClient(bridge.authority, notices=True) as socket,
    ):
        await until(lambda: backend.subscribers(CHANNEL) and bridge.readers == 2)
        for number in range(EVENTS):
            backend.publish(CHANNEL, str(number))
        for client in (stream, socket):
            await _assert_all_accounted_for(client)
