"""What is said on one accepted WebSocket, over real connections and with real backends."""

import json
import time

import anyio
import pytest
from websockets.asyncio.client import ClientConnection

from bridge.endpoint.conversation import Conversation
from bridge.endpoint.options import ClientOptions
from bridge.hub.hub import HubOptions
from bridge.wire.dialect_options import DialectOptions
from bridge.wire.endings import COMPLETE, FORBIDDEN, NOT_FOUND, UNAUTHORIZED
from tests.endpoint.parts import (
    NAME,
    SOCKET,
    Running,
    bridging,
    closing,
    notice,
    said,
    talking,
    upstream_of,
)
from tests.support.backends import SseBackend, WsBackend
from tests.support.waiting import until

pytestmark = pytest.mark.usefixtures("way")

BARE = "/api/v1/ws"
ACK = '{"type":"subscribe","projectId":"%s"}'


def subscribe(channel: str, **members: str) -> str:
    return json.dumps({"type": "subscribe", "channel": channel} | members)


def frames(backend: SseBackend | WsBackend) -> list[str | bytes]:
    """What clients said, without the bridge's own subscribe frames."""
    raws = [each.raw for each in backend.received]
    return [raw for raw in raws if not (isinstance(raw, str) and '"subscribe"' in raw)]


# Subscribing.


async def test_a_legacy_client_is_acknowledged_and_sees_no_foreign_frame(
    errors: list[str],
) -> None:
    async with bridging() as running, talking(running.authority) as socket:
        await socket.send('{"type":"subscribe","projectId":"project.1"}')
        assert await said(socket) == ACK % "project.1"
        running.channel().gap("reconnected", 3)
        running.publish('{"type":"task"}')
        assert await said(socket) == '{"type":"task"}'


async def test_events_flow_before_anything_was_subscribed(errors: list[str]) -> None:
    async with bridging() as running, talking(running.authority) as socket:
        await until(lambda: running.readers)
        running.publish("a")
        assert await said(socket) == "a"


async def test_subscribing_what_is_delivered_already_doubles_nothing(errors: list[str]) -> None:
    async with bridging() as running, talking(running.authority) as socket:
        for _ in range(2):
            await socket.send(subscribe(NAME))
            assert await said(socket) == ACK % NAME
        running.publish("a", "b")
        assert [await said(socket), await said(socket)] == ["a", "b"]
        assert running.readers == 1


async def test_a_welcome_comes_first(errors: list[str]) -> None:
    dialect = DialectOptions(welcome='{"type":"connected","id":"{id}"}')
    async with bridging(dialect=dialect) as running, talking(running.authority) as socket:
        assert await said(socket) == '{"type":"connected","id":"1"}'


async def test_one_socket_holds_several_subscriptions(errors: list[str]) -> None:
    async with bridging() as running, talking(running.authority, BARE) as socket:
        for name in ("project.1", "file.f1"):
            await socket.send(subscribe(name))
            assert await said(socket) == ACK % name
        running.publish("a", name="project.1")
        running.publish("b", name="file.f1")
        assert {await said(socket), await said(socket)} == {"a", "b"}
        await socket.send('{"type":"unsubscribe","channel":"project.1"}')
        await until(lambda: running.readers == 1)
        running.publish("c", name="project.1")
        running.publish("d", name="file.f1")
        assert await said(socket) == "d"


async def test_one_frame_may_subscribe_several(errors: list[str]) -> None:
    async with bridging() as running, talking(running.authority, BARE) as socket:
        await socket.send('{"action":"subscribe","channel":["project.1","file.f1"]}')
        assert await said(socket) == ACK % "project.1,file.f1"
        await until(lambda: running.readers == 2)


async def test_a_subscription_may_begin_anew_at_once(errors: list[str]) -> None:
    async with bridging() as running, talking(running.authority) as socket:
        await until(lambda: running.readers)
        for _ in range(20):
            await socket.send('{"type":"unsubscribe","projectId":"1"}')
            await socket.send(subscribe(NAME))
            assert await said(socket) == ACK % NAME
        await until(lambda: running.readers == 1)
        await socket.send(subscribe(NAME))
        await said(socket)
        running.publish("once", "and no more")
        assert [await said(socket), await said(socket)] == ["once", "and no more"]


