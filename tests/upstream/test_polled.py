"""A lead with a last resort, over a real backend that is polled."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import aiohttp
import anyio
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bridge.seams import Downstream, Unmetered
from bridge.upstream.poll import PollOptions, PollUpstream
from bridge.upstream.polled import PolledLead, latch_for
from bridge.wire.completion import CompletionOptions, Latch
from bridge.wire.endings import NOT_FOUND, UNSUPPORTED, Ending
from bridge.wire.event import Event
from bridge.wire.frame import Frame
from bridge.wire.names import ChannelName
from tests.support.servers import serving
from tests.support.waiting import until

FILE = ChannelName("file.f1")
DONE = '{"id":"f1","url":"https://h/a.mp4"}'
TOLD = f'{{"type":"file","object":{DONE}}}'


@dataclass
class Told:
    """A channel that remembers."""

    latch: Latch
    said: list[object] = field(default_factory=list)

    def opened(self) -> None:
        self.said.append("opened")

    def publish(self, events: Sequence[Event]) -> None:
        self.said += [event.data for event in events if self.latch.admit(event, len(self.said))]

    def gap(self, reason: str, lost: int | None = None) -> None:
        self.said.append((reason, lost))

    def ended(self, ending: Ending, reason: str = "") -> None:
        self.said.append((ending, reason))


@dataclass
class Stream:
    """A stream's own lead."""

    downstream: Downstream
    runs: bool = False
    can_send: bool = True
    resumable: bool = True

    def start(self) -> None:
        self.runs = True

    def stop(self) -> None:
        self.runs = False

    async def send(self, frame: Frame) -> Ending | None:
        return UNSUPPORTED


@dataclass
class Scene:
    """One polled lead, between a channel and its stream."""

    lead: PolledLead
    told: Told
    streams: list[Stream]
    asked: list[str]
    answers: list[str]

    @property
    def stream(self) -> Stream:
        return self.streams[0]


@asynccontextmanager
async def scene(*answers: str, after: float = 0.0) -> AsyncIterator[Scene]:
    """The backend gives each answer once and the last one for ever."""
    asked: list[str] = []
    left = list(answers)

    async def state(request: Request) -> Response:
        asked.append(request.path_params["id"])
        body = left.pop(0) if len(left) > 1 else left[0]
        return Response(body, media_type="application/json")

    app = Starlette(routes=[Route("/api/file/{id}", state)])
    async with serving(app) as address, aiohttp.ClientSession() as session:
        url = f"http://{address}/api/file/{{id}}"
        options = PollOptions(("file.*",), url, intervals=(0.001,))
        poll, latch = PollUpstream(options, FILE, session, meter=Unmetered()), Latch(name=FILE)
        told, streams = Told(latch), list[Stream]()

        def supervise(downstream: Downstream) -> Stream:
            streams.append(Stream(downstream))
            return streams[-1]

        lead = PolledLead(told, latch, supervise, poll, after)
        yield Scene(lead, told, streams, asked, left)
        lead.stop()
        await lead.wait_closed()


async def test_a_result_that_the_stream_does_not_tell_is_polled_for() -> None:
    async with scene('{"id":"f1","url":null}', DONE) as played:
        played.lead.start()
        await until(lambda: played.told.said)
        assert played.told.said == [TOLD]
        assert len(played.asked) == 2
        assert played.stream.runs


async def test_a_result_of_the_stream_ends_the_polling_and_is_told_once() -> None:
    async with scene('{"id":"f1","url":null}') as played:
        played.lead.start()
        await until(lambda: played.asked)
        played.answers[:] = [DONE]
        played.stream.downstream.publish([Event(TOLD, origin="sse")])
        await played.lead.wait_closed()
        assert played.told.said == [TOLD]


async def test_other_messages_do_not_end_it() -> None:
    async with scene('{"id":"f1","url":null}', DONE) as played:
        played.lead.start()
        played.stream.downstream.publish([Event('{"type":"render_progress"}', origin="sse")])
        await until(lambda: TOLD in played.told.said)


async def test_nothing_is_asked_before_its_time() -> None:
    async with scene(DONE, after=3600) as played:
        played.lead.start()
        await anyio.wait_all_tasks_blocked()
        played.lead.stop()
        await played.lead.wait_closed()
        assert played.asked == []
        assert not played.stream.runs


async def test_a_later_start_does_not_ask_for_what_is_known() -> None:
    async with scene(DONE) as played:
        played.lead.start()
        await until(lambda: played.told.said)
        played.lead.stop()
        await played.lead.wait_closed()
        asked = len(played.asked)
        played.lead.start()
        await played.lead.wait_closed()
        assert len(played.asked) == asked
        assert played.stream.runs


async def test_what_the_stream_says_of_itself_passes_through() -> None:
    async with scene(DONE, after=3600) as played:
        below = played.stream.downstream
        below.opened()
        below.gap("reconnected", 3)
        below.ended(NOT_FOUND, "gone")
        assert played.told.said == ["opened", ("reconnected", 3), (NOT_FOUND, "gone")]


async def test_a_stream_that_is_over_may_leave_its_result_to_the_polling() -> None:
    async with scene(DONE) as played:
        played.lead.start()
        played.stream.downstream.ended(NOT_FOUND, "gone")
        await until(lambda: TOLD in played.told.said)


@pytest.mark.parametrize("can", [True, False])
async def test_frames_go_by_the_streams_own_way(can: bool) -> None:
    async with scene(DONE, after=3600) as played:
        played.stream.can_send = played.stream.resumable = can
        assert played.lead.can_send is can
        assert played.lead.resumable is can
        assert await played.lead.send(Frame("x")) is UNSUPPORTED


def test_a_channel_has_a_latch_only_where_a_second_source_could_repeat_a_result() -> None:
    polls = (PollOptions(("file.*",), "http://h/{id}"),)
    assert latch_for(CompletionOptions(), polls, FILE)
    assert latch_for(CompletionOptions(), polls, ChannelName("user.7")) is None
    assert latch_for(CompletionOptions(repeat="drop"), (), FILE)
