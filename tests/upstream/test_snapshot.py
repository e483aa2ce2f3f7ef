"""Snapshots from a real backend: who shares an answer, and what happens without one."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import anyio
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bridge.upstream.snapshot import SnapshotOptions, Snapshots
from bridge.wire.credential import OwnCredential
from bridge.wire.event import Event
from bridge.wire.names import ChannelName
from tests.support.servers import serving
from tests.support.waiting import until

FILE, OTHER = ChannelName("file.f1"), ChannelName("file.f2")
PENDING = '{"id":"f1","url":null}'
DONE = '{"id":"f1","url":"https://h/a.mp4"}'


class Counted:
    """A meter that keeps the outcomes."""

    def __init__(self) -> None:
        self.outcomes = Counter[str]()
        self.fault: Exception | None = None

    def count(self, name: str, amount: float = 1, **labels: str) -> None:
        assert name == "snapshots"
        if self.fault:
            raise self.fault
        self.outcomes[labels["outcome"]] += 1

    def gauge(self, name: str, change: float, **labels: str) -> None:
        raise AssertionError(name)


class Bench:
    """A backend whose answer and readiness the test sets, a clock, and the snapshots of both."""

    snapshots: Snapshots

    def __init__(self) -> None:
        self.answer: str | int = DONE
        self.now = 0.0
        self.meter = Counted()
        self.ready = asyncio.Event()
        self.ready.set()
        self.requests = list[Request]()

    async def serve(self, request: Request) -> Response:
        self.requests.append(request)
        answer = self.answer
        await self.ready.wait()
        if isinstance(answer, int):
            return Response(status_code=answer)
        return Response(answer)

    async def fetch(self, name: ChannelName = FILE, **how: Any) -> str | bytes | None:
        event = await self.snapshots.fetch(name, **how)
        return event.data if event else None


@asynccontextmanager
async def bench(**settings: Any) -> AsyncIterator[Bench]:
    made = Bench()
    app = Starlette(routes=[Route("/api/file/{id}", made.serve)])
    async with serving(app) as host, aiohttp.ClientSession() as session:
        options = SnapshotOptions(
            ("file.*",), f"http://{host}/api/file/{{id}}", **({"deadline": 30.0} | settings)
        )
        made.snapshots = Snapshots([options], session, clock=lambda: made.now, meter=made.meter)
        try:
            yield made
        finally:
            made.ready.set()
            await made.snapshots.aclose()


def told(body: str) -> str:
    return f'{{"type":"file","object":{body}}}'


async def test_a_state_comes_as_the_message_that_would_have_told_it() -> None:
    async with bench() as made:
        made.now = 3.0
        event = await made.snapshots.fetch(FILE)
    assert event == Event(told(DONE), origin="snapshot", at=3.0)
    assert made.requests[0].url.path == "/api/file/f1"
    assert made.meter.outcomes == {"found": 1}


async def test_an_unfinished_state_is_shown_too() -> None:
    async with bench() as made:
        made.answer = PENDING
        assert await made.fetch() == told(PENDING)


async def test_channels_without_a_pattern_have_none() -> None:
    async with bench() as made:
        assert made.snapshots.wanted(FILE)
        assert not made.snapshots.wanted(ChannelName("user.7"))
        assert await made.fetch(ChannelName("user.7")) is None
    assert made.requests == []


async def test_a_result_is_shared_while_it_is_fresh() -> None:
    async with bench() as made:
        first = await made.snapshots.fetch(FILE)
        made.now = 0.99
        assert await made.snapshots.fetch(FILE) is first
        made.now = 1.0
        assert await made.snapshots.fetch(FILE) is not first
    assert len(made.requests) == 2


async def test_joiners_at_the_same_time_share_one_request() -> None:
    async with bench(fresh=0) as made:
        made.ready.clear()
        async with anyio.create_task_group() as group:
            joined = list[str | bytes | None]()

            async def join() -> None:
                joined.append(await made.fetch())

            for _ in range(20):
                group.start_soon(join)
            await until(lambda: made.requests)
            made.ready.set()
    assert joined == [told(DONE)] * 20
    assert len(made.requests) == 1


async def test_a_state_older_than_the_join_is_not_shown_without_a_result() -> None:
    async with bench() as made:
        made.answer = PENDING
        assert await made.fetch() == told(PENDING)
        made.answer = DONE
        assert await made.fetch() == told(DONE)


async def test_who_joins_during_a_request_gets_the_next_one_unless_it_brings_the_result() -> None:
    async with bench() as made, anyio.create_task_group() as group:
        made.answer = PENDING
        made.ready.clear()
        early, late = list[object](), list[object]()

        async def join(joined: list[object]) -> None:
            joined.append(await made.fetch())

        group.start_soon(join, early)
        await until(lambda: made.requests)
        made.answer = DONE
        for _ in range(5):
            group.start_soon(join, late)
        await asyncio.sleep(0)
        made.ready.set()
    assert early == [told(PENDING)]
    assert late == [told(DONE)] * 5
    assert len(made.requests) == 2


async def test_a_joiner_who_leaves_takes_the_answer_from_nobody() -> None:
    async with bench() as made:
        made.ready.clear()
        leaving = asyncio.create_task(made.fetch())
        staying = asyncio.create_task(made.fetch())
        await until(lambda: made.requests)
        leaving.cancel()
        await asyncio.wait((leaving,))
        made.ready.set()
        assert await staying == told(DONE)
    assert len(made.requests) == 1


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [(404, "absent"), (500, "failed"), (401, "failed"), ("<html>", "failed")],
)
async def test_no_state_is_none_and_counted(answer: str | int, outcome: str) -> None:
    async with bench() as made:
        made.answer = answer
        assert await made.fetch() is None
    assert made.meter.outcomes == {outcome: 1}


async def test_nothing_is_kept_of_what_failed() -> None:
    async with bench() as made:
        made.answer = 500
        assert await made.fetch() is None
        made.answer = DONE
        assert await made.fetch() == told(DONE)


async def test_a_fault_of_our_own_is_not_kept_either() -> None:
    async with bench() as made:
        made.meter.fault = RuntimeError("no such counter")
        with pytest.raises(RuntimeError, match="no such counter"):
            await made.fetch()
        made.meter.fault = None
        assert await made.fetch() == told(DONE)


async def test_a_failure_is_shared_by_those_who_waited_for_it() -> None:
    async with bench() as made:
        made.answer = 503
        made.ready.clear()
        first, second = (asyncio.create_task(made.fetch()) for _ in range(2))
        await until(lambda: made.requests)
        made.ready.set()
        assert (await first, await second) == (None, None)
    assert len(made.requests) == 1


async def test_a_backend_that_is_too_slow_is_none() -> None:
    async with bench(deadline=0.2) as made:
        made.ready.clear()
        assert await made.fetch() is None
    assert made.meter.outcomes == {"failed": 1}


async def test_a_state_that_is_too_large_is_none() -> None:
    async with bench(max_bytes=8) as made:
        assert await made.fetch() is None


async def test_a_message_of_results_waits_for_one() -> None:
    wrap = '{"type":"render_result","object":{"url":{result}}}'
    async with bench(wrap=wrap) as made:
        made.answer = PENDING
        assert await made.fetch() is None
        made.answer = DONE
        assert await made.fetch() == '{"type":"render_result","object":{"url":"https://h/a.mp4"}}'
    assert made.meter.outcomes == {"absent": 1, "found": 1}


async def test_scopes_and_channels_share_nothing() -> None:
    async with bench(headers={"Authorization": "Bearer bridge"}) as made:
        await made.fetch()
        await made.fetch(OTHER)
        await made.fetch(scope="a", own=OwnCredential("Bearer a", "authorization"))
        await made.fetch(scope="b", own=OwnCredential("Bearer b"))
        await made.fetch(scope="a", own=OwnCredential("Bearer a", "authorization"))
    sent = [request.headers.getlist("authorization") for request in made.requests]
    assert sent == [["Bearer bridge"], ["Bearer bridge"], ["Bearer a"], ["Bearer b"]]


async def test_old_answers_are_let_go() -> None:
    async with bench() as made:
        await made.fetch()
        made.now = 2.0
        await made.fetch(OTHER)
        assert [key[0] for key in made.snapshots._requests] == ["file.f2"]


async def test_closing_releases_those_who_wait() -> None:
    async with bench() as made:
        made.ready.clear()
        waiting = asyncio.create_task(made.fetch())
        await until(lambda: made.requests)
        await made.snapshots.aclose()
        assert await waiting is None
        made.ready.set()
        assert await made.fetch() == told(DONE)


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"match": ()}, "match names no channel"),
        ({"deadline": 0}, "deadline"),
        ({"max_bytes": 0}, "max_bytes"),
        ({"fresh": -1}, "fresh"),
        ({"fresh": float("nan")}, "fresh"),
    ],
)
def test_options_that_cannot_work_are_refused(change: dict[str, Any], complaint: str) -> None:
    settings: dict[str, Any] = {"match": ("*",), "url": "http://backend/{id}"}
    with pytest.raises(ValueError, match=complaint):
        SnapshotOptions(**(settings | change))
