"""How a stream begins and how it says that it is over."""

import json

from bridge.endpoint.farewell import HEADERS, START, farewell, told
from bridge.wire.endings import FORBIDDEN, RESTART
from bridge.wire.event import END
from bridge.wire.sse import Decoder


def test_a_stream_is_neither_cached_nor_compressed_nor_buffered() -> None:
    headers = dict(HEADERS)
    assert START["headers"] == HEADERS
    assert headers[b"content-type"].startswith(b"text/event-stream")
    assert headers[b"cache-control"] == b"no-cache, no-store, no-transform"
    assert headers[b"x-accel-buffering"] == b"no"


def test_a_farewell_says_why_and_when_to_come_back() -> None:
    (event,) = Decoder().feed(farewell(RESTART.after(1500), "the bridge restarts"))
    assert (event.event, event.retry) == (END, 1500)
    assert json.loads(event.data) == {
        "code": "restart",
        "close": 1012,
        "reason": "the bridge restarts",
        "reconnect": True,
        "delay": 1500,
    }


def test_a_final_farewell_leaves_the_reconnection_time_alone() -> None:
    block = farewell(FORBIDDEN, "")
    assert b"retry" not in block
    assert told(FORBIDDEN, "")["delay"] is None


def test_a_reason_cannot_begin_a_line() -> None:
    assert farewell(FORBIDDEN, "a\n\ndata: b").count(b"\n\n") == 1
