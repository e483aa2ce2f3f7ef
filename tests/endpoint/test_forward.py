"""Asking a backend's endpoint, over real HTTP."""

import asyncio
import json
import ssl
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from websockets.asyncio.client import ClientConnection

from bridge.endpoint.auth_options import AuthOptions
from bridge.endpoint.forward_options import ForwardOptions
from bridge.upstream.tls import SYSTEM, TlsOptions
from bridge.wire.dialect_options import DialectOptions
from tests.endpoint.parts import EVENTS, NAME, SOCKET, ask, closing, said, streaming, talking
from tests.endpoint.test_auth import guarding, refused
from tests.support.certificates import Authority as Signer
from tests.support.certificates import server_context
from tests.support.waiting import until

OTHER = "/api/v1/events/project.2"
ALICE = {"Cookie": "session=alice", "Authorization": "Bearer alice"}
FRESH = [ALICE | {"Cookie": f"session={number}"} for number in range(2)]
"""One who is alice, in sessions of which nothing is known yet."""


@dataclass(slots=True)
class Authority:
    """An endpoint that lets `alice` read `project.1`; the test may say otherwise."""

    status: int | None = None
    headers: dict[str, str] = field(default_factory=dict)
    asked: list[dict[str, str]] = field(default_factory=list)
    gate: asyncio.Event = field(default_factory=asyncio.Event)
    readers_send: bool = True
    url: str = ""

    @property
    def methods(self) -> list[str]:
        return [each["x-original-method"] for each in self.asked]

    async def answer(self, request: web.Request) -> web.Response:
        self.asked.append({name.lower(): value for name, value in request.headers.items()})
        await self.gate.wait()
        known = request.headers.get("Authorization") == "Bearer alice"
        posts = request.headers["X-Original-Method"] == "POST"
        mine = request.headers["X-Channel"] == NAME and (self.readers_send or not posts)
        status = self.status or (204 if known and mine else 403 if known else 401)
        return web.Response(status=status, headers=self.headers)


@asynccontextmanager
async def asking(
    server: ssl.SSLContext | None = None, **changes: Any
) -> AsyncIterator[tuple[Authority, AuthOptions]]:
    authority = Authority()
    authority.gate.set()
    app = web.Application()
    app.router.add_get("/auth/{channel}", authority.answer)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=server).start()
    port = runner.addresses[0][1]
    url = f"http{'s' if server else ''}://127.0.0.1:{port}/auth/{{channel}}"
    ways = changes.pop("ways", ("header", "cookie"))
    forward = ForwardOptions(url, **changes)
    try:
        yield authority, AuthOptions(mode="forward", forward=forward, ways=ways)
    finally:
        authority.gate.set()
        await runner.cleanup()


async def test_the_endpoint_decides_for_each_channel_by_the_clients_own_credentials() -> None:
    async with asking() as (authority, auth), guarding(auth) as (running, backend):
        async with streaming(running.authority, headers=ALICE):
            await until(lambda: bool(backend.openings))
        assert (await ask(running.authority, "GET", OTHER, headers=ALICE)).status == 403
        assert (await ask(running.authority, "GET", EVENTS)).status == 401
        first = authority.asked[0]
        assert (first["authorization"], first["cookie"]) == ("Bearer alice", "session=alice")
        assert (first["x-channel"], first["x-original-method"]) == (NAME, "GET")
        assert len(backend.openings) == 1
        assert not {"cookie", "authorization"} & set(backend.openings[0].headers)


@pytest.mark.parametrize("status", [500, 502, 302, 404, 429])
async def test_any_other_answer_lets_nobody_in_and_asks_them_to_come_back(status: int) -> None:
    async with asking() as (authority, auth), guarding(auth) as (running, backend):
        authority.status = status
        answer = await ask(running.authority, "GET", EVENTS, headers=ALICE)
        assert (answer.status, answer.json["reconnect"]) == (503, True)
        assert await refused(running, SOCKET, additional_headers=ALICE) == 503
        assert backend.openings == []


async def test_an_endpoint_that_does_not_answer_lets_nobody_in() -> None:
    async with asking(timeout=0.05) as (authority, auth), guarding(auth) as (running, _):
        authority.gate.clear()
        assert (await ask(running.authority, "GET", EVENTS, headers=ALICE)).status == 503


async def test_equal_questions_share_an_answer_and_others_do_not() -> None:
    async with asking() as (authority, auth), guarding(auth) as (running, _):
        authority.gate.clear()
        heads = [
            asyncio.create_task(ask(running.authority, "HEAD", EVENTS, headers=ALICE))
            for _ in range(10)
        ]
        await until(lambda: len(authority.asked) == 1)
        other = {"Authorization": "Bearer mallory", "Cookie": "session=alice"}
        mallory = asyncio.create_task(ask(running.authority, "HEAD", EVENTS, headers=other))
        await until(lambda: len(authority.asked) == 2)
        authority.gate.set()
        assert {answer.status for answer in await asyncio.gather(*heads)} == {200}
        assert (await mallory).status == 401
        assert (await ask(running.authority, "HEAD", EVENTS, headers=ALICE)).status == 200
        assert len(authority.asked) == 2


async def test_an_answer_is_not_kept_where_none_is_to_be() -> None:
    async with asking(fresh=0) as (authority, auth), guarding(auth) as (running, _):
        for _ in range(2):
            await ask(running.authority, "HEAD", EVENTS, headers=ALICE)
        assert len(authority.asked) == 2


