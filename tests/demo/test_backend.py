"""`bridge.demo.backend`: a generation backend on both wires, by real sockets."""

from collections.abc import AsyncIterator

import aiohttp
import anyio
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from bridge.demo import script
from bridge.demo.backend import Backend, block
from bridge.demo.journal import Numbered
from bridge.wire.sse import Decoder, ServerSentEvent
from tests.support.waiting import until

SPEED = 500.0
RENDER = [step.text for step in script.render(1)]
EVENTS = "/api/v1/events/project.demo"


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


async def _events(answer: aiohttp.ClientResponse, count: int) -> list[ServerSentEvent]:
    decoder, found = Decoder(), list[ServerSentEvent]()
    with anyio.fail_after(10):
        while len(found) < count:
            chunk = await answer.content.readany()
            assert chunk, "the stream ended"
            found += decoder.feed(chunk)
    return found


async def test_both_wires_carry_the_same_render(http: aiohttp.ClientSession) -> None:
    backend = Backend(SPEED)
    async with (
        backend.running() as authority,
        connect(f"ws://{authority}/api/v1/ws/project.demo") as socket,
        http.get(f"http://{authority}{EVENTS}") as answer,
    ):
        await socket.send(script.SUBSCRIPTION)
        assert await socket.recv() == script.ACKNOWLEDGEMENT
        assert answer.content_type == "text/event-stream"
        await backend.render(1)
        assert [await socket.recv() for _ in RENDER] == RENDER
        events = await _events(answer, len(RENDER))
        assert [event.data for event in events] == RENDER
        assert [event.id for event in events] == [str(n + 1) for n in range(len(RENDER))]


async def test_a_returning_reader_gets_what_it_missed(http: aiohttp.ClientSession) -> None:
    backend = Backend(SPEED)
    async with backend.running() as authority:
        await backend.render(1)
        async with http.get(
            f"http://{authority}{EVENTS}", headers={"Last-Event-ID": "14"}
        ) as answer:
            assert [event.id for event in await _events(answer, 2)] == ["15", "16"]


async def test_a_crash_cuts_both_wires_and_turns_newcomers_away(
    http: aiohttp.ClientSession,
) -> None:
    backend = Backend(SPEED)
    async with (
        backend.running() as authority,
        connect(f"ws://{authority}/api/v1/ws/project.demo") as socket,
        http.get(f"http://{authority}{EVENTS}") as answer,
        anyio.create_task_group() as tasks,
    ):
        tasks.start_soon(backend.restart, 30)
        with pytest.raises(ConnectionClosed):
            await socket.recv()
        with pytest.raises(aiohttp.ClientError):
            await answer.content.read()
        with pytest.raises(aiohttp.ClientError):
            await http.get(f"http://{authority}{EVENTS}")
        tasks.cancel_scope.cancel()


async def test_the_rendering_outlives_a_crash(http: aiohttp.ClientSession) -> None:
    backend = Backend(SPEED)
    async with backend.running() as authority:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(backend.restart, 30)
            await backend.render(1)
            tasks.cancel_scope.cancel()
        async with http.get(
            f"http://{authority}{EVENTS}", headers={"Last-Event-ID": "0"}
        ) as answer:
            assert [event.data for event in await _events(answer, len(RENDER))] == RENDER


@pytest.mark.parametrize("wire", ["ws", "post"])
async def test_a_render_frame_supersedes_the_render_that_goes_on(
    wire: str, http: aiohttp.ClientSession
) -> None:
    backend = Backend(0.01)  # so slow that the second step never comes by itself
    async with (
        backend.running() as authority,
        connect(f"ws://{authority}/api/v1/ws/project.demo") as socket,
        anyio.create_task_group() as tasks,
    ):
        await backend.journal.followed.wait()
        tasks.start_soon(backend.render)
        assert await socket.recv() == RENDER[0]
        if wire == "ws":
            await socket.send('{"type":"render"}')
        else:
            async with http.post(f"http://{authority}{EVENTS}", data='{"type":"render"}') as answer:
                assert answer.status == 202
        assert await socket.recv() == script.superseded(1)
        assert await socket.recv() == script.render(2)[0].text
        tasks.cancel_scope.cancel()


async def test_a_render_frame_ends_the_pause_between_renders() -> None:
    backend = Backend(0.01)
    backend.hear('{"type":"render"}')
    with anyio.fail_after(5):
        await backend.render(1)
    assert backend.journal.top == 2


@pytest.mark.parametrize("frame", ["not JSON", "[1]", '"x"', '{"type":"ping"}'])
def test_unknown_frames_are_ignored(frame: str) -> None:
    assert Backend().hear(frame) is None


async def test_binary_frames_are_ignored() -> None:
    async with (
        Backend().running() as authority,
        connect(f"ws://{authority}/api/v1/ws/project.demo") as socket,
    ):
        await socket.send(b"\x00")
        await socket.send(script.SUBSCRIPTION)
        assert await socket.recv() == script.ACKNOWLEDGEMENT


async def test_other_channels_are_not_found(http: aiohttp.ClientSession) -> None:
    async with Backend().running() as authority:
        async with http.get(f"http://{authority}/api/v1/events/project.other") as answer:
            assert answer.status == 404
        with pytest.raises(InvalidStatus):
            await connect(f"ws://{authority}/api/v1/ws/project.other")


async def test_a_file_can_be_asked_for(http: aiohttp.ClientSession) -> None:
    async with Backend().running() as authority:
        async with http.get(f"http://{authority}/api/v1/file/f3") as answer:
            assert await answer.json() == script.file(3)
        async with http.get(f"http://{authority}/api/v1/file/other") as answer:
            assert answer.status == 404


async def test_a_reader_who_leaves_is_forgotten(http: aiohttp.ClientSession) -> None:
    backend = Backend()
    async with backend.running() as authority:
        answer = await http.get(f"http://{authority}{EVENTS}")
        assert backend.connections == 1
        answer.close()
        await until(lambda: backend.connections == 0)


async def test_a_quiet_stream_shows_that_it_lives(http: aiohttp.ClientSession) -> None:
    async with (
        Backend(ping=0.01).running() as authority,
        http.get(f"http://{authority}{EVENTS}") as answer,
    ):
        with anyio.fail_after(5):
            assert (await answer.content.readline()).startswith(b": ping - ")


def test_a_block_ends_its_lines_as_usual_servers_do() -> None:
    assert block(Numbered(7, "{}")) == b"id: 7\r\ndata: {}\r\n\r\n"