async def test_an_alias_is_unsubscribed_by_either_name(errors: list[str]) -> None:
    dialect = DialectOptions(unsubscribed='{"type":"unsubscribed"}')
    async with bridging(dialect=dialect) as running, talking(running.authority, BARE) as socket:
        await socket.send(subscribe("project.file.f1"))
        assert await said(socket) == ACK % "project.file.f1"
        assert running.channel("file.f1").readers == 1
        await socket.send('{"type":"unsubscribe","channel":"project.file.f1"}')
        assert json.loads(await said(socket)) == {"type": "unsubscribed"}
        await until(lambda: running.readers == 0)
        await socket.send('{"type":"unsubscribe","channel":"nobody.1"}')
        assert json.loads(await said(socket)) == {"type": "unsubscribed"}


async def test_a_channel_that_is_none_closes_the_socket_as_its_handshake_would(
    errors: list[str],
) -> None:
    async with bridging() as running, talking(running.authority, BARE) as socket:
        await socket.send(subscribe("secret.1"))
        assert (await closing(socket))[0] == 4404


async def test_a_frame_that_names_nothing_on_a_bare_socket_is_refused(errors: list[str]) -> None:
    async with bridging() as running, talking(running.authority, BARE) as socket:
        await socket.send('{"type":"subscribe"}')
        assert (await closing(socket))[0] == 4400


async def test_a_place_in_a_subscribe_frame_is_continued_behind(errors: list[str]) -> None:
    async with bridging() as running, talking(running.authority, f"{SOCKET}?notices=1") as first:
        place = (await notice(first))["id"]
        running.publish("a", "b")
        async with talking(running.authority, BARE) as again:
            await again.send(subscribe(NAME, last_event_id=place))
            assert [await said(again) for _ in range(3)] == [ACK % NAME, "a", "b"]


async def test_a_place_is_heeded_on_a_channel_that_is_delivered_already(errors: list[str]) -> None:
    async with bridging() as running, talking(running.authority, f"{SOCKET}?notices=1") as first:
        place = (await notice(first))["id"]
        running.publish("a", "b")
        async with talking(running.authority) as again:
            await until(lambda: running.readers == 2)
            await again.send(subscribe(NAME, last_event_id=place))
            assert [await said(again) for _ in range(3)] == [ACK % NAME, "a", "b"]
            running.publish("c")
            assert await said(again) == "c"


# Places, holes and endings, for those who asked.


async def test_who_asks_for_notices_is_told_its_place_and_holes(errors: list[str]) -> None:
    path = f"{SOCKET}?notices=true&last_event_id=elsewhere-7"
    async with bridging() as running, talking(running.authority, path) as socket:
        gap = await notice(socket)
        assert (gap["type"], gap["old"], gap["reason"]) == (
            "bridge.gap",
            "elsewhere-7",
            "other-epoch",
        )
        place = {"type": "bridge.cursor", "channel": NAME, "id": gap["new"]}
        assert await notice(socket) == place
        running.publish("a")
        assert await said(socket) == "a"
        assert (await notice(socket))["id"].endswith("-1")
        running.channel().gap("skipped", 2)
        told = await notice(socket)
        assert (told["type"], told["lost"]) == ("bridge.gap", 2)
        assert running.count("gaps_told", wire="ws") == 1


async def test_who_asks_for_notices_is_told_why_a_channel_ends(errors: list[str]) -> None:
    async with bridging() as running, talking(running.authority, f"{SOCKET}?notices=1") as socket:
        await notice(socket)
        running.channel().ended(FORBIDDEN, "not yours")
        told = await notice(socket)
        assert (told["type"], told["channel"], told["close"]) == ("bridge.end", NAME, 4403)
        assert told["reconnect"] is False
        assert (await closing(socket)) == (4403, "not yours")


async def test_a_dialect_may_tell_every_client_of_holes(errors: list[str]) -> None:
    dialect = DialectOptions(gap='{"type":"gap","lost":{lost},"reason":"{reason}"}')
    path = f"{SOCKET}?last_event_id=elsewhere-7"
    async with bridging(dialect=dialect) as running, talking(running.authority, path) as socket:
        assert await notice(socket) == {"type": "gap", "lost": None, "reason": "other-epoch"}
        running.channel().gap("skipped", 2)
        assert await notice(socket) == {"type": "gap", "lost": 2, "reason": "skipped"}


# Endings with several subscriptions.


