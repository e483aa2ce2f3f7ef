"""Asking a backend's endpoint, over real HTTP."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from aiohttp import web

from bridge.endpoint.auth_options import AuthOptions
from bridge.endpoint.forward_options import ForwardOptions
from tests.endpoint.parts import EVENTS, NAME, SOCKET, ask, closing, said, streaming, talking
from tests.endpoint.test_auth import guarding, refused
from tests.support.waiting import until

OTHER = "/api/v1/events/project.2"
ALICE = {"Cookie": "session=alice", "Authorization": "Bearer alice"}


@dataclass(slots=True)
class Authority:
    """An endpoint that lets `alice` read `project.1`; the test may say otherwise."""

    status: int | None = None
    headers: dict[str, str] = field(default_factory=dict)
    asked: list[dict[str, str]] = field(default_factory=list)
    gate: asyncio.Event = field(default_factory=asyncio.Event)
    url: str = ""

    async def answer(self, request: web.Request) -> web.Response:
        self.asked.append({name.lower(): value for name, value in request.headers.items()})
        await self.gate.wait()
        known = request.headers.get("Authorization") == "Bearer alice"
        mine = request.headers["X-Channel"] == NAME
        status = self.status or (204 if known and mine else 403 if known else 401)
        return web.Response(status=status, headers=self.headers)


@asynccontextmanager
async def asking(**changes: Any) -> AsyncIterator[tuple[Authority, AuthOptions]]:
    authority = Authority()
    authority.gate.set()
    app = web.Application()
    app.router.add_get("/auth/{channel}", authority.answer)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    port = runner.addresses[0][1]
    url = f"http://127.0.0.1:{port}/auth/{{channel}}"
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
