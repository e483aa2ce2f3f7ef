"""Taps on real backends: both wires, all of what they say, on one clock."""

import pytest
from anyio import create_task_group

from bridge.config import Config, UpstreamOptions
from bridge.endpoint.relay_request import RelayOptions
from bridge.errors import ConfigError
from bridge.parity.observation import Observation, Side, Sight
from bridge.upstream.backoff import ReconnectOptions
from bridge.upstream.sse import SseOptions
from bridge.upstream.ws import WsOptions
from bridge.verify.taps import sides_of, tapping
from bridge.wire.names import ChannelName
from tests.support.backends import SseBackend, WsBackend
from tests.support.waiting import until

CHANNEL = ChannelName("project.1")


def configured(ws: str | None = None, sse: str | None = None) -> Config:
    return Config(
        source="legacy" if ws else "sse",
        upstream=UpstreamOptions(
            ws=WsOptions(ws) if ws else None, sse=SseOptions(sse) if sse else None
        ),
        reconnect=ReconnectOptions(base=0.01, cap=0.02),
    )


async def test_both_backends_are_heard_and_a_second_ear_on_the_old_one() -> None:
    sights: list[Sight] = []
    async with WsBackend() as ws, SseBackend(numbered=True) as sse:
        config = configured(ws.url, sse.url)
        assert sides_of(config) == {Side.LEGACY: "ws", Side.CANDIDATE: "sse"}
        async with (
            tapping(config, [CHANNEL], Side, sights.append) as taps,
            create_task_group() as tasks,
        ):
            tasks.start_soon(taps.run)
            await until(lambda: ws.subscribers("project.1") == 2 and sse.subscribers("project.1"))
            ws.publish("project.1", '{"a": 1}')
            sse.publish("project.1", '{"a":1}', event="named")
            await until(lambda: [tap.messages for tap in taps.taps] == [1, 1, 1])
            assert taps.troubles() == ()
            tasks.cancel_scope.cancel()
    heard = {each.side: each for each in sights if isinstance(each, Observation)}
    assert {side: each.data for side, each in heard.items()} == {
        Side.LEGACY: '{"a": 1}',
        Side.CONTROL: '{"a": 1}',
        Side.CANDIDATE: '{"a":1}',
    }
    candidate = heard[Side.CANDIDATE]
    assert (candidate.wire, candidate.type, candidate.id) == ("sse", "named", "1")


async def test_a_backend_that_is_away_is_a_trouble() -> None:
    async with (
        WsBackend(running=False) as ws,
        tapping(configured(ws.url), [CHANNEL], [Side.LEGACY], lambda _: None) as taps,
        create_task_group() as tasks,
    ):
        tasks.start_soon(taps.run)
        await until(taps.troubles)
        assert taps.troubles()[0].startswith("legacy project.1: cannot reach the backend")
        tasks.cancel_scope.cancel()


async def test_a_side_that_is_not_configured_is_one_line() -> None:
    with pytest.raises(ConfigError, match="there is no candidate backend"):
        async with tapping(
            configured("ws://h/{channel}"), [CHANNEL], [Side.CANDIDATE], lambda _: None
        ):
            pass


def test_relays_alone_are_nothing_to_listen_to() -> None:
    relay = RelayOptions(path="/a", url="http://h/a")
    with pytest.raises(ConfigError, match="there is no backend to listen to"):
        sides_of(Config(relays=(relay,)))
