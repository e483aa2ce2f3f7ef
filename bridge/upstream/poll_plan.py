"""When to ask a backend again for a result, and when to stop.

Decides by a table over the answers so far and the time that has passed; never asks, never waits
and reads no clock.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum
from types import MappingProxyType
from typing import Literal

from bridge.upstream.answer import MAX_BYTES, RESULTS, WRAP, Answer, check_positive, check_source
from bridge.upstream.tls import SYSTEM, TlsOptions
from bridge.wire.endings import BAD_GATEWAY, COMPLETE, INVALID_DATA, TIMEOUT, Ending, for_status
from bridge.wire.lookup import first_text, found
from bridge.wire.names import ChannelName, served

_INSTANT = 0.001
"""What is left of a deadline when nothing is: below this, waiting is rounding noise."""


@dataclass(frozen=True, slots=True)
class PollOptions:
    """Which channels are polled, where, and for how long.

    Attributes:
        match: patterns of channel names.
        url: the address asked; `{channel}`, `{kind}` and `{id}` are filled in.
        headers: sent with each request.
        after: seconds that a channel is open without a result before polling begins; progress
            does not start them anew.
        intervals: seconds between requests; the last one repeats.
        give_up: seconds of polling after which it ends without a result.
        max_errors: how many errors in a row end it. 404, 202 and 204 mean "not yet" and 429
            "slower", none of them is an error.
        deadline: seconds that one answer may take.
        max_bytes: how large an answer may be, decompressed.
        wrap: the message that tells an answer: JSON in which `{body}` stands for the answer's
            own text and `{result}` for the result's address as a string.
        results: dotted paths to the result's address; polling ends once one holds text.
        status: dotted path to the state of the work.
        failures: states, in any case, after which there will be no result.
        publish: `result` tells only the answer that ends the polling; `changes` each new one.
        tls: whom `https` trusts, and what it proves of the bridge.
    """

    match: tuple[str, ...]
    url: str
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    after: float = 60.0
    intervals: tuple[float, ...] = (1.0, 2.0, 5.0, 10.0)
    give_up: float = 420.0
    max_errors: int = 5
    deadline: float = 10.0
    max_bytes: int = MAX_BYTES
    wrap: str = WRAP
    results: tuple[str, ...] = RESULTS
    status: str = "tasks.-1.status"
    failures: tuple[str, ...] = ("error",)
    publish: Literal["result", "changes"] = "result"
    tls: TlsOptions = SYSTEM

    def __post_init__(self) -> None:
        check_source(self.match, self.url, self.headers, self.wrap)
        check_positive(give_up=self.give_up, deadline=self.deadline, max_bytes=self.max_bytes)
        if not 0 <= self.after < float("inf"):
            raise ValueError("after must be 0 or more seconds")
        if not self.intervals:
            raise ValueError("intervals is empty; write seconds, as [1, 2, 5, 10]")
        for seconds in self.intervals:
            check_positive(intervals=seconds)
        if self.max_errors < 1:
            raise ValueError("max_errors must be at least 1")
        if not self.results or not all(self.results):
            raise ValueError('results names no field; write where the result is, as ["url"]')
        if self.publish not in ("result", "changes"):
            raise ValueError('publish is neither known word; write "result" or "changes"')


def poll_for(options: Sequence[PollOptions], name: ChannelName) -> PollOptions | None:
    """The first options whose patterns name the channel, None where it is not polled."""
    return next((option for option in options if served(name, option.match)), None)


class Verdict(Enum):
    """What an answer means to whoever waits for a result."""

    RESULT = "result"
    FAILURE = "failure"
    PENDING = "pending"
    BUSY = "busy"
    ERROR = "error"


def judge(options: PollOptions, answer: Answer) -> Verdict:
    """What one answer means; a result counts even where the last attempt at another failed."""
    if answer.status == 429:
        return Verdict.BUSY
    if answer.absent:
        return Verdict.PENDING
    if not answer.usable:
        return Verdict.ERROR
    if first_text(answer.document, options.results):
        return Verdict.RESULT
    states = {str(state).lower() for state in found(answer.document, options.status)}
    failed = states & {failure.lower() for failure in options.failures}
    return Verdict.FAILURE if failed else Verdict.PENDING


@dataclass(frozen=True, slots=True)
class Wait:
    """Ask again after so many seconds."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Stop:
    """Ask no more, and why."""

    ending: Ending
    reason: str


_FINAL = MappingProxyType(
    {
        Verdict.RESULT: Stop(COMPLETE, "the result is there"),
        Verdict.FAILURE: Stop(COMPLETE, "the work failed"),
    }
)


@dataclass(frozen=True, slots=True)
class PollPlan:
    """What to do after each answer. A value: `after` gives the plan for the next one.

    verdict    errors in a row   then
    result     -                 stop, complete
    failure    -                 stop, complete
    pending    0                 wait the next interval
    busy       as before         wait the next interval, or longer where `Retry-After` asks
    error      one more          as busy; stop at `max_errors`

    No wait outlasts `give_up`: the last request is made just then. A `Retry-After` beyond it
    stops at once, since asking earlier is what the backend forbade.

    Attributes:
        options: the intervals and limits.
        asked: how many answers came so far.
        errors: how many of the last ones were errors.
    """

    options: PollOptions
    asked: int = 0
    errors: int = 0

    def after(self, answer: Answer, elapsed: float) -> tuple[PollPlan, Wait | Stop]:
        """Take one answer, `elapsed` seconds after polling began."""
        verdict = judge(self.options, answer)
        plan = replace(self, asked=self.asked + 1, errors=self._errors(verdict))
        return plan, _FINAL.get(verdict) or _go_on(plan, answer, elapsed)

    def _errors(self, verdict: Verdict) -> int:
        if verdict is Verdict.BUSY:
            return self.errors
        return self.errors + 1 if verdict is Verdict.ERROR else 0


def _go_on(plan: PollPlan, answer: Answer, elapsed: float) -> Wait | Stop:
    options = plan.options
    if plan.errors >= options.max_errors:
        return Stop(_blame(answer), f"{plan.errors} errors in a row, the last: {answer.fault}")
    left, asked_for = options.give_up - elapsed, answer.retry_after or 0.0
    if left < _INSTANT or asked_for > left:
        return Stop(TIMEOUT, f"no result in {options.give_up:g} s")
    interval = options.intervals[min(plan.asked, len(options.intervals)) - 1]
    return Wait(min(max(interval, asked_for), left))


def _blame(answer: Answer) -> Ending:
    if answer.status >= 400:
        return for_status(answer.status)
    return INVALID_DATA if answer.status == 200 else BAD_GATEWAY
