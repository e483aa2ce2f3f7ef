"""The parts of a running bridge, put together from its configuration.

Decides which class serves which setting and nothing else: what the parts do is theirs.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from weakref import WeakSet

import aiohttp

from bridge.config import Config
from bridge.control.shadow import Shadow
from bridge.control.shadowed import ShadowedLead
from bridge.endpoint.background import Background
from bridge.endpoint.budget import Budget
from bridge.endpoint.door import Door
from bridge.endpoint.drain import Drain
from bridge.endpoint.fanouts import Fanouts
from bridge.endpoint.gateway import Gateway
from bridge.endpoint.guards import Guards
from bridge.endpoint.outgoing import Outgoing, remembered
from bridge.endpoint.pace import Returns
from bridge.endpoint.pulse import Pulse
from bridge.endpoint.service import Service
from bridge.endpoint.snapshot import Joining
from bridge.endpoint.talk import Talk
from bridge.endpoint.wheel import Wheel
from bridge.errors import ConfigError, InvalidChannel
from bridge.history.sqlite import KeptLog, SqliteStore
from bridge.history.stores import new_epoch, store_of
from bridge.hub.channel import Channel, ChannelKey, unchanged
from bridge.hub.hub import Hub, Source, Timer
from bridge.ops.metrics import Metrics
from bridge.seams import Downstream, Lead, Upstream
from bridge.settings.model import Source as SourceName
from bridge.upstream.backoff import Backoff
from bridge.upstream.continuity import Continuity
from bridge.upstream.dial import Dialer
from bridge.upstream.owned import owned
from bridge.upstream.poll import PollUpstream, poll_for
from bridge.upstream.polled import PolledLead, latch_for
from bridge.upstream.snapshot import Snapshots
from bridge.upstream.sse import SseUpstream
from bridge.upstream.supervise import Supervisor
from bridge.upstream.ws import WsUpstream
from bridge.wire.alias import Aliases
from bridge.wire.completion import Latch
from bridge.wire.credential import OwnCredential
from bridge.wire.dialect import Dialect
from bridge.wire.mapping import Envelope, Mapping
from bridge.wire.names import ChannelName


class Bridge:
    """Everything that one bridge process holds.

    The HTTP session exists only while `running`; the rest may be made outside an event loop.

    Args:
        config: checked settings.
        source: makes channels' upstreams in place of the configured backend, for upstreams of a
            kind that the bridge does not have.

    Attributes:
        hub: the channels.
        gateway: what the endpoints share.
        door: limits connections that are no clients yet.
        drain: ends sessions, some at a time.
        metrics: counts.
        dialect: what legacy frames mean.
        mapping: what is added to messages.
        outgoing: the frames that an event becomes for WebSocket clients.
        session: the HTTP client of all upstreams.
        shadow: compares both backends beside the delivery; None where nothing is compared.
    """

    session: aiohttp.ClientSession

    def __init__(self, config: Config, source: Source | None = None) -> None:
        self.config, self.metrics = config, Metrics()
        self.dialect = Dialect(config.dialect)
        self.mapping: Mapping = Envelope(config.envelope)
        self.outgoing: Outgoing = self.mapping.outgoing
        if config.envelope.wrap:
            self.outgoing = remembered(self.outgoing)
        self.aliases = Aliases(config.aliases)
        self._dialer = Dialer()
        self._incoming = self.mapping.incoming if config.envelope.changes_incoming else unchanged
        self.shadow = self._new_shadow()
        self._leads: WeakSet[Supervisor | PolledLead] = WeakSet()
        self._snapshots: Snapshots | None = None
        self.store = store_of(config.history, config.limits.log_bytes, self.metrics)
        self.hub = Hub(
            source or self._lead,
            self.store,
            new_epoch=new_epoch,
            options=config.hub,
            clock=time.monotonic,
            call_later=self._call_later,
            meter=self.metrics,
            new_latch=self._latch,
            incoming=self._incoming,
            max_channels=config.limits.channels,
        )
        self.guards = Guards(
            config.all_auths,
            config.browsers,
            self.metrics,
            clock=time.monotonic,
            wall=time.time,
            session=lambda: self.session,
        )
        self.gateway = self._new_gateway()
        self.wheel = Wheel(self._call_later, time.monotonic)
        self.door = Door(config.limits, self.wheel, self.metrics)
        self.background = Background()
        self.pulse = Pulse(self.wheel, config.client.ping)
        self.fanouts = Fanouts(self._service())
        self.drain = Drain(self.fanouts, random.random)

    def _new_shadow(self) -> Shadow | None:
        config = self.config
        return Shadow.of(
            config.shadow,
            config.parity,
            config.source or "legacy",
            lambda name, source: self.upstream(name, source=source),
            meter=self.metrics,
            incoming=self._incoming,
            reconnect=config.reconnect,
        )

    def _new_gateway(self) -> Gateway:
        return Gateway(
            hub=self.hub,
            options=self.config.client,
            meter=self.metrics,
            random=random.random,
            aliases=self.aliases,
            patterns=self.config.channels,
            guards=self.guards.by_name,
            budget=Budget(self.config.limits),
        )

    def _service(self) -> Service:
        return Service(
            hub=self.hub,
            options=self.config.client,
            meter=self.metrics,
            wheel=self.wheel,
            call_soon=self._call_soon,
            outgoing=self.outgoing,
            delayed=Returns(self.config.drain_rate, random.random, time.monotonic),
        )

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Hold the HTTP session; on the way out close every upstream and wait for it."""
        connector = aiohttp.TCPConnector(limit=0, ttl_dns_cache=10)
        timeout = aiohttp.ClientTimeout(total=None)
        jar = aiohttp.DummyCookieJar()
        async with aiohttp.ClientSession(
            connector=connector, timeout=timeout, cookie_jar=jar
        ) as self.session:
            try:
                self.guards.start()
                self._open()
                yield
            finally:
                await self._close()

    def talk(self) -> Talk:
        """What all conversations share; needs the session."""
        if options := self.config.snapshots:
            self._snapshots = Snapshots(options, self.session, meter=self.metrics)
        joining = Joining(self._snapshots, self.mapping.incoming)
        present = self.drain.present
        return Talk(self.gateway, self.fanouts, self.dialect, joining, self.background, present)

    def _open(self) -> None:
        """Write down from now on what is to be kept; nobody may return for what was kept before."""
        if isinstance(self.store, SqliteStore):
            self.store.start()
            self.wheel.after(self.config.hub.retain, self.store.forget_unclaimed)

    async def _close(self) -> None:
        self.wheel.close()
        await self.background.close()
        await self.guards.aclose()
        self.hub.close()
        if self.shadow:
            await self.shadow.close()
        await asyncio.gather(*(lead.wait_closed() for lead in self._leads))
        if isinstance(self.store, SqliteStore):
            await self.store.close()
        if self._snapshots:
            await self._snapshots.aclose()

    def backends(self) -> list[str]:
        """The configured backends' URL templates."""
        upstream = self.config.upstream
        return [side.url for side in (upstream.sse, upstream.ws) if side]

    def upstream(
        self,
        name: ChannelName,
        own: OwnCredential | None = None,
        source: SourceName | None = None,
    ) -> Upstream:
        """One backend's stream of one channel.

        Args:
            name: the channel.
            own: the credential of the client whose stream it is; None for the bridge's.
            source: which backend; None for the one that leads.

        Raises:
            ConfigError: there is no backend; a bridge of relays alone serves no channels.
        """
        source = source or self.config.source
        options, clock = self.config.upstream, time.monotonic
        if source == "legacy" and options.ws:
            return WsUpstream(owned(options.ws, own), name, clock, self.metrics, self._dialer)
        if source == "sse" and options.sse:
            sse = owned(options.sse, own)
            return SseUpstream(sse, name, self.session, clock, self.metrics, self._dialer)
        raise ConfigError("upstream", "no backend is configured")

    def _lead(self, channel: Channel) -> Lead:
        lead = self._led(channel)
        return ShadowedLead(lead, channel, self.shadow) if self.shadow else lead

    def _led(self, channel: Channel) -> Lead:
        key, latch = channel.key, channel.latch
        poll = poll_for(self.config.polls, key.name)
        if poll is None or not isinstance(latch, Latch):
            return self._supervise(channel, channel)
        poll = owned(poll, key.credential)
        asked = PollUpstream(poll, key.name, self.session, meter=self.metrics)
        supervise = partial(self._supervise, channel)
        lead = PolledLead(channel, latch, supervise, asked, poll.after)
        self._leads.add(lead)
        return lead

    def _supervise(self, channel: Channel, downstream: Downstream) -> Supervisor:
        name, own, log = channel.key.name, channel.key.credential, channel.log
        options = self.config.upstream
        side = options.ws if self.config.source == "legacy" else options.sse
        supervisor = Supervisor(
            self.upstream(name, own),
            downstream,
            Continuity(side.replay if side else "none"),
            Backoff(self.config.reconnect),
            meter=self.metrics,
            name=name.text,
            fallbacks=[self.upstream(each, own) for each in self._fallbacks(name)],
        )
        self._leads.add(supervisor)
        if isinstance(log, KeptLog):
            if log.restored is not None:
                supervisor.recall(log.restored, [entry.event for entry in log.tail(0)])
            log.mark = supervisor.mark
        return supervisor

    def _fallbacks(self, name: ChannelName) -> tuple[ChannelName, ...]:
        try:
            return self.aliases.fallbacks(name)
        except InvalidChannel:  # a name so long that no other fits
            return ()

    def _latch(self, key: ChannelKey) -> Latch | None:
        config = self.config
        return latch_for(config.completion, (*config.polls, *config.snapshots), key.name)

    def _call_soon(self, callback: Callable[..., object], *args: object) -> object:
        return asyncio.get_running_loop().call_soon(callback, *args)

    def _call_later(self, delay: float, callback: Callable[[], None]) -> Timer:
        return asyncio.get_running_loop().call_later(delay, callback)
