"""One SSE client, over real connections: how it begins, what it is told, how it ends."""

import asyncio
import base64
import json
import socket
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import quote

import anyio
import pytest
from starlette.types import Message, Scope

from bridge.endpoint.fanout import Fanout
from bridge.endpoint.options import ClientOptions
from bridge.endpoint.reader import Reader
from bridge.endpoint.sse import UNNAMED
from bridge.history.log import LogOptions
from bridge.hub.hub import HubOptions
from bridge.wire.endings import BAD_REQUEST, COMPLETE, FORBIDDEN, NOT_FOUND, UNAUTHORIZED, Ending
from bridge.wire.event import BINARY, END, GAP, PING
from tests.endpoint.parts import (
    EVENTS,
    NAME,
    Running,
    Stream,
    ask,
    bridging,
    raw_exchange,
    streaming,
    upstream_of,
)
from tests.support.backends import SseBackend, WsBackend
from tests.support.waiting import until

pytestmark = pytest.mark.usefixtures("way")

STREAM = {"Accept": "text/event-stream"}


def id_of(block: bytes) -> str:
    return block.decode().partition("id: ")[2].partition("\n")[0]


# How it begins.


async def test_headers_and_an_id_come_before_the_backend_has_said_anything(
    errors: list[str],
) -> None:
    async with bridging() as running, streaming(running.authority) as stream:
        assert not running.channel().ready
        block = await stream.block()
        assert block == b"id: %s-0\n\n" % running.channel().log.epoch.encode()
        headers = stream.response.headers
        assert headers["Content-Type"] == "text/event-stream; charset=utf-8"
        assert headers["Cache-Control"] == "no-cache, no-store, no-transform"
        assert headers["X-Accel-Buffering"] == "no"


async def test_the_id_is_out_before_the_endpoint_waits_for_anything() -> None:
    """Within the turn of the request: no other task has run when the id is sent."""
    order: list[str] = []

    async def receive() -> Message:
        order.append("receive")
        await anyio.sleep_forever()
        raise AssertionError

    async def send(message: Message) -> None:
        order.append(message["type"])

    async with bridging() as running:
        scope: Scope = {
            "type": "http",
            "method": "GET",
            "path": EVENTS,
            "query_string": b"",
            "headers": [(b"host", b"bridge")],
        }
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(running.app, scope, receive, send)
            await until(lambda: order)
            tasks.start_soon(anyio.sleep, 0)
            await anyio.wait_all_tasks_blocked()
            tasks.cancel_scope.cancel()
    assert order == ["http.response.start", "http.response.body", "receive"]


async def test_the_reconnection_time_is_told_first_where_one_is_set(errors: list[str]) -> None:
    options = ClientOptions(retry=2500)
    async with bridging(client=options) as running:
        async with streaming(running.authority) as stream:
            assert await stream.block() == b"retry: 2500\n\n"
            assert id_of(await stream.block())
        async with streaming(running.authority, place="other-1") as stream:
            assert await stream.block() == b"retry: 2500\n\n"
            assert (await stream.event()).event == GAP


@pytest.mark.parametrize("by_query", [False, True])
async def test_a_place_is_continued_behind_without_a_snapshot_of_the_past(
    by_query: bool, errors: list[str]
) -> None:
    async with bridging() as running, streaming(running.authority) as first:
        place = id_of(await first.block())
        running.publish("a", "b", "c")
        after_a = id_of(await first.block())
        assert after_a.endswith("-1")
        path = f"{EVENTS}?last_event_id={after_a}" if by_query else EVENTS
        async with streaming(running.authority, path, place="" if by_query else after_a) as again:
            assert await again.block() == b"id: %s\n\n" % after_a.encode()
            assert [(await again.event()).data for _ in range(2)] == ["b", "c"]
        async with streaming(running.authority, path, place=place) as header_wins:
            assert (await header_wins.event()).data == "a"


async def test_a_newcomer_begins_with_what_comes_from_now_on(errors: list[str]) -> None:
    async with bridging() as running, streaming(running.authority) as first:
        await first.block()
        running.publish("a")
        async with streaming(running.authority) as late:
            assert id_of(await late.block()).endswith("-1")
            running.publish("b")
            assert (await late.event()).data == "b"


