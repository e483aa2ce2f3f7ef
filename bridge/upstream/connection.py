"""One request on one connection to a backend, served where its bytes arrive.

Decides when a connection counts as dead or as asking too much of us, and which redirects are
followed; what a response means is its subclasses' business. No task is woken for a read: bytes are
dealt with in the turn of the event loop that brings them.

A backend that floods is read in parts: after `PART` bytes reading rests until the sink has room, so
TCP makes the backend wait and nothing gathers here.
"""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TypeVar, cast

from yarl import URL

from bridge.seams import Lost, Sink
from bridge.upstream.dial import Dialer
from bridge.upstream.failure import silent, unreachable
from bridge.upstream.request import Moved, moved
from bridge.upstream.response import Response
from bridge.upstream.tls import SYSTEM, TlsOptions

REDIRECTS = 3
"""How many are followed in a row."""

PART = 256 * 1024
"""Bytes that are read without asking whether there is room."""

_REST = 0.002  # seconds between two looks for room


@dataclass(frozen=True, slots=True)
class Terms:
    """On what terms a backend is connected to.

    Attributes:
        connect: seconds for looking its name up, reaching it and beginning TLS; 0 = no limit.
        answer: seconds for the head of its response, 0 where its silence alone is limited.
        tls: whom to trust.
    """

    connect: float
    answer: float = 0.0
    tls: TlsOptions = SYSTEM


