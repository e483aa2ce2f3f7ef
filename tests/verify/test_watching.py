"""Listening to two real backends from ordinary code."""

from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from functools import partial

import anyio
import pytest

from bridge.config import Config, load
from bridge.errors import ConfigError
from bridge.parity.observation import Observation, Side
from bridge.verify.watching import Patience, Watching
from bridge.wire.names import ChannelName
from tests.support.backends import SseBackend, WsBackend

CHANNEL = ChannelName.parse("project.1")
in_thread = anyio.to_thread.run_sync


def configured(ws: str | None, sse: str | None) -> Config:
    return load(None, {"upstream.ws.url": ws, "upstream.sse.url": sse}, {}, needs_lead=False)


@pytest.fixture
async def backends() -> AsyncIterator[tuple[WsBackend, SseBackend]]:
    async with WsBackend() as ws, SseBackend() as sse:
        yield ws, sse


def publish(backends: tuple[WsBackend, SseBackend], payload: str) -> None:
    for backend in backends:
        backend.publish(CHANNEL.text, payload)


@contextmanager
def ended(watching: Watching) -> Iterator[None]:
    try:
        yield
    finally:
        watching.stop()


async def test_both_sides_are_open_within_and_what_they_say_is_seen(
    backends: tuple[WsBackend, SseBackend],
) -> None:
    ws, sse = backends
    patience = Patience(quiet=0.1, messages=2)
    watching = Watching(configured(ws.url, sse.url), [CHANNEL], patience, control=True)
    await in_thread(watching.__enter__)
    with ended(watching):
        assert (ws.subscribers(CHANNEL.text), sse.subscribers(CHANNEL.text)) == (2, 1)
        publish(backends, '{"n":1}')
        publish(backends, '{"n":2}')
        assert await in_thread(watching.wait)
    said = [each for each in watching.sights() if isinstance(each, Observation)]
    for side in Side:
        assert [each.data for each in said if each.side is side] == ['{"n":1}', '{"n":2}']


async def test_a_side_that_says_less_is_waited_for_only_so_long(
    backends: tuple[WsBackend, SseBackend],
) -> None:
    ws, sse = backends
    watching = Watching(configured(ws.url, sse.url), [CHANNEL], Patience(most=0.2, quiet=0.05))
    await in_thread(watching.__enter__)
    with ended(watching):
        ws.publish(CHANNEL.text, "{}")
        assert not await in_thread(watching.wait)


async def test_a_backend_that_is_away_is_named(backends: tuple[WsBackend, SseBackend]) -> None:
    ws, sse = backends
    await sse.kill()
    watching = Watching(configured(ws.url, sse.url), [CHANNEL], Patience(opening=0.5))
    with pytest.raises(ConfigError, match=r"cannot listen to both backends: candidate project\.1"):
        await in_thread(partial(watching.__enter__))


def test_one_backend_is_not_enough() -> None:
    config = configured("ws://127.0.0.1:1/{channel}", None)
    with pytest.raises(ConfigError, match="parity takes two backends"):
        Watching(config, [CHANNEL])
