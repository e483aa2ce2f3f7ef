"""What refusals and network errors mean."""

import errno

import pytest

from bridge.upstream.failure import (
    brief,
    closed,
    oversized,
    refused,
    retry_after,
    silent,
    unreachable,
    why,
)

NOON = "Mon, 01 Jan 2024 12:00:00 GMT"
LATER = "Mon, 01 Jan 2024 12:00:30 GMT"


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504, 599])
def test_transient_statuses_invite_another_attempt(status: int) -> None:
    assert refused(status, {}).ending.reconnect


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410])
def test_final_statuses_do_not(status: int) -> None:
    assert not refused(status, {}).ending.reconnect


@pytest.mark.parametrize("status", [101, 200, 201, 302])
def test_a_status_that_is_neither_is_a_bad_gateway(status: int) -> None:
    lost = refused(status, {})
    assert (lost.ending.name, lost.ending.reconnect) == ("bad-gateway", True)
    assert lost.reason == f"the backend answered {status}"


def test_a_refusal_carries_the_delay_that_the_backend_asked_for() -> None:
    assert refused(503, {"Retry-After": "7"}).retry == 7000
    assert refused(503, {}).retry is None


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"Retry-After": " 2 "}, 2000),
        ({"Retry-After": LATER, "Date": NOON}, 30_000),
        ({"Retry-After": NOON, "Date": LATER}, 0),
        ({"Retry-After": LATER}, None),
        ({"Retry-After": "soon", "Date": NOON}, None),
        ({}, None),
    ],
)
def test_retry_after_is_seconds_or_a_date_against_the_responses_own(
    headers: dict[str, str], expected: int | None
) -> None:
    assert retry_after(headers) == expected


@pytest.mark.parametrize(
    ("code", "final", "reconnect"),
    [
        (1000, (1000,), False),
        (1000, (), True),
        (1001, (), True),
        (1001, (1001,), False),
        (1008, (), False),
        (1009, (), True),
        (1009, (1009,), False),
        (4404, (), False),
        (4501, (), True),
    ],
)
def test_a_close_is_final_where_its_ending_or_the_configuration_says_so(
    code: int, final: tuple[int, ...], reconnect: bool
) -> None:
    lost = closed(code, "", final)
    assert (lost.ending.ws, lost.ending.reconnect) == (code, reconnect)
    assert lost.reason == f"the backend closed with {code}"


def test_a_close_carries_the_backends_words() -> None:
    assert closed(1012, "new\nversion", ()).reason == "the backend closed with 1012: new version"


def test_silence_is_a_timeout_that_says_how_long() -> None:
    lost = silent(1.5)
    assert (lost.ending.name, lost.reason) == ("timeout", "the backend was silent for 1.5 s")
    assert lost.ending.reconnect


def test_too_large_an_event_does_not_end_the_channel() -> None:
    lost = oversized("an event exceeds 5 bytes")
    assert (lost.ending.name, lost.ending.reconnect) == ("too-big", True)


def test_system_errors_speak_for_themselves_and_others_by_name() -> None:
    refused = OSError(errno.ECONNREFUSED, "Connect call failed ('192.0.2.1', 80)")
    assert why(refused) == "connection refused"
    both = OSError(
        "Multiple exceptions: [Errno 111] Connect call failed ('::1', 80), [Errno 101] b"
    )
    assert why(both) == "connection refused"
    assert why(TimeoutError()) == "TimeoutError"
    assert why(ValueError("http://backend.example/?token=hunter2")) == "ValueError"
    assert "hunter2" not in unreachable(ValueError("hunter2")).reason


def test_a_backends_words_fit_one_line() -> None:
    assert brief("a\r\n  b\tc") == "a b c"
    assert len(brief("x" * 5000)) == 200
