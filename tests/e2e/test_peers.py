"""Each real peer works alone, before any test puts the bridge between two of them."""

import os
import sys
from pathlib import Path

import aiohttp
import anyio
import pytest
from playwright.async_api import Page
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from tests.support.backends import SseBackend, WsBackend
from tests.support.peers import Message, Nchan, Node, missing, needed
from tests.support.waiting import until

PAYLOAD = '{"type":"file","object":{"id":"f1","name":"снег ❄"}}'
CHANNEL = "project.1"
EVENT_STREAM = {"Accept": "text/event-stream"}


async def _read_until(answer: aiohttp.ClientResponse, mark: str) -> str:
    text = b""
    with anyio.fail_after(10):
        while mark.encode() not in text:
            text += await answer.content.readany()
    return text.decode()


async def test_nchan_delivers_a_posted_message_on_both_wires(nchan: Nchan) -> None:
    events = nchan.sse_url.format(channel=CHANNEL)
    async with (
        connect(nchan.ws_url.format(channel=CHANNEL)) as socket,
        aiohttp.ClientSession() as session,
        session.get(events, headers=EVENT_STREAM) as answer,
    ):
        await nchan.wait_subscribers(CHANNEL, 2)
        await nchan.publish(CHANNEL, PAYLOAD)
        assert await socket.recv() == PAYLOAD
        assert f"data: {PAYLOAD}\n\n" in await _read_until(answer, "}}\n\n")


async def test_nchan_replays_what_follows_the_last_event_id(nchan: Nchan) -> None:
    events = nchan.sse_url.format(channel=CHANNEL)
    async with aiohttp.ClientSession(headers=EVENT_STREAM) as session:
        async with session.get(events) as answer:
            await nchan.wait_subscribers(CHANNEL, 1)
            await nchan.publish(CHANNEL, "first")
            block = await _read_until(answer, "first\n\n")
        last_id = next(line[4:] for line in block.splitlines() if line.startswith("id: "))
        await nchan.publish(CHANNEL, "second")
        async with session.get(events, headers={"Last-Event-ID": last_id}) as answer:
            replayed = await _read_until(answer, "second\n\n")
    assert "first" not in replayed


async def test_nchan_keeps_what_clients_send(nchan: Nchan) -> None:
    async with connect(nchan.ws_url.format(channel=CHANNEL)) as socket:
        await socket.send("from a socket")
    async with aiohttp.ClientSession() as session:
        async with session.post(nchan.sse_url.format(channel=CHANNEL), data="posted") as answer:
            assert answer.status in {201, 202}
        sent = nchan.sse_url.format(channel=f"sent.{CHANNEL}")
        oldest = {"Last-Event-ID": "0:0"}
        async with session.get(sent, headers=EVENT_STREAM | oldest) as answer:
            assert "from a socket" in await _read_until(answer, "posted\n\n")


async def test_chromium_opens_a_page_and_runs_a_script(page: Page) -> None:
    await page.goto("about:blank")
    assert await page.evaluate("1 + 1") == 2


async def test_node_reads_a_websocket_and_sends_its_frames(node: Node) -> None:
    async with WsBackend(ack=None) as backend:
        url = backend.url.format(channel=CHANNEL)
        async with node.client("ws_client.mjs", url, "2", "hello") as client:
            await until(lambda: backend.received)
            backend.publish(CHANNEL, PAYLOAD)
            backend.publish(CHANNEL, b"\x00\x01")
            messages = await client.messages()
    assert messages == [Message(PAYLOAD, None, "text"), Message("AAE=", None, "binary")]
    assert backend.received[0].raw == "hello"


async def test_node_says_why_a_websocket_fell_short(node: Node) -> None:
    async with WsBackend() as backend:
        url = backend.url.format(channel=CHANNEL)
        async with node.client("ws_client.mjs", url, "1") as client:
            await until(lambda: backend.subscribers(CHANNEL))
            await backend.end(CHANNEL, 4401, "no")
            with pytest.raises(AssertionError, match="closed with 4401 no"):
                await client.messages()


async def test_node_reads_an_event_stream_and_resumes(node: Node) -> None:
    async with SseBackend(replay=True) as backend:
        for payload in ("one", "two"):
            backend.publish(CHANNEL, payload)
        url = backend.url.format(channel=CHANNEL)
        async with node.client("es_client.mjs", url, "2", "1", "named") as client:
            await until(lambda: backend.subscribers(CHANNEL))
            backend.publish(CHANNEL, PAYLOAD, event="named")
            messages = await client.messages()
    assert messages == [Message("two", "2", "message"), Message(PAYLOAD, "3", "named")]


