"""The portable way is noted where clients go it."""

import pytest
from structlog.testing import capture_logs

from bridge.endpoint.fallback import NOT_OFFERED, SWITCHED_OFF, Fallback
from tests.endpoint.audience import Counts


def test_each_client_is_counted_and_the_log_is_told_once() -> None:
    counts = Counts()
    fallback = Fallback(counts, wanted=True)
    with capture_logs() as lines:
        for wire in ("sse", "ws", "sse"):
            fallback.note(wire, offered=False)
    assert counts.found == {("clients_stepped", "sse"): 2, ("clients_stepped", "ws"): 1}
    assert len(lines) == 1


@pytest.mark.parametrize(("wanted", "reason"), [(True, NOT_OFFERED), (False, SWITCHED_OFF)])
def test_the_log_says_whose_choice_it_was(wanted: bool, reason: str) -> None:
    with capture_logs() as lines:
        Fallback(Counts(), wanted=wanted).note("ws", offered=False)
    assert [(line["log_level"], line["reason"]) for line in lines] == [("info", reason)]


def test_a_client_that_could_not_be_taken_for_its_own_reason_is_no_news() -> None:
    counts = Counts()
    fallback = Fallback(counts, wanted=True)
    with capture_logs() as lines:
        fallback.note("ws", offered=True)
        assert lines == []
        fallback.note("ws", offered=False)
    assert len(lines) == 1
    assert counts.found["clients_stepped", "ws"] == 2
