"""Compressed messages, made once and shared, read by clients that nobody here wrote."""

import os

import pytest
from websockets.asyncio.client import ClientConnection, connect

from bridge.endpoint.options import ClientOptions
from bridge.wire.framing import WORTH_DEFLATING, deflated_frame
from tests.support.backends import WsBackend
from tests.support.bridges import CHANNEL, bridging, upstream_of
from tests.support.waiting import until

LONG = '{"type":"data","object":{"value":"' + "ab❄" * 400 + '"}}'
SHORT = "x" * (WORTH_DEFLATING - 1)
PAYLOADS: list[str | bytes] = [LONG, SHORT, LONG.encode(), "", LONG]


async def _told(socket: ClientConnection) -> list[str | bytes]:
    return [await socket.recv() for _ in PAYLOADS]


@pytest.mark.parametrize("offer", ["deflate", None])
async def test_payloads_pass_whole_whether_a_client_offers_compression(offer: str | None) -> None:
    async with (
        WsBackend() as backend,
        bridging(upstream_of(backend), client=ClientOptions(deflate=True)) as bridge,
        connect(
            f"ws://{bridge.authority}/api/v1/ws/{CHANNEL}", compression=offer, proxy=None
        ) as socket,
    ):
        await until(lambda: backend.subscribers(CHANNEL))
        for payload in PAYLOADS:
            backend.publish(CHANNEL, payload)
        assert await _told(socket) == PAYLOADS
        await socket.send(LONG)
        await until(lambda: any(frame.raw == LONG for frame in backend.received))


async def test_without_the_setting_compression_is_declined() -> None:
    async with (
        WsBackend() as backend,
        bridging(upstream_of(backend)) as bridge,
        connect(f"ws://{bridge.authority}/api/v1/ws/{CHANNEL}", proxy=None) as socket,
    ):
        assert not socket.protocol.extensions


@pytest.mark.skipif(
    os.environ.get("WS2SSE_FAST_PATH") == "off", reason="here the server compresses for itself"
)
async def test_one_compressed_message_serves_every_client() -> None:
    before = deflated_frame.cache_info()
    async with (
        WsBackend() as backend,
        bridging(upstream_of(backend), client=ClientOptions(deflate=True)) as bridge,
        connect(f"ws://{bridge.authority}/api/v1/ws/{CHANNEL}", proxy=None) as first,
        connect(f"ws://{bridge.authority}/api/v1/ws/{CHANNEL}", proxy=None) as second,
    ):
        await until(lambda: backend.subscribers(CHANNEL) and bridge.readers == 2)
        backend.publish(CHANNEL, LONG + " once")
        assert await first.recv() == await second.recv() == LONG + " once"
        assert deflated_frame.cache_info().misses == before.misses + 1


def test_a_compressed_message_is_smaller_and_says_so() -> None:
    framed = deflated_frame(LONG)
    assert framed[0] & 0x40
    assert len(framed) < len(LONG.encode()) / 4
    assert not deflated_frame(SHORT)[0] & 0x40
