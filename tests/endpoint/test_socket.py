"""A client's socket: nothing follows a close, however it came about."""

from collections.abc import Callable

import anyio
import pytest
from starlette.types import Message
from starlette.websockets import WebSocket, WebSocketDisconnect

from bridge.endpoint.socket import Socket, SocketSink
from bridge.history.cursor import Cursor
from bridge.history.entry import Entry
from bridge.history.log import Gap
from bridge.wire.dialect import Dialect
from bridge.wire.dialect_options import DialectOptions
from bridge.wire.endings import ABNORMAL, COMPLETE, FORBIDDEN, NOT_FOUND, RESTART, Ending
from bridge.wire.event import Event
from bridge.wire.names import ChannelName

NAME = ChannelName("project.1")


class Server:
    """The server's end of one socket, which may fail as servers do."""

    def __init__(self, query: str = "", **headers: str) -> None:
        self.sent: list[Message] = []
        self.fault: Callable[[], Exception | None] = lambda: None
        self.open = anyio.Event()
        self.open.set()
        self.scope = {
            "type": "websocket",
            "path": "/",
            "query_string": query.encode(),
            "headers": [
                (key.replace("_", "-").encode(), value.encode()) for key, value in headers.items()
            ],
            "subprotocols": ["other", "bearer", "secret"],
        }

    async def receive(self) -> Message:
        return {"type": "websocket.connect"}

    async def send(self, message: Message) -> None:
        await self.open.wait()
        fault = self.fault()
        if fault:
            raise fault
        self.sent.append(message)

    def socket(self, options: DialectOptions | None = None, send_timeout: float = 10) -> Socket:
        websocket = WebSocket(self.scope, self.receive, self.send)
        return Socket(websocket, Dialect(options), send_timeout)

    @property
    def texts(self) -> list[str]:
        return [each["text"] for each in self.sent if each["type"] == "websocket.send"]

    @property
    def closes(self) -> list[tuple[int, str]]:
        return [(each["code"], each["reason"]) for each in self.sent if "code" in each]


async def accepted(
    server: Server, options: DialectOptions | None = None, send_timeout: float = 10
) -> Socket:
    socket = server.socket(options, send_timeout)
    await socket.accept()
    return socket


def entry(data: str | bytes, **event: str) -> Entry:
    return Entry("e", 7, Event(data, **event), 0.0)  # type: ignore[arg-type]


def sink(socket: Socket, *, last: bool = True) -> SocketSink:
    return SocketSink(socket, NAME, lambda event, _: (event.data,), lambda: last)


async def test_the_known_subprotocol_among_those_offered_is_echoed() -> None:
    server = Server()
    await accepted(server)
    assert server.sent[0]["subprotocol"] == "bearer"


@pytest.mark.parametrize(
    ("server", "place"),
    [
        (Server(), None),
        (Server("last_event_id=e-1"), "e-1"),
        (Server("last_event_id="), None),
        (Server("last_event_id=e-1", last_event_id="e-2"), "e-2"),
    ],
)
def test_the_place_is_that_of_the_header_else_of_the_query(
    server: Server, place: str | None
) -> None:
    assert server.socket().place == place


@pytest.mark.parametrize(
    ("query", "wants"),
    [("", False), ("notices=true", True), ("notices=1", True), ("notices=false", False)],
)
async def test_notices_are_for_those_who_ask(query: str, wants: bool) -> None:
    server = Server(query)
    socket = await accepted(server)
    await socket.notify("bridge.cursor", id="e-1")
    assert socket.wants_notices is wants
    assert server.texts == (['{"type":"bridge.cursor","id":"e-1"}'] if wants else [])


async def test_nothing_is_said_where_the_dialect_says_nothing() -> None:
    server = Server()
    socket = await accepted(server)
    await socket.say(None)
    await socket.say("")
    assert server.texts == []


async def test_a_socket_closes_once() -> None:
    server, rings = Server(), []
    socket = await accepted(server)
    socket.on_close = lambda: rings.append(1)
    await socket.close(FORBIDDEN, "first")
    await socket.close(NOT_FOUND, "second")
    assert server.closes == [(4403, "first")]
    assert rings == [1]
    assert socket.closed