@pytest.mark.parametrize(
    ("place", "reason"),
    [("elsewhere-5", "other-epoch"), ("\x01 no cursor é", "unreadable")],
)
async def test_a_place_that_is_gone_is_a_gap_in_the_stream(
    place: str, reason: str, errors: list[str]
) -> None:
    async with bridging() as running, streaming(running.authority) as first:
        await first.block()
        running.publish("a")
        path = f"{EVENTS}?last_event_id={quote(place)}"
        async with streaming(running.authority, path) as stream:
            gap = await stream.event()
            told = json.loads(gap.data)
            assert (gap.event, told["old"], told["reason"]) == (GAP, place, reason)
            assert gap.id == told["new"] == f"{running.channel().log.epoch}-0"
            assert (await stream.event()).data == "a"
        assert running.count("gaps_told", wire="sse") == 1


async def test_a_place_that_was_trimmed_says_how_much_is_lost(errors: list[str]) -> None:
    async with bridging(history=LogOptions(max_events=2)) as running:
        async with streaming(running.authority) as first:
            place = id_of(await first.block())
        running.publish(*"abcd")
        async with streaming(running.authority, place=place) as stream:
            assert json.loads((await stream.event()).data)["lost"] == 2
            assert [(await stream.event()).data for _ in range(2)] == ["c", "d"]


async def test_a_hole_that_the_backend_left_is_told_in_its_place(errors: list[str]) -> None:
    async with bridging() as running, streaming(running.authority) as stream:
        await stream.block()
        running.publish("a")
        running.channel().gap("reconnected", None)
        running.publish("b")
        events = [await stream.event() for _ in range(3)]
        assert [event.event for event in events] == ["message", GAP, "message"]
        assert json.loads(events[1].data)["reason"] == "reconnected"


async def test_a_binary_message_travels_as_base64_in_a_named_event(errors: list[str]) -> None:
    async with (
        WsBackend() as backend,
        bridging(upstream_of(backend)) as running,
        streaming(running.authority) as stream,
    ):
        await stream.block()
        await until(lambda: backend.subscribers(NAME))
        backend.publish(NAME, b"\x00\xff")
        event = await stream.event()
    assert (event.event, base64.b64decode(event.data)) == (BINARY, b"\x00\xff")


async def test_silence_is_broken_by_a_heartbeat_with_the_place(errors: list[str]) -> None:
    async with (
        bridging(client=ClientOptions(heartbeat=0.02)) as running,
        streaming(running.authority) as stream,
    ):
        place = id_of(await stream.block())
        ping = await stream.event()
    assert (ping.event, ping.id, json.loads(ping.data)) == (PING, place, {"id": place})


# Who is let in.

BAD_NAMES = {
    "traversal": "/api/v1/events/..%2F..%2Fetc",
    "dots": "/api/v1/events/project..1",
    "separator": "/api/v1/events/project.1%2Fx",
    "return": "/api/v1/events/project.1%0D%0Ax",
    "newline at the end": "/api/v1/events/project.1%0A",
    "nul": "/api/v1/events/project.1%00",
    "too long": "/api/v1/events/project." + "1" * 300,
    "beyond ASCII": "/api/v1/events/project.%C3%A9",
    "not UTF-8": "/api/v1/events/project.%FF",
    "a space": "/api/v1/events/project.%20",
    "percent": "/api/v1/events/project.%25",
    "unknown kind": "/api/v1/events/secret.1",
    "in the query": "/api/v1/events?projectId=..%2F1",
    "unnamed": "/api/v1/events",
}


@pytest.mark.parametrize("path", BAD_NAMES.values(), ids=BAD_NAMES.keys())
@pytest.mark.parametrize("method", ["GET", "HEAD", "POST"])
async def test_a_name_that_is_none_is_404_before_anything_goes_upstream(
    path: str, method: str, errors: list[str]
) -> None:
    async with SseBackend() as backend, bridging(upstream_of(backend)) as running:
        refused = await ask(running.authority, method, path)  # type: ignore[arg-type]
        assert refused.status == 404
        assert not list(running.bridge.hub.channels())
    assert backend.openings == []


