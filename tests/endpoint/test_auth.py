"""The gate, from outside: who gets in on either wire, and that nothing goes upstream for others."""

import json
import logging
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from websockets.exceptions import InvalidStatus
from websockets.typing import Subprotocol

from bridge.endpoint.auth_options import AuthOptions, PassthroughOptions
from bridge.wire.dialect_options import DialectOptions
from bridge.wire.routes import RouteOptions
from tests.endpoint.parts import (
    EVENTS,
    NAME,
    SOCKET,
    Running,
    ask,
    bridging,
    closing,
    said,
    streaming,
    talking,
    upstream_of,
)
from tests.support.backends import SseBackend
from tests.support.issuers import bearer, by_token, options, token
from tests.support.waiting import until

OTHER_EVENTS = "/api/v1/events/project.2"
OTHER_SOCKET = "/api/v1/ws/project.2"


@asynccontextmanager
async def guarding(
    auth: AuthOptions | None = None, **settings: Any
) -> AsyncIterator[tuple[Running, SseBackend]]:
    """A bridge that asks for tokens, and its backend."""
    async with SseBackend() as backend:
        upstream = upstream_of(backend, send_url=backend.url)
        async with bridging(upstream, auth=auth or by_token(), **settings) as running:
            yield running, backend


async def refused(running: Running, path: str = SOCKET, **options: Any) -> int:
    """The status by which a handshake was refused."""
    with pytest.raises(InvalidStatus) as caught:
        async with talking(running.authority, path, **options):
            pass
    return caught.value.response.status_code


async def test_a_token_opens_its_own_channel_on_either_wire(way: str) -> None:
    headers = bearer(token())
    async with (
        guarding() as (running, backend),
        streaming(running.authority, headers=headers) as stream,
        talking(running.authority, additional_headers=headers) as socket,
    ):
        await until(lambda: running.readers == 2 and backend.subscribers(NAME))
        backend.publish(NAME, "hello")
        assert (await stream.event()).data == "hello"
        assert await said(socket) == "hello"


async def test_a_token_for_another_channel_opens_nothing_and_nothing_goes_upstream() -> None:
    headers = bearer(token())
    async with guarding() as (running, backend):
        answer = await ask(running.authority, "GET", OTHER_EVENTS, headers=headers)
        assert (answer.status, answer.json["code"]) == (403, "forbidden")
        assert (await ask(running.authority, "HEAD", OTHER_EVENTS, headers=headers)).status == 403
        posted = await ask(running.authority, "POST", OTHER_EVENTS, headers=headers, data="{}")
        assert posted.status == 403
        hint = "/api/v1/transport/project.2"
        assert (await ask(running.authority, "GET", hint, headers=headers)).status == 403
        assert await refused(running, OTHER_SOCKET, additional_headers=headers) == 403
        assert running.count("auth_refused", reason="channel") == 5
        assert backend.openings == []
        assert not list(running.bridge.hub.channels())


async def test_a_socket_that_is_refused_after_its_handshake_is_told_4403() -> None:
    dialect = DialectOptions(reject="after")
    async with guarding(dialect=dialect) as (running, backend):
        headers = bearer(token())
        async with talking(running.authority, OTHER_SOCKET, additional_headers=headers) as socket:
            assert (await closing(socket))[0] == 4403
        async with talking(running.authority, SOCKET) as socket:
            assert (await closing(socket))[0] == 4401
        assert backend.openings == []


async def test_a_subscribe_frame_is_judged_as_a_path_is(way: str) -> None:
    async with (
        guarding() as (running, backend),
        talking(running.authority, additional_headers=bearer(token())) as socket,
    ):
        await until(lambda: backend.subscribers(NAME))
        await socket.send(json.dumps({"type": "subscribe", "channel": "project.2"}))
        assert (await closing(socket))[0] == 4403
        assert len(backend.openings) == 1


async def test_an_alias_is_resolved_before_it_is_judged() -> None:
    async with guarding() as (running, _):
        headers = bearer(token(channels=["file.f1"]))
        path = "/api/v1/events/project.file.f1"
        assert (await ask(running.authority, "HEAD", path, headers=headers)).status == 200
        headers = bearer(token(channels=["project.file.f1"]))
        assert (await ask(running.authority, "HEAD", path, headers=headers)).status == 403


