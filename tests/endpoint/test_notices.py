"""What the bridge itself says in a stream: named, and never at the expense of a client's place."""

import json

from hypothesis import given
from hypothesis import strategies as st

from bridge.endpoint.notices import block_at, gap_block, heartbeat_block
from bridge.history.cursor import Cursor
from bridge.history.log import Gap
from bridge.wire.event import GAP, PING, Event
from bridge.wire.sse import Decoder, ServerSentEvent

PLACE = Cursor("e1", 7)


def only(block: bytes) -> ServerSentEvent:
    """The one event of a block that ends where it should."""
    assert block.endswith(b"\n\n")
    (found,) = Decoder().feed(block)
    return found


def test_a_hole_says_all_that_is_known_of_it() -> None:
    found = only(gap_block(Gap("e0-3", PLACE, None, "other-epoch")))
    assert found.event == GAP
    assert json.loads(found.data) == {
        "old": "e0-3",
        "new": "e1-7",
        "lost": None,
        "reason": "other-epoch",
    }


def test_after_a_hole_a_client_resumes_where_the_stream_goes_on() -> None:
    assert only(gap_block(Gap("e0-3", PLACE, 2, "trimmed"))).id == "e1-7"


def test_a_heartbeat_shows_the_place_to_scripts_and_to_the_browser() -> None:
    found = only(heartbeat_block(PLACE))
    assert (found.event, found.id, json.loads(found.data)) == (PING, "e1-7", {"id": "e1-7"})


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"], exclude_characters="\r")))
def test_an_event_for_one_client_leaves_its_place_as_it_is(data: str) -> None:
    found = only(block_at(Event(data, type="snapshot"), PLACE))
    assert (found.event, found.id, found.data) == ("snapshot", "e1-7", data)


def test_no_notice_reaches_a_legacy_onmessage() -> None:
    blocks = (gap_block(Gap(None, PLACE, None, "unreadable")), heartbeat_block(PLACE))
    assert all(only(each).event != "message" for each in blocks)