async def test_a_request_that_names_nothing_is_told_how_to(errors: list[str]) -> None:
    async with bridging() as running:
        assert (await ask(running.authority, "GET", "/api/events")).json["reason"] == UNNAMED


async def test_the_alias_path_and_the_query_serve_the_same_channel(errors: list[str]) -> None:
    async with (
        bridging() as running,
        streaming(running.authority, "/api/events/project.1") as one,
        streaming(running.authority, "/api/v1/events?projectId=1") as two,
    ):
        await one.block()
        await two.block()
        running.publish("a")
        assert (await one.event()).data == (await two.event()).data == "a"


async def test_head_gets_the_headers_and_opens_nothing(errors: list[str]) -> None:
    async with SseBackend() as backend, bridging(upstream_of(backend)) as running:
        head = await ask(running.authority, "HEAD", EVENTS)
        assert head.status == 200
        assert head.headers["Content-Type"].startswith("text/event-stream")
        assert running.readers == 0
    assert backend.openings == []


# How it ends.


async def ended(stream: Stream) -> dict[str, object]:
    """The members of `bridge.end`, behind which the stream is over."""
    while (event := await stream.event()).event != END:
        pass
    assert await stream.rest() == b""
    told = json.loads(event.data)
    assert isinstance(told, dict)
    assert event.retry == told["delay"]
    return told


@pytest.mark.parametrize("ending", [NOT_FOUND, FORBIDDEN, COMPLETE, BAD_REQUEST])
async def test_a_final_end_is_told_in_the_stream_and_then_by_status(
    ending: Ending, errors: list[str]
) -> None:
    async with bridging() as running:
        async with streaming(running.authority) as stream:
            await stream.block()
            running.publish("last")
            running.channel().ended(ending, "as it is")
            assert (await stream.event()).data == "last"
            told = await ended(stream)
            assert (told["code"], told["reconnect"]) == (ending.name, False)
            assert told["reason"] == "as it is"
        refused = await ask(running.authority, "GET", EVENTS, headers=STREAM)
        assert refused.status == ending.http
        await until(lambda: running.readers == 0)


async def test_a_client_that_lacks_events_gets_them_before_the_status(errors: list[str]) -> None:
    async with bridging() as running:
        async with streaming(running.authority) as stream:
            place = id_of(await stream.block())
            running.publish("last")
            running.channel().ended(NOT_FOUND)
            await ended(stream)
        async with streaming(running.authority, place=place) as stream:
            assert (await stream.event()).data == "last"
            await ended(stream)
        async with streaming(running.authority, place="elsewhere-1") as stream:
            assert (await stream.event()).event == GAP
            await ended(stream)


@pytest.mark.parametrize("status", [403, 404, 410])
async def test_a_backends_refusal_reaches_the_next_connection_unasked(
    status: int, errors: list[str]
) -> None:
    async with SseBackend() as backend, bridging(upstream_of(backend)) as running:
        backend.refusal = status
        async with streaming(running.authority) as stream:
            await ended(stream)
        assert (await ask(running.authority, "GET", EVENTS)).status == status
        assert len(backend.openings) == 1


async def test_after_a_while_the_backend_is_asked_again(errors: list[str]) -> None:
    hub = HubOptions(refusal=0)
    async with SseBackend() as backend, bridging(upstream_of(backend), hub=hub) as running:
        backend.refusal = 404
        async with streaming(running.authority) as stream:
            await ended(stream)
        backend.refusal = None
        async with streaming(running.authority) as stream:
            await stream.block()
            await until(lambda: backend.subscribers(NAME))


async def test_a_drain_tells_every_client_when_to_come_back(errors: list[str]) -> None:
    async with bridging() as running:
        async with streaming(running.authority) as stream:
            await stream.block()
            running.bridge.hub.drain()
            told = await ended(stream)
        assert (told["code"], told["close"], told["reconnect"]) == ("restart", 1012, True)
        assert isinstance(told["delay"], int)


