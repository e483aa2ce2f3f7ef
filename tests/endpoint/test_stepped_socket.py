"""A WebSocket behind an ASGI server, whose `receive` and `send` are the test's."""

import asyncio
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.types import Message

from bridge.endpoint.stepped_socket import SteppedSocket, cut
from bridge.wire.dialect import Dialect, DialectOptions
from bridge.wire.endings import COMPLETE, RESTART
from bridge.wire.frame import Frame
from tests.endpoint.clockwork import Time
from tests.support.waiting import until

TIMEOUT = 2.0
GONE: Message = {"type": "websocket.disconnect", "code": 1000}


class Served:
    """A socket, what its server sent, and what it told."""

    def __init__(self, dialect: DialectOptions | None = None) -> None:
        self.time = Time()
        self.said = asyncio.Queue[Message]()
        self.sent: list[Message] = []
        self.told: list[str] = []
        self.heard: list[str | bytes] = []
        self.reads = asyncio.Event()  # whether the client takes what is sent
        self.reads.set()
        self.socket = SteppedSocket(
            self.said.get,
            self._send,
            Dialect(dialect),
            lambda: self.told.append("abandon"),
            timeout=TIMEOUT,
            wheel=self.time.wheel,
        )
        self.socket.conversation = self  # type: ignore[assignment]

    async def _send(self, message: Message) -> None:
        await self.reads.wait()
        self.sent.append(message)

    def say(self, *messages: str | bytes) -> None:
        for each in messages:
            kind = "text" if isinstance(each, str) else "bytes"
            self.said.put_nowait({"type": "websocket.receive", kind: each})

    # What a conversation is told.

    def hear(self, frame: Frame) -> None:
        self.heard.append(frame.raw)

    def full(self) -> None:
        self.told.append("full")

    def room(self) -> None:
        self.told.append("room")


def payloads(messages: list[Message]) -> list[Any]:
    return [each.get("text", each.get("bytes")) for each in messages]


async def test_messages_go_out_one_by_one_in_order() -> None:
    served = Served()
    served.socket.deliver("a")
    served.socket.write([{"type": "websocket.send", "text": "b"}])
    served.socket.deliver(b"c")
    assert payloads(served.sent) == ["a", "b", b"c"]


async def test_every_message_is_heard_until_the_client_is_gone() -> None:
    served = Served()
    served.say("a", b"b", "")
    served.said.put_nowait(GONE)
    await asyncio.wait_for(served.socket.read(), 10)
    assert served.heard == ["a", b"b", ""]


async def test_a_client_that_does_not_read_is_not_read_from() -> None:
    served = Served()
    served.reads.clear()
    served.socket.deliver("a")
    assert served.told == ["full"]
    served.say("x")
    served.said.put_nowait(GONE)
    reading = asyncio.create_task(served.socket.read())
    await asyncio.sleep(0)
    assert served.said.qsize() == 2
    served.reads.set()
    await asyncio.wait_for(reading, 10)
    assert (served.told, served.heard) == (["full", "room"], ["x"])


async def test_what_the_conversation_does_not_want_stays_with_the_server() -> None:
    served = Served()
    served.socket.listen(wanted=False)
    served.say("x")
    served.said.put_nowait(GONE)
    reading = asyncio.create_task(served.socket.read())
    await asyncio.sleep(0)
    assert served.said.qsize() == 2
    served.socket.listen(wanted=True)
    await asyncio.wait_for(reading, 10)
    assert served.heard == ["x"]


async def test_a_socket_closes_once_and_says_nothing_after() -> None:
    served = Served()
    served.socket.close(COMPLETE, "over")
    served.socket.close(RESTART, "again")
    served.socket.deliver("late")
    served.socket.write([{"type": "websocket.send", "text": "late"}])
    assert served.sent == [{"type": "websocket.close", "code": 1000, "reason": "over"}]


async def test_a_socket_that_closes_hears_its_client_out_whatever_was_wanted() -> None:
    served = Served()
    served.socket.listen(wanted=False)
    served.socket.close(COMPLETE, "")
    served.said.put_nowait(GONE)
    await asyncio.wait_for(served.socket.read(), 10)


@pytest.mark.parametrize(("ending", "is_cut"), [(RESTART, True), (COMPLETE, False)])
async def test_who_comes_back_only_after_an_unclean_end_gets_one(ending: Any, is_cut: bool) -> None:
    served = Served(DialectOptions(transient="cut"))
    served.socket.close(ending, "")
    assert served.told == (["abandon"] if is_cut else [])
    assert [each["type"] for each in served.sent] == ([] if is_cut else ["websocket.close"])


async def test_a_last_word_that_nobody_takes_is_waited_for_within_bounds() -> None:
    served = Served()
    served.reads.clear()
    served.socket.close(COMPLETE, "over")
    served.time.move(TIMEOUT / 2)
    assert served.told == ["full"]
    served.time.move(TIMEOUT)
    assert served.told == ["full", "abandon"]
    served.socket.stop()


async def test_an_endpoint_that_returns_leaves_no_deadline_and_sends_nothing_more() -> None:
    served, tasks = Served(), asyncio.all_tasks()
    served.reads.clear()
    served.socket.deliver("a")
    served.socket.close(COMPLETE, "over")
    served.socket.stop()
    served.reads.set()
    served.time.move(5 * TIMEOUT)
    await until(lambda: asyncio.all_tasks() == tasks)
    assert (served.sent, served.told) == ([], ["full"])


async def test_dropping_a_socket_abandons_its_endpoint() -> None:
    served = Served()
    served.socket.abort()
    assert (served.told, served.sent) == (["abandon"], [])


@given(st.text())
def test_a_reason_is_cut_at_a_character_to_what_a_close_frame_holds(reason: str) -> None:
    found = cut(reason)
    assert reason.startswith(found)
    assert len(found.encode()) <= 123
    assert found == reason or len(found.encode()) > 119