async def test_a_bounded_number_of_answers_is_kept() -> None:
    async with asking(max_answers=1) as (authority, auth), guarding(auth) as (running, _):
        for path in (EVENTS, OTHER, EVENTS):
            await ask(running.authority, "HEAD", path, headers=ALICE)
        assert len(authority.asked) == 3


async def test_the_endpoint_may_say_until_when_and_forbid_sending(way: str) -> None:
    async with asking() as (authority, auth), guarding(auth) as (running, backend):
        authority.headers = {"X-Auth-Expires": str(int(time.time()) + 2), "X-Auth-Send": "no"}
        async with talking(running.authority, additional_headers=ALICE) as socket:
            assert (await closing(socket))[0] == 4401
        authority.headers = {"X-Auth-Expires": "soon"}
        posted = await ask(running.authority, "POST", EVENTS, headers=ALICE, data="{}")
        assert posted.status == 503
        assert backend.received == []


async def test_a_subscribe_frame_is_asked_about_and_what_follows_waits(way: str) -> None:
    async with (
        asking() as (authority, auth),
        guarding(auth) as (running, backend),
        talking(running.authority, "/api/v1/ws", additional_headers=ALICE) as socket,
    ):
        authority.gate.clear()
        await socket.send(json.dumps({"type": "subscribe", "channel": NAME}))
        await socket.send('{"do":"it"}')
        await until(lambda: len(authority.asked) == 1)
        assert backend.received == []
        authority.gate.set()
        assert json.loads(await said(socket))["type"] == "subscribe"
        await until(lambda: [each.raw for each in backend.received] == [b'{"do":"it"}'])
        await socket.send(json.dumps({"type": "subscribe", "channel": "project.2"}))
        assert (await closing(socket))[0] == 4403


async def test_who_may_read_alone_sends_on_neither_wire(way: str) -> None:
    async with asking() as (authority, auth), guarding(auth) as (running, backend):
        authority.readers_send = False
        posted = await ask(running.authority, "POST", EVENTS, headers=ALICE, data="{}")
        assert posted.status == 403
        async with talking(running.authority, additional_headers=ALICE) as socket:
            await until(lambda: running.readers == 1)
            await socket.send('{"do":"it"}')
            assert (await closing(socket))[0] == 4403
        assert backend.received == []


async def test_a_socket_reads_on_where_refused_frames_are_told_or_ignored(way: str) -> None:
    dialect = DialectOptions(uplink_refused="ignore")
    async with (
        asking() as (authority, auth),
        guarding(auth, dialect=dialect) as (running, backend),
        talking(running.authority, additional_headers=ALICE) as socket,
    ):
        authority.readers_send = False
        for _ in range(2):
            await socket.send('{"do":"it"}')
        await until(lambda: running.count("frames_ignored", reason="forbidden") == 2)
        await until(lambda: backend.subscribers(NAME))
        backend.publish(NAME, "hello")
        assert await said(socket) == "hello"
        assert backend.received == []
        assert authority.methods == ["GET", "POST"]


async def test_frames_keep_their_order_while_the_right_to_send_is_asked_about(way: str) -> None:
    frames = [f'{{"n":{number}}}' for number in range(200)]
    async with (
        asking() as (authority, auth),
        guarding(auth, client={"uplink_queue": 2}) as (running, backend),
        talking(running.authority, additional_headers=ALICE) as socket,
    ):
        authority.gate.clear()
        sending = asyncio.create_task(_send_all(socket, frames))
        await until(lambda: authority.methods == ["GET", "POST"])
        assert backend.received == []
        authority.gate.set()
        await until(lambda: len(backend.received) == len(frames))
        await sending
        assert [each.raw for each in backend.received] == [each.encode() for each in frames]
        assert authority.methods.count("GET") == 1


async def _send_all(socket: ClientConnection, frames: list[str]) -> None:
    for each in frames:
        await socket.send(each)


async def test_what_was_said_before_leaving_goes_out_if_it_may(way: str) -> None:
    async with asking() as (authority, auth), guarding(auth) as (running, backend):
        for allowed in (False, True):
            authority.readers_send = allowed
            authority.asked.clear()
            authority.gate.set()
            async with talking(running.authority, additional_headers=FRESH[allowed]) as socket:
                authority.gate.clear()
                await socket.send(f'{{"allowed":{int(allowed)}}}')
                await until(lambda: "POST" in authority.methods)
            await until(lambda: running.count("clients", wire="ws") == 0)
            authority.gate.set()
            await until(lambda: not running.bridge.background._tasks)
        assert [each.raw for each in backend.received] == [b'{"allowed":1}']


async def test_nothing_is_sent_while_the_endpoint_cannot_say_whether_it_may(way: str) -> None:
    async with (
        asking() as (authority, auth),
        guarding(auth) as (running, backend),
        talking(running.authority, additional_headers=ALICE) as socket,
    ):
        authority.status = 500
        await socket.send('{"do":"it"}')
        assert (await closing(socket))[0] == 1013
        assert backend.received == []


async def test_an_endpoint_behind_an_authority_of_its_own_is_trusted_where_that_is_named(
    tmp_path: Path,
) -> None:
    authority = Signer(tmp_path, "authority")
    server = server_context(authority.sign("endpoint", "127.0.0.1"), clients=authority)
    own = authority.sign("bridge")
    trusting = TlsOptions(str(authority.certificate), str(own.certificate), str(own.key))
    for tls, status in ((trusting, 200), (SYSTEM, 503)):
        async with asking(server, tls=tls) as (_, auth), guarding(auth) as (running, _):
            answer = await ask(running.authority, "HEAD", EVENTS, headers=ALICE)
            assert answer.status == status