async def test_one_channels_final_end_leaves_the_others(errors: list[str]) -> None:
    path = f"{BARE}?notices=1"
    async with bridging() as running, talking(running.authority, path) as socket:
        for name in ("project.1", "file.f1"):
            await socket.send(subscribe(name))
            assert await said(socket) == ACK % name
            assert (await notice(socket))["channel"] == name
        running.channel("project.1").ended(NOT_FOUND, "gone")
        assert (await notice(socket))["code"] == "not-found"
        running.publish("b", name="file.f1")
        assert await said(socket) == "b"
        running.channel("file.f1").ended(COMPLETE, "done")
        assert await closing(socket) == (1000, "done")


async def test_a_final_end_among_others_may_be_told_by_a_frame(errors: list[str]) -> None:
    dialect = DialectOptions(uplink_refused="frame")
    async with bridging(dialect=dialect) as running, talking(running.authority) as socket:
        await socket.send(subscribe("file.f1"))
        await said(socket)
        running.channel("file.f1").ended(NOT_FOUND, "gone")
        assert await notice(socket) == {"type": "error", "error": "gone", "code": 4404}


async def test_subscriptions_that_end_together_close_the_socket_once(errors: list[str]) -> None:
    async with bridging() as running, talking(running.authority, BARE) as socket:
        names = ["project.1", "project.2", "file.f1"]
        await socket.send(json.dumps({"type": "subscribe", "channel": names}))
        await said(socket)
        await until(lambda: running.readers == 3)
        running.bridge.hub.drain()
        assert await closing(socket) == (1012, "the bridge restarts")
        await until(lambda: running.count("clients", wire="ws") == 0)


@pytest.mark.parametrize("policy", ["close", "frame"])
async def test_final_ends_that_come_together_close_the_socket_too(
    policy: str, errors: list[str]
) -> None:
    dialect = DialectOptions(uplink_refused=policy)  # type: ignore[arg-type]
    async with bridging(dialect=dialect) as running, talking(running.authority, BARE) as socket:
        await socket.send(subscribe("project.1"))
        await socket.send(subscribe("file.f1"))
        await until(lambda: running.readers == 2)
        running.channel("project.1").ended(NOT_FOUND)
        running.channel("file.f1").ended(NOT_FOUND)
        assert (await closing(socket))[0] == 4404


# Signs of life.


@pytest.mark.parametrize("ping", ["ping", "heartbeat", '{"type":"ping"}', '{"action":"ping"}'])
async def test_pings_of_either_style_are_answered_and_go_no_further(
    ping: str, errors: list[str]
) -> None:
    async with (
        WsBackend() as backend,
        bridging(upstream_of(backend)) as running,
        talking(running.authority) as socket,
    ):
        await socket.send(ping)
        assert await said(socket) == '{"type":"pong"}'
        await socket.send('{"type":"pong"}')
        await until(lambda: running.count("frames_ignored", reason="pong") == 1)
    assert frames(backend) == []


async def test_protocol_pings_are_answered(errors: list[str]) -> None:
    async with bridging() as running, talking(running.authority) as socket:
        with anyio.fail_after(10):
            await (await socket.ping())


async def test_the_bridge_pings_in_the_dialects_words(errors: list[str]) -> None:
    dialect = DialectOptions(server_ping='{"event":"ping"}', server_ping_interval=0.01)
    async with bridging(dialect=dialect) as running, talking(running.authority) as socket:
        assert [await said(socket), await said(socket)] == ['{"event":"ping"}'] * 2


async def test_a_frame_that_authenticates_is_answered(errors: list[str]) -> None:
    dialect = DialectOptions(auth=("auth",))
    async with bridging(dialect=dialect) as running, talking(running.authority) as socket:
        await socket.send('{"type":"auth","token":"secret"}')
        assert await said(socket) == '{"type":"auth_ok"}'
        await socket.send('{"type":"auth"}')
        assert (await closing(socket))[0] == 4401


# Frames for the backend.


async def test_frames_reach_a_websocket_backend_as_they_are_and_in_order(
    errors: list[str],
) -> None:
    sent: list[str | bytes] = ['{"type":"run" }', "plain", b"\x00\xff", "", *map(str, range(200))]
    async with WsBackend() as backend, bridging(upstream_of(backend)) as running:
        async with talking(running.authority) as socket:
            for frame in sent:
                await socket.send(frame)
            await until(lambda: len(frames(backend)) == len(sent))
        assert running.count("frames_up", outcome="accepted") == len(sent)
    assert frames(backend) == sent