class Connection(asyncio.Protocol, ABC):
    """One request and what comes of it.

    Args:
        url: where it goes, for its redirects.
        request: the bytes that are said first.
        sink: where to put what is read.
        silence: seconds without a byte after which the backend counts as dead, 0 = never.

    Attributes:
        begun: done once the response is accepted (None), or is not.
        over: done with the reason why nothing more is read.
        gone: done once the connection is closed.
    """

    def __init__(self, url: URL, request: bytes, sink: Sink, *, silence: float) -> None:
        self._loop = asyncio.get_running_loop()
        self._url, self._request, self._sink, self._silence = url, request, sink, silence
        self._response = Response()
        self._read: Callable[[bytes], Lost | Moved | None] = self._head
        self._part = 0
        self._resting = False
        self._heard_at = self._loop.time()
        self._timer: asyncio.TimerHandle | None = None
        self._transport: asyncio.Transport | None = None
        self.begun: asyncio.Future[Lost | Moved | None] = self._loop.create_future()
        self.over: asyncio.Future[Lost] = self._loop.create_future()
        self.gone: asyncio.Future[None] = self._loop.create_future()

    # What subclasses know.

    @abstractmethod
    def _accept(self, response: Response) -> Lost | None:
        """Judge the head of a response that does not redirect; None where it is what was wanted."""

    @abstractmethod
    def _begin(self, response: Response, body: bytes) -> Lost | None:
        """Deal with what came with the accepted head, possibly nothing; as `_receive`."""

    @abstractmethod
    def _receive(self, data: bytes) -> Lost | None:
        """Deal with what follows the head; gives the end where this brings it."""

    @abstractmethod
    def _broken_off(self, error: Exception | None) -> Lost:
        """What it means that the peer closes here, or that `error` ends an accepted response."""

    # What the transport tells.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Ask."""
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is none by type
        self._heard_at = self._loop.time()
        self._watch()
        self._transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        """Deal with what comes, in this very turn."""
        if self.over.done():
            return
        self._heard_at = self._loop.time()
        self._part += len(data)
        if self._part > PART and not self._resting:
            self._rest()
        try:
            outcome = self._read(data)
        except Exception as fault:  # noqa: BLE001 - whatever a sink raises; told to who waits
            self._fail(fault)
            return
        if outcome is not None:
            self._finish(outcome)

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is gone."""
        if not self.gone.done():
            self.gone.set_result(None)
        if self._timer:
            self._timer.cancel()
        if not self.over.done():
            error = exc or ConnectionResetError("it closed the connection before it answered")
            accepted = self.begun.done()
            self._finish(self._broken_off(exc) if accepted else unreachable(error))

    # The head.

    def _head(self, data: bytes) -> Lost | Moved | None:
        body = self._response.feed(data)
        if not self._response.status:
            fault = self._response.fault
            return unreachable(ConnectionError(fault)) if fault else None
        refusal = moved(self._response.status, self._response.headers, self._url) or self._accept(
            self._response
        )
        if refusal is not None:
            return refusal
        self.begun.set_result(None)
        self._read = self._receive
        return self._begin(self._response, body)

    # The end.

    def _finish(self, outcome: Lost | Moved) -> None:
        """Nothing more is read; whoever waits is told."""
        if not self.begun.done():
            self.begun.set_result(outcome)
        if not self.over.done():
            self.over.set_result(outcome if isinstance(outcome, Lost) else unreachable(EOFError()))

    def _fail(self, fault: Exception) -> None:
        for waited in (self.begun, self.over):
            if not waited.done():
                waited.set_exception(fault)
                waited.exception()  # whoever waits for the other one has it; nobody forgot it
        self.abort()

    def abort(self) -> None:
        """Drop the connection."""
        if self._transport:
            self._transport.abort()

    async def close(self) -> None:
        """Let go of the connection."""
        self.over.cancel()
        self.abort()

    # Time and room.

    def _watch(self) -> None:
        """Look again when something is due."""
        wait = self._next_look()
        self._timer = self._loop.call_later(wait, self._look) if wait is not None else None

    def _next_look(self) -> float | None:
        return self._heard_at + self._silence - self._loop.time() if self._silence else None

    def _look(self) -> None:
        if self._resting:  # it is we who do not listen
            self._heard_at = self._loop.time()
        if self._silence and self._loop.time() - self._heard_at >= self._silence:
            self._finish(silent(self._silence))
        else:
            self._watch()

    def _rest(self) -> None:
        self._resting = True
        if self._transport:
            self._transport.pause_reading()
        self._loop.call_soon(self._read_on)

    def _read_on(self) -> None:
        if self.over.done() or self._transport is None:
            return
        if self._sink.has_room:
            self._resting, self._part = False, 0
            self._transport.resume_reading()
        else:
            self._loop.call_later(_REST, self._read_on)


C = TypeVar("C", bound=Connection)


@asynccontextmanager
async def connected(
    dialer: Dialer, url: URL, make: Callable[[URL], C], terms: Terms
) -> AsyncIterator[C | Lost]:
    """A connection whose response is accepted, or why there is none; closed on the way out.

    A few redirects are followed that stay with the configured origin. Elsewhere the configured
    headers, credentials among them, are nobody's business.
    """
    for _ in range(REDIRECTS + 1):
        try:
            connection = await _dialled(dialer, url, make, terms)
        except (OSError, ValueError) as error:
            yield unreachable(error)
            return
        try:
            answered = await _answer(connection, terms)
            if not isinstance(answered, Moved):
                yield connection if answered is None else answered
                return
            url = answered.url
        finally:
            await connection.close()
    yield unreachable(ConnectionError(f"it redirects more than {REDIRECTS} times"))


async def _dialled(dialer: Dialer, url: URL, make: Callable[[URL], C], terms: Terms) -> C:
    try:
        async with asyncio.timeout(terms.connect or None):
            _, connection = await dialer.dial(url, lambda: make(url), terms.tls)
    except TimeoutError:
        raise TimeoutError(f"no connection in {terms.connect:g} s") from None
    return connection


async def _answer(connection: Connection, terms: Terms) -> Lost | Moved | None:
    try:
        async with asyncio.timeout(terms.answer or None):
            return await connection.begun
    except TimeoutError:
        return unreachable(TimeoutError(f"no answer in {terms.answer:g} s"))
