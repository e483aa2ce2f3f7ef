"""A run of entries in the forms of all wires."""

import pytest

from bridge.endpoint.batch import Batch, Form, body, message
from bridge.endpoint.outgoing import Outgoing
from bridge.history.cursor import Cursor
from bridge.history.log import Log, Slice
from bridge.wire.event import Event
from bridge.wire.framing import chunk, frame
from bridge.wire.names import ChannelName

NAME = ChannelName.parse("project.1")


def a_run(*events: Event | None, outgoing: Outgoing = lambda event, _: (event.data,)) -> Batch:
    """A batch of events; None stands for the notice of a hole."""
    log = Log("e")
    for event in events:
        if event is None:
            log.gap_notice("restart", None, 0.0)
        else:
            log.append(event, 0.0)
    found = log.read(Cursor("e", 0))
    assert isinstance(found, Slice)
    return Batch(NAME, found.entries, found.cursor, outgoing)


def test_sse_forms_hold_the_same_blocks() -> None:
    batch = a_run(Event("a"), Event("b"))
    blocks = b"".join(entry.sse for entry in batch.entries)
    assert batch.form(Form.BLOCKS) == body(blocks)
    assert batch.form(Form.CHUNK) == chunk(blocks)


def test_payloads_stay_what_they_are_and_frames_say_which() -> None:
    batch = a_run(Event("é"), Event(b"\x00"))
    assert batch.form(Form.PAYLOADS) == [message("é"), message(b"\x00")]
    assert batch.form(Form.FRAMES) == frame("é") + frame(b"\x00")


def test_a_mapping_may_make_many_frames_of_an_event_or_none() -> None:
    def outgoing(event: Event, _: ChannelName) -> tuple[str | bytes, ...]:
        return ("1", "2") if event.data == "a" else ()

    batch = a_run(Event("a"), Event("b"), outgoing=outgoing)
    assert batch.form(Form.PAYLOADS) == [message("1"), message("2")]
    assert batch.form(Form.FRAMES) == frame("1") + frame("2")


def test_notices_reach_sse_clients_and_no_legacy_socket() -> None:
    batch = a_run(None)
    (gap,) = batch.entries
    assert b"bridge.gap" in gap.sse
    assert batch.form(Form.BLOCKS) == body(gap.sse)
    assert batch.form(Form.PAYLOADS) == []
    assert batch.form(Form.FRAMES) == b""


def test_the_batch_itself_serves_those_who_are_told_more() -> None:
    batch = a_run(Event("a"), None)
    assert batch.form(Form.ENTRIES) is batch
    assert str(batch.cursor) == "e-2"


@pytest.mark.parametrize("form", list(Form))
def test_each_form_is_made_once(form: Form) -> None:
    batch = a_run(Event("a"))
    assert batch.form(form) is batch.form(form)


def test_a_form_that_nobody_uses_is_never_made() -> None:
    def outgoing(event: Event, _: ChannelName) -> tuple[str]:
        raise AssertionError

    assert a_run(Event("a"), outgoing=outgoing).form(Form.CHUNK)
