"""When polling goes on and when it stops."""

import itertools
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.upstream.answer import Answer
from bridge.upstream.poll_plan import (
    PollOptions,
    PollPlan,
    Stop,
    Verdict,
    Wait,
    judge,
    poll_for,
)
from bridge.wire import endings
from bridge.wire.names import ChannelName

OPTIONS = PollOptions(("file.*",), "http://backend/api/file/{id}")
PENDING = Answer(200, "{}", {"url": None, "tasks": [{"status": "in_progress"}]})
RESULT = Answer(200, "{}", {"url": "u"})
BROKEN = Answer(500, fault="the backend answered 500")


def busy(seconds: float | None = None) -> Answer:
    return Answer(429, retry_after=seconds, fault="the backend answered 429")


def steps(*answers: Answer) -> list[Wait | Stop]:
    plan, taken = PollPlan(OPTIONS), []
    for answer in answers:
        plan, step = plan.after(answer, 0.0)
        taken.append(step)
    return taken


@pytest.mark.parametrize(
    ("answer", "verdict"),
    [
        (RESULT, Verdict.RESULT),
        (Answer(200, "", {"data": [{"value": {}}, {"value": {"url": "u"}}]}), Verdict.RESULT),
        (Answer(200, "", {"url": "u", "tasks": [{"status": "error"}]}), Verdict.RESULT),
        (Answer(200, "", {"url": None, "tasks": [{"status": "ERROR"}]}), Verdict.FAILURE),
        (
            Answer(200, "", {"tasks": [{"status": "error"}, {"status": "in_progress"}]}),
            Verdict.PENDING,
        ),
        (Answer(200, "", {"tasks": [{"status": "completed"}]}), Verdict.PENDING),
        (Answer(200, "", []), Verdict.PENDING),
        (PENDING, Verdict.PENDING),
        (Answer(404), Verdict.PENDING),
        (Answer(202), Verdict.PENDING),
        (Answer(204), Verdict.PENDING),
        (busy(), Verdict.BUSY),
        (BROKEN, Verdict.ERROR),
        (Answer(401), Verdict.ERROR),
        (Answer(200, fault="an answer is not JSON"), Verdict.ERROR),
        (Answer(fault="no whole answer in 10 s"), Verdict.ERROR),
    ],
)
def test_each_answer_has_one_meaning(answer: Answer, verdict: Verdict) -> None:
    assert judge(OPTIONS, answer) is verdict


def test_the_last_interval_repeats() -> None:
    waits = steps(*[PENDING] * 6)
    assert waits == [Wait(1), Wait(2), Wait(5), Wait(10), Wait(10), Wait(10)]


def test_a_result_and_a_failure_complete_the_polling() -> None:
    assert steps(RESULT) == [Stop(endings.COMPLETE, "the result is there")]
    failed = Answer(200, "", {"tasks": [{"status": "error"}]})
    assert steps(failed) == [Stop(endings.COMPLETE, "the work failed")]


def test_the_fifth_error_in_a_row_stops_it() -> None:
    *waits, stop = steps(*[BROKEN] * 5)
    assert all(isinstance(step, Wait) for step in waits)
    assert stop == Stop(endings.INTERNAL, "5 errors in a row, the last: the backend answered 500")


@pytest.mark.parametrize("between", [PENDING, Answer(404)])
def test_an_answer_between_errors_starts_their_count_anew(between: Answer) -> None:
    answers = [*[BROKEN] * 4, between] * 3
    assert all(isinstance(step, Wait) for step in steps(*answers))


def test_being_told_to_slow_down_is_neither_an_error_nor_a_relief() -> None:
    assert all(isinstance(step, Wait) for step in steps(*[busy()] * 20))
    assert isinstance(steps(*[BROKEN] * 4, busy(), BROKEN)[-1], Stop)


@pytest.mark.parametrize(
    ("last", "ending"),
    [
        (Answer(401), endings.UNAUTHORIZED),
        (Answer(307), endings.BAD_GATEWAY),
        (Answer(200, fault="an answer is not JSON"), endings.INVALID_DATA),
        (Answer(fault="no whole answer in 10 s"), endings.BAD_GATEWAY),
    ],
)
def test_the_last_error_names_the_ending(last: Answer, ending: endings.Ending) -> None:
    stop = steps(*[last] * 5)[-1]
    assert isinstance(stop, Stop)
    assert stop.ending == ending


def test_retry_after_is_honoured_and_never_shortens_an_interval() -> None:
    assert steps(busy(7)) == [Wait(7)]
    assert steps(busy(0)) == [Wait(1)]
    assert steps(Answer(503, retry_after=30)) == [Wait(30)]


def test_the_last_request_is_made_when_time_is_up() -> None:
    plan = PollPlan(OPTIONS, asked=9)
    assert plan.after(PENDING, 415.0)[1] == Wait(5.0)
    assert plan.after(PENDING, 420.0)[1] == Stop(endings.TIMEOUT, "no result in 420 s")
    assert plan.after(RESULT, 420.0)[1] == Stop(endings.COMPLETE, "the result is there")


def test_a_backend_that_asks_for_more_time_than_there_is_is_not_asked_again() -> None:
    assert steps(busy(421)) == [Stop(endings.TIMEOUT, "no result in 420 s")]


ANSWERS = st.sampled_from([PENDING, BROKEN, busy(), busy(3), busy(900), Answer(404), Answer()])


@given(st.lists(ANSWERS, min_size=1), st.floats(0.5, 1000))
def test_polling_ends_in_time_whatever_the_backend_says(
    answers: list[Answer], give_up: float
) -> None:
    options = PollOptions(("*",), "http://backend/{id}", give_up=give_up)
    plan, elapsed = PollPlan(options), 0.0
    for answer in itertools.islice(itertools.cycle(answers), 2000):
        plan, step = plan.after(answer, elapsed)
        if isinstance(step, Stop):
            break
        assert step.seconds > 0
        elapsed += step.seconds
    assert isinstance(step, Stop)
    assert elapsed <= give_up + 1e-6


def test_the_first_pattern_that_fits_says_how_a_channel_is_polled() -> None:
    other = PollOptions(("file.*", "project.*"), "http://backend/api/project/{id}")
    assert poll_for([OPTIONS, other], ChannelName("file.f1")) is OPTIONS
    assert poll_for([OPTIONS, other], ChannelName("project.1")) is other
    assert poll_for([OPTIONS, other], ChannelName("user.7")) is None


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"match": ()}, "match names no channel"),
        ({"after": -1}, "after must be"),
        ({"after": float("inf")}, "after must be"),
        ({"give_up": 0}, "give_up"),
        ({"deadline": 0}, "deadline"),
        ({"max_bytes": 0}, "max_bytes"),
        ({"intervals": ()}, "intervals is empty"),
        ({"intervals": (1, 0)}, "intervals must be above 0"),
        ({"max_errors": 0}, "max_errors"),
        ({"results": ()}, "results names no field"),
        ({"results": ("",)}, "results names no field"),
        ({"publish": "all"}, "publish"),
    ],
)
def test_options_that_cannot_work_are_refused(change: dict[str, Any], complaint: str) -> None:
    settings: dict[str, Any] = {"match": ("*",), "url": "http://backend/{id}"}
    with pytest.raises(ValueError, match=complaint):
        PollOptions(**(settings | change))


def test_headers_do_not_show_in_what_is_printed() -> None:
    options = PollOptions(("*",), "http://backend/{id}", headers={"Authorization": "hush"})
    assert "hush" not in repr(options)
