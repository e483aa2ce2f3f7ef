"""A WebSocket backend as an upstream: real servers, well-behaved and not."""

from __future__ import annotations

import asyncio
import http
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing, asynccontextmanager
from typing import Any

import pytest
from websockets.asyncio.server import ServerConnection, serve
from websockets.http11 import Request, Response

from bridge.seams import Got, Lost, Opened, Signal
from bridge.upstream.ws import WsOptions, WsUpstream
from bridge.wire.endings import TRY_LATER
from bridge.wire.frame import Frame
from bridge.wire.names import ChannelName
from tests.support.servers import free_port
from tests.support.waiting import until
from tests.upstream.record import Tally, payloads, raw_server, saying

NAME = ChannelName.parse("project.42")
ACK = '{"type":"subscribe","projectId":"project.42"}'
Serve = Callable[[ServerConnection], Awaitable[None]]


@asynccontextmanager
async def backend(handler: Serve, **options: Any) -> AsyncIterator[str]:
    """A `websockets` server; gives `127.0.0.1:PORT`."""
    async with serve(handler, "127.0.0.1", 0, close_timeout=0.1, **options) as server:
        host, port = next(iter(server.sockets)).getsockname()
        yield f"{host}:{port}"


def upstream(address: str, path: str = "/{channel}", **options: Any) -> WsUpstream:
    made = WsOptions(f"ws://{address}{path}", **options)
    return WsUpstream(made, NAME, lambda: 7.0, options.get("meter", Tally()))


async def read(made: WsUpstream, resume: str | None = None) -> list[Signal]:
    """All signals of one opening."""
    return [signal async for signal in made.open(resume)]


def lost(signals: list[Signal]) -> Lost:
    assert isinstance(signals[-1], Lost)
    assert not [signal for signal in signals[:-1] if isinstance(signal, Lost)]
    return signals[-1]


def sending(*messages: str | bytes, code: int = 1000, reason: str = "") -> Serve:
    """A backend that takes the subscription, says these and closes."""

    async def handler(connection: ServerConnection) -> None:
        await connection.recv()
        for message in messages:
            await connection.send(message)
        await connection.close(code, reason)

    return handler


async def test_messages_arrive_exactly_as_they_were_sent() -> None:
    sent: list[str | bytes] = [
        '{"a": 1 }',
        "two\r\nlines",
        "ünï 🤖",
        "",
        b"\x00\xff",
        "x" * 2_000_000,
    ]
    async with backend(sending(*sent)) as address:
        signals = await read(upstream(address))
    assert signals[0] == Opened()
    assert payloads(signals) == sent
    events = [event for signal in signals if isinstance(signal, Got) for event in signal.events]
    assert {(each.type, each.origin, each.at, each.id) for each in events} == {
        ("message", "ws", 7.0, "")
    }
    assert [signal.last_id for signal in signals if isinstance(signal, Got)][-1] is None


async def test_messages_that_are_there_come_as_one_batch() -> None:
    frames = b"".join(b"\x81\x02%02d" % number for number in range(50))

    async def handler(connection: ServerConnection) -> None:
        await connection.recv()
        connection.transport.write(frames)  # one write, one read
        await connection.wait_closed()

    async with backend(handler) as address, aclosing(upstream(address).open(None)) as signals:
        batches: list[int] = []
        while sum(batches) < 50:
            signal = await anext(signals)
            if isinstance(signal, Got):
                batches.append(len(signal.events))
    assert max(batches) > 1


async def test_the_subscription_names_channel_and_place() -> None:
    seen: list[tuple[str, str | bytes, str | None]] = []

    async def handler(connection: ServerConnection) -> None:
        assert connection.request is not None
        headers = connection.request.headers
        frame = await connection.recv()
        seen.append((connection.request.path, frame, headers.get("Authorization")))

    subscribe = '{"to":{"c":"{channel}","k":"{kind}","i":"{id}"},"since":"{resume}"}'
    async with backend(handler) as address:
        made = upstream(
            address, "/{kind}?c={channel}", subscribe=subscribe, headers={"Authorization": "B t"}
        )
        await read(made)
        await read(made, 'a"b')
    filled = '{"to":{"c":"project.42","k":"project","i":"42"},"since":"%s"}'
    assert seen == [
        ("/project?c=project.42", filled % "", "B t"),
        ("/project?c=project.42", filled % 'a\\"b', "B t"),
    ]


