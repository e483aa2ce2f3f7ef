"""A recording as a backend: real clients on both wires."""

import json
import math
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import aiohttp
import pytest
from websockets.asyncio.client import connect

from bridge.errors import ConfigError
from bridge.parity.observation import Observation, Side
from bridge.parity.recording import Header
from bridge.verify.faults import Message, plan
from bridge.verify.files import RecordingFile
from bridge.verify.player import Player, PlayOptions
from bridge.verify.replay import ReplayBackend, block


def backend(
    path: Path, *data: str | bytes, clients: int = 1, keep_open: bool = False, fault: str = ""
) -> ReplayBackend:
    header = Header("", ("test",), {"legacy": "ws"})
    with RecordingFile(path / "a.ndjson", header, replace=True) as file:
        for number, each in enumerate(data):
            file.add(Observation(Side.LEGACY, "test", each, number * 1.0))
    options = PlayOptions(math.inf, faults=(plan(fault),) if fault else ())
    return ReplayBackend(Player(path / "a.ndjson", options), clients=clients, keep_open=keep_open)


def serving(made: ReplayBackend) -> AbstractAsyncContextManager[str]:
    return made.running("127.0.0.1", 0)


async def test_a_socket_gets_every_message_and_a_close(tmp_path: Path) -> None:
    async with (
        serving(backend(tmp_path, "a", b"\0\1", "b")) as authority,
        connect(f"ws://{authority}/api/v1/ws/test") as socket,
    ):
        assert [message async for message in socket] == ["a", b"\0\1", "b"]
        assert socket.close_code == 1000


async def test_a_subscription_is_acknowledged(tmp_path: Path) -> None:
    async with (
        serving(backend(tmp_path, "a", keep_open=True)) as authority,
        connect(f"ws://{authority}/api/v1/ws/test") as socket,
    ):
        assert await socket.recv() == "a"
        await socket.send('{"type":"subscribe","projectId":"test"}')
        assert json.loads(await socket.recv()) == {"type": "subscribe", "projectId": "test"}


@pytest.mark.parametrize("path", ["/api/v1/events/test", "/api/events/test"])
async def test_an_event_stream_is_numbered_resumed_and_over(path: str, tmp_path: Path) -> None:
    async with (
        serving(backend(tmp_path, "a", "b", "c")) as authority,
        aiohttp.ClientSession(f"http://{authority}") as session,
    ):
        async with session.get(path) as stream:
            assert stream.content_type == "text/event-stream"
            assert await stream.text() == "".join(
                f"id: {number}\ndata: {data}\n\n" for number, data in enumerate("abc", 1)
            )
        async with session.get(path, headers={"Last-Event-ID": "2"}) as stream:
            assert await stream.text() == "id: 3\ndata: c\n\n"
        async with session.get(path, headers={"Last-Event-ID": "3"}) as stream:
            assert stream.status == 204


async def test_it_waits_until_all_clients_are_there(tmp_path: Path) -> None:
    url = "/api/v1/events/test"
    async with (
        serving(backend(tmp_path, "a", clients=2)) as authority,
        aiohttp.ClientSession(f"http://{authority}") as session,
        session.get(url) as first,
        connect(f"ws://{authority}/api/v1/ws/test") as second,
    ):
        assert await second.recv() == "a"
        assert "data: a" in await first.text()


async def test_a_cut_breaks_connections_off_and_who_returns_goes_on(tmp_path: Path) -> None:
    async with (
        serving(backend(tmp_path, "a", "b", fault="disconnect:1", keep_open=True)) as authority,
        aiohttp.ClientSession(f"http://{authority}") as session,
    ):
        async with session.get("/api/v1/events/test") as stream:
            with pytest.raises(aiohttp.ClientPayloadError):
                await stream.text()
        async with session.get("/api/v1/events/test", headers={"Last-Event-ID": "1"}) as stream:
            assert await stream.content.readuntil(b"\n\n") == b"id: 2\ndata: b\n\n"


async def test_other_channels_are_not_there_and_frames_are_taken(tmp_path: Path) -> None:
    async with (
        serving(backend(tmp_path, "a")) as authority,
        aiohttp.ClientSession(f"http://{authority}") as session,
    ):
        for path in ("/api/v1/events/other", "/api/v1/ws/other"):
            async with session.get(path) as answer:
                assert answer.status == 404
        async with session.post("/api/v1/events/test", data="{}") as answer:
            assert answer.status == 202


async def test_a_port_that_is_taken_is_one_line(tmp_path: Path) -> None:
    async with serving(backend(tmp_path, "a")) as authority:
        port = int(authority.rpartition(":")[2])
        with pytest.raises(ConfigError, match=r"cannot listen: .*choose another --port"):
            async with backend(tmp_path, "a").running("127.0.0.1", port):
                pass


def test_what_no_stream_can_carry_is_a_comment() -> None:
    assert block(Message("x", "two\nlines", "1")).startswith(b":")
    assert b"bridge.binary" in block(Message(b"\0", id="1"))
