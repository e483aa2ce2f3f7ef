"""Compares both backends on channels that clients read, beside their delivery and never on it.

Decides when a channel's comparison begins and ends and what is kept of it. Clients notice nothing:
a publisher rings one more bell, the comparing is done in a thread, and whatever raises, hangs or
floods ends the comparison alone.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter, OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

import structlog

from bridge.control.comparing import Comparing, Judge, ended
from bridge.control.sampling import ShadowOptions
from bridge.control.watch import Watch
from bridge.control.worker import Worker
from bridge.hub.channel import Channel, Incoming
from bridge.parity.comparison import Comparison
from bridge.parity.observation import Side
from bridge.parity.options import CompareOptions
from bridge.parity.report import Report
from bridge.seams import Meter, Upstream
from bridge.upstream.backoff import Backoff, ReconnectOptions
from bridge.wire.names import ChannelName

_log: structlog.typing.FilteringBoundLogger = structlog.get_logger("bridge.shadow")

Source = Literal["legacy", "sse"]

REFRESH = 5.0
"""Seconds between two reports on a living channel, for the metrics."""


@dataclass(frozen=True, slots=True)
class Standing:
    """What is known of one compared channel.

    Attributes:
        channel: its name.
        is_live: whether it is being compared now.
        report: the newest one.
        skipped: messages that were left out.
    """

    channel: str
    is_live: bool
    report: Report
    skipped: int


@dataclass(slots=True, eq=False)
class _Life:
    """A channel while it is compared."""

    comparing: Comparing
    task: asyncio.Task[None] | None = None
    pairs: int = 0
    skipped: int = 0


class Shadow:
    """The comparisons of all sampled channels.

    Args:
        options: which channels.
        leading: the side that clients get.
        other: makes the other backend's stream of a channel, read with `clock`.
        judge: makes a comparison.
        meter: counts what is found.
        incoming: what an event becomes in the log, so that both are compared as clients see them.
        reconnect: when to try the other backend again.
        clock: monotonic, in seconds; the one that upstreams are read with.
        refresh: seconds between two reports on a living channel.
    """

    def __init__(
        self,
        options: ShadowOptions,
        leading: Side,
        other: Callable[[ChannelName], Upstream],
        judge: Callable[[], Judge],
        *,
        meter: Meter,
        incoming: Incoming,
        reconnect: ReconnectOptions,
        clock: Callable[[], float] = time.monotonic,
        refresh: float = REFRESH,
    ) -> None:
        self._options, self._leading, self._other, self._judge = options, leading, other, judge
        self._meter, self._incoming, self._reconnect = meter, incoming, reconnect
        self._clock, self._refresh = clock, refresh
        self._worker = Worker(options.queue)
        self._lives: dict[Channel, _Life] = {}
        self._standings: OrderedDict[str, Standing] = OrderedDict()
        self._differences: dict[str, Counter[str]] = {}
        self._lags = {"0.5": 0.0, "0.99": 0.0}
        self._tasks: set[asyncio.Task[None]] = set()
        self._is_closed = False
        self.is_given_up = False

    @classmethod
    def of(
        cls,
        options: ShadowOptions,
        parity: CompareOptions,
        source: Source,
        upstream: Callable[[ChannelName, Source], Upstream],
        *,
        meter: Meter,
        incoming: Incoming,
        reconnect: ReconnectOptions,
    ) -> Shadow | None:
        """The shadow of a bridge that `source` leads; None where no channel is to be compared.

        Args:
            options: which channels.
            parity: how they are compared.
            source: which backend leads.
            upstream: makes a backend's stream of a channel.
            meter: counts what is found.
            incoming: what an event becomes in the log.
            reconnect: when to try the other backend again.
        """
        if not options.channels:
            return None
        other: Source = "sse" if source == "legacy" else "legacy"
        return cls(
            options,
            Side.LEGACY if source == "legacy" else Side.CANDIDATE,
            lambda name: upstream(name, other),
            lambda: Comparison(parity),
            meter=meter,
            incoming=incoming,
            reconnect=reconnect,
        )

    def begin(self, channel: Channel) -> None:
        """A channel's lead has started; never raises."""
        try:
            if self._is_wanted(channel):
                self._begin(channel)
        except Exception:  # noqa: BLE001 - the channel lives without its shadow
            self._fail("begin")

    def end(self, channel: Channel) -> None:
        """A channel's lead has stopped; returns at once, never raises."""
        life = self._lives.pop(channel, None)
        if life and life.task:
            life.task.cancel()

    def live(self) -> tuple[str, ...]:
        """The channels that are compared now."""
        return tuple(life.comparing.channel for life in self._lives.values())

    def standings(self) -> tuple[Standing, ...]:
        """What is known of each compared channel, newest last."""
        return tuple(self._standings.values())

    async def standing(self, name: str) -> Standing | None:
        """What is known of one channel: of a living one as of now, if that can be said soon."""
        for channel, life in tuple(self._lives.items()):
            if channel.key.name.text == name:
                await self._note(life, is_live=True)
        return self._standings.get(name)

    async def close(self) -> None:
        """Stop everything."""
        self._is_closed = True
        self._worker.close()
        for channel in tuple(self._lives):
            self.end(channel)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _is_wanted(self, channel: Channel) -> bool:
        return not (
            self.is_given_up
            or self._is_closed
            or channel in self._lives
            or channel.key.scope  # its stream is one client's own, and so is the credential
            or len(self._lives) >= self._options.limit
        ) and self._options.samples(channel.key.name)

    def _begin(self, channel: Channel) -> None:
        name = channel.key.name
        comparing = Comparing(name.text, self._judge(), self._worker)
        watch = Watch(
            channel,
            self._leading,
            self._other(name),
            comparing,
            incoming=self._incoming,
            backoff=Backoff(self._reconnect),
            clock=self._clock,
        )
        life = self._lives[channel] = _Life(comparing)
        self._differences[name.text] = Counter()
        life.task = asyncio.get_running_loop().create_task(self._run(channel, life, watch))
        self._tasks.add(life.task)
        life.task.add_done_callback(self._tasks.discard)

    async def _run(self, channel: Channel, life: _Life, watch: Watch) -> None:
        self._meter.gauge("shadow_channels", 1)
        refreshing = asyncio.create_task(self._refreshed(life))
        try:
            await watch.run()
            self._fail("compare")
        except asyncio.CancelledError:
            pass  # the channel's end
        except Exception:  # noqa: BLE001 - the channel lives without its shadow
            self._fail("watch")
        finally:
            self._meter.gauge("shadow_channels", -1)
            if self._lives.get(channel) is life:
                del self._lives[channel]
            refreshing.cancel()
        if not (self._is_closed or self.is_given_up):
            life.comparing.close()
            await self._note(life, is_live=False)

    async def _refreshed(self, life: _Life) -> None:
        while True:
            await asyncio.sleep(self._refresh)
            await self._note(life, is_live=True)

    async def _note(self, life: _Life, *, is_live: bool) -> None:
        """Ask for a report and keep it; give all comparing up where none comes."""
        comparing = life.comparing
        try:
            async with asyncio.timeout(self._options.patience):
                report = await comparing.report()
        except TimeoutError:
            self._give_up()
        except Exception:  # noqa: BLE001 - no report is no report
            self._fail("report")
            old = self._standings.get(comparing.channel)
            if old is not None:
                self._keep(replace(old, is_live=is_live, report=ended(old.report)))
        else:
            self._count(life, report)
            self._keep(Standing(comparing.channel, is_live, report, comparing.skipped))
            self._show_lag()

    def _keep(self, standing: Standing) -> None:
        self._standings[standing.channel] = standing
        self._standings.move_to_end(standing.channel)
        most = self._options.keep + self._options.limit
        while len(self._standings) > most:
            name, _ = self._standings.popitem(last=False)
            self._differences.pop(name, None)

    def _count(self, life: _Life, report: Report) -> None:
        """Move the metrics by what is new in a report; late twins never take back a count."""
        pairs = report.verdict.evidence.matched
        self._meter.count("shadow_pairs", max(0, pairs - life.pairs))
        self._meter.count("shadow_skipped", life.comparing.skipped - life.skipped)
        life.pairs, life.skipped = max(pairs, life.pairs), life.comparing.skipped
        now: Counter[str] = Counter()
        for finding in report.findings:
            if finding.excused is None:
                now[finding.kind.value] += finding.count
        told = self._differences.setdefault(life.comparing.channel, Counter())
        for kind, count in (now - told).items():
            self._meter.count("shadow_differences", count, kind=kind)
        self._differences[life.comparing.channel] = told | now

    def _show_lag(self) -> None:
        """Of the living channels, the lag that is largest, either way."""
        lags = [each.report.lag for each in self._standings.values() if each.is_live]
        for quantile, values in (
            ("0.5", [lag.p50 for lag in lags]),
            ("0.99", [lag.p99 for lag in lags]),
        ):
            largest = max(values, key=abs, default=0.0)
            change = largest - self._lags[quantile]
            self._meter.gauge("shadow_lag_seconds", change, quantile=quantile)
            self._lags[quantile] = largest

    def _give_up(self) -> None:
        if not self.is_given_up:
            self.is_given_up = True
            self._fail("stuck")
            for channel in tuple(self._lives):
                self.end(channel)

    def _fail(self, reason: str) -> None:
        _log.error("the shadow failed; clients are not affected", reason=reason)
        self._meter.count("shadow_faults", reason=reason)
