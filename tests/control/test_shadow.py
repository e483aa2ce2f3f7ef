"""When comparisons begin and end, what is kept of them, and that no failure gets out."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest

from bridge.control.sampling import ShadowOptions
from bridge.control.shadow import Shadow
from bridge.hub.channel import Channel, ChannelKey, unchanged
from bridge.ops.metrics import Metrics
from bridge.parity.observation import Side
from bridge.parity.report import Outcome
from bridge.seams import Upstream
from bridge.upstream.backoff import ReconnectOptions
from bridge.wire.event import Event
from bridge.wire.names import ChannelName
from tests.control.parts import Clerk
from tests.control.test_watch import Other
from tests.hub.parts import World, key
from tests.support.waiting import until

ALL = ShadowOptions(("project.*",))


@dataclass
class Scene:
    """A shadow with clerks for judges."""

    options: ShadowOptions = ALL
    faulty: str = ""
    clerks: list[Clerk] = field(default_factory=list)
    metrics: Metrics = field(default_factory=Metrics)
    world: World = field(default_factory=World)
    other: Callable[[ChannelName], Upstream] = lambda _: Other()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Shadow]:
        shadow = Shadow(
            self.options,
            Side.LEGACY,
            self.other,
            self._judge,
            meter=self.metrics,
            incoming=unchanged,
            reconnect=ReconnectOptions(),
            refresh=0.02,
        )
        yield shadow
        await shadow.close()

    def open(self, name: str = "project.1") -> Channel:
        return self.world.hub.join(key(name), lambda: None)

    def _judge(self) -> Clerk:
        self.clerks.append(Clerk(self.faulty))
        return self.clerks[-1]

    def faults(self, reason: str) -> float:
        return self.metrics.value("shadow_faults", reason=reason)


async def test_a_channel_is_compared_while_it_lives_and_its_report_is_kept() -> None:
    scene = Scene()
    channel = scene.open()
    async with scene.running() as shadow:
        shadow.begin(channel)
        shadow.begin(channel)
        assert shadow.live() == ("project.1",)
        await until(lambda: scene.clerks[0].sights)
        channel.publish([Event("a", origin="ws")])
        await until(lambda: scene.metrics.value("shadow_pairs") == 1)
        assert scene.metrics.value("shadow_channels") == 1
        assert scene.metrics.value("shadow_lag_seconds", quantile="0.99") == 2.0
        standing = await shadow.standing("project.1")
        assert standing is not None
        assert (standing.is_live, standing.report.verdict.evidence.matched) == (True, 1)
        shadow.end(channel)
        await until(lambda: not shadow.standings()[0].is_live)
        assert scene.clerks[0].closed
        assert shadow.live() == ()
        assert scene.metrics.value("shadow_channels") == 0
        assert scene.metrics.value("shadow_lag_seconds", quantile="0.99") == 0.0
    assert len(scene.clerks) == 1


async def test_channels_that_are_not_sampled_or_somebodys_own_are_left_alone() -> None:
    scene = Scene(ShadowOptions(("project.*",), limit=1))
    own = scene.world.hub.join(ChannelKey(ChannelName("project.2"), "a credential"), lambda: None)
    async with scene.running() as shadow:
        for channel in (scene.open("file.1"), own, scene.open(), scene.open("project.3")):
            shadow.begin(channel)
        assert shadow.live() == ("project.1",)
        assert await shadow.standing("project.3") is None


async def test_only_so_many_reports_are_kept() -> None:
    scene = Scene(ShadowOptions(("project.*",), keep=1, limit=1))
    async with scene.running() as shadow:
        for number in range(4):
            channel = scene.open(f"project.{number}")
            shadow.begin(channel)
            await until(lambda: scene.clerks[-1].sights)
            shadow.end(channel)
            await until(lambda: scene.clerks[-1].closed)
        await until(lambda: len(shadow.standings()) == 2)
        assert [each.channel for each in shadow.standings()] == ["project.2", "project.3"]


async def test_a_comparison_that_raises_is_ended_and_counted() -> None:
    scene = Scene(faulty="take")
    async with scene.running() as shadow:
        shadow.begin(scene.open())
        await until(lambda: scene.faults("compare") == 1)
        assert shadow.live() == ()
        assert not shadow.is_given_up


async def test_a_report_that_cannot_be_made_is_counted() -> None:
    scene = Scene(faulty="report")
    async with scene.running() as shadow:
        shadow.begin(scene.open())
        await until(lambda: scene.faults("report") >= 1)
        assert shadow.standings() == ()


@pytest.mark.parametrize("call", ["report", "advance", "close"])
async def test_a_report_from_before_a_fault_is_no_pass_any_more(call: str) -> None:
    scene = Scene()
    channel = scene.open()
    async with scene.running() as shadow:
        shadow.begin(channel)
        await until(lambda: bool(shadow.standings()))
        assert shadow.standings()[0].report.verdict.outcome is Outcome.PASS
        scene.clerks[0].faulty = call
        if call == "close":
            shadow.end(channel)
        await until(lambda: shadow.standings()[0].report.verdict.outcome is Outcome.INSUFFICIENT)


async def test_a_shadow_that_cannot_even_begin_is_counted() -> None:
    def refuse(_: ChannelName) -> Upstream:
        raise RuntimeError

    scene = Scene(other=refuse)
    async with scene.running() as shadow:
        shadow.begin(scene.open())
        assert scene.faults("begin") == 1


async def test_a_comparison_that_hangs_is_given_up_with_all_others() -> None:
    scene = Scene(ShadowOptions(("project.*",), patience=0.05))
    channels = [scene.open(), scene.open("project.2")]
    async with scene.running() as shadow:
        for channel in channels:
            shadow.begin(channel)
        await until(lambda: all(clerk.sights for clerk in scene.clerks))
        scene.clerks[0].gate.clear()
        channels[0].publish([Event("a", origin="ws")])
        await until(lambda: shadow.is_given_up)
        await until(lambda: scene.metrics.value("shadow_channels") == 0)
        assert scene.faults("stuck") == 1
        shadow.begin(scene.open("project.3"))
        assert shadow.live() == ()
        scene.clerks[0].gate.set()


async def test_closing_ends_every_comparison() -> None:
    scene = Scene()
    channel = scene.open()
    async with scene.running() as shadow:
        shadow.begin(channel)
        await until(lambda: scene.clerks[0].sights)
    assert (shadow.live(), scene.metrics.value("shadow_channels")) == ((), 0)
    shadow.begin(channel)
    assert shadow.live() == ()