async def test_node_says_that_an_event_source_gave_up(node: Node) -> None:
    async with SseBackend() as backend:
        backend.refusal = 404
        url = backend.url.format(channel=CHANNEL)
        async with node.client("es_client.mjs", url, "1") as client:
            with pytest.raises(AssertionError, match="gave up: 404"):
                await client.messages()


async def test_curl_posts_and_reads_a_stream_to_its_end(curl: str) -> None:
    async with SseBackend() as backend, anyio.create_task_group() as group:
        url = backend.url.format(channel=CHANNEL)
        posted = await anyio.run_process([curl, "-sS", "--noproxy", "*", "-d", "x=1", url])
        assert (posted.stdout, backend.received[0].raw) == (b"", b"x=1")

        async def publish() -> None:
            await until(lambda: backend.subscribers(CHANNEL))
            backend.publish(CHANNEL, PAYLOAD)
            backend.end(CHANNEL)

        group.start_soon(publish)
        read = await anyio.run_process([curl, "-sSN", "--noproxy", "*", url])
    assert read.stdout.decode() == f"data: {PAYLOAD}\r\n\r\n"


async def test_the_sse_backend_keeps_its_port_and_history_through_a_crash() -> None:
    async with SseBackend(replay=True) as backend, aiohttp.ClientSession() as session:
        url = backend.url.format(channel=CHANNEL)
        async with session.get(url) as answer:
            await until(lambda: backend.subscribers(CHANNEL))
            backend.publish(CHANNEL, "one")
            assert await _read_until(answer, "\r\n\r\n") == "id: 1\r\ndata: one\r\n\r\n"
            await backend.kill()
            with pytest.raises(aiohttp.ClientError):
                await _read_until(answer, "more")
        with pytest.raises(aiohttp.ClientConnectionError):
            await session.get(url)
        backend.publish(CHANNEL, "two")
        await backend.start()
        async with session.get(url, headers={"Last-Event-ID": "1"}) as answer:
            assert await _read_until(answer, "\r\n\r\n") == "id: 2\r\ndata: two\r\n\r\n"
    assert [opening.headers.get("last-event-id") for opening in backend.openings] == [None, "1"]


async def test_the_sse_backend_sends_comment_pings() -> None:
    async with (
        SseBackend(ping=0.01) as backend,
        aiohttp.ClientSession() as session,
        session.get(backend.url.format(channel=CHANNEL)) as answer,
    ):
        assert (await _read_until(answer, "\r\n\r\n")).startswith(": ping - ")


async def test_the_ws_backend_keeps_its_port_through_a_crash() -> None:
    async with WsBackend() as backend:
        url = backend.url.format(channel=CHANNEL)
        async with connect(url) as socket:
            await socket.send('{"type":"subscribe","projectId":"project.1"}')
            assert await socket.recv() == '{"type":"subscribe"}'
            await backend.kill()
            with pytest.raises(ConnectionClosed) as crash:
                await socket.recv()
            assert crash.value.rcvd is None
        with pytest.raises(OSError, match=r"refused|Connect call failed"):
            await connect(url)
        await backend.start()
        async with connect(url):
            assert backend.subscribers(CHANNEL) == 1
        backend.refusal = 503
        with pytest.raises(InvalidStatus, match="503"):
            await connect(url)
    assert [opening.channel for opening in backend.openings] == [CHANNEL] * 3


async def test_a_backend_may_be_down_at_first() -> None:
    async with WsBackend(running=False) as backend:
        with pytest.raises(OSError, match=r"refused|Connect call failed"):
            await connect(backend.url.format(channel=CHANNEL))


def test_a_missing_peer_skips_at_a_desk_and_fails_in_ci(monkeypatch: pytest.MonkeyPatch) -> None:
    stash = pytest.Stash()
    monkeypatch.setenv("CI", "")
    with pytest.raises(pytest.skip.Exception, match="a teapot is missing"):
        needed(stash, "a teapot", None)
    monkeypatch.setenv("CI", "true")
    with pytest.raises(pytest.fail.Exception, match="make system-deps"):
        needed(stash, "a teapot", None)
    assert missing(stash) == ["a teapot"]


async def test_a_run_without_a_peer_says_so_just_before_its_last_line() -> None:
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-k", "curl_posts"]
    bare = {name: value for name, value in os.environ.items() if name != "CI"} | {"PATH": ""}
    run = await anyio.run_process(
        [*command, __file__], env=bare, cwd=Path(__file__).parents[2], check=False
    )
    *_, names, remedy, last = run.stdout.decode().splitlines()
    assert names == "Missing on this machine: curl."
    assert "make system-deps" in remedy
    assert "1 skipped" in last
