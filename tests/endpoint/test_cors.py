"""What pages of other origins are told."""

from collections.abc import Mapping
from typing import Any

import pytest

from bridge.endpoint.origin import BrowserOptions
from bridge.wire.dialect_options import DialectOptions
from tests.endpoint.parts import EVENTS, SOCKET, ask, closing, streaming, talking
from tests.endpoint.test_auth import guarding, refused
from tests.support.issuers import bearer, by_token, token

APP, EVIL = "https://app.example", "https://evil.example"
LISTED = BrowserOptions((APP,))
DESK = "/api/v1/tickets"


def preflight(origin: str) -> Mapping[str, str]:
    return {
        "Origin": origin,
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization",
    }


@pytest.mark.parametrize("path", [EVENTS, DESK, "/api/v1/transport/project.1"])
async def test_a_preflight_needs_no_credential_and_an_origin_that_is_listed(path: str) -> None:
    async with guarding(browsers=LISTED) as (running, _):
        good = await ask(running.authority, "OPTIONS", path, headers=preflight(APP))
        assert good.status == 204
        assert good.headers["Access-Control-Allow-Origin"] == APP
        assert "authorization" in good.headers["Access-Control-Allow-Headers"]
        assert "Access-Control-Allow-Credentials" not in good.headers
        bad = await ask(running.authority, "OPTIONS", path, headers=preflight(EVIL))
        assert bad.status == 403
        assert "Access-Control-Allow-Origin" not in bad.headers
        assert good.headers["Vary"] == bad.headers["Vary"] == "origin"


async def test_a_listed_page_reads_the_stream_and_refusals() -> None:
    async with guarding(browsers=LISTED) as (running, _):
        headers = {"Origin": APP, **bearer(token())}
        async with streaming(running.authority, headers=headers) as stream:
            assert stream.response.headers["Access-Control-Allow-Origin"] == APP
        refusal = await ask(running.authority, "GET", EVENTS, headers={"Origin": APP})
        assert refusal.status == 401
        assert refusal.headers["Access-Control-Allow-Origin"] == APP
        assert "retry-after" in refusal.headers["Access-Control-Expose-Headers"]


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_another_page_gets_nothing_and_nothing_goes_upstream(method: Any) -> None:
    async with guarding(browsers=LISTED) as (running, backend):
        headers = {"Origin": EVIL, **bearer(token())}
        answer = await ask(running.authority, method, EVENTS, headers=headers)
        assert answer.status == 403
        assert "Access-Control-Allow-Origin" not in answer.headers
        assert (backend.openings, backend.received) == ([], [])


async def test_sockets_obey_the_same_list() -> None:
    async with guarding(browsers=LISTED) as (running, _):
        headers = bearer(token())
        evil = {"Origin": EVIL, **headers}
        assert await refused(running, SOCKET, additional_headers=evil) == 403
        async with talking(running.authority, additional_headers={"Origin": APP, **headers}):
            pass
        async with talking(running.authority, additional_headers=headers):
            pass


async def test_a_page_of_the_bridges_own_host_is_let_in_by_default() -> None:
    async with guarding() as (running, _):
        headers = {"Origin": f"http://{running.authority}", **bearer(token())}
        assert (await ask(running.authority, "HEAD", EVENTS, headers=headers)).status == 200


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Origin": APP}, 200),
        ({"Origin": EVIL}, 403),
        ({"Sec-Fetch-Site": "same-origin"}, 200),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({}, 200),
    ],
)
async def test_a_cookie_is_a_credential_only_of_a_known_page(
    headers: dict[str, str], status: int
) -> None:
    auth = by_token(ways=("cookie",))
    async with guarding(auth, browsers=LISTED) as (running, _):
        sent = {"Cookie": f"token={token()}", **headers}
        answer = await ask(running.authority, "HEAD", EVENTS, headers=sent)
        assert answer.status == status
        if headers == {"Origin": APP}:
            assert answer.headers["Access-Control-Allow-Credentials"] == "true"


async def test_a_foreign_page_cannot_open_a_socket_by_its_visitors_cookie() -> None:
    auth = by_token(ways=("cookie",))
    async with guarding(auth) as (running, backend):
        headers = {"Cookie": f"token={token()}", "Origin": EVIL}
        assert await refused(running, SOCKET, additional_headers=headers) == 403
        assert backend.openings == []


async def test_a_wildcard_lets_every_page_in_without_credentials() -> None:
    async with guarding(browsers=BrowserOptions(("*",))) as (running, _):
        headers = {"Origin": EVIL, **bearer(token())}
        answer = await ask(running.authority, "HEAD", EVENTS, headers=headers)
        assert answer.headers["Access-Control-Allow-Origin"] == "*"
        assert "Access-Control-Allow-Credentials" not in answer.headers


async def test_a_socket_that_is_refused_after_its_handshake_is_told_4403_of_a_page() -> None:
    async with guarding(dialect=DialectOptions(reject="after")) as (running, _):
        headers = {"Origin": EVIL, **bearer(token())}
        async with talking(running.authority, additional_headers=headers) as socket:
            assert (await closing(socket))[0] == 4403