async def test_frames_reach_an_sse_backend_by_post_in_order(errors: list[str]) -> None:
    async with SseBackend() as backend:
        upstream = upstream_of(backend, send_url=backend.url)
        async with bridging(upstream) as running, talking(running.authority) as socket:
            for number in range(20):
                await socket.send(f'{{"n":{number}}}')
            await socket.send(b"\x00")
            await until(lambda: len(backend.received) == 21)
    assert frames(backend) == [*(b'{"n":%d}' % number for number in range(20)), b"\x00"]


async def test_what_a_client_said_before_it_left_still_reaches_the_backend(
    errors: list[str],
) -> None:
    hub = HubOptions(linger=0)
    async with SseBackend() as backend:
        upstream = upstream_of(backend, send_url=backend.url)
        async with bridging(upstream, hub=hub) as running:
            async with talking(running.authority) as socket:
                for number in range(10):
                    await socket.send(str(number))
            await until(lambda: len(backend.received) == 10)
            await until(lambda: running.count("clients", wire="ws") == 0)
    assert frames(backend) == [str(number).encode() for number in range(10)]


async def test_a_frame_goes_through_the_first_subscription_of_a_bare_socket(
    errors: list[str],
) -> None:
    async with (
        WsBackend() as backend,
        bridging(upstream_of(backend)) as running,
        talking(running.authority, BARE) as socket,
    ):
        await socket.send("lost")
        await until(lambda: running.count("frames_ignored", reason="no-way-up") == 1)
        await socket.send(subscribe("file.f1"))
        await socket.send("found")
        await until(lambda: frames(backend))
    assert [each.channel for each in backend.received if each.raw == "found"] == ["file.f1"]


async def test_frames_may_be_ignored_altogether(errors: list[str]) -> None:
    dialect = DialectOptions(unknown="ignore")
    async with (
        WsBackend() as backend,
        bridging(upstream_of(backend), dialect=dialect) as running,
        talking(running.authority) as socket,
    ):
        await socket.send("x")
        await until(lambda: running.count("frames_ignored", reason="unknown") == 1)
    assert frames(backend) == []


async def test_a_backend_that_takes_no_frames_is_nobodys_fault(errors: list[str]) -> None:
    async with (
        SseBackend() as backend,
        bridging(upstream_of(backend)) as running,
        talking(running.authority) as socket,
    ):
        await socket.send("x")
        await until(lambda: running.count("frames_ignored", reason="no-way-up") == 1)
        running.publish("still here")
        assert await said(socket) == "still here"


async def refused_by(backend: SseBackend, running: Running, socket: ClientConnection) -> None:
    backend.post_status = 403
    await socket.send("x")
    await until(lambda: running.count("frames_up", outcome="forbidden") == 1)


async def test_a_refused_frame_closes_with_the_code_that_the_refusal_means(
    errors: list[str],
) -> None:
    async with SseBackend() as backend:
        upstream = upstream_of(backend, send_url=backend.url)
        async with bridging(upstream) as running, talking(running.authority) as socket:
            await refused_by(backend, running, socket)
            assert (await closing(socket))[0] == 4403


async def test_nothing_follows_a_frame_that_was_refused(errors: list[str]) -> None:
    async with SseBackend() as backend:
        upstream = upstream_of(backend, send_url=backend.url)
        async with bridging(upstream) as running, talking(running.authority) as socket:
            backend.post_status = 415
            for number in range(10):
                await socket.send(str(number))
            assert (await closing(socket))[0] == 1003
            await until(lambda: running.readers == 0)
    assert frames(backend) == [b"0"]


async def test_a_refused_frame_may_be_told_instead(errors: list[str]) -> None:
    dialect = DialectOptions(uplink_refused="frame")
    async with SseBackend() as backend:
        upstream = upstream_of(backend, send_url=backend.url)
        async with (
            bridging(upstream, dialect=dialect) as running,
            talking(running.authority) as socket,
        ):
            await refused_by(backend, running, socket)
            assert (await notice(socket))["code"] == 4403
            running.publish("still here")
            assert await said(socket) == "still here"


async def test_a_refused_frame_may_be_ignored(errors: list[str]) -> None:
    dialect = DialectOptions(uplink_refused="ignore")
    async with SseBackend() as backend:
        upstream = upstream_of(backend, send_url=backend.url)
        async with (
            bridging(upstream, dialect=dialect) as running,
            talking(running.authority) as socket,
        ):
            await refused_by(backend, running, socket)
            await until(lambda: running.count("frames_ignored", reason="forbidden") == 1)


