"""The table of endings is a bijection, and never turns trouble that passes into a final word."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.wire.endings import (
    ABNORMAL,
    BAD_GATEWAY,
    BAD_REQUEST,
    COMPLETE,
    FORBIDDEN,
    GONE,
    INTERNAL,
    MISSING_EXTENSION,
    NO_STATUS,
    NOT_FOUND,
    RESTART,
    TABLE,
    TLS_FAILED,
    TRY_LATER,
    UNAUTHORIZED,
    Ending,
    for_close,
    for_name,
    for_status,
)

CODES = st.sampled_from([ending.ws for ending in TABLE]) | st.integers(3000, 4999)


def test_each_close_code_has_one_ending_and_each_ending_one_code() -> None:
    assert len({ending.name for ending in TABLE}) == len(TABLE)
    assert len({ending.ws for ending in TABLE}) == len(TABLE)


@pytest.mark.parametrize("ending", TABLE, ids=lambda ending: ending.name)
def test_a_row_is_found_by_either_column(ending: Ending) -> None:
    assert for_close(ending.ws) is ending
    assert for_name(ending.name) is ending


@given(CODES)
def test_every_code_survives_the_way_over_an_sse_ending_and_back(code: int) -> None:
    ending = for_close(code)
    assert ending.ws == code
    assert for_name(ending.name) == ending


@given(st.integers(3000, 4999), st.integers(3000, 4999))
def test_different_application_codes_have_different_names(one: int, other: int) -> None:
    assert (for_close(one).name == for_close(other).name) is (one == other)


@pytest.mark.parametrize("ending", TABLE, ids=lambda ending: ending.name)
def test_a_row_reconnects_just_as_its_own_status_would(ending: Ending) -> None:
    assert for_status(ending.http).reconnect is ending.reconnect


@given(st.integers(3000, 4999))
def test_an_application_code_reconnects_just_as_its_status_would(code: int) -> None:
    ending = for_close(code)
    assert for_status(ending.http).reconnect is ending.reconnect


@given(CODES)
def test_what_is_sent_may_stand_in_a_close_frame_and_invites_as_it_should(code: int) -> None:
    ending = for_close(code)
    sent = ending.sendable
    assert sent in {1000, 1001, 1002, 1003, 1007, 1008, 1009, 1011, 1012, 1013, 1014} | set(
        range(3000, 5000)
    )
    assert for_close(sent).reconnect is ending.reconnect


@pytest.mark.parametrize(
    ("ending", "code"),
    [(NO_STATUS, 1011), (ABNORMAL, 1011), (TLS_FAILED, 1011), (MISSING_EXTENSION, 1000)],
)
def test_a_reserved_code_is_replaced_by_one_that_may_be_sent(ending: Ending, code: int) -> None:
    assert ending.sendable == code


@pytest.mark.parametrize("code", [-1, 0, 999, 1004, 1016, 2999, 5000, 65535])
def test_a_code_that_no_peer_may_send_counts_as_an_abnormal_end(code: int) -> None:
    assert for_close(code) is ABNORMAL


def test_a_close_without_a_code_has_an_ending() -> None:
    assert for_close(None) is NO_STATUS


@pytest.mark.parametrize(
    ("code", "http", "reconnect"),
    [
        (3000, 401, False),
        (3003, 403, False),
        (3008, 408, True),
        (4001, 502, True),
        (4418, 418, False),
        (4429, 429, True),
        (4425, 425, True),
        (4500, 500, True),
        (4503, 503, True),
        (4999, 502, True),
    ],
)
def test_a_nameless_code_keeps_its_number_and_means_what_it_is_made_from(
    code: int, http: int, reconnect: bool
) -> None:
    assert for_close(code) == Ending(f"close-{code}", code, http, reconnect=reconnect)


@pytest.mark.parametrize(
    "name",
    ["", "close-", "close-x", "close-99999", "close-٤٤٠٤", "close-" + "9" * 10_000, "nonsense"],
)
def test_an_unknown_name_counts_as_an_abnormal_end(name: str) -> None:
    assert for_name(name) is ABNORMAL


def test_a_numbered_name_of_a_named_code_is_that_ending() -> None:
    assert for_name("close-4401") is UNAUTHORIZED


@pytest.mark.parametrize(
    ("status", "ending"),
    [
        (200, NO_STATUS),
        (201, NO_STATUS),
        (204, COMPLETE),
        (302, NO_STATUS),
        (400, BAD_REQUEST),
        (401, UNAUTHORIZED),
        (403, FORBIDDEN),
        (404, NOT_FOUND),
        (410, GONE),
        (418, BAD_REQUEST),
        (425, TRY_LATER),
        (429, TRY_LATER),
        (500, INTERNAL),
        (502, BAD_GATEWAY),
        (503, RESTART),
        (504, BAD_GATEWAY),
        (507, INTERNAL),
        (599, INTERNAL),
    ],
)
def test_a_backends_status_has_an_ending(status: int, ending: Ending) -> None:
    assert for_status(status) is ending


@pytest.mark.parametrize("status", [408, 425, 429, *range(500, 600)])
def test_no_status_that_passes_becomes_a_final_ending(status: int) -> None:
    assert for_status(status).reconnect


def test_a_delay_changes_nothing_else() -> None:
    assert RESTART.after(250) == Ending("restart", 1012, 503, reconnect=True, delay=250)
    assert RESTART.after(250).after(None) == RESTART