async def test_the_default_subscription_is_that_of_legacy_clients() -> None:
    seen: list[str | bytes] = []

    async def handler(connection: ServerConnection) -> None:
        seen.append(await connection.recv())
        await connection.send(ACK)
        await connection.send("after")

    async with backend(handler) as address:
        signals = await read(upstream(address))
    assert seen == [ACK]
    assert payloads(signals) == ["after"]


async def test_without_a_subscription_none_is_sent_and_no_acknowledgement_consumed() -> None:
    async def handler(connection: ServerConnection) -> None:
        await connection.send(ACK)

    async with backend(handler) as address:
        assert payloads(await read(upstream(address, subscribe=""))) == [ACK]


async def test_pings_of_the_backend_are_answered() -> None:
    seen: list[str | bytes] = []

    async def handler(connection: ServerConnection) -> None:
        await connection.recv()
        for ping in ("ping", '{"type":"ping"}'):
            await connection.send(ping)
            seen.append(await connection.recv())

    async with backend(handler) as address:
        assert payloads(await read(upstream(address))) == []
    assert seen == ["pong", '{"type":"pong"}']


async def test_the_place_comes_from_the_payload() -> None:
    async with backend(sending('{"seq":5}', '{"seq":6}')) as address:
        signals = await read(upstream(address, resume_field="seq"))
    events = [event for signal in signals if isinstance(signal, Got) for event in signal.events]
    assert [event.id for event in events] == ["5", "6"]
    assert [signal.last_id for signal in signals if isinstance(signal, Got)][-1] == "6"


async def test_subprotocols_are_offered() -> None:
    seen: list[str | None] = []

    async def handler(connection: ServerConnection) -> None:
        seen.append(connection.subprotocol)

    async with backend(handler, subprotocols=["v2"]) as address:
        await read(upstream(address, subprotocols=("v1", "v2")))
    assert seen == ["v2"]


async def test_an_http_url_is_taken_for_a_websocket_one() -> None:
    async with backend(sending("a")) as address:
        options = WsOptions(f"http://{address}/{{channel}}")
        made = WsUpstream(options, NAME, lambda: 0.0, Tally())
        assert payloads(await read(made)) == ["a"]


# Closes.


@pytest.mark.parametrize(
    ("code", "name", "reconnect"),
    [
        (1000, "complete", False),
        (1001, "going-away", True),
        (1003, "unsupported", False),
        (1008, "policy", False),
        (1009, "too-big", True),
        (1011, "internal", True),
        (1012, "restart", True),
        (1013, "try-later", True),
        (4001, "close-4001", True),
        (4401, "unauthorized", False),
        (4404, "not-found", False),
        (4499, "close-4499", False),
    ],
)
async def test_a_close_code_is_an_ending(code: int, name: str, reconnect: bool) -> None:
    async with backend(sending("a", code=code, reason="so\nit is")) as address:
        signals = await read(upstream(address))
    assert payloads(signals) == ["a"]
    gone = lost(signals)
    assert (gone.ending.name, gone.ending.reconnect) == (name, reconnect)
    assert gone.reason == f"the backend closed with {code}: so it is"


@pytest.mark.parametrize(("final", "reconnect"), [((), True), ((1001,), True), ((1000,), False)])
async def test_which_closes_are_final_is_configurable(
    final: tuple[int, ...], reconnect: bool
) -> None:
    async with backend(sending()) as address:
        gone = lost(await read(upstream(address, final_closes=final)))
    assert (gone.ending.name, gone.ending.reconnect) == ("complete", reconnect)


async def test_a_close_without_a_code_is_no_end() -> None:
    async def handler(connection: ServerConnection) -> None:
        connection.transport.write(b"\x88\x00")
        await connection.wait_closed()

    async with backend(handler) as address:
        gone = lost(await read(upstream(address)))
    assert (gone.ending.name, gone.ending.reconnect) == ("no-status", True)


async def test_a_connection_that_breaks_off_is_abnormal() -> None:
    async def handler(connection: ServerConnection) -> None:
        await connection.recv()
        await connection.send("a")
        connection.transport.write(b"\x81\x7e\x01\x00half")
        connection.transport.abort()

    async with backend(handler) as address:
        gone = lost(await read(upstream(address)))
    assert (gone.ending.name, gone.ending.reconnect) == ("abnormal", True)


async def test_a_message_past_the_limit_gives_up_its_place_and_is_counted() -> None:
    tally = Tally()
    async with backend(sending("a", "x" * 2000)) as address:
        options = WsOptions(f"ws://{address}", max_frame_bytes=1000)
        signals = await read(WsUpstream(options, NAME, lambda: 0.0, tally))
    assert payloads(signals) == ["a"]
    assert signals[-2] == Got(last_id="")
    assert (lost(signals).ending.name, lost(signals).ending.reconnect) == ("too-big", True)
    assert tally["upstream_oversized"] == 1