async def test_a_client_that_may_only_read_cannot_send_on_either_wire() -> None:
    auth = by_token(options(sends=()))
    headers = bearer(token())
    async with guarding(auth) as (running, backend):
        posted = await ask(running.authority, "POST", EVENTS, headers=headers, data="{}")
        assert posted.status == 403
        async with talking(running.authority, additional_headers=headers) as socket:
            await socket.send('{"do":"it"}')
            assert (await closing(socket))[0] == 4403
        assert backend.received == []


async def test_without_a_credential_the_answer_says_what_is_wanted() -> None:
    async with guarding() as (running, _):
        answer = await ask(running.authority, "GET", EVENTS)
        assert answer.status == 401
        assert answer.headers["WWW-Authenticate"].startswith("Bearer")
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["Referrer-Policy"] == "no-referrer"
        assert await refused(running) == 401


@pytest.mark.parametrize("way_in", ["subprotocol", "query", "cookie", "header"])
async def test_a_token_comes_by_every_way_that_is_enabled_and_by_no_other(way_in: str) -> None:
    text = token()
    request: dict[str, dict[str, Any]] = {
        "header": {"additional_headers": bearer(text)},
        "cookie": {"additional_headers": {"Cookie": f"a=b; token={text}"}},
        "subprotocol": {"subprotocols": [Subprotocol("bearer"), Subprotocol(text)]},
        "query": {},
    }
    path = f"{SOCKET}?access_token={text}" if way_in == "query" else SOCKET
    async with (
        guarding(by_token(ways=(way_in,))) as (running, _),
        talking(running.authority, path, **request[way_in]) as socket,
    ):
        assert socket.subprotocol == ("bearer" if way_in == "subprotocol" else None)
    others = tuple(each for each in ("header", "query", "cookie") if each != way_in)
    async with guarding(by_token(ways=others)) as (running, _):
        assert await refused(running, path, **request[way_in]) == 401


FRAME = DialectOptions(auth=("auth",))


async def test_nothing_happens_before_the_first_frame_shows_a_token(way: str) -> None:
    auth = by_token(ways=("frame",))
    async with (
        guarding(auth, dialect=FRAME) as (running, backend),
        talking(running.authority) as socket,
    ):
        await socket.send("ping")
        assert await said(socket) == '{"type":"pong"}'
        assert not list(running.bridge.hub.channels())
        await socket.send(json.dumps({"type": "auth", "token": token()}))
        assert await said(socket) == '{"type":"auth_ok"}'
        await until(lambda: backend.subscribers(NAME))
        backend.publish(NAME, "hello")
        assert await said(socket) == "hello"


@pytest.mark.parametrize(
    ("frame", "code"),
    [
        ({"type": "auth", "token": token(channels=["project.2"])}, 4403),
        ({"type": "auth", "token": "nonsense"}, 4401),
        ({"type": "auth"}, 4401),
        ({"type": "subscribe", "channel": "project.1"}, 4401),
        ({"do": "it"}, 4401),
    ],
)
async def test_another_first_frame_closes(frame: dict[str, str], code: int) -> None:
    auth = by_token(ways=("frame",))
    async with (
        guarding(auth, dialect=FRAME) as (running, backend),
        talking(running.authority) as socket,
    ):
        await socket.send(json.dumps(frame))
        assert (await closing(socket))[0] == code
        assert backend.openings == []


async def test_a_first_frame_that_does_not_come_closes(way: str) -> None:
    auth = by_token(ways=("frame",), frame_timeout=0.1)
    async with guarding(auth, dialect=FRAME) as (running, _), talking(running.authority) as socket:
        assert await closing(socket) == (4401, "no credential came in time")


async def test_a_connection_ends_with_its_token(way: str) -> None:
    headers = bearer(token(exp=int(time.time()) + 1))
    async with (
        guarding() as (running, _),
        streaming(running.authority, headers=headers) as stream,
        talking(running.authority, additional_headers=headers) as socket,
    ):
        assert (await closing(socket))[0] == 4401
        last = (await stream.rest()).decode()
        assert "event: bridge.end" in last
        assert '"code":"unauthorized"' in last


