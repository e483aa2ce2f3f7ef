"""Keeping an upstream running."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import anyio
import pytest
from sse_starlette import EventSourceResponse
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from structlog.testing import capture_logs
from websockets.asyncio.server import ServerConnection, serve

from bridge.seams import Downstream, Got, Lost, Opened, Signal, Unmetered, Upstream
from bridge.upstream.backoff import Backoff, ReconnectOptions
from bridge.upstream.continuity import Continuity
from bridge.upstream.sse import SseOptions, SseUpstream
from bridge.upstream.supervise import Supervisor
from bridge.upstream.target import Replay
from bridge.upstream.ws import WsOptions, WsUpstream
from bridge.wire import endings
from bridge.wire.endings import Ending
from bridge.wire.event import Event
from bridge.wire.frame import Frame
from bridge.wire.names import ChannelName
from tests.support.servers import free_port, serving
from tests.support.waiting import until
from tests.upstream.record import Record, Tally

NAME = ChannelName.parse("project.42")
EAGER = ReconnectOptions(base=0.01, cap=0.02)
Script = Sequence[Signal | Exception]


class Scripted:
    """An `Upstream` that says one script per opening, and stays open after the last one."""

    kind = "sse"

    def __init__(self, *scripts: Script) -> None:
        self.scripts = list(scripts)
        self.resumed: list[str | None] = []
        self.sent: list[Frame] = []
        self.open_now = 0

    async def open(self, resume: str | None) -> AsyncGenerator[Signal, None]:
        self.resumed.append(resume)
        self.open_now += 1
        try:
            script = self.scripts.pop(0) if self.scripts else [Opened()]
            for said in script:
                if isinstance(said, Exception):
                    raise said
                yield said
            if not script or not isinstance(script[-1], Lost):
                await asyncio.Event().wait()
        finally:
            self.open_now -= 1

    async def send(self, frame: Frame) -> Ending | None:
        self.sent.append(frame)
        return None


class Mute(Scripted):
    """One that takes no frames."""

    can_send = False


class Silent(Scripted):
    """One that breaks its contract: it ends without a `Lost`."""

    async def open(self, resume: str | None) -> AsyncGenerator[Signal, None]:
        self.resumed.append(resume)
        if len(self.resumed) == 1:
            return
        yield Opened()
        await asyncio.Event().wait()


class Naps:
    """A `sleep` that remembers and lets nobody wait."""

    def __init__(self) -> None:
        self.delays: list[float] = []

    async def __call__(self, delay: float) -> None:
        self.delays.append(delay)
        await asyncio.sleep(0)


def got(*events: tuple[str, str], last_id: str | None = None, missed: int | None = None) -> Got:
    """A batch of (data, id)."""
    made = tuple(Event(data, id=identity) for data, identity in events)
    return Got(made, last_id, missed)


def numbered(*numbers: int) -> Got:
    """A batch of events with ids that count."""
    return got(*((f"d{number}", str(number)) for number in numbers), last_id=str(numbers[-1]))


LOST = Lost(endings.ABNORMAL, "cut")
DONE = Lost(endings.COMPLETE, "done")


@asynccontextmanager
async def supervised(
    upstream: Upstream, record: Downstream, replay: Replay = "auto", **options: Any
) -> AsyncIterator[Supervisor]:
    """A started supervisor, stopped and closed at the end."""
    supervisor = Supervisor(
        upstream,
        record,
        Continuity(replay),
        options.pop("backoff", Backoff(EAGER)),
        meter=options.pop("meter", Unmetered()),
        name=NAME.text,
        **{"random": lambda: 0.5, **options},
    )
    supervisor.start()
    try:
        yield supervisor
    finally:
        supervisor.stop()
        await supervisor.wait_closed()


async def story(*scripts: Script, replay: Replay = "auto", **options: Any) -> Record:
    """What a channel is told until its upstream ends."""
    record = Record()
    async with supervised(Scripted(*scripts), record, replay, sleep=Naps(), **options):
        await until(lambda: record.ending)
    return record


# What reaches the channel.


async def test_what_is_read_is_published_in_order_until_the_end() -> None:
    record = await story([Opened(), got(("a", ""), ("b", "")), Got(), got(("c", "")), DONE])
    assert record.said == ["opened", "a", "b", "c", ("ended", "complete")]


async def test_a_hole_is_told_in_its_place() -> None:
    first: Script = [Opened(), numbered(1, 2, 3), LOST]
    record = await story(first, [Opened(), numbered(3, 4, 5), LOST], [Opened(), numbered(9), DONE])
    assert record.said[1:] == [
        *("d1", "d2", "d3", "opened", "d4", "d5", "opened", ("skipped", 3), "d9"),
        ("ended", "complete"),
    ]


async def test_a_possible_hole_is_told_on_reopening() -> None:
    record = await story([Opened(), got(("a", "")), LOST], [Opened(), got(("b", "")), DONE])
    assert record.said == [
        *("opened", "a", "opened", ("reconnected", None), "b"),
        ("ended", "complete"),
    ]


@pytest.mark.parametrize(("missed", "lost"), [(3, 3), (0, 0), (-1, None)])
async def test_a_hole_that_the_backend_tells_is_passed_on(missed: int, lost: int | None) -> None:
    record = await story([Opened(), got(("a", ""), missed=missed), DONE])
    assert record.said == ["opened", ("announced", lost), "a", ("ended", "complete")]


async def test_a_hole_that_the_backend_tells_is_not_told_twice() -> None:
    late = got(("d9", "9"), last_id="9", missed=5)
    record = await story([Opened(), numbered(1, 2, 3), LOST], [Opened(), late, DONE])
    assert record.gaps == [("announced", 5)]


async def test_a_hole_before_the_end_is_told() -> None:
    record = await story([Opened(), numbered(1, 2, 3), LOST], [DONE])
    assert record.said[-2:] == [("reconnected", None), ("ended", "complete")]


async def test_repetitions_are_dropped_and_counted() -> None:
    tally = Tally()
    first: Script = [Opened(), numbered(1, 2, 3), LOST]
    record = await story(first, [Opened(), numbered(2, 3, 4), DONE], meter=tally)
    assert record.payloads == ["d1", "d2", "d3", "d4"]
    assert tally["upstream_repetitions"] == 2


async def test_a_flood_goes_on_only_where_the_channel_has_room() -> None:
    class Crowded(Record):
        has_room = False

    for record, room in ((Crowded(), False), (Record(), True)):
        async with supervised(Scripted(), record) as supervisor:
            assert supervisor.has_room is room


# Trying again.


async def test_each_attempt_names_the_last_place() -> None:
    scripts: list[Script] = [
        [Opened(), got(("a", "1"), last_id="1"), got(last_id="2"), LOST],
        [LOST],
        [Opened(), Got(), LOST],
        [Opened(), got(last_id=""), LOST],
        [DONE],
    ]
    upstream, record = Scripted(*scripts), Record()
    async with supervised(upstream, record, sleep=Naps()):
        await until(lambda: record.ending)
    assert upstream.resumed == [None, "2", "2", "2", None]


async def test_delays_grow_while_nothing_is_delivered() -> None:
    naps = Naps()
    fruitless: Script = [Opened(), Got(), LOST]
    record = Record()
    backoff = Backoff(ReconnectOptions(base=1, cap=60))
    upstream = Scripted([LOST], fruitless, [Opened(), got(("a", "")), LOST], [LOST], [DONE])
    async with supervised(upstream, record, sleep=naps, backoff=backoff):
        await until(lambda: record.ending)
    assert naps.delays == [0.5, 1.0, 0.5, 1.0]


async def test_a_long_life_without_events_starts_the_delays_anew() -> None:
    naps, record = Naps(), Record()
    times = iter([0.0, 100.0])
    backoff = Backoff(ReconnectOptions(base=1, cap=60))
    upstream = Scripted([LOST], [LOST], [Opened(), Got(), LOST], [DONE])
    async with supervised(upstream, record, sleep=naps, backoff=backoff, clock=lambda: next(times)):
        await until(lambda: record.ending)
    assert naps.delays == [0.5, 1.0, 0.5]


async def test_the_backends_own_delay_is_the_least() -> None:
    naps, record = Naps(), Record()
    async with supervised(
        Scripted([Lost(endings.RESTART, retry=4000)], [DONE]), record, sleep=naps
    ):
        await until(lambda: record.ending)
    assert naps.delays == [4.01]


async def test_a_final_refusal_ends_the_channel_at_once() -> None:
    record = await story([Lost(endings.FORBIDDEN, "no")])
    assert record.said == [("ended", "forbidden")]


async def test_losses_and_openings_are_counted() -> None:
    tally = Tally()
    odd = Lost(endings.for_close(4123), "odd")
    await story([Opened(), LOST], [odd], [Opened(), DONE], meter=tally)
    assert tally == {"upstream_opened": 2, "upstream_lost": 3}


# Fallbacks.


MISSING = Lost(endings.NOT_FOUND, "404")


async def test_an_unknown_channel_is_asked_for_under_its_other_names() -> None:
    second, third = Scripted([MISSING]), Scripted([LOST], [Opened(), got(("a", "")), DONE])
    record = await story([MISSING], fallbacks=(second, third))
    assert record.said == ["opened", "a", ("ended", "complete")]
    assert (len(second.resumed), len(third.resumed)) == (1, 2)


async def test_only_when_all_names_are_unknown_is_the_channel_ended() -> None:
    record = await story([MISSING], fallbacks=(Scripted([MISSING]),))
    assert record.said == [("ended", "not-found")]


async def test_a_later_start_asks_under_each_name_again() -> None:
    first, second, record = Scripted([MISSING], [MISSING]), Scripted([MISSING]), Record()
    async with supervised(first, record, fallbacks=(second,)) as supervisor:
        await supervisor.wait_closed()
        supervisor.start()
        await until(lambda: record.openings)
    assert (len(first.resumed), len(second.resumed)) == (2, 2)


async def test_other_refusals_are_not_evaded() -> None:
    other = Scripted()
    record = await story([Lost(endings.FORBIDDEN, "no")], fallbacks=(other,))
    assert record.said == [("ended", "forbidden")]
    assert other.resumed == []


async def test_a_channel_that_was_known_has_no_other_name() -> None:
    other = Scripted()
    record = await story([Opened(), got(("a", "")), LOST], [MISSING], fallbacks=(other,))
    assert record.said[-1] == ("ended", "not-found")
    assert other.resumed == []


async def test_a_socket_that_opens_and_closes_as_unknown_was_never_known() -> None:
    record = await story([Opened(), MISSING], fallbacks=(Scripted([Opened(), DONE]),))
    assert record.said[-1] == ("ended", "complete")


# Faults.


async def test_an_unexpected_fault_is_logged_counted_and_survived() -> None:
    tally = Tally()
    first: Script = [Opened(), numbered(1, 2, 3), RuntimeError("a bug")]
    with capture_logs() as logs:
        record = await story(first, [Opened(), numbered(4), DONE], meter=tally)
    assert record.said[-4:] == ["opened", ("reconnected", None), "d4", ("ended", "complete")]
    assert tally["upstream_faults"] == 1
    (fault,) = [entry for entry in logs if entry["log_level"] == "error"]
    assert fault["exc_info"]
    assert fault["channel"] == "project.42"


async def test_events_that_the_channel_failed_to_take_are_published_when_they_come_again() -> None:
    class Clumsy(Record):
        def publish(self, events: Sequence[Event]) -> None:
            if not self.payloads and self.openings == 1:
                raise RuntimeError("a bug")
            super().publish(events)

    record = Clumsy()
    upstream = Scripted([Opened(), numbered(1, 2, 3)], [Opened(), numbered(1, 2, 3), DONE])
    with capture_logs():
        async with supervised(upstream, record, sleep=Naps()):
            await until(lambda: record.ending)
    assert upstream.resumed == [None, None]
    assert record.payloads == ["d1", "d2", "d3"]
    assert record.gaps == [("reconnected", None)]


async def test_an_upstream_that_ends_without_a_word_is_opened_again() -> None:
    record, upstream = Record(), Silent()
    async with supervised(upstream, record, sleep=Naps()):
        await until(lambda: record.openings)
    assert len(upstream.resumed) == 2


# Starting and stopping.


async def test_a_stopped_upstream_is_closed_and_continues_where_it_was() -> None:
    upstream = Scripted([Opened(), numbered(1, 2, 3)], [Opened(), numbered(5)])
    record = Record()
    async with supervised(upstream, record) as supervisor:
        assert not supervisor.resumable
        await until(lambda: supervisor.resumable)
        supervisor.stop()
        await supervisor.wait_closed()
        assert upstream.open_now == 0
        supervisor.start()
        await until(lambda: len(record.payloads) == 4)
    assert upstream.resumed == [None, "3"]
    assert record.said[-3:] == ["opened", ("skipped", 1), "d5"]
    assert record.ending is None


async def test_without_ids_a_later_start_is_not_resumable() -> None:
    record = Record()
    async with supervised(Scripted([Opened(), got(("a", ""))]), record, "trusted") as supervisor:
        await until(lambda: record.payloads)
        assert not supervisor.resumable


async def test_there_is_one_connection_at_a_time() -> None:
    most, upstream, record = 0, Scripted(), Record()
    async with supervised(upstream, record) as supervisor:
        for _ in range(20):
            supervisor.start()
            supervisor.start()
            await anyio.lowlevel.checkpoint()
            most = max(most, upstream.open_now)
            supervisor.stop()
            supervisor.stop()
            supervisor.start()
        await until(lambda: record.openings)
    assert most == 1
    assert upstream.open_now == 0


class Lingering(Scripted):
    """One whose connections close only when they are let go."""

    def __init__(self) -> None:
        super().__init__()
        self.let_go = asyncio.Event()

    async def open(self, resume: str | None) -> AsyncGenerator[Signal, None]:
        self.open_now += 1
        try:
            yield Opened()
            await asyncio.Event().wait()
        finally:
            await self.let_go.wait()
            self.open_now -= 1


async def test_a_new_connection_waits_until_the_last_one_is_closed() -> None:
    upstream, record = Lingering(), Record()
    async with supervised(upstream, record) as supervisor:
        await until(lambda: record.openings)
        supervisor.stop()
        await anyio.wait_all_tasks_blocked()
        supervisor.start()
        sending = asyncio.create_task(supervisor.send(Frame("a")))
        await anyio.wait_all_tasks_blocked()
        assert (upstream.open_now, record.openings, upstream.sent) == (1, 1, [])
        upstream.let_go.set()
        await sending
        assert (upstream.open_now, record.openings, upstream.sent) == (1, 2, [Frame("a")])


async def test_stopping_in_a_pause_ends_it() -> None:
    asleep = asyncio.Event()

    async def sleep(delay: float) -> None:
        asleep.set()
        await asyncio.Event().wait()

    async with supervised(Scripted([LOST]), Record(), sleep=sleep) as supervisor:
        await asleep.wait()
        supervisor.stop()
        await supervisor.wait_closed()


async def test_an_ended_upstream_can_be_started_again() -> None:
    record = Record()
    async with supervised(Scripted([Opened(), DONE]), record) as supervisor:
        await until(lambda: record.ending)
        supervisor.start()
        await until(lambda: record.openings == 2)
    assert record.gaps == [("reconnected", None)]


async def test_waiting_for_what_never_ran_returns() -> None:
    supervisor = Supervisor(
        Scripted(), Record(), Continuity(), Backoff(EAGER), meter=Unmetered(), name="project.1"
    )
    supervisor.stop()
    await supervisor.wait_closed()


# Client to server.


async def test_a_frame_waits_for_a_connection_in_the_making() -> None:
    proceed = asyncio.Event()

    async def sleep(delay: float) -> None:
        await proceed.wait()

    upstream = Scripted([LOST])
    async with supervised(upstream, Record(), sleep=sleep) as supervisor:
        sending = asyncio.create_task(supervisor.send(Frame("a")))
        await anyio.wait_all_tasks_blocked()
        assert upstream.sent == []
        proceed.set()
        assert await sending is None
    assert upstream.sent == [Frame("a")]


async def test_a_frame_does_not_wait_for_ever() -> None:
    async def sleep(delay: float) -> None:
        await asyncio.Event().wait()

    async with supervised(Scripted([LOST]), Record(), sleep=sleep, send_wait=0.02) as supervisor:
        assert await supervisor.send(Frame("a")) is endings.TRY_LATER


async def test_a_frame_for_a_stopped_upstream_is_refused_at_once() -> None:
    async with supervised(Scripted(), Record(), send_wait=60.0) as supervisor:
        supervisor.stop()
        assert await supervisor.send(Frame("a")) is endings.TRY_LATER


async def test_a_backend_that_takes_no_frames_says_so_at_once() -> None:
    async with supervised(Mute([LOST]), Record(), send_wait=60.0) as supervisor:
        assert not supervisor.can_send
        assert await supervisor.send(Frame("a")) is endings.UNSUPPORTED


async def test_the_log_has_one_line_for_each_opening_loss_and_end() -> None:
    with capture_logs() as logs:
        await story([Opened(), Got(last_id="7"), LOST], [Opened(), Lost(endings.GONE, "gone")])
    assert [(entry["event"], entry["log_level"]) for entry in logs] == [
        ("upstream open", "info"),
        ("upstream lost", "warning"),
        ("upstream open", "info"),
        ("upstream ended", "warning"),
    ]
    assert {entry["channel"] for entry in logs} == {"project.42"}
    assert (logs[1]["reason"], logs[1]["delay"]) == ("cut", 0.005)
    assert (logs[0]["resumed"], logs[2]["resumed"]) == (False, True)


# Real backends, killed and started again.


class History:
    """A backend with numbered events that can be killed and started again on its port.

    Args:
        replays: whether it continues after the `Last-Event-ID` that it is told.
        ids: whether events have ids.
    """

    def __init__(self, *, replays: bool, ids: bool = True) -> None:
        self.replays, self.ids = replays, ids
        self.port = free_port()
        self.events: list[str] = []
        self.writers: set[asyncio.StreamWriter] = set()
        self.server: asyncio.Server | None = None

    async def start(self) -> None:
        self.server = await asyncio.start_server(self._meet, "127.0.0.1", self.port)

    async def kill(self) -> None:
        assert self.server is not None
        self.server.close()
        for writer in self.writers:
            writer.transport.abort()
        self.writers.clear()
        await self.server.wait_closed()

    def emit(self, count: int) -> None:
        start = len(self.events)
        self.events += [f"event {start + number}" for number in range(count)]
        for writer in self.writers:
            writer.write(self._blocks(start))

    def _blocks(self, start: int) -> bytes:
        return "".join(
            (f"id: {start + number}\r\n" if self.ids else "") + f"data: {data}\r\n\r\n"
            for number, data in enumerate(self.events[start:])
        ).encode()

    async def _meet(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
        _, named, rest = head.partition("last-event-id: ")
        resume = int(rest.split("\r\n")[0]) + 1 if named else 0
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n")
        writer.write(self._blocks(resume if self.replays else len(self.events)))
        self.writers.add(writer)


@asynccontextmanager
async def connected(
    backend: History, replay: Replay = "auto"
) -> AsyncIterator[tuple[Record, Callable[[], bool]]]:
    """A record of this backend, and whether someone reads it just now."""
    record = Record()
    await backend.start()
    async with aiohttp.ClientSession() as session:
        options = SseOptions(f"http://127.0.0.1:{backend.port}/{{channel}}")
        upstream = SseUpstream(options, NAME, session, lambda: 0.0, Unmetered())
        with capture_logs():
            async with supervised(upstream, record, replay):
                yield record, lambda: bool(backend.writers)
    await backend.kill()


async def test_twenty_kills_lose_nothing_that_the_backend_replays() -> None:
    backend = History(replays=True)
    async with connected(backend) as (record, is_read):
        await until(is_read)
        backend.emit(3)
        await until(lambda: len(record.payloads) == 3)
        for _ in range(20):
            backend.emit(2)
            await backend.kill()
            backend.emit(3)
            await backend.start()
            await until(is_read)
            backend.emit(1)
            await until(lambda: len(record.payloads) == len(backend.events))
    assert record.payloads == backend.events
    assert record.gaps == []


async def test_each_hole_of_a_backend_that_counts_and_does_not_replay_is_counted() -> None:
    backend = History(replays=False)
    async with connected(backend) as (record, is_read):
        await until(is_read)
        backend.emit(3)
        await until(lambda: len(record.payloads) == 3)
        for lost in range(1, 6):
            await backend.kill()
            backend.emit(lost)
            await backend.start()
            await until(is_read)
            backend.emit(1)
            await until(lambda: record.payloads[-1] == backend.events[-1])
    assert record.gaps == [("skipped", lost) for lost in range(1, 6)]


async def test_each_reconnect_to_a_backend_without_ids_is_named() -> None:
    backend = History(replays=False, ids=False)
    async with connected(backend) as (record, is_read):
        for _ in range(5):
            await until(is_read)
            backend.emit(1)
            await until(lambda: record.payloads and record.payloads[-1] == backend.events[-1])
            await backend.kill()
            await backend.start()
        await until(lambda: record.openings == 6)
    assert record.payloads == backend.events
    assert record.gaps == [("reconnected", None)] * 5


async def test_a_backend_that_is_down_at_the_start_is_waited_for() -> None:
    backend, record = History(replays=True), Record()
    async with aiohttp.ClientSession() as session:
        options = SseOptions(f"http://127.0.0.1:{backend.port}/{{channel}}")
        upstream = SseUpstream(options, NAME, session, lambda: 0.0, Unmetered())
        naps = Naps()
        with capture_logs():
            async with supervised(upstream, record, sleep=naps):
                await until(lambda: len(naps.delays) > 2)
                backend.emit(2)
                await backend.start()
                await until(lambda: record.payloads)
    await backend.kill()
    assert record.said == ["opened", "event 0", "event 1"]


async def test_an_sse_starlette_app_that_restarts_is_read_on() -> None:
    history: list[str] = []
    news = asyncio.Event()

    async def endpoint(request: Request) -> Response:
        async def events() -> AsyncIterator[dict[str, str]]:
            place = int(request.headers.get("last-event-id", "0"))
            while True:
                for data in history[place:]:
                    place += 1
                    yield {"data": data, "id": str(place)}
                news.clear()
                await news.wait()

        return EventSourceResponse(events())

    app, port, record = Starlette(routes=[Route("/{name}", endpoint)]), free_port(), Record()
    async with aiohttp.ClientSession() as session:
        options = SseOptions(f"http://127.0.0.1:{port}/{{channel}}")
        upstream = SseUpstream(options, NAME, session, lambda: 0.0, Unmetered())
        with capture_logs():
            async with supervised(upstream, record, "trusted"):
                for life in range(2):
                    async with serving(app, port=port):
                        for number in range(3):
                            history.append(f"{life}.{number}")
                            news.set()
                            await until(lambda: record.payloads == history)
    assert record.gaps == []


async def test_a_websocket_backend_that_restarts_is_subscribed_again() -> None:
    port, record, subscriptions = free_port(), Record(), list[Any]()

    def life(number: int) -> Callable[[ServerConnection], Any]:
        async def handler(connection: ServerConnection) -> None:
            subscriptions.append(await connection.recv())
            await connection.send(f"{number}.a")
            async for said in connection:
                await connection.send(f"{number}.{said!r}")

        return handler

    upstream = WsUpstream(WsOptions(f"ws://127.0.0.1:{port}"), NAME, lambda: 0.0, Unmetered())
    with capture_logs():
        async with supervised(upstream, record) as supervisor:
            for number in range(3):
                async with serve(life(number), "127.0.0.1", port):
                    await until(lambda: f"{number}.a" in record.said)  # noqa: B023
                    assert await supervisor.send(Frame("up")) is None
                    await until(lambda: f"{number}.'up'" in record.said)  # noqa: B023
    assert subscriptions == ['{"type":"subscribe","projectId":"project.42"}'] * 3
    assert record.gaps == [("reconnected", None)] * 2


# Over a restart of the bridge.


async def test_a_later_process_goes_on_where_the_earlier_one_stopped() -> None:
    record = Record()
    async with supervised(Scripted([Opened(), numbered(1, 2, 3)]), record) as earlier:
        await until(lambda: len(record.payloads) == 3)
        mark = earlier.mark()
    upstream, later = Scripted([Opened(), numbered(4, 5)]), Record()
    supervisor = Supervisor(
        upstream, later, Continuity(), Backoff(EAGER), meter=Unmetered(), name="project.42"
    )
    supervisor.recall(mark, [Event(f"d{number}", id=str(number)) for number in (1, 2, 3)])
    assert supervisor.resumable
    supervisor.start()
    await until(lambda: len(later.payloads) == 2)
    supervisor.stop()
    await supervisor.wait_closed()
    assert upstream.resumed == ["3"]
    assert not later.gaps


async def test_the_place_in_a_backend_of_another_kind_is_none() -> None:
    supervisor = Supervisor(
        Scripted(), Record(), Continuity(), Backoff(EAGER), meter=Unmetered(), name="project.42"
    )
    mark = supervisor.mark().replace('"sse"', '"ws"').replace("null", '"3"', 1)
    supervisor.recall(mark, [])
    assert '"id":null' in supervisor.mark()
    supervisor.recall(mark.replace('"ws"', '"sse"'), [])
    assert '"id":"3"' in supervisor.mark()