async def test_a_backend_that_breaks_the_protocol_is_tried_again() -> None:
    async def handler(connection: ServerConnection) -> None:
        await connection.recv()
        connection.transport.write(b"\x81\x01\xff")  # a text frame that is no UTF-8
        await connection.wait_closed()

    async with backend(handler) as address:
        gone = lost(await read(upstream(address)))
    assert (gone.ending.name, gone.ending.reconnect) == ("invalid-data", True)
    assert gone.reason.startswith("this side had to close with 1007")


# Signs of life.


async def test_silence_is_death() -> None:
    async def handler(connection: ServerConnection) -> None:
        await connection.recv()
        connection.transport.pause_reading()
        await connection.send("a")
        await connection.wait_closed()

    async with backend(handler) as address:
        made = upstream(address, ping_interval=0.02, silence=0.1)
        signals = await read(made)
    assert payloads(signals) == ["a"]
    assert lost(signals).ending.name == "timeout"


async def test_silence_is_death_without_pings_too() -> None:
    async def handler(connection: ServerConnection) -> None:
        await connection.wait_closed()

    async with backend(handler) as address:
        signals = await read(upstream(address, ping_interval=0, silence=0.05))
    assert lost(signals).ending.name == "timeout"


@pytest.mark.parametrize("silence", [0.2, 0])
async def test_a_backend_that_answers_pings_lives(silence: float) -> None:
    answered = asyncio.Event()
    pings: list[bytes] = []

    async def handler(connection: ServerConnection) -> None:
        await answered.wait()
        await connection.send("late")

    class Counting(ServerConnection):
        def data_received(self, data: bytes) -> None:
            if data[:1] == b"\x89":
                pings.append(data)
                if len(pings) == 20:
                    answered.set()
            super().data_received(data)

    async with backend(handler, create_connection=Counting) as address:
        made = upstream(address, subscribe="", ping_interval=0.02, silence=silence)
        assert payloads(await read(made)) == ["late"]


async def test_without_silence_and_pings_a_quiet_backend_is_waited_for() -> None:
    speak = asyncio.Event()

    async def handler(connection: ServerConnection) -> None:
        await connection.recv()
        await speak.wait()
        await connection.send("a")

    async with backend(handler) as address:
        made = upstream(address, ping_interval=0, silence=0)
        task = asyncio.create_task(read(made))
        await until(lambda: made._connection)
        speak.set()
        assert payloads(await task) == ["a"]


# Handshakes.


@pytest.mark.parametrize(
    ("status", "name", "reconnect"),
    [
        (401, "unauthorized", False),
        (404, "not-found", False),
        (503, "restart", True),
        (200, "bad-gateway", True),
    ],
)
async def test_a_refused_handshake_is_an_ending(status: int, name: str, reconnect: bool) -> None:
    def refuse(connection: ServerConnection, request: Request) -> Response:
        response = connection.respond(http.HTTPStatus(status), "no")
        response.headers["Retry-After"] = "3"
        return response

    async with backend(sending(), process_request=refuse) as address:
        signals = await read(upstream(address))
    assert len(signals) == 1
    gone = lost(signals)
    assert (gone.ending.name, gone.ending.reconnect, gone.retry) == (name, reconnect, 3000)


async def test_nobody_there_is_a_bad_gateway() -> None:
    gone = lost(await read(upstream(f"127.0.0.1:{free_port()}", "/?token=hunter2")))
    assert (gone.ending.name, gone.ending.reconnect) == ("bad-gateway", True)
    assert "hunter2" not in gone.reason


async def test_a_peer_that_speaks_no_http_is_a_bad_gateway() -> None:
    async with raw_server(saying(b"SSH-2.0-OpenSSH_9\r\n")) as address:
        assert lost(await read(upstream(address))).ending.name == "bad-gateway"


async def test_a_peer_that_never_answers_is_a_bad_gateway() -> None:
    async with raw_server(saying(stay=True)) as address:
        made = upstream(address, connect_timeout=0.05)
        assert lost(await read(made)).ending.name == "bad-gateway"


@pytest.mark.parametrize("location", ["http://localhost:1/", "http://[", "wss://localhost:1/"])
async def test_unusable_redirects_are_a_bad_gateway(location: str) -> None:
    async with raw_server(saying(redirect(location))) as address:
        assert lost(await read(upstream(address))).ending.name == "bad-gateway"


