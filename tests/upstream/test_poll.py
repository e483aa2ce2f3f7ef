"""The polling upstream against a real backend, and the last resort that begins it."""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import anyio
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bridge.seams import Got, Lost, Opened, Signal, Upstream
from bridge.upstream.poll import LastResort, PollOptions, PollUpstream
from bridge.wire import endings
from bridge.wire.completion import Latch
from bridge.wire.event import Event
from bridge.wire.frame import Frame
from bridge.wire.names import ChannelName
from tests.support.ports import reserved_port
from tests.support.servers import serving
from tests.support.waiting import until

FILE = ChannelName("file.f1")
PENDING = '{"id":"f1","url":null,"tasks":[]}'
DONE = '{"id": "f1",  "url":"https://h/a.mp4?sig=1","n":1.10}'
FAILED = '{"id":"f1","url":null,"tasks":[{"status":"error"}]}'


@dataclass
class Pace:
    """A clock that only sleeping moves, and a record of the sleeps."""

    now: float = 100.0
    slept: list[float] = field(default_factory=list)

    def clock(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds
        await asyncio.sleep(0)


@dataclass
class Counted:
    """A meter that keeps the outcomes."""

    outcomes: list[str] = field(default_factory=list)

    def count(self, name: str, amount: float = 1, **labels: str) -> None:
        assert name == "polls"
        self.outcomes.append(labels["outcome"])

    def gauge(self, name: str, change: float, **labels: str) -> None:
        raise AssertionError(name)


class Backend:
    """Gives its answers in turn, the last one for ever: a body, or a status."""

    def __init__(self, *answers: str | int) -> None:
        self.answers, self.requests = list(answers), list[Request]()
        self.hold: asyncio.Event | None = None

    async def __call__(self, request: Request) -> Response:
        self.requests.append(request)
        if self.hold:
            await self.hold.wait()
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, str):
            return Response(answer, media_type="application/json")
        return Response(status_code=answer, headers={"retry-after": "42"} if answer == 429 else {})


@asynccontextmanager
async def polling(
    backend: Backend, pace: Pace, meter: Counted | None = None, **settings: Any
) -> AsyncIterator[PollUpstream]:
    app = Starlette(routes=[Route("/api/file/{id}", backend.__call__)])
    async with serving(app) as host, aiohttp.ClientSession() as session:
        options = PollOptions(("file.*",), f"http://{host}/api/file/{{id}}", **settings)
        yield PollUpstream(options, FILE, session, clock=pace.clock, sleep=pace.sleep, meter=meter)


async def signals(backend: Backend, pace: Pace, **settings: Any) -> list[Signal]:
    async with polling(backend, pace, **settings) as poll:
        return [signal async for signal in poll.open(None)]


def told(*bodies: str) -> list[str]:
    return [f'{{"type":"file","object":{body}}}' for body in bodies]


def datas(taken: Sequence[Signal]) -> list[str | bytes]:
    return [event.data for signal in taken if isinstance(signal, Got) for event in signal.events]


async def test_only_the_answer_that_holds_the_result_is_told() -> None:
    pace, meter = Pace(), Counted()
    backend = Backend(404, PENDING, 202, DONE)
    taken = await signals(backend, pace, meter=meter)
    assert [type(signal) for signal in taken] == [Opened, Got, Lost]
    assert datas(taken) == told(DONE)
    assert taken[-1] == Lost(endings.COMPLETE, "the result is there")
    assert pace.slept == [1, 2, 5]
    assert meter.outcomes == ["pending", "pending", "pending", "result"]
    assert backend.requests[0].url.path == "/api/file/f1"


async def test_an_event_says_when_and_by_whom_it_was_told() -> None:
    taken = await signals(Backend(PENDING, DONE), Pace(now=5.0))
    got = next(signal for signal in taken if isinstance(signal, Got))
    assert got.last_id is None
    assert got.events == (Event(told(DONE)[0], origin="poll", at=6.0),)


async def test_each_new_state_is_told_where_asked() -> None:
    backend = Backend(PENDING, PENDING, '{"id":"f1","progress":1}', PENDING, DONE)
    taken = await signals(backend, Pace(), publish="changes")
    assert datas(taken) == told(PENDING, '{"id":"f1","progress":1}', PENDING, DONE)


async def test_a_failure_is_told_too() -> None:
    taken = await signals(Backend(FAILED), Pace())
    assert datas(taken) == told(FAILED)
    assert taken[-1] == Lost(endings.COMPLETE, "the work failed")


async def test_a_failure_makes_no_message_that_tells_a_result() -> None:
    wrap = '{"type":"render_result","object":{"url":{result}}}'
    assert datas(await signals(Backend(FAILED), Pace(), wrap=wrap)) == []


async def test_a_projects_first_result_counts() -> None:
    project = '{"data":[{"value":{}},{"value":{"url":"https://h/a"}}]}'
    wrap = '{"type":"render_result","object":{"url":{result}}}'
    taken = await signals(Backend(project), Pace(), wrap=wrap)
    assert datas(taken) == ['{"type":"render_result","object":{"url":"https://h/a"}}']


