"""Payloads pass unchanged from either kind of backend to either kind of client."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.config import UpstreamOptions
from bridge.upstream.sse import SseOptions
from bridge.wire.event import BINARY
from tests.support.backends import SseBackend, WsBackend
from tests.support.bridges import CHANNEL, bridging, upstream_of
from tests.support.clients import SseClient, WsClient
from tests.support.waiting import until
from tests.support.ways import FOUR_WAYS, Way, travelling

HOSTILE = (
    '{"type":"file","object":{"id":"f1","url":"https://x/a.webp"}}',
    '{ "spaced" : [ 1 , 2 ],  "deep" : { } }',
    "",
    " leading and trailing ",
    "  two leading",
    "\ttab",
    "data: x",
    "id: 1",
    "event: bridge.gap",
    "retry: 1",
    ": comment",
    ":",
    "data",
    "снег ❄ 🤖 \U0010ffff",
    "line\u2028separator\u2029paragraph\u0085next\x0bvertical\x0cfeed\x1cfile",
    "\ufeffmarked",
    "\ufeff",
    "nul\x00inside",
    "two\nlines",
    "\n",
    "\n\nends with\n",
    "data: x\n\nid: 7\nevent: y\n\n",
    '{"text":"' + "long " * 20_000 + '"}',
    "[DONE]",
    "null",
)

EVENTS = "/api/v1/events/{channel}"

BLOBS = (b"\x00\xff\r\n\x80", b"", b"text in bytes", bytes(range(256)) * 300)

TEXTS = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\r"), max_size=80
).filter(lambda text: "ping" not in text and "pong" not in text)
"""What a backend may say. Surrogates are no text, an event stream has no CR, and the pings and
pongs of a socket backend are between it and the bridge."""


@pytest.mark.parametrize("way", FOUR_WAYS, ids=str)
async def test_hostile_payloads_arrive_byte_for_byte(way: Way) -> None:
    async with travelling(way) as (backend, client):
        for payload in HOSTILE:
            backend.publish(CHANNEL, payload)
        assert await client.wait_payloads(len(HOSTILE)) == list(HOSTILE)
        assert client.holes == []


async def test_a_socket_carries_returns_that_an_event_stream_cannot() -> None:
    async with travelling(Way("ws", "ws")) as (backend, client):
        backend.publish(CHANNEL, "a\rb\r\nc")
        assert await client.wait_payloads(1) == ["a\rb\r\nc"]
    async with travelling(Way("ws", "sse")) as (backend, client):
        backend.publish(CHANNEL, "a\rb\r\nc")
        assert await client.wait_payloads(1) == ["a\nb\nc"]


async def test_binary_messages_stay_binary_between_sockets() -> None:
    async with travelling(Way("ws", "ws")) as (backend, client):
        assert isinstance(backend, WsBackend)
        for blob in BLOBS:
            backend.publish(CHANNEL, blob)
        assert await client.wait_payloads(len(BLOBS)) == list(BLOBS)


async def test_binary_messages_reach_event_streams_as_events_of_their_own() -> None:
    async with travelling(Way("ws", "sse")) as (backend, client):
        assert isinstance(backend, WsBackend)
        assert isinstance(client, SseClient)
        backend.publish(CHANNEL, "before")
        for blob in BLOBS:
            backend.publish(CHANNEL, blob)
        assert await client.wait_payloads(1 + len(BLOBS)) == ["before", *BLOBS]
        assert [event.event for event in client.events] == ["message"] + [BINARY] * len(BLOBS)


async def test_two_bridges_in_a_row_hand_binary_messages_on() -> None:
    async with (
        WsBackend() as backend,
        bridging(upstream_of(backend)) as near,
        bridging(UpstreamOptions(sse=SseOptions(f"http://{near.authority}{EVENTS}"))) as far,
        WsClient(far.authority) as client,
    ):
        await until(lambda: backend.subscribers(CHANNEL))
        await until(lambda: near.readers)
        backend.publish(CHANNEL, "text")
        backend.publish(CHANNEL, BLOBS[0])
        assert await client.wait_payloads(2) == ["text", BLOBS[0]]


async def test_event_names_pass_between_event_streams() -> None:
    async with travelling(Way("sse", "sse")) as (backend, client):
        assert isinstance(backend, SseBackend)
        assert isinstance(client, SseClient)
        backend.publish(CHANNEL, "{}", event="connected")
        backend.publish(CHANNEL, "{}")
        await client.wait_payloads(2)
        assert [event.event for event in client.events] == ["connected", "message"]


@pytest.fixture(scope="module")
async def open_ways() -> AsyncIterator[list[tuple[SseBackend | WsBackend, SseClient | WsClient]]]:
    """All four ways at once, for as long as this module runs."""
    async with AsyncExitStack() as stack:
        yield [await stack.enter_async_context(travelling(way)) for way in FOUR_WAYS]


@given(batch=st.lists(TEXTS, min_size=1, max_size=12))
@settings(max_examples=40, deadline=None)
async def test_any_batch_of_texts_arrives_in_order_and_unchanged(
    open_ways: list[tuple[SseBackend | WsBackend, SseClient | WsClient]], batch: list[str]
) -> None:
    for backend, client in open_ways:
        client.told.clear()
        for payload in batch:
            backend.publish(CHANNEL, payload)
    for _, client in open_ways:
        await client.wait_payloads(len(batch))
        assert client.told == batch