async def test_a_later_frame_prolongs_a_conversation_of_the_same_principal_alone() -> None:
    auth = by_token(ways=("header", "frame"))
    async with (
        guarding(auth, dialect=FRAME) as (running, _),
        talking(running.authority, additional_headers=bearer(token())) as socket,
    ):
        await socket.send(json.dumps({"type": "auth", "token": token(jti="2")}))
        assert await said(socket) == '{"type":"auth_ok"}'
        await socket.send(json.dumps({"type": "auth", "token": token(sub="8")}))
        assert (await closing(socket))[0] == 4401


async def test_a_route_may_have_an_auth_of_its_own() -> None:
    public = RouteOptions(sse="/public/{channel}", auth="public")
    auths = (AuthOptions("public"),)
    routes = (RouteOptions(sse="/api/v1/events/{channel}"), public)
    async with guarding(auths=auths, routes=routes) as (running, _):
        assert (await ask(running.authority, "HEAD", "/public/project.1")).status == 200
        assert (await ask(running.authority, "HEAD", EVENTS)).status == 401


async def test_principals_never_share_a_stream_that_their_own_credential_opens() -> None:
    auth = AuthOptions(mode="passthrough")
    async with guarding(auth) as (running, backend):
        one, other = bearer("one"), bearer("other")
        async with (
            streaming(running.authority, headers=one),
            streaming(running.authority, headers=one),
            streaming(running.authority, headers=other),
        ):
            await until(lambda: len(backend.openings) == 2)
            await ask(running.authority, "POST", EVENTS, headers=other, data="{}")
            assert {each.headers["authorization"] for each in backend.openings} == {
                "Bearer one",
                "Bearer other",
            }
            keys = [each.key for each in running.bridge.hub.channels()]
            assert len({key.scope for key in keys}) == 2
            assert "Bearer" not in repr(keys)
        assert (await ask(running.authority, "GET", EVENTS)).status == 401


async def test_a_credential_may_go_upstream_in_another_header_or_the_query() -> None:
    auth = AuthOptions(mode="passthrough", passthrough=PassthroughOptions(header="X-Key"))
    async with (
        guarding(auth) as (running, backend),
        streaming(running.authority, headers=bearer("one")),
    ):
        await until(lambda: bool(backend.openings))
        assert backend.openings[0].headers["x-key"] == "Bearer one"


@pytest.mark.parametrize("path", [EVENTS, "/api/v1/transport/project.1"])
async def test_no_credential_is_told_or_logged(path: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    auth = by_token(ways=("header", "query"))
    text = token(sub="a-secret-subject") + "x"
    async with guarding(auth) as (running, _):
        for asked, headers in ((f"{path}?access_token={text}", {}), (path, bearer(text))):
            answer = await ask(running.authority, "GET", asked, headers=headers)
            assert answer.status == 401
            assert text not in answer.body.decode() + str(answer.headers)
        shown = (await ask(running.authority, "GET", "/metrics")).body.decode()
        assert text not in shown + caplog.text
        assert "a-secret-subject" not in shown + caplog.text


async def test_an_access_log_underneath_sees_no_token_either() -> None:
    auth = by_token(ways=("header", "query"))
    text, kept = token(), Lines()
    server = {"access_log": True, "log_level": "info"}
    async with guarding(auth, server=server) as (running, _):
        logging.getLogger("uvicorn.access").addFilter(kept)
        path = f"/api/v1/transport/project.1?access_token={text}&x=1"
        assert (await ask(running.authority, "GET", path)).status == 200
        logging.getLogger("uvicorn.access").removeFilter(kept)
    assert any("transport/project.1?x=1" in line for line in kept.lines)
    assert not any(text in line for line in kept.lines)


class Lines(logging.Filter):
    """Keeps what is logged."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []

    def filter(self, record: logging.LogRecord) -> bool:
        self.lines.append(record.getMessage())
        return True
