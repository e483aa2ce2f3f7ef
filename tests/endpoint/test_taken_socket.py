"""The server side of a taken-over WebSocket, against clients that spell out every byte."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio
import pytest
from structlog.testing import capture_logs
from websockets.frames import Close, Frame, Opcode

from bridge.endpoint.conversation import Conversation
from bridge.endpoint.limits import LimitOptions
from bridge.endpoint.options import ClientOptions
from bridge.endpoint.taken_socket import TakenSocket
from bridge.wire.dialect import DialectOptions
from bridge.wire.endings import COMPLETE, RESTART
from tests.endpoint.parts import Running, bridging, upstream_of
from tests.endpoint.raw import Line, closing_frame, socket_line, text
from tests.support.backends import WsBackend
from tests.support.servers import ways
from tests.support.waiting import until

PONG = '{"type":"pong"}'
PING = '{"type":"ping"}'


FAST = ways(fast=True)
PLAIN, ANY = ClientOptions(), DialectOptions()


@asynccontextmanager
async def taken(
    client: ClientOptions = PLAIN, dialect: DialectOptions = ANY, receive_buffer: int = 0
) -> AsyncIterator[tuple[Running, Line]]:
    """A bridge, and a client whose connection it has taken over."""
    limit = client.max_frame_bytes
    async with (
        bridging(server=FAST, ws_max_size=limit, client=client, dialect=dialect) as bridge,
        socket_line(bridge.authority, receive_buffer=receive_buffer) as line,
    ):
        await until(lambda: bridge.readers == 1)
        assert bridge.count("clients_stepped", wire="ws") == 0
        yield bridge, line
    assert bridge.count("clients", wire="ws") == 0
    assert bridge.readers == 0


async def answers(line: Line) -> bool:
    """Whether the client is heard: the dialect answers its ping."""
    line.send(text(PING))
    return "pong" in await line.said()


async def test_events_come_as_frames_in_order() -> None:
    async with taken() as (bridge, line):
        bridge.publish("a", "b")
        bridge.publish("c")
        assert [await line.said() for _ in range(3)] == ["a", "b", "c"]


@pytest.mark.parametrize("size", [1, 2, 3, 7, 64])
async def test_a_message_may_come_in_any_pieces(size: int) -> None:
    async with taken() as (_, line):
        raw = text('{"type": "ping", "filler": "' + "x" * 200 + '"}')
        for at in range(0, len(raw), size):
            line.send(raw[at : at + size])
            await asyncio.sleep(0)
        assert "pong" in await line.said()
        assert await answers(line)


async def test_a_fragmented_message_is_put_together_around_control_frames() -> None:
    async with taken() as (_, line):
        line.send(
            text('{"type"', fin=False),
            text(b"are you there", opcode=Opcode.PING),
            text(':"pi', fin=False, opcode=Opcode.CONT),
            text(b"", opcode=Opcode.PONG),
            text('ng"}', opcode=Opcode.CONT),
        )
        pong = await line.frame()
        assert (pong.opcode, bytes(pong.data)) == (Opcode.PONG, b"are you there")
        assert "pong" in await line.said()


async def test_many_messages_may_come_in_one_read() -> None:
    async with taken() as (_, line):
        line.send(text(PING) * 100)
        for _ in range(100):
            assert "pong" in await line.said()


async def test_a_character_may_be_cut_by_fragments() -> None:
    async with taken() as (_, line):
        raw = '{"type":"ping","é":1}'.encode()
        cut = raw.index("é".encode()) + 1
        line.send(text(raw[:cut], fin=False), text(raw[cut:], opcode=Opcode.CONT))
        assert "pong" in await line.said()


async def test_the_client_closes_and_gets_its_own_code_back() -> None:
    async with taken() as (_, line):
        line.send(closing_frame(4321, "bye"))
        frame = await line.frame()
        assert Close.parse(bytes(frame.data)) == Close(4321, "bye")
        assert await line.rest() == b""


async def test_a_close_without_a_code_is_answered_by_one_without() -> None:
    async with taken() as (_, line):
        line.send(text(b"", opcode=Opcode.CLOSE))
        frame = await line.frame()
        assert (frame.opcode, bytes(frame.data)) == (Opcode.CLOSE, b"")


async def test_nothing_is_sent_after_the_client_has_closed() -> None:
    async with taken() as (bridge, line):
        line.send(closing_frame() + text(PING))
        await until(lambda: bridge.readers == 0)
        assert await line.close_code() == 1000
        assert await line.rest() == b""


async def test_the_bridge_closes_and_waits_for_the_client() -> None:
    async with taken() as (bridge, line):
        bridge.publish("a")
        bridge.channel().ended(COMPLETE, "done")
        assert await line.said() == "a"
        frame = await line.frame()
        assert Close.parse(bytes(frame.data)) == Close(1000, "done")
        line.send(text(PING), text(b"x", opcode=Opcode.PING))  # heard no more
        line.send(closing_frame())
        assert await line.rest() == b""


async def test_a_client_that_never_answers_a_close_is_dropped_in_time() -> None:
    async with taken(ClientOptions(send_timeout=0.2)) as (bridge, line):
        bridge.channel().ended(COMPLETE, "done")
        assert await line.close_code() == 1000
        assert await line.rest() == b""


async def test_a_client_that_must_not_see_a_close_frame_is_cut_off() -> None:
    async with taken(dialect=DialectOptions(transient="cut")) as (bridge, line):
        bridge.publish("a")
        await until(lambda: bridge.count("events_delivered", wire="ws"))
        bridge.bridge.hub.drain(RESTART)
        assert await line.said() == "a"
        assert await line.rest() == b""


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        (Frame(Opcode.TEXT, b"hello").serialize(mask=False), 1002),
        (bytes([0xC1, 0x80]) + bytes(4), 1002),
        (bytes([0x83, 0x80]) + bytes(4), 1002),
        (text(b"x", opcode=Opcode.CONT), 1002),
        (text(b"a", fin=False) + text(b"b"), 1002),
        (bytes([0x09, 0x80]) + bytes(4), 1002),
        (text(b"\xff\xfe"), 1007),
        (text("é".encode()[:1], fin=False) + text(b"!", opcode=Opcode.CONT), 1007),
        (text(b"\x03\xe8\xff", opcode=Opcode.CLOSE), 1007),
        (text(b"\x03", opcode=Opcode.CLOSE), 1002),
        (text(b"\x03\xed", opcode=Opcode.CLOSE), 1002),
        (text("x" * 2000), 1009),
        (text("x" * 900, fin=False) + text("x" * 900, opcode=Opcode.CONT), 1009),
    ],
    ids=[
        "unmasked",
        "reserved bit",
        "reserved opcode",
        "continues nothing",
        "begins within a message",
        "fragmented ping",
        "not UTF-8",
        "not UTF-8 in fragments",
        "reason not UTF-8",
        "half a code",
        "code that must not be sent",
        "too large",
        "too large in fragments",
    ],
)
async def test_what_breaks_the_protocol_is_closed_with_its_code(wrong: bytes, code: int) -> None:
    async with taken(ClientOptions(max_frame_bytes=1000)) as (bridge, line):
        line.send(wrong)
        assert await line.close_code() == code
        await until(lambda: bridge.readers == 0)


async def test_an_idle_connection_keeps_no_parser() -> None:
    async with taken() as (bridge, line):
        assert await answers(line)
        [socket] = sockets(bridge)
        assert socket._parser is None
        line.send(text("{", fin=False))
        await until(lambda: socket._parser is not None)
        line.send(text('"type":"ping"}', opcode=Opcode.CONT))
        assert "pong" in await line.said()
        assert socket._parser is None


async def test_a_client_that_does_not_answer_pings_is_dropped() -> None:
    async with taken(ClientOptions(ping=0.2)) as (_, line):
        assert (await line.frame()).opcode is Opcode.PING
        assert await line.rest() == b""


async def test_one_that_answers_pings_stays() -> None:
    async with taken(ClientOptions(ping=0.2)) as (bridge, line):
        for _ in range(3):
            assert (await line.frame()).opcode is Opcode.PING
            line.send(text(b"", opcode=Opcode.PONG))
        bridge.publish("a")
        while (frame := await line.frame()).opcode is Opcode.PING:
            line.send(text(b"", opcode=Opcode.PONG))
        assert bytes(frame.data) == b"a"


async def test_a_client_that_does_not_read_is_not_read_from_until_it_does() -> None:
    async with taken(receive_buffer=4096) as (bridge, line):
        [socket] = sockets(bridge)
        bridge.publish(*("x" * 60_000 for _ in range(100)))
        await until(lambda: socket._full)
        line.send(text(PING))
        assert not socket.transport.is_reading()
        for _ in range(100):
            assert len(await line.said()) == 60_000
        assert "pong" in await line.said()


async def test_a_client_that_reads_no_more_is_closed_as_too_slow_and_dropped() -> None:
    async with taken(ClientOptions(send_timeout=0.2), receive_buffer=4096) as (bridge, _):
        bridge.publish(*("x" * 60_000 for _ in range(100)))
        await until(lambda: bridge.readers == 0)
        await until(lambda: bridge.count("clients", wire="ws") == 0)
        assert bridge.count("slow_clients", wire="ws") == 1


async def test_a_socket_without_a_channel_that_reads_no_answers_is_dropped_too() -> None:
    options = ClientOptions(send_timeout=0.2)
    async with (
        bridging(server=FAST, client=options) as bridge,
        socket_line(bridge.authority, "/api/v1/ws", receive_buffer=4096) as line,
    ):
        await until(lambda: bridge.count("clients", wire="ws") == 1)
        flood = text(b"x" * 120, opcode=Opcode.PING) * 500
        with anyio.fail_after(10):
            while bridge.count("clients", wire="ws"):
                line.send(flood)
                await asyncio.sleep(0.005)  # a full socket has no event on this side
        assert bridge.count("slow_clients", wire="ws") == 1


async def test_a_client_that_outruns_its_backend_is_slowed_down_and_heard_in_order() -> None:
    async with WsBackend() as backend:
        options = ClientOptions(uplink_queue=2)
        async with (
            bridging(upstream_of(backend), server=FAST, client=options) as bridge,
            socket_line(bridge.authority) as line,
        ):
            said = [f'{{"n":{n}}}' for n in range(50)]
            for each in said:
                line.send(text(each))
            await until(lambda: len(backend.received) == 51)  # our own subscription comes first
            assert [each.raw for each in backend.received[1:]] == said


async def test_a_fault_of_ours_closes_the_socket_and_is_logged(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fail(*_: object) -> None:
        raise LookupError("no such thing")

    async with taken() as (_, line):
        monkeypatch.setattr(Conversation, "hear", fail)
        with capture_logs() as lines:
            line.send(text("hello"))
            assert await line.close_code() == 1011
    assert [each["exc_info"] for each in lines if each["log_level"] == "error"] == [True]


async def test_events_after_a_close_are_not_sent() -> None:
    dialect = DialectOptions(uplink_refused="close")
    async with taken(ClientOptions(max_subscriptions=1), dialect) as (bridge, line):
        line.send(text('{"type":"subscribe","channel":"project.2"}'))
        await until(lambda: bridge.readers == 0)
        bridge.publish("late")
        assert await line.close_code() == 1008
        line.send(closing_frame())
        assert await line.rest() == b""


async def test_leaving_without_a_word_is_noticed() -> None:
    async with taken() as (bridge, line):
        line.writer.close()
        await until(lambda: bridge.readers == 0)
        bridge.publish("to nobody")


async def test_a_server_that_stops_says_so_to_sockets_that_read_nothing() -> None:
    async with (
        bridging(server=FAST) as bridge,
        socket_line(bridge.authority, "/api/v1/ws") as line,
    ):
        await until(lambda: bridge.count("clients", wire="ws") == 1)
        for socket in sockets(bridge):
            socket.shutdown()
        assert await line.close_code() == 1012


def sockets(bridge: Running) -> list[TakenSocket]:
    """All sockets that are taken over, as the pulse knows them."""
    parts = bridge.bridge.pulse._parts
    return [each for part in parts for each in part if isinstance(each, TakenSocket)]


PONGS = Frame(Opcode.PONG, b"").serialize(mask=True) * 20_000


async def test_a_flood_is_heard_in_slices_and_others_have_their_turn(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sizes: list[int] = []
    parse = TakenSocket._parse

    def noted(self: TakenSocket, data: bytes) -> None:
        sizes.append(len(data))
        parse(self, data)

    monkeypatch.setattr(TakenSocket, "_parse", noted)
    async with taken() as (_, line):
        line.send(PONGS)
        assert await answers(line)
    assert sum(sizes) > len(PONGS)
    assert max(sizes) <= 8192


async def test_what_a_client_said_before_it_left_is_heard_out() -> None:
    async with (
        WsBackend() as backend,
        bridging(upstream_of(backend), server=FAST) as bridge,
        socket_line(bridge.authority) as line,
    ):
        await until(lambda: bridge.readers == 1 and backend.subscribers("project.1"))
        line.send(PONGS[:60_000], text('{"last":1}'))
        line.writer.write_eof()
        await until(lambda: any("last" in str(each) for each in backend.received))


@pytest.mark.parametrize(
    "flood",
    [
        Frame(Opcode.PONG, b"").serialize(mask=True),
        Frame(Opcode.PING, b"").serialize(mask=True),
        Frame(Opcode.CONT, b"", fin=False).serialize(mask=True),
    ],
)
async def test_what_says_nothing_counts_as_frames_too(flood: bytes) -> None:
    limits = LimitOptions(frames=5)
    async with (
        bridging(server=FAST, limits=limits) as bridge,
        socket_line(bridge.authority) as line,
    ):
        line.send(text("{", fin=False), flood * 100)
        assert await line.close_code() == 1013
        assert bridge.count("clients_refused", reason="frames") == 1
