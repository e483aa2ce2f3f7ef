"""When a recording is over, and what it came to."""

import time
from pathlib import Path

from bridge.config import Config, UpstreamOptions
from bridge.parity.observation import Side
from bridge.parity.recording import Transcript
from bridge.upstream.ws import WsOptions
from bridge.verify.capture import capture
from bridge.verify.files import header_of, sights
from bridge.wire.names import ChannelName
from tests.support.backends import WsBackend

CHANNELS = [ChannelName("test")]


def configured(url: str) -> Config:
    return Config(source="legacy", upstream=UpstreamOptions(ws=WsOptions(url)))


async def test_a_backend_that_ends_its_channel_ends_the_recording(tmp_path: Path) -> None:
    path = tmp_path / "a.ndjson"
    async with WsBackend() as ws:
        ws.refusal = 404
        captured = await capture(configured(ws.url), CHANNELS, path)
    assert captured.messages == {Side.LEGACY: 0}
    assert not captured.opened
    assert captured.troubles == ("legacy test: the backend answered 404",)


async def test_it_ends_when_it_is_told_to(tmp_path: Path) -> None:
    path = tmp_path / "a.ndjson"
    async with WsBackend() as ws:
        captured = await capture(
            configured(ws.url), CHANNELS, path, is_over=lambda: ws.subscribers("test") == 1
        )
    assert captured.opened
    assert len(list(sights(path, Transcript("a")))) == 1  # the mark of the opening


async def test_the_header_says_when_it_began(tmp_path: Path) -> None:
    path = tmp_path / "a.ndjson"
    async with WsBackend() as ws:
        await capture(configured(ws.url), CHANNELS, path, is_over=lambda: True)
    began = header_of(path).began
    assert began is not None
    assert abs(began - time.time()) < 60