@pytest.mark.parametrize("policy", ["close", "frame"])
async def test_a_refusal_that_comes_after_the_client_left_is_no_fault(
    policy: str, errors: list[str]
) -> None:
    dialect = DialectOptions(uplink_refused=policy)  # type: ignore[arg-type]
    async with SseBackend() as backend:
        upstream = upstream_of(backend, send_url=backend.url)
        backend.post_status = 403
        async with bridging(upstream, dialect=dialect) as running:
            for _ in range(5):
                async with talking(running.authority) as socket:
                    await socket.send("x")
            await until(lambda: running.count("clients", wire="ws") == 0)


# Leaving, in every way.


async def test_clients_that_leave_in_the_middle_of_a_burst_leave_nothing_behind(
    errors: list[str],
) -> None:
    async with bridging() as running, talking(running.authority, max_queue=None) as stays:
        for number in range(20):
            async with talking(running.authority) as leaves:
                await leaves.send(subscribe("file.f1"))
                running.publish(*["x" * 10_000] * 10)
                if number % 2:
                    leaves.transport.abort()
        await until(lambda: running.readers == 1)
        await until(lambda: running.count("clients", wire="ws") == 1)
        assert await said(stays) == "x" * 10_000


async def test_a_client_that_breaks_the_protocol_is_closed_and_no_fault(errors: list[str]) -> None:
    async with bridging() as running, talking(running.authority) as socket:
        await until(lambda: running.readers)
        socket.transport.write(b"\x81\x01x")  # a client's frame without a mask
        running.publish(*["x"] * 50)
        assert (await closing(socket))[0] == 1002
        running.publish("to nobody")
        await until(lambda: running.readers == 0)


async def test_a_client_that_stops_reading_is_ended_and_no_other_one_notices(
    errors: list[str],
) -> None:
    megabyte = "x" * 1_000_000
    async with (
        bridging(client=ClientOptions(send_timeout=0.2)) as running,
        talking(running.authority) as reads,
        talking(running.authority, max_queue=1, ping_interval=None) as deaf,
    ):
        await deaf.send(subscribe("file.f1"))  # of two subscriptions, one alone is slow
        await until(lambda: running.readers == 3)
        for _ in range(40):
            running.publish(megabyte)
            assert await said(reads) == megabyte
        await until(lambda: running.readers == 1)
        await until(lambda: running.count("clients", wire="ws") == 1)
        assert running.count("slow_clients", wire="ws") == 1
        deaf.transport.abort()


async def test_a_client_that_does_not_read_its_pongs_is_ended(errors: list[str]) -> None:
    pong = '{"type":"pong","padding":"' + "x" * 1_000_000 + '"}'
    dialect, client = DialectOptions(text_pong=pong), ClientOptions(send_timeout=0.2)
    async with (
        bridging(client=client, dialect=dialect) as running,
        talking(running.authority, max_queue=1, ping_interval=None) as deaf,
    ):
        for _ in range(40):
            await deaf.send("ping")
        await until(lambda: running.count("clients", wire="ws") == 0)
        assert running.readers == 0
        deaf.transport.abort()


async def test_a_conversation_ends_when_it_expires(
    monkeypatch: pytest.MonkeyPatch, errors: list[str]
) -> None:
    opened = Conversation.open

    def open_for_a_while(self: Conversation, place: str | None) -> None:
        opened(self, place)
        self.expire_at(time.monotonic() + 3600, UNAUTHORIZED, "never")
        self.expire_at(time.monotonic() + 0.1, UNAUTHORIZED, "expired")

    monkeypatch.setattr(Conversation, "open", open_for_a_while)
    async with bridging() as running:
        async with talking(running.authority, f"{SOCKET}?notices=true") as socket:
            await notice(socket)
            assert (await notice(socket))["reason"] == "expired"
            assert await closing(socket) == (4401, "expired")
        await until(lambda: running.readers == 0)


async def test_a_conversation_that_is_over_does_not_expire(
    monkeypatch: pytest.MonkeyPatch, errors: list[str]
) -> None:
    over = Conversation.over

    def expire_after(self: Conversation) -> None:
        over(self)
        self.expire_at(time.monotonic(), UNAUTHORIZED, "expired")

    monkeypatch.setattr(Conversation, "over", expire_after)
    async with bridging() as running, talking(running.authority) as socket:
        await until(lambda: running.readers)
        running.channel().ended(FORBIDDEN, "no")
        assert await closing(socket) == (4403, "no")
