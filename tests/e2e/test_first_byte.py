"""An event stream begins at once: in the turn of its request, whatever the backend does."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from starlette.applications import Starlette
from starlette.types import Message, Scope

from bridge.app import create_app
from bridge.config import Config
from tests.support.backends import SseBackend
from tests.support.bridges import CHANNEL, bridging, upstream_of
from tests.support.clients import SseClient
from tests.support.waiting import until


def _scope(*headers: tuple[bytes, bytes]) -> Scope:
    return {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": f"/api/v1/events/{CHANNEL}",
        "raw_path": f"/api/v1/events/{CHANNEL}".encode(),
        "query_string": b"",
        "root_path": "",
        "headers": [(b"host", b"bridge"), (b"accept", b"text/event-stream"), *headers],
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 2),
    }


class Recorder:
    """The server's side of one request: writes down what is sent, and lets the client leave."""

    def __init__(self) -> None:
        self.sent: list[Message] = []
        self.left = asyncio.Event()

    async def receive(self) -> Message:
        await self.left.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Message) -> None:
        self.sent.append(message)


@asynccontextmanager
async def started(backend: SseBackend) -> AsyncIterator[Starlette]:
    """An application that is driven by hand."""
    app = create_app(Config(upstream=upstream_of(backend)))
    async with app.router.lifespan_context(app):
        yield app


@pytest.mark.parametrize("running", [True, False], ids=["backend up", "backend down"])
async def test_headers_and_place_are_out_before_the_request_waits_for_anything(
    running: bool,
) -> None:
    async with SseBackend(running=running) as backend, started(backend) as app:
        recorder = Recorder()
        request = asyncio.create_task(app(_scope(), recorder.receive, recorder.send))
        await asyncio.sleep(0)  # one turn of the loop: the request runs until it first waits
        start, body = recorder.sent
        assert (start["status"], start["type"]) == (200, "http.response.start")
        assert body["body"].startswith(b"id: ")
        assert body["body"].endswith(b"-0\n\n")
        assert body["more_body"]
        assert backend.openings == []
        recorder.left.set()
        await request


async def test_a_lost_place_is_told_in_the_same_turn() -> None:
    async with SseBackend() as backend, started(backend) as app:
        recorder = Recorder()
        scope = _scope((b"last-event-id", b"elsewhere-7"))
        request = asyncio.create_task(app(scope, recorder.receive, recorder.send))
        await asyncio.sleep(0)
        assert recorder.sent[1]["body"].startswith(b"event: bridge.gap\n")
        recorder.left.set()
        await request


async def test_a_client_has_its_place_while_the_backend_is_still_down() -> None:
    async with (
        SseBackend(running=False) as backend,
        bridging(upstream_of(backend)) as bridge,
        SseClient(bridge.authority) as client,
    ):
        assert client.place
        assert (backend.openings, client.told) == ([], [])
        await backend.start()
        await until(lambda: backend.subscribers(CHANNEL))
