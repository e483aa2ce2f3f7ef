"""Asking a backend's endpoint whether a client may use a channel (the mode `forward`).

Decides what is sent there, what an answer means, and who shares it: equal questions, that is the
same credential for the same channel, and nobody else. As with nginx's `auth_request`, 2xx lets in,
401 and 403 refuse, and all else is no answer; then nobody is let in. The client's Authorization and
cookies go to that endpoint and nowhere else, and its redirects are not followed.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import blake2b

import aiohttp
from multidict import CIMultiDictProxy

from bridge.endpoint.credentials import Credential
from bridge.endpoint.forward_options import ForwardOptions
from bridge.endpoint.grant import (
    INVALID,
    NOT_YOURS,
    TOO_LATE,
    UNKNOWABLE,
    Channels,
    Grant,
    Verdict,
)
from bridge.endpoint.judges import Deferred
from bridge.seams import Meter
from bridge.wire.names import ChannelName, expand

_NO = frozenset({"0", "false", "no"})
_NOTHING = Channels()


@dataclass(frozen=True, slots=True)
class _Asked:
    """One question: running, or answered and good until `until`."""

    task: asyncio.Task[Verdict]
    until: float


class ByBackend:
    """The mode `forward`.

    Args:
        options: whom to ask.
        session: gives the HTTP client.
        named: makes a principal's short name of what the answer says.
        meter: counts `auth_questions` by outcome.
        clock: the wheel's, in seconds.
        wall: seconds since 1970.
    """

    def __init__(
        self,
        options: ForwardOptions,
        session: Callable[[], aiohttp.ClientSession],
        named: Callable[[str], str],
        meter: Meter,
        *,
        clock: Callable[[], float],
        wall: Callable[[], float],
    ) -> None:
        self._options, self._session, self._named = options, session, named
        self._meter, self._clock, self._wall = meter, clock, wall
        self._asked: OrderedDict[bytes, _Asked] = OrderedDict()

    def judge(
        self, credential: Credential, name: ChannelName | None, /, *, sends: bool = False
    ) -> Verdict | Deferred:
        """At once where the question was answered just now. Without a channel there is none yet."""
        if name is None:
            return Grant(reads=_NOTHING, sends=_NOTHING)
        question = _digest(credential, name, sends=sends)
        asked = self._asked.get(question)
        if asked and asked.task.done() and self._clock() < asked.until:
            return self._still(asked.task.result())
        if asked is None or asked.task.done():
            task = asyncio.create_task(self._ask(credential, name, sends=sends))
            asked = _Asked(task, self._clock() + self._options.fresh)
            self._asked[question] = asked
            self._asked.move_to_end(question)
            if len(self._asked) > self._options.max_answers:
                self._asked.popitem(last=False)
        return self._wait(asked.task)

    async def _wait(self, task: asyncio.Task[Verdict]) -> Verdict:
        """Not the task itself: one client's leaving must not take the others' answer away."""
        await asyncio.wait((task,))
        return UNKNOWABLE if task.cancelled() else task.result()

    def _still(self, verdict: Verdict) -> Verdict:
        ends = verdict.expires_at if isinstance(verdict, Grant) else None
        return TOO_LATE if ends is not None and ends <= self._clock() else verdict

    async def _ask(self, credential: Credential, name: ChannelName, *, sends: bool) -> Verdict:
        headers = {
            **self._options.headers,
            "X-Channel": name.text,
            "X-Original-Method": "POST" if sends else "GET",
        }
        if credential.authorization:
            headers["Authorization"] = credential.authorization
        if credential.cookies:
            headers["Cookie"] = credential.cookies
        try:
            async with self._session().get(
                expand(self._options.url, name),
                headers=headers,
                allow_redirects=False,
                timeout=aiohttp.ClientTimeout(total=self._options.timeout),
                ssl=self._options.tls.context(),
            ) as response:
                verdict = self._meant(response.status, response.headers, name)
        except (aiohttp.ClientError, OSError, ValueError):
            verdict = UNKNOWABLE
        outcome = "granted" if isinstance(verdict, Grant) else verdict.label
        self._meter.count("auth_questions", outcome=outcome)
        return verdict

    def _meant(self, status: int, headers: CIMultiDictProxy[str], name: ChannelName) -> Verdict:
        if 200 <= status < 300:
            return self._grant(headers, name)
        if status == INVALID.ending.http:
            return INVALID
        return NOT_YOURS if status == NOT_YOURS.ending.http else UNKNOWABLE

    def _grant(self, headers: CIMultiDictProxy[str], name: ChannelName) -> Verdict:
        options = self._options
        ends: float | None = None
        if said := headers.get(options.expires_header):
            if not (said.isascii() and said.isdecimal() and len(said) < 16):
                return UNKNOWABLE  # a limit that cannot be read is not to be taken for none
            ends = self._clock() + int(said) - self._wall()
            if ends <= self._clock():
                return TOO_LATE
        here = Channels.of([name.text])
        may_send = headers.get(options.send_header, "").strip().lower() not in _NO
        return Grant(
            principal=self._named(headers.get(options.principal_header, "")),
            reads=here,
            sends=here if may_send else _NOTHING,
            expires_at=ends,
        )


def _digest(credential: Credential, name: ChannelName, *, sends: bool) -> bytes:
    """What tells questions apart; the credential itself is not kept."""
    parts = (name.text, str(sends), credential.authorization, credential.cookies)
    return blake2b("\n".join(parts).encode(), digest_size=16).digest()
