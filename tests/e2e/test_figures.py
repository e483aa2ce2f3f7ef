"""Large events and long runs of events pass whole, in each of the four ways."""

import pytest

from bridge.history.log import LogOptions
from tests.support.bridges import CHANNEL
from tests.support.ways import FOUR_WAYS, Way, travelling

EVENTS = 10_000
LARGE = '{"image":"' + "5 MB on one line ❄ " * 270_000 + '"}'
ROOM = LogOptions(max_events=2 * EVENTS)


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
    async with travelling(way, history=ROOM) as (backend, client):
        for payload in payloads:
            backend.publish(CHANNEL, payload)
        await client.wait_payloads(EVENTS)
        assert client.told == payloads
