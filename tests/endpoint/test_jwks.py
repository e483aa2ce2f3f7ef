"""Published keys: rotation, outage, floods."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import jwt
import pytest

from bridge.endpoint.jwks import MAX_BYTES, PublishedKeys
from bridge.endpoint.keys import Key
from bridge.ops.metrics import Metrics
from bridge.upstream.tls import SYSTEM, TlsOptions
from tests.endpoint.parts import EVENTS, ask
from tests.endpoint.test_auth import guarding
from tests.support.certificates import Authority, server_context
from tests.support.issuers import (
    Issuer,
    bearer,
    by_token,
    claims,
    jwk,
    options,
    private_key,
    publishing,
    token,
)
from tests.support.waiting import until


@dataclass(slots=True)
class Bench:
    """Keys whose clock the test moves."""

    issuer: Issuer
    keys: PublishedKeys
    used: list[Sequence[Key]]
    metrics: Metrics
    now: float = 0.0

    @property
    def usable(self) -> bool:
        return self.keys.usable

    async def ask(self) -> bool:
        """Whether there was a fetch."""
        asked = self.keys.ask()
        if asked is not None:
            await asked
        return asked is not None


@asynccontextmanager
async def bench(*published: dict[str, Any]) -> AsyncIterator[Bench]:
    async with publishing(*published) as issuer, aiohttp.ClientSession() as session:
        used, metrics = list[Sequence[Key]](), Metrics()
        asked = options(algorithms=("RS256",), jwks_url=issuer.url)
        keys = PublishedKeys(asked, lambda: session, used.append, metrics, lambda: made.now)
        made = Bench(issuer, keys, used, metrics)
        yield made
        await keys.aclose()


async def test_nothing_is_usable_before_the_first_fetch() -> None:
    async with bench(jwk("RS256")) as made:
        assert (made.usable, await made.ask(), made.usable) == (False, True, True)
        assert [key.kid for key in made.used[0]] == ["one"]


async def test_all_who_wait_share_one_fetch_and_the_next_one_has_to_wait() -> None:
    async with bench(jwk("RS256")) as made:
        await asyncio.gather(*(made.ask() for _ in range(50)))
        assert made.issuer.asked == 1
        made.now = 9
        assert not await made.ask()
        made.now = 10
        assert await made.ask()
        assert made.issuer.asked == 2


async def test_equal_keys_are_not_taken_for_new_ones() -> None:
    async with bench(jwk("RS256")) as made:
        await made.ask()
        made.now = 10
        await made.ask()
        made.issuer.keys = [jwk("RS256", "two")]
        made.now = 20
        await made.ask()
        assert [[key.kid for key in keys] for keys in made.used] == [["one"], ["two"]]


async def test_known_keys_serve_through_an_outage_for_a_while() -> None:
    async with bench(jwk("RS256")) as made:
        await made.ask()
        made.issuer.status = 500
        made.now = 3600
        await made.ask()
        assert (made.usable, made.keys.certain) == (True, False)
        made.now = 3601
        assert (made.usable, made.keys.certain) == (False, False)
        assert made.metrics.value("jwks_fetches", outcome="failed") == 1


@pytest.mark.parametrize(
    "answer",
    [
        {"keys": []},
        {"status": 302},
        {"status": 404},
        {"keys": [{"kid": "x" * MAX_BYTES}]},
        {"keys": [{"kty": "oct", "k": "AAAA"}]},
    ],
    ids=["empty", "redirect", "absent", "large", "secrets"],
)
async def test_an_answer_without_keys_changes_nothing(answer: dict[str, Any]) -> None:
    async with bench() as made:
        for name, value in answer.items():
            setattr(made.issuer, name, value)
        await made.ask()
        assert not made.usable
        assert made.used == []


async def test_a_rotated_key_is_fetched_for_the_first_token_that_names_it() -> None:
    async with publishing(jwk("RS256", "old")) as issuer:
        asked = options(algorithms=("RS256",), jwks_url=issuer.url, jwks_interval=0.001)
        async with guarding(by_token(asked)) as (running, _):
            await until(lambda: running.count("jwks_fetches", outcome="fetched") > 0)
            issuer.keys = [jwk("RS256", "new")]
            headers = bearer(token("RS256", "new"))
            assert (await ask(running.authority, "HEAD", EVENTS, headers=headers)).status == 200
            headers = bearer(token("RS256", "old"))
            assert (await ask(running.authority, "HEAD", EVENTS, headers=headers)).status == 401


@pytest.mark.parametrize("kid", [None, "same"])
async def test_a_key_that_shows_by_its_signatures_alone_is_fetched_as_well(kid: str | None) -> None:
    def published(key: str) -> dict[str, Any]:
        unnamed = {name: value for name, value in jwk("RS256", key).items() if name != "kid"}
        return unnamed | ({"kid": kid} if kid else {})

    def signed(key: str) -> dict[str, str]:
        named = {"kid": kid} if kid else {}
        return bearer(jwt.encode(claims(), private_key("RS256", key), "RS256", headers=named))

    async with publishing(published("old")) as issuer:
        asked = options(algorithms=("RS256",), jwks_url=issuer.url, jwks_interval=0.001)
        async with guarding(by_token(asked)) as (running, _):
            await until(lambda: running.count("jwks_fetches", outcome="fetched") > 0)
            old = await ask(running.authority, "HEAD", EVENTS, headers=signed("old"))
            issuer.keys = [published("new")]
            new = await ask(running.authority, "HEAD", EVENTS, headers=signed("new"))
            gone = await ask(running.authority, "HEAD", EVENTS, headers=signed("old"))
            assert (old.status, new.status, gone.status) == (200, 200, 401)


async def test_a_flood_of_forged_signatures_asks_the_issuer_once() -> None:
    async with publishing(jwk("RS256")) as issuer:
        asked = options(algorithms=("RS256",), jwks_url=issuer.url)
        async with guarding(by_token(asked)) as (running, _):
            await until(lambda: running.count("jwks_fetches", outcome="fetched") == 1)
            forged = jwt.encode(
                claims(), private_key("RS256", "forger"), "RS256", headers={"kid": "one"}
            )
            for _ in range(20):
                answer = await ask(running.authority, "GET", EVENTS, headers=bearer(forged))
                assert answer.status == 401
            assert issuer.asked == 1


async def test_an_issuer_behind_an_authority_of_its_own_is_trusted_where_that_is_named(
    tmp_path: Path,
) -> None:
    authority = Authority(tmp_path, "authority")
    server = server_context(authority.sign("issuer", "127.0.0.1"), clients=authority)
    own = authority.sign("bridge")
    trusting = TlsOptions(str(authority.certificate), str(own.certificate), str(own.key))
    async with publishing(jwk("RS256"), tls=server) as issuer:
        for tls, outcome in ((trusting, "fetched"), (SYSTEM, "failed")):
            asked = options(algorithms=("RS256",), jwks_url=issuer.url, tls=tls)
            async with guarding(by_token(asked)) as (running, _):
                await until(lambda: running.count("jwks_fetches", outcome=outcome) > 0)  # noqa: B023
                headers = bearer(token("RS256"))
                answer = await ask(running.authority, "HEAD", EVENTS, headers=headers)
                assert answer.status == (200 if tls is trusting else 503)


async def test_nobody_is_let_in_while_the_keys_were_never_had() -> None:
    async with publishing(jwk("RS256")) as issuer:
        issuer.status = 503
        asked = options(algorithms=("RS256",), jwks_url=issuer.url)
        async with guarding(by_token(asked)) as (running, backend):
            await until(lambda: running.count("jwks_fetches", outcome="failed") == 1)
            headers = bearer(token("RS256"))
            answer = await ask(running.authority, "GET", EVENTS, headers=headers)
            assert answer.status == 503
            assert int(answer.headers["Retry-After"]) > 0
            stream = headers | {"Accept": "text/event-stream"}
            told = await ask(running.authority, "GET", EVENTS, headers=stream)
            assert (told.status, b"bridge.end" in told.body) == (200, True)
            assert backend.openings == []


async def test_a_flood_of_invented_keys_asks_the_issuer_once() -> None:
    async with publishing(jwk("RS256")) as issuer:
        asked = options(algorithms=("RS256",), jwks_url=issuer.url)
        async with guarding(by_token(asked)) as (running, _):
            await until(lambda: running.count("jwks_fetches", outcome="fetched") == 1)
            for _ in range(20):
                headers = bearer(token("RS256", "invented"))
                answer = await ask(running.authority, "GET", EVENTS, headers=headers)
                assert answer.status == 401
            assert issuer.asked == 1
