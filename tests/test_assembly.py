"""The parts of a bridge put together: each setting reaches the part that obeys it."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bridge.assembly import Bridge
from bridge.config import Config, UpstreamOptions
from bridge.endpoint.relay_request import RelayOptions
from bridge.errors import ConfigError
from bridge.history.log import LogOptions
from bridge.hub.hub import HubOptions
from bridge.upstream.poll import PollOptions
from bridge.upstream.snapshot import SnapshotOptions
from bridge.upstream.sse import SseOptions
from bridge.upstream.ws import WsOptions
from bridge.wire.alias import AliasOptions
from bridge.wire.completion import CompletionOptions
from bridge.wire.mapping import EnvelopeOptions
from bridge.wire.names import ChannelName
from tests.endpoint.parts import Running, bridging, said, streaming, talking, upstream_of
from tests.support.backends import SseBackend, WsBackend
from tests.support.servers import serving
from tests.support.waiting import until

DONE = '{"id":"f1","url":"https://h.test/a.mp4?X-Amz-Signature=%d"}'
PENDING = '{"id":"f1","url":null,"tasks":[]}'
FALLBACK = (AliasOptions("file.{id}", fallbacks=("project.{id}",)),)
SSE = SseOptions("http://h.test/{channel}")
WS = WsOptions("ws://h.test/{channel}")


def told(body: str) -> str:
    """How a state is told: wrapped, its text as it is."""
    return f'{{"type":"file","object":{body}}}'


@dataclass
class States:
    """A backend's state of files, which a test sets."""

    body: str = PENDING
    asked: list[str] = field(default_factory=list)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[str]:
        """Gives the address template."""
        app = Starlette(routes=[Route("/api/file/{id}", self._answer)])
        async with serving(app) as address:
            yield f"http://{address}/api/file/{{id}}"

    async def _answer(self, request: Request) -> Response:
        self.asked.append(request.path_params["id"])
        body = self.body.replace("%d", str(len(self.asked)))  # signed anew for each request
        return Response(body, media_type="application/json")


class KnowsProjects(SseBackend):
    """Answers 404 for files, which it knows by their project alone."""

    async def _subscribe(self, request: Request) -> Response:
        self.refusal = 404 if request.path_params["channel"].startswith("file.") else None
        return await super()._subscribe(request)


# Aliases and fallbacks.


async def test_a_file_that_the_backend_does_not_know_is_served_from_its_project() -> None:
    async with (
        KnowsProjects() as backend,
        bridging(upstream_of(backend), aliases=FALLBACK) as running,
        streaming(running.authority, "/api/v1/events/file.X") as stream,
        talking(running.authority, "/api/v1/ws/file.X") as socket,
    ):
        await until(lambda: backend.subscribers("project.X"))
        assert (await stream.block()).startswith(b"id: ")
        backend.publish("project.X", '{"a":1}')
        assert await said(socket) == '{"a":1}'
        assert (await stream.event()).data == '{"a":1}'
    assert [each.channel for each in backend.openings] == ["file.X", "project.X"]


async def test_a_name_so_long_that_no_fallback_fits_has_none() -> None:
    name = "file." + "x" * 195
    async with (
        KnowsProjects() as backend,
        bridging(upstream_of(backend), aliases=FALLBACK) as running,
        streaming(running.authority, f"/api/v1/events/{name}") as stream,
    ):
        assert b"not-found" in await stream.rest()


# Snapshots and polls.


@asynccontextmanager
async def watching(states: States, **settings: Any) -> AsyncIterator[tuple[SseBackend, Running]]:
    """A bridge whose stream may stay silent, beside a state that can be asked for."""
    async with SseBackend() as backend, states.running() as url:
        upstream = upstream_of(backend)
        made = {name: (make(url),) for name, make in settings.items()}
        async with bridging(upstream, **made) as running:
            yield backend, running


def snapshots(url: str) -> SnapshotOptions:
    return SnapshotOptions(("file.*",), url)


def polls(url: str) -> PollOptions:
    return PollOptions(("file.*",), url, after=0.01, intervals=(0.005,))


async def test_a_result_from_before_the_client_came_is_delivered_on_both_wires() -> None:
    states = States(DONE)
    async with (
        watching(states, snapshots=snapshots) as (_, running),
        talking(running.authority, "/api/v1/ws/file.f1") as socket,
        streaming(running.authority, "/api/v1/events/file.f1") as stream,
    ):
        assert "a.mp4" in str(await said(socket))
        event = await stream.event()
        assert "a.mp4" in event.data
        assert event.id.startswith(running.channel("file.f1").log.epoch)


async def test_the_id_comes_before_the_snapshot_is_even_asked_for() -> None:
    states = States(PENDING)
    async with (
        watching(states, snapshots=snapshots) as (_, running),
        streaming(running.authority, "/api/v1/events/file.f1") as stream,
    ):
        assert (await stream.block()).startswith(b"id: ")
        assert (await stream.event()).data == told(PENDING)


async def test_a_client_that_continues_is_shown_no_snapshot() -> None:
    states = States(PENDING)
    async with watching(states, snapshots=snapshots) as (_, running):
        path = "/api/v1/events/file.f1"
        async with streaming(running.authority, path) as stream:
            place = (await stream.block()).decode().split()[1]
        asked = len(states.asked)
        async with streaming(running.authority, path, place=place) as stream:
            await stream.block()
            running.publish("next", name="file.f1")
            assert (await stream.event()).data == "next"
        assert len(states.asked) == asked