async def test_a_busy_backend_is_left_alone_as_long_as_it_asks() -> None:
    pace = Pace()
    await signals(Backend(429, DONE), pace)
    assert pace.slept == [42]


async def test_it_gives_up_after_its_time_without_an_exception() -> None:
    pace = Pace(now=0.0)
    taken = await signals(Backend(PENDING), pace, give_up=20)
    assert taken == [Opened(), Lost(endings.TIMEOUT, "no result in 20 s")]
    assert pace.slept == [1, 2, 5, 10, 2]


async def test_five_errors_in_a_row_end_it_without_having_opened() -> None:
    taken = await signals(Backend(500), Pace(), give_up=1e6)
    assert taken == [
        Lost(endings.INTERNAL, "5 errors in a row, the last: the backend answered 500")
    ]


async def test_a_backend_that_is_down_ends_it_without_an_exception() -> None:
    pace = Pace()
    with reserved_port() as port:
        async with aiohttp.ClientSession() as session:
            options = PollOptions(("*",), f"http://127.0.0.1:{port}/{{id}}")
            poll = PollUpstream(options, FILE, session, clock=pace.clock, sleep=pace.sleep)
            taken = [signal async for signal in poll.open()]
    assert [type(signal) for signal in taken] == [Lost]
    assert pace.slept == [1, 2, 5, 10]


async def test_configured_headers_are_sent() -> None:
    backend = Backend(DONE)
    await signals(backend, Pace(), headers={"Authorization": "Bearer t"})
    assert backend.requests[0].headers["authorization"] == "Bearer t"


async def test_it_can_be_opened_again_after_its_end() -> None:
    async with polling(Backend(DONE), Pace()) as poll:
        for _ in range(2):
            assert datas([signal async for signal in poll.open(None)]) == told(DONE)


async def test_it_takes_no_frames() -> None:
    async with aiohttp.ClientSession() as session:
        poll: Upstream = PollUpstream(PollOptions(("*",), "http://h/{id}"), FILE, session)
        assert poll.kind == "poll"
        assert await poll.send(Frame("{}")) == endings.UNSUPPORTED


async def test_the_last_resort_waits_first_and_then_publishes() -> None:
    pace, published = Pace(), list[Event]()
    async with polling(Backend(PENDING, DONE), pace) as poll:
        resort = LastResort(poll, published.extend, after=60, sleep=pace.sleep)
        runs = [resort.running]
        resort.start()
        resort.start()
        runs.append(resort.running)
        await resort.wait_closed()
        runs.append(resort.running)
    assert runs == [False, True, False]
    assert [event.data for event in published] == told(DONE)
    assert pace.slept == [60, 1]


async def test_a_completion_in_time_means_that_nobody_asks() -> None:
    backend, pace = Backend(DONE), Pace()
    async with polling(backend, pace) as poll:
        resort = LastResort(poll, lambda _: None, after=60, sleep=lambda _: anyio.sleep_forever())
        resort.start()
        await asyncio.sleep(0)
        resort.stop()
        await resort.wait_closed()
    assert backend.requests == []


async def test_a_completion_while_the_backend_answers_is_the_only_one() -> None:
    backend, pace, published = Backend(DONE), Pace(), list[Event]()
    backend.hold = asyncio.Event()
    async with polling(backend, pace) as poll:
        resort = LastResort(poll, published.extend, after=0, sleep=pace.sleep)
        resort.start()
        await until(lambda: backend.requests)
        resort.stop()
        backend.hold.set()
        await resort.wait_closed()
    assert published == []


async def test_it_can_be_stopped_by_what_it_publishes() -> None:
    pace, published = Pace(), list[Event]()
    async with polling(Backend(PENDING, '{"id":"f1"}', DONE), pace, publish="changes") as poll:

        def publish(events: Sequence[Event]) -> None:
            published.extend(events)
            resort.stop()

        resort = LastResort(poll, publish, after=0, sleep=pace.sleep)
        resort.start()
        await resort.wait_closed()
    assert [event.data for event in published] == told(PENDING)


async def test_it_can_begin_again_while_the_last_run_still_ends() -> None:
    pace, published = Pace(), list[Event]()
    async with polling(Backend(DONE), pace) as poll:
        resort = LastResort(poll, published.extend, after=0, sleep=pace.sleep)
        resort.stop()
        resort.start()
        await asyncio.sleep(0)
        resort.stop()
        resort.start()
        await resort.wait_closed()
    assert [event.data for event in published] == told(DONE)


async def test_stream_and_poll_together_make_one_completion() -> None:
    latch, pace, log = Latch(name=FILE), Pace(), list[str | bytes]()

    def publish(events: Sequence[Event]) -> None:
        log.extend(event.data for event in events if latch.admit(event))

    async with polling(Backend(DONE), pace) as poll:
        resort = LastResort(poll, publish, after=60, sleep=pace.sleep)
        resort.start()
        await resort.wait_closed()
    late = json.dumps({"type": "render_result", "object": {"url": "https://h/a.mp4?sig=2"}})
    publish([Event(late, origin="sse")])
    assert log == told(DONE)