async def test_a_redirect_to_another_origin_is_not_followed() -> None:
    async with (
        backend(sending("stolen")) as elsewhere,
        raw_server(saying(redirect(f"ws://{elsewhere}/"))) as address,
    ):
        signals = await read(upstream(address))
    assert len(signals) == 1
    assert lost(signals).ending.name == "bad-gateway"


def redirect(location: str) -> bytes:
    head = f"HTTP/1.1 302 Found\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n"
    return head.encode()


# Client to server.


async def test_frames_keep_their_kind_and_order() -> None:
    seen: list[str | bytes] = []

    async def handler(connection: ServerConnection) -> None:
        seen.extend([await connection.recv() for _ in range(4)])

    async with backend(handler) as address:
        made = upstream(address)
        assert made.can_send
        assert made.kind == "ws"
        task = asyncio.create_task(read(made))
        await until(lambda: made._connection)
        for raw in ("a", b"\x00", "ü"):
            assert await made.send(Frame(raw)) is None
        await task
    assert seen == [ACK, "a", b"\x00", "ü"]
    assert await made.send(Frame("late")) is TRY_LATER


async def test_a_frame_on_a_closed_socket_is_a_bad_gateway() -> None:
    async def handler(connection: ServerConnection) -> None:
        await connection.recv()
        connection.transport.pause_reading()  # so that the connection outlives its close frame
        connection.transport.write(b"\x88\x02\x03\xf4")
        await connection.wait_closed()

    async with backend(handler) as address:
        made = upstream(address)
        async with aclosing(made.open(None)) as signals:
            assert await anext(signals) == Opened()
            await until(lambda: made._connection and made._connection.over.done())
            ending = await made.send(Frame("x"))
    assert ending is not None
    assert ending.name == "bad-gateway"


async def test_a_backend_that_reads_nothing_does_not_hold_a_sender_for_ever() -> None:
    async def handler(connection: ServerConnection) -> None:
        connection.transport.pause_reading()
        await connection.wait_closed()

    async with backend(handler) as address:
        made = upstream(address, send_timeout=0.05)
        task = asyncio.create_task(read(made))
        await until(lambda: made._connection)
        ending = await made.send(Frame("x" * 30_000_000))
        assert ending is not None
        assert ending.name == "bad-gateway"
        connection = made._connection
        assert connection is not None
        task.cancel()
        await asyncio.wait({task})
        await until(connection.gone.done)


# Leaving.


async def test_leaving_the_iterator_closes_the_socket_politely() -> None:
    codes: list[int | None] = []

    async def handler(connection: ServerConnection) -> None:
        async for _ in connection:
            pass
        codes.append(connection.close_code)

    async with backend(handler) as address:
        async with aclosing(upstream(address).open(None)) as signals:
            assert await anext(signals) == Opened()
        await until(lambda: codes)
    assert codes == [1000]


async def test_cancelling_the_reader_closes_the_socket() -> None:
    left = asyncio.Event()

    async def handler(connection: ServerConnection) -> None:
        await connection.wait_closed()
        left.set()

    async with backend(handler) as address:
        made = upstream(address)
        task = asyncio.create_task(read(made))
        await until(lambda: made._connection)
        task.cancel()
        await until(left.is_set)
        assert made._connection is None
        with pytest.raises(asyncio.CancelledError):
            await task


# Options.


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"url": "ws://a.example/{project}"}, "{project}"),
        ({"url": "ftp://a.example"}, "ws://"),
        ({"headers": {"X": "\n"}}, "headers"),
        ({"subprotocols": ("a b",)}, "subprotocols"),
        ({"subscribe": '{"to":"{project}"}'}, "{project}"),
        ({"subscribe": '{"to":{channel}}'}, "JSON"),
        ({"replay": "maybe"}, "replay"),
        ({"silence": -1}, "silence"),
        ({"ping_interval": -1}, "ping_interval"),
        ({"max_frame_bytes": 0}, "max_frame_bytes"),
        ({"final_closes": (99,)}, "final_closes"),
    ],
)
def test_unusable_options_are_refused_by_name(wrong: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=r".") as refusal:
        WsOptions(**{"url": "ws://a.example/{channel}", **wrong})
    assert said in str(refusal.value)


def test_options_do_not_show_secrets() -> None:
    secret = "hunter2"
    options = WsOptions(
        f"ws://a.example/?token={secret}",
        headers={"Authorization": secret},
        subprotocols=("bearer", secret),
        subscribe=secret,
    )
    assert secret not in repr(options)