async def test_nothing_follows_a_close() -> None:
    server = Server()
    socket = await accepted(server)
    await socket.close(COMPLETE, "")
    with pytest.raises(WebSocketDisconnect):
        await socket.deliver("late")
    assert server.texts == []


@pytest.mark.parametrize(
    ("ending", "options", "code"),
    [
        (ABNORMAL, DialectOptions(), 1011),
        (COMPLETE, DialectOptions(), 1000),
        (FORBIDDEN, DialectOptions(close_codes={"forbidden": 4003}), 4003),
    ],
)
async def test_a_code_that_may_not_stand_on_the_wire_is_replaced(
    ending: Ending, options: DialectOptions, code: int
) -> None:
    server = Server()
    await (await accepted(server, options)).close(ending, "")
    assert server.closes == [(code, "")]


@pytest.mark.parametrize("reason", ["x" * 124, "\u20ac" * 60, "\U0001f600" * 31])
async def test_a_reason_fits_a_control_frame_and_cuts_no_character(reason: str) -> None:
    server = Server()
    await (await accepted(server)).close(FORBIDDEN, reason)
    ((_, cut),) = server.closes
    assert len(cut.encode()) <= 123
    assert reason.startswith(cut)
    assert len(cut.encode()) > 119


@pytest.mark.parametrize("fault", [OSError, ConnectionResetError, RuntimeError])
async def test_however_a_server_says_that_the_client_left_it_is_a_disconnect(
    fault: type[Exception],
) -> None:
    server = Server()
    socket = await accepted(server)
    server.fault = fault
    with pytest.raises(WebSocketDisconnect):
        await socket.deliver("x")
    with pytest.raises(WebSocketDisconnect):
        await socket.deliver(b"x")
    await socket.close(FORBIDDEN, "")
    assert socket.closed


async def test_who_lets_a_word_of_the_dialect_wait_is_ended() -> None:
    server, rings = Server(), []
    socket = await accepted(server, send_timeout=0.01)
    socket.on_close = lambda: rings.append(1)
    server.open = anyio.Event()
    with anyio.fail_after(10):
        await socket.say("pong")
    assert socket.closed
    assert rings == [1]
    assert server.closes == []


async def test_each_entry_is_a_frame_and_the_place_follows_them() -> None:
    server = Server("notices=1")
    await sink(await accepted(server)).send([entry("a"), entry("b")], Cursor("e", 7))
    assert server.texts == ["a", "b", '{"type":"bridge.cursor","channel":"project.1","id":"e-7"}']


async def test_a_notice_in_the_log_is_no_frame_for_legacy_clients() -> None:
    server = Server()
    gap = Gap("e-1", Cursor("e", 2), None, "reconnected")
    both = [entry("a"), entry(gap.data, type="bridge.gap", origin="bridge"), entry("b")]
    await sink(await accepted(server)).send(both, Cursor("e", 7))
    assert server.texts == ["a", "b"]


async def test_a_heartbeat_is_the_protocols_own_business() -> None:
    server = Server("notices=1")
    await sink(await accepted(server)).heartbeat(Cursor("e", 1))
    assert server.texts == []


async def test_a_transient_end_closes_even_where_others_go_on() -> None:
    server = Server()
    await sink(await accepted(server), last=False).end(RESTART, "soon back")
    assert server.closes == [(1012, "soon back")]


async def test_a_final_end_leaves_the_others() -> None:
    server = Server()
    await sink(await accepted(server), last=False).end(NOT_FOUND, "gone")
    assert server.closes == []


async def test_the_socket_is_given_up_where_not_even_the_end_can_be_told() -> None:
    server, rings = Server("notices=1"), []
    socket = await accepted(server)
    socket.on_close = lambda: rings.append(1)
    server.open = anyio.Event()
    with anyio.move_on_after(0.01):
        await sink(socket).end(FORBIDDEN, "")
    assert rings == [1]