async def test_a_newcomer_to_a_draining_bridge_is_no_reason_for_eventsource_to_give_up(
    errors: list[str],
) -> None:
    async with bridging() as running:
        running.bridge.hub.drain()
        async with streaming(running.authority) as stream:
            assert (await ended(stream))["code"] == "restart"
        refused = await ask(running.authority, "GET", EVENTS)
        assert (refused.status, refused.json["code"]) == (503, "restart")
        assert int(refused.headers["Retry-After"]) >= 1
        assert not list(running.bridge.hub.channels())


async def test_a_stream_ends_when_it_expires(
    monkeypatch: pytest.MonkeyPatch, errors: list[str]
) -> None:
    add = Fanout.add

    def add_for_a_while(self: Fanout, reader: Reader) -> None:
        add(self, reader)
        reader.expire_at(time.monotonic() + 0.1, UNAUTHORIZED, "expired")

    monkeypatch.setattr(Fanout, "add", add_for_a_while)
    async with bridging() as running:
        async with streaming(running.authority) as stream:
            told = await ended(stream)
        assert (told["code"], told["close"], told["reason"]) == ("unauthorized", 4401, "expired")
        await until(lambda: running.readers == 0)


# When it leaves, or does not read.


async def test_a_client_that_leaves_is_noticed_at_once(errors: list[str]) -> None:
    async with bridging() as running:
        async with streaming(running.authority) as stream:
            await stream.block()
            assert (running.readers, running.count("clients", wire="sse")) == (1, 1)
        await until(lambda: running.readers == 0)
        assert running.count("clients", wire="sse") == 0


async def test_clients_that_leave_in_the_middle_of_a_burst_leave_nothing_behind(
    errors: list[str],
) -> None:
    async with bridging() as running, streaming(running.authority) as stays:
        await stays.block()
        for number in range(20):
            async with streaming(running.authority) as leaves:
                running.publish(*["x" * 10_000] * 50)
                if number % 2:
                    await leaves.block()
        await until(lambda: running.readers == 1)


@asynccontextmanager
async def deaf(running: Running) -> AsyncIterator[socket.socket]:
    """A client that asks and never reads."""
    host, _, port = running.authority.rpartition(":")
    with socket.socket() as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.setblocking(False)
        loop = asyncio.get_running_loop()
        await loop.sock_connect(client, (host, int(port)))
        await loop.sock_sendall(client, f"GET {EVENTS} HTTP/1.1\r\nHost: b\r\n\r\n".encode())
        yield client


async def test_a_client_that_stops_reading_is_ended_and_no_other_one_notices(
    errors: list[str],
) -> None:
    megabyte, count = "x" * 1_000_000, 40
    async with bridging(client=ClientOptions(send_timeout=0.2)) as running:
        async with streaming(running.authority) as reads, deaf(running) as client:
            await reads.block()
            await until(lambda: running.readers == 2)
            for _ in range(count):
                running.publish(megabyte)
                assert (await reads.event()).data == megabyte
            await until(lambda: running.readers == 1)
            assert running.count("slow_clients", wire="sse") == 1
            held = await everything(client)
        assert len(held) < count * len(megabyte) / 2, "it was queued for without a bound"


async def everything(client: socket.socket) -> bytes:
    loop, found = asyncio.get_running_loop(), bytearray()
    with anyio.fail_after(10):
        while piece := await loop.sock_recv(client, 1 << 20):
            found += piece
    return bytes(found)


async def test_a_request_that_is_cut_off_leaves_nothing_behind(errors: list[str]) -> None:
    async with bridging() as running:
        head = f"GET {EVENTS} HTTP/1.1\r\nHost: b\r\nConnection: close\r\n"
        host, _, port = running.authority.rpartition(":")
        _, writer = await asyncio.open_connection(host, int(port))
        writer.write(head.encode())
        writer.transport.abort()
        broken = await raw_exchange(running.authority, b"GET /\xff\r\n HTTP/1.1\r\n\r\n")
        assert broken.startswith(b"HTTP/1.1 400")
        assert running.readers == 0
