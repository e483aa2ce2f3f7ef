"""The state of a channel, fetched once for those who join it.

Decides who shares an answer and for how long; never who is shown it. A joiner never fails for
want of a snapshot and waits for two deadlines at the most.

An answer without a result is shared only by those who came before its request began. Whoever
came later reads the log from a place that may be behind the result and would get it from nowhere.
So crowds cost one request at a time per channel, and once the result is there one per `fresh`.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import aiohttp

from bridge.seams import Meter, Unmetered
from bridge.upstream.answer import (
    MAX_BYTES,
    RESULTS,
    WRAP,
    Answer,
    ask,
    check_positive,
    check_source,
    message,
)
from bridge.upstream.tls import SYSTEM, TlsOptions
from bridge.wire.credential import OwnCredential
from bridge.wire.event import Event
from bridge.wire.lookup import first_text
from bridge.wire.names import ChannelName, expand, served


@dataclass(frozen=True, slots=True)
class SnapshotOptions:
    """Which channels show a state to those who join, and where it is fetched.

    Attributes:
        match: patterns of channel names.
        url: the address asked; `{channel}`, `{kind}` and `{id}` are filled in.
        headers: sent with each request.
        wrap: the message that tells the state: JSON in which `{body}` stands for the answer's
            own text and `{result}` for the result's address as a string. With `{result}` there
            is no snapshot before there is a result.
        results: dotted paths to the result's address, the first that holds text.
        deadline: seconds that the answer may take.
        fresh: seconds for which joiners of one channel share an answer that holds a result,
            counted from its request.
        max_bytes: how large an answer may be, decompressed.
        tls: whom `https` trusts, and what it proves of the bridge.
    """

    match: tuple[str, ...]
    url: str
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    wrap: str = WRAP
    results: tuple[str, ...] = RESULTS
    deadline: float = 2.0
    fresh: float = 1.0
    max_bytes: int = MAX_BYTES
    tls: TlsOptions = SYSTEM

    def __post_init__(self) -> None:
        check_source(self.match, self.url, self.headers, self.wrap)
        check_positive(deadline=self.deadline, max_bytes=self.max_bytes)
        if not 0 <= self.fresh < float("inf"):
            raise ValueError("fresh must be 0 or more seconds; 0 shares requests in flight only")


@dataclass(frozen=True, slots=True)
class _Found:
    """What a request brought: the event, and whether those may share it who came meanwhile."""

    event: Event | None
    final: bool


@dataclass(frozen=True, slots=True)
class _Request:
    """One request, running or answered. A task of its own: no joiner's leaving ends it."""

    task: asyncio.Task[_Found]
    number: int
    stale_at: float


class Snapshots:
    """Fetches channels' states, one request for all who ask at about the same time.

    Args:
        options: the first whose patterns name a channel counts.
        session: the HTTP client; stays its owner's.
        clock: seconds, monotonic.
        meter: counts `snapshots` by `outcome`: `found`, `absent` or `failed`.
    """

    def __init__(
        self,
        options: Sequence[SnapshotOptions],
        session: aiohttp.ClientSession,
        *,
        clock: Callable[[], float] = time.monotonic,
        meter: Meter | None = None,
    ) -> None:
        self._options, self._session = tuple(options), session
        self._clock, self._meter = clock, meter or Unmetered()
        self._requests: dict[tuple[str, str], _Request] = {}
        self._begun = 0

    def wanted(self, name: ChannelName) -> bool:
        """Whether joiners of this channel are shown a state."""
        return self._options_of(name) is not None

    async def fetch(
        self, name: ChannelName, *, scope: str = "", own: OwnCredential | None = None
    ) -> Event | None:
        """The channel's state as an event of origin `snapshot`; None where there is none in time.

        It is the state at the time of this call or later, unless it holds a result already.

        Args:
            name: the channel.
            scope: whose answer it is, where the backend decides by credential: answers are
                never shared between scopes.
            own: that credential, sent in place of the configured one.
        """
        options = self._options_of(name)
        if options is None:
            return None
        self._forget_spent()
        came = self._begun
        while True:
            request = self._requests.get((name.text, scope))
            if request is None or (request.number <= came and self._is_spent(request)):
                request = self._begin(options, name, scope, own)
            await asyncio.wait((request.task,))
            if request.task.cancelled():
                return None
            found = request.task.result()
            if found.final or request.number > came:
                return found.event

    async def aclose(self) -> None:
        """End all requests; those who wait for them get None."""
        tasks = [request.task for request in self._requests.values()]
        self._requests.clear()
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)

    def _options_of(self, name: ChannelName) -> SnapshotOptions | None:
        return next((option for option in self._options if served(name, option.match)), None)

    def _begin(
        self, options: SnapshotOptions, name: ChannelName, scope: str, own: OwnCredential | None
    ) -> _Request:
        self._begun += 1
        url, headers = options.url, options.headers
        if own:
            url, headers = own.url(url), own.headers(headers)
        task = asyncio.create_task(self._ask(options, expand(url, name), headers))
        self._requests.pop((name.text, scope), None)
        request = _Request(task, self._begun, self._clock() + options.fresh)
        self._requests[name.text, scope] = request
        return request

    async def _ask(self, options: SnapshotOptions, url: str, headers: Mapping[str, str]) -> _Found:
        answer = await ask(
            self._session,
            url,
            headers,
            deadline=options.deadline,
            max_bytes=options.max_bytes,
            tls=options.tls,
        )
        data = message(options.wrap, answer, options.results) if answer.usable else None
        outcome = _outcome(answer, data)
        self._meter.count("snapshots", outcome=outcome)
        event = None if data is None else Event(data, origin="snapshot", at=self._clock())
        final = outcome == "failed" or bool(first_text(answer.document, options.results))
        return _Found(event, final)

    def _is_spent(self, request: _Request) -> bool:
        """Whether no newcomer may share it: answered, and without a result or too long ago."""
        task = request.task
        if not task.done():
            return False
        if task.cancelled() or task.exception() or self._clock() >= request.stale_at:
            return True
        found = task.result()
        return found.event is None or not found.final

    def _forget_spent(self) -> None:
        """Drop old answers from the front: requests are kept in the order in which they began."""
        while self._requests:
            oldest = next(iter(self._requests))
            if not self._is_spent(self._requests[oldest]):
                return
            del self._requests[oldest]


def _outcome(answer: Answer, data: str | None) -> str:
    if data is not None:
        return "found"
    return "absent" if answer.usable or answer.absent else "failed"