async def test_a_stream_that_stays_silent_is_polled_for_and_one_completion_arrives() -> None:
    states = States(PENDING)
    async with (
        watching(states, polls=polls) as (backend, running),
        talking(running.authority, "/api/v1/ws/file.f1") as socket,
    ):
        await until(lambda: len(states.asked) > 1)
        states.body = DONE
        first = str(await said(socket))
        assert "a.mp4" in first
        await until(lambda: backend.subscribers("file.f1"))
        backend.publish("file.f1", told(DONE.replace("%d", "99")))  # the stream, too late
        backend.publish("file.f1", "and on")
        assert await said(socket) == "and on"
        assert running.count("completions_latched") == 1


async def test_whichever_of_three_sources_wins_there_is_one_completion() -> None:
    states = States(DONE)
    async with (
        watching(states, polls=polls, snapshots=snapshots) as (backend, running),
        talking(running.authority, "/api/v1/ws/file.f1") as socket,
        streaming(running.authority, "/api/v1/events/file.f1") as stream,
    ):
        await until(lambda: backend.subscribers("file.f1") and running.readers == 2)
        backend.publish("file.f1", told(DONE))
        backend.publish("file.f1", '"last"')
        seen = [await said(socket), await said(socket)]
        assert ["a.mp4" in str(each) for each in seen] == [True, False]
        events = [(await stream.event()).data for _ in range(2)]
        assert ["a.mp4" in each for each in events] == [True, False]


async def test_a_polled_file_may_be_streamed_under_its_projects_name() -> None:
    states = States(PENDING)
    async with KnowsProjects() as backend, states.running() as url:
        settings = {"polls": (polls(url),), "aliases": FALLBACK}
        async with (
            bridging(upstream_of(backend), **settings) as running,
            streaming(running.authority, "/api/v1/events/file.f1") as stream,
        ):
            await until(lambda: backend.subscribers("project.f1") and states.asked)
            states.body = DONE
            assert "a.mp4" in (await stream.event()).data
            assert set(states.asked) == {"f1"}


async def test_a_snapshot_is_enriched_like_any_message() -> None:
    envelope = EnvelopeOptions(add={"projectId": "{id}"})
    async with (
        SseBackend() as backend,
        States(PENDING).running() as url,
        bridging(upstream_of(backend), snapshots=(snapshots(url),), envelope=envelope) as running,
        streaming(running.authority, "/api/v1/events/file.f1") as stream,
    ):
        assert json.loads((await stream.event()).data)["projectId"] == "f1"


# Which part a setting reaches.


@pytest.mark.parametrize(
    ("source", "upstream", "kind"),
    [
        (None, UpstreamOptions(sse=SSE), "sse"),
        (None, UpstreamOptions(ws=WS), "ws"),
        ("legacy", UpstreamOptions(sse=SSE, ws=WS), "ws"),
        ("sse", UpstreamOptions(sse=SSE, ws=WS), "sse"),
    ],
)
async def test_the_source_says_which_backend_leads(
    source: Any, upstream: UpstreamOptions, kind: str
) -> None:
    bridge = Bridge(Config(source=source, upstream=upstream))
    async with bridge.running():
        assert bridge.upstream(ChannelName("project.1")).kind == kind


async def test_a_bridge_of_relays_alone_has_no_upstream() -> None:
    relay = RelayOptions("/v2/echat", "http://h.test/v2/echat")
    bridge = Bridge(Config(relays=(relay,)))
    async with bridge.running():
        assert bridge.backends() == []
        with pytest.raises(ConfigError):
            bridge.upstream(ChannelName("project.1"))


def test_the_backends_are_those_that_are_configured() -> None:
    bridge = Bridge(Config(source="sse", upstream=UpstreamOptions(sse=SSE, ws=WS)))
    assert bridge.backends() == [SSE.url, WS.url]


async def test_a_bridge_can_be_made_outside_an_event_loop_and_run_twice() -> None:
    bridge = Bridge(Config(upstream=UpstreamOptions(sse=SSE)))
    for _ in range(2):
        async with bridge.running():
            assert not bridge.session.closed
        assert bridge.session.closed


@pytest.mark.parametrize("repeat", ["keep", "drop"])
async def test_a_stream_that_repeats_itself_is_latched_only_where_that_is_asked(
    repeat: Any,
) -> None:
    completion = CompletionOptions(repeat=repeat)
    async with (
        SseBackend() as backend,
        bridging(upstream_of(backend), completion=completion) as running,
        streaming(running.authority, "/api/v1/events/file.f1") as stream,
    ):
        await until(lambda: backend.subscribers("file.f1"))
        for payload in (told(DONE), told(DONE), '"last"'):
            backend.publish("file.f1", payload)
        events = [(await stream.event()).data for _ in range(2 if repeat == "drop" else 3)]
        assert events.count(told(DONE)) == (1 if repeat == "drop" else 2)


async def test_histories_and_hubs_obey_their_options() -> None:
    history, hub = LogOptions(start=2), HubOptions(linger=0, retain=0)
    async with bridging(history=history, hub=hub) as running:
        async with talking(running.authority) as first:
            await until(lambda: running.readers)
            running.publish("a", "b", "c")
            assert [await said(first) for _ in range(3)] == ["a", "b", "c"]
            async with talking(running.authority) as late:
                assert [await said(late), await said(late)] == ["b", "c"]
        await until(lambda: not list(running.bridge.hub.channels()))


async def test_stopping_closes_every_upstream() -> None:
    async with WsBackend() as backend:
        async with (
            bridging(upstream_of(backend)) as running,
            talking(running.authority),
            talking(running.authority, "/api/v1/ws/test"),
        ):
            await until(lambda: backend.subscribers("project.1") + backend.subscribers("test") == 2)
        await until(lambda: backend.subscribers("project.1") + backend.subscribers("test") == 0)
