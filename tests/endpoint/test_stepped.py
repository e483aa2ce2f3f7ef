"""Writing through an ASGI server's `send`, without a task for each client."""

import asyncio
import json
from typing import Any

import pytest
from starlette.types import Message, Scope

from bridge.endpoint.batch import body
from bridge.endpoint.stepped import SteppedStream, Stepper, servers_own, servers_own_kept
from bridge.history.cursor import Cursor
from bridge.history.log import Gap
from bridge.wire.endings import RESTART
from bridge.wire.event import END, GAP
from bridge.wire.sse import Decoder
from tests.support.waiting import until


class Server:
    """A server's `send`: waits while its client does not read, and fails once that is gone."""

    def __init__(self) -> None:
        self.sent: list[Any] = []
        self.reads = asyncio.Event()
        self.reads.set()
        self.fault: Exception | None = None
        self.given_up = False

    async def send(self, message: Message) -> None:
        try:
            await self.reads.wait()
        except asyncio.CancelledError:
            self.given_up = True
            raise
        if self.fault:
            raise self.fault
        self.sent.append(message["n"])


class Sending:
    """A stepper that notes what it tells, in order."""

    def __init__(self) -> None:
        self.server = Server()
        self.told: list[str] = []
        self.stepper = Stepper(
            self.server.send,
            full=lambda: self.told.append("full"),
            room=lambda: self.told.append("room"),
            lost=lambda: self.told.append("lost"),
        )

    def push(self, *numbers: int) -> None:
        for n in numbers:
            self.stepper.push({"type": "test", "n": n})


async def test_a_send_that_does_not_wait_is_out_at_once_and_costs_no_task() -> None:
    sending, tasks = Sending(), asyncio.all_tasks()
    sending.push(1, 2)
    assert sending.server.sent == [1, 2]
    assert asyncio.all_tasks() == tasks
    assert sending.told == []


async def test_a_send_that_waits_is_finished_by_a_task_and_what_follows_keeps_its_order() -> None:
    sending = Sending()
    sending.server.reads.clear()
    sending.push(1, 2, 3)
    assert (sending.server.sent, sending.told) == ([], ["full"])
    sending.server.reads.set()
    await until(lambda: sending.told == ["full", "room"])
    sending.push(4)
    assert sending.server.sent == [1, 2, 3, 4]


async def test_a_client_may_be_slow_more_than_once() -> None:
    sending = Sending()
    for n in (1, 2):
        sending.server.reads.clear()
        sending.push(n)
        sending.server.reads.set()
        await until(lambda n=n: sending.told == ["full", "room"] * n)  # type: ignore[misc]
    assert sending.server.sent == [1, 2]


@pytest.mark.parametrize("fault", [OSError("gone"), RuntimeError("after close")])
async def test_a_send_that_fails_means_that_the_peer_is_gone(fault: Exception) -> None:
    sending = Sending()
    sending.server.fault = fault
    sending.push(1, 2)
    assert (sending.server.sent, sending.told) == ([], ["lost"])


async def test_a_send_that_fails_after_a_wait_takes_what_waits_with_it() -> None:
    sending = Sending()
    sending.server.reads.clear()
    sending.push(1, 2, 3)
    sending.server.fault = OSError("gone")
    sending.server.reads.set()
    await until(lambda: "lost" in sending.told)
    sending.server.fault = None
    sending.push(4)
    assert (sending.server.sent, sending.told) == ([], ["full", "lost"])


async def test_nothing_is_sent_or_told_after_the_stop() -> None:
    sending = Sending()
    sending.server.reads.clear()
    sending.push(1, 2)
    await asyncio.sleep(0)  # the task has begun to wait
    sending.stepper.stop()
    await until(lambda: sending.server.given_up)
    sending.server.reads.set()
    sending.push(3)
    assert (sending.server.sent, sending.told) == ([], ["full"])


async def nowhere(message: Message) -> None:
    """A framework's wrapper."""


async def test_a_stream_gets_the_servers_send_without_a_frameworks_wrappers() -> None:
    server, scope = Server(), dict[str, Any]()
    with servers_own_kept(scope, server.send):
        assert servers_own(scope, nowhere) == server.send
    assert not scope, "a server's send holds the scope: together they would never be freed"


async def test_a_scope_without_a_kept_send_uses_the_one_at_hand() -> None:
    scope: Scope = {}
    assert servers_own(scope, nowhere) is nowhere


class Notes:
    """What a stream tells its reader, and the messages that it sends."""

    def __init__(self) -> None:
        self.told: list[str] = []
        self.messages: list[Message] = []
        self.stream = SteppedStream(self._send, lambda: self.told.append("abandon"))
        self.stream.reader = self  # type: ignore[assignment]
        self.reads = asyncio.Event()
        self.reads.set()

    async def _send(self, message: Message) -> None:
        await self.reads.wait()
        self.messages.append(message)

    def full(self) -> None:
        self.told.append("full")

    def room(self) -> None:
        self.told.append("room")

    def left(self) -> None:
        self.told.append("left")

    @property
    def events(self) -> list[tuple[str, Any]]:
        raw = b"".join(each["body"] for each in self.messages)
        return [(each.event, json.loads(each.data)) for each in Decoder().feed(raw)]


async def test_a_stream_tells_a_hole_and_goes_on() -> None:
    notes = Notes()
    notes.stream.gap(Gap("e1-1", Cursor("e1", 3), 2, "trimmed"))
    ((event, said),) = notes.events
    assert (event, said["new"]) == (GAP, "e1-3")
    assert notes.messages[-1]["more_body"]


async def test_a_stream_says_why_it_ends_and_finishes_the_response() -> None:
    notes = Notes()
    notes.stream.end(RESTART, "the bridge restarts")
    ((event, said),) = notes.events
    assert (event, said["code"], said["reason"]) == (END, RESTART.name, "the bridge restarts")
    assert [each["more_body"] for each in notes.messages] == [True, False]


async def test_a_stream_holds_its_reader_while_its_client_does_not_read() -> None:
    notes = Notes()
    notes.reads.clear()
    notes.stream.write(body(b": x\n\n"))
    assert notes.told == ["full"]
    notes.reads.set()
    await until(lambda: notes.told == ["full", "room"])
    notes.stream.close()
    notes.stream.write(body(b": y\n\n"))
    assert notes.told == ["full", "room", "left"]
    assert [each["body"] for each in notes.messages] == [b": x\n\n"]


async def test_aborting_a_stream_abandons_its_endpoint() -> None:
    notes = Notes()
    notes.stream.abort()
    assert (notes.told, notes.messages) == (["abandon"], [])
