"""Clients that nobody here wrote: curl, the npm packages, and websockets in both its shapes."""

import json

import anyio
import pytest
from anyio.to_thread import run_sync
from websockets.sync.client import connect as connect_blocking

from tests.support.backends import SseBackend, WsBackend
from tests.support.bridges import CHANNEL, Running, bridging, upstream_of
from tests.support.clients import SseClient, WsClient
from tests.support.peers import Message, Node
from tests.support.waiting import until
from tests.support.ways import Wire, new_backend

WIRES: tuple[Wire, ...] = ("ws", "sse")
PAYLOADS = ['{"name":"снег ❄ 🤖"}', "", " leading", "data: x", "two\nlines", "\ufeffmarked"]


@pytest.fixture(params=WIRES)
def source(request: pytest.FixtureRequest) -> Wire:
    found: Wire = request.param
    return found


def _url(bridge: Running, wire: Wire, path: str = "events") -> str:
    scheme = {"ws": "ws", "sse": "http"}[wire]
    return f"{scheme}://{bridge.authority}/api/v1/{path}/{CHANNEL}"


async def _published(backend: SseBackend | WsBackend, bridge: Running) -> list[str]:
    """Publish three events that a reader sees; gives their ids."""
    async with SseClient(bridge.authority) as reader:
        await until(lambda: backend.subscribers(CHANNEL))
        for payload in ("one", "two", "three"):
            backend.publish(CHANNEL, payload)
        await reader.wait_payloads(3)
        return reader.ids


async def _curl(program: str, url: str, last_id: str, mark: str) -> str:
    """What `curl -sN` prints, up to and with `mark`."""
    command = [program, "-sN", "--noproxy", "*", "-H", f"Last-Event-ID: {last_id}", url]
    printed = b""
    async with await anyio.open_process(command) as process:
        assert process.stdout is not None
        with anyio.fail_after(10):
            while mark.encode() not in printed:
                printed += await process.stdout.receive()
        process.kill()
    return printed.decode()


async def test_curl_continues_after_the_id_that_it_names(source: Wire, curl: str) -> None:
    async with new_backend(source) as backend, bridging(upstream_of(backend)) as bridge:
        first, second, third = await _published(backend, bridge)
        printed = await _curl(curl, _url(bridge, "sse"), first, "three\n\n")
        assert printed == (
            f"id: {first}\n\nid: {second}\ndata: two\n\nid: {third}\ndata: three\n\n"
        )


async def test_curl_is_shown_a_gap_where_its_id_is_unknown(source: Wire, curl: str) -> None:
    async with new_backend(source) as backend, bridging(upstream_of(backend)) as bridge:
        await _published(backend, bridge)
        for unknown in ("bygone-7", "no cursor at all"):
            printed = await _curl(curl, _url(bridge, "sse"), unknown, "three\n\n")
            event, place, data = printed.split("\n", 3)[:3]
            assert event == "event: bridge.gap"
            said = json.loads(data.removeprefix("data: "))
            assert said["old"] == unknown
            assert place == f"id: {said['new']}"
            # all that is kept follows the gap
            assert printed.count("data: ") == 4


async def test_npm_ws_gets_the_payloads(source: Wire, node: Node) -> None:
    async with new_backend(source) as backend, bridging(upstream_of(backend)) as bridge:
        count = str(len(PAYLOADS))
        async with node.client("ws_client.mjs", _url(bridge, "ws", "ws"), count, "hi") as client:
            await until(lambda: backend.subscribers(CHANNEL))
            await until(lambda: any(each.raw in ("hi", b"hi") for each in backend.received))
            for payload in PAYLOADS:
                backend.publish(CHANNEL, payload)
            messages = await client.messages()
        assert messages == [Message(payload, None, "text") for payload in PAYLOADS]


async def test_npm_eventsource_gets_the_payloads(source: Wire, node: Node) -> None:
    async with new_backend(source) as backend, bridging(upstream_of(backend)) as bridge:
        count = str(len(PAYLOADS))
        async with node.client("es_client.mjs", _url(bridge, "sse"), count) as client:
            await until(lambda: backend.subscribers(CHANNEL))
            for payload in PAYLOADS:
                backend.publish(CHANNEL, payload)
            messages = await client.messages()
        assert [(each.data, each.type) for each in messages] == [
            (payload, "message") for payload in PAYLOADS
        ]
        epoch = str(messages[0].id).split("-")[0]
        assert [each.id for each in messages] == [f"{epoch}-{n + 1}" for n in range(len(PAYLOADS))]


async def test_npm_eventsource_resumes_by_its_last_id(node: Node) -> None:
    async with SseBackend() as backend, bridging(upstream_of(backend)) as bridge:
        first, second, third = await _published(backend, bridge)
        async with node.client("es_client.mjs", _url(bridge, "sse"), "2", first) as client:
            assert await client.messages() == [
                Message("two", second, "message"),
                Message("three", third, "message"),
            ]
        async with node.client("es_client.mjs", _url(bridge, "sse"), "1", "x-1", "bridge.gap") as (
            client
        ):
            (gap,) = await client.messages()
            assert (gap.type, json.loads(gap.data)["old"]) == ("bridge.gap", "x-1")


async def test_blocking_websockets_gets_the_payloads(source: Wire) -> None:
    async with new_backend(source) as backend, bridging(upstream_of(backend)) as bridge:
        received: list[str | bytes] = []

        def converse() -> None:
            with connect_blocking(_url(bridge, "ws", "ws"), proxy=None) as socket:
                socket.send("hi")
                received.extend(socket.recv(10) for _ in PAYLOADS)

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(run_sync, converse)
            await until(lambda: backend.subscribers(CHANNEL))
            await until(lambda: any(each.raw in ("hi", b"hi") for each in backend.received))
            for payload in PAYLOADS:
                backend.publish(CHANNEL, payload)
        assert received == PAYLOADS


async def test_asyncio_websockets_gets_the_payloads_and_is_acknowledged(source: Wire) -> None:
    async with (
        new_backend(source) as backend,
        bridging(upstream_of(backend)) as bridge,
        WsClient(bridge.authority) as client,
    ):
        await client.socket.send('{"type":"subscribe","projectId":"project.1"}')
        (acknowledgement,) = await client.wait_payloads(1)
        assert json.loads(acknowledgement)["type"] == "subscribe"
        await until(lambda: backend.subscribers(CHANNEL))
        for payload in PAYLOADS:
            backend.publish(CHANNEL, payload)
        await client.wait_payloads(1 + len(PAYLOADS))
        assert client.told[1:] == PAYLOADS
