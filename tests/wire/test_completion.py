"""Which messages are results, and the latch that tells each once."""

import json
from dataclasses import dataclass

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bridge.wire.completion import (
    Completion,
    CompletionOptions,
    CompletionRule,
    Latch,
    terminal,
)
from bridge.wire.event import Event
from bridge.wire.names import ChannelName

URL = "https://cdn.example/a.webp"


def message(kind: str, /, **content: object) -> str:
    return json.dumps({"type": kind, "object": content})


def told(origin: str, kind: str = "file", /, **content: object) -> Event:
    return Event(message(kind, **content), origin=origin)


@pytest.mark.parametrize(
    ("payload", "completion"),
    [
        (message("file", id="f1", url=URL), Completion("f1", URL)),
        (message("file", file_id="f1", url=URL), Completion("f1", URL)),
        (message("file", id=7, url=URL), Completion("7", URL)),
        (message("render_result", url=URL), Completion("", URL)),
        (message("render_result", url=None, file_url=URL), Completion("", URL)),
        ('{"type" : "file_updated", "data": {"id": "f1", "url": "u"}}', Completion("f1", "u")),
        ('{"type":"image_ready","imageUrl":"u"}', Completion("", "u")),
        ('{"type":"image_completed","data":{"imageUrl":"u"}}', Completion("", "u")),
        ('{"type":"image","url":"u"}', Completion("", "u")),
        ('{"type":"video_completed","data":{"videoUrl":"u","id":"f2"}}', Completion("f2", "u")),
    ],
)
def test_a_legacy_result_is_recognised(payload: str, completion: Completion) -> None:
    assert terminal(payload) == completion


@pytest.mark.parametrize(
    "payload",
    [
        message("file", id="f1", url=None),
        message("file", id="f1", file_id="f1"),
        message("task", id="t1", status="completed", file_id="f1"),
        message("task_status", status="COMPLETED"),
        message("task", id="t1", status="error", file_id="f1"),
        message("render_progress", progress=100),
        message("entity", id="e1", file={"url": URL}),
        '{"type":"error","error":"no"}',
        '{"outer":{"type":"file"},"object":{"url":"u"}}',
        '{"type":"file","object":{"url":"u"}',
        '"type":"file"',
        "",
    ],
)
def test_what_holds_no_result_is_none(payload: str) -> None:
    assert terminal(payload) is None


def test_a_named_event_can_be_terminal_by_itself() -> None:
    assert terminal('{"done":true}', name="complete") == Completion("", "")
    assert terminal('{"done":true}', name="progress") is None


def test_other_envelopes_have_other_type_fields() -> None:
    rule = CompletionRule(("SUCCEEDED",), values=())
    options = CompletionOptions(rules=(rule,), type_fields=("type", "payload.status"))
    assert terminal('{"type":"x","payload":{"status":"SUCCEEDED"}}', options) == Completion("", "")


def test_of_several_rules_for_a_type_the_one_that_finds_a_result_counts() -> None:
    rules = (CompletionRule(("file",), ("object.a",)), CompletionRule(("file",), ("object.b",)))
    payload = message("file", id="f1", b="u")
    assert terminal(payload, CompletionOptions(rules=rules)) == Completion("f1", "u")


def test_without_rules_nothing_is_a_result() -> None:
    options = CompletionOptions(rules=(), type_fields=(), names=())
    assert terminal(message("file", url=URL), options) is None


@pytest.mark.parametrize("first", ["poll", "snapshot"])
def test_the_stream_is_silent_about_what_was_fetched_before(first: str) -> None:
    latch = Latch()
    assert latch.admit(told(first, id="f1", url=f"{URL}?sig=1"))
    assert not latch.admit(told("sse", id="f1", url=f"{URL}?sig=2"))
    assert not latch.admit(told("ws", "render_result", url=URL))


@pytest.mark.parametrize("second", ["poll", "snapshot"])
@pytest.mark.parametrize("first", ["poll", "snapshot", "sse", "ws"])
def test_a_fetched_result_passes_only_as_the_first(first: str, second: str) -> None:
    latch = Latch()
    assert latch.admit(told(first, id="f1", url=URL))
    assert not latch.admit(told(second, id="f1", url=URL))


def test_a_stream_may_repeat_itself() -> None:
    latch = Latch()
    assert latch.admit(told("sse", id="f1", url=URL), 1)
    assert not latch.admit(told("poll", id="f1", url=URL), 2)
    assert latch.admit(told("sse", id="f1", url=URL), 2)
    assert latch.completed_at("f1") == 2


def test_a_stream_that_repeats_its_end_can_be_cut_to_one() -> None:
    latch = Latch(CompletionOptions(repeat="drop"))
    end = Event('{"synced":3}', type="complete", origin="sse")
    assert [latch.admit(end) for _ in range(3)] == [True, False, False]
    assert latch.admit(Event('{"synced":3}', type="progress", origin="sse"))


def test_a_new_render_of_the_same_entity_passes() -> None:
    latch = Latch()
    assert latch.admit(told("poll", id="f1", url=URL))
    assert latch.admit(told("sse", id="f1", url="https://cdn.example/b.webp"))
    assert latch.admit(told("poll", id="f1", url="https://cdn.example/c.webp"))


def test_two_entities_with_one_address_are_two_results() -> None:
    latch = Latch()
    assert latch.admit(told("poll", id="f1", url=URL))
    assert latch.admit(told("sse", id="f2", url=URL))


def test_an_unnamed_result_is_told_from_others_by_its_address() -> None:
    latch = Latch()
    assert latch.admit(told("sse", "render_result", url="https://h/get?file=f1&token=1"))
    assert latch.admit(told("poll", id="f2", url="https://h/get?file=f2&token=1"))
    assert not latch.admit(told("poll", id="f1", url="https://h/get?file=f1&token=2"))


def test_a_file_channel_names_what_the_message_does_not() -> None:
    latch = Latch(name=ChannelName("file.f1"))
    assert latch.admit(told("sse", "render_result", url=URL), 4)
    assert latch.completed_at("f1") == 4
    assert not latch.admit(told("poll", id="f1", url=URL))


def test_a_stale_state_does_not_take_the_result_away() -> None:
    latch = Latch(name=ChannelName("file.f1"))
    assert latch.admit(told("snapshot", id="f1", url=None))
    assert latch.admit(told("sse", id="f1", url=URL))
    assert not latch.admit(told("snapshot", id="f1", url=None))
    assert not latch.admit(told("poll", url=None))
    assert latch.admit(told("poll", id="f2", url=None))


def test_a_stream_tells_the_beginning_of_another_render() -> None:
    latch = Latch()
    assert latch.admit(told("poll", id="f1", url=URL))
    assert latch.admit(told("sse", id="f1", url=None))


def test_an_unnamed_state_of_a_shared_channel_is_never_stale() -> None:
    latch = Latch(name=ChannelName("project.1"))
    assert latch.admit(told("sse", id="f1", url=URL))
    assert latch.admit(told("snapshot", url=None))


@pytest.mark.parametrize(
    "event",
    [
        Event(message("render_progress", progress=1), origin="poll"),
        Event(message("file", id="f1", url=URL).encode(), origin="poll"),
        Event(message("file", id="f1", url=URL), origin="bridge"),
    ],
)
def test_everything_else_passes_always(event: Event) -> None:
    latch = Latch()
    assert latch.admit(event)
    assert latch.admit(event)
    assert latch.completed_at() is None
    assert latch.told(event) is None
    assert not latch.tells(event)


def test_the_place_of_a_result_is_remembered() -> None:
    latch = Latch()
    latch.admit(told("sse", id="f1", url=URL), 3)
    latch.admit(told("sse", id="f2", url=f"{URL}2"), 5)
    assert latch.completed_at("f1") == 3
    assert latch.completed_at("f3") is None
    assert latch.completed_at() == 5
    assert latch.told(told("snapshot", id="f1", url=f"{URL}?token=9")) == 3
    assert latch.told(told("snapshot", id="f3", url=f"{URL}3")) is None
    assert latch.told(told("snapshot", id="f1", url=None)) is None
    assert latch.tells(told("snapshot", id="f3", url=f"{URL}3"))
    assert not latch.tells(told("snapshot", id="f1", url=None))


def test_the_memory_is_bounded_and_forgetting_shows_a_result_twice() -> None:
    latch = Latch(CompletionOptions(remember=2))
    for number in range(3):
        assert latch.admit(told("poll", id=f"f{number}", url=URL), number)
    assert latch.completed_at("f0") is None
    assert not latch.admit(told("sse", id="f2", url=URL))
    assert latch.admit(told("sse", id="f0", url=URL))


@dataclass(frozen=True)
class Result:
    """One of k results, and which sources name it."""

    number: int
    named_by: frozenset[str]

    def tell(self, origin: str, signature: int) -> Event:
        kind = "file" if origin == "poll" else "render_result"
        naming = {"id": f"f{self.number}"} if origin in self.named_by else {}
        return told(origin, kind, url=f"https://h/{self.number}?sig={signature}", **naming)


@st.composite
def deliveries(draw: st.DrawFn) -> tuple[int, list[Event]]:
    """K results in any order, each told once by the stream, by the poll, or by both."""
    names = st.frozensets(st.sampled_from(["sse", "poll"]))
    results = [Result(number, draw(names)) for number in range(draw(st.integers(0, 5)))]
    events = []
    for result in results:
        streams, polls = draw(st.sampled_from([(1, 0), (0, 1), (1, 1), (1, 3), (0, 2)]))
        events += [result.tell("sse", draw(st.integers(0, 9))) for _ in range(streams)]
        events += [result.tell("poll", draw(st.integers(0, 9))) for _ in range(polls)]
    return len(results), draw(st.permutations(events))


@given(deliveries())
@example((0, []))
def test_of_k_results_exactly_k_come_out(case: tuple[int, list[Event]]) -> None:
    count, events = case
    latch = Latch()
    assert sum(latch.admit(event, seq) for seq, event in enumerate(events)) == count


@given(deliveries(), st.sampled_from([1, 2, 3]))
def test_a_stream_that_repeats_is_cut_to_k_where_asked(
    case: tuple[int, list[Event]], times: int
) -> None:
    count, events = case
    latch = Latch(CompletionOptions(repeat="drop"))
    assert sum(latch.admit(event) for event in events for _ in range(times)) == count


@given(st.lists(st.tuples(st.sampled_from(["sse", "poll"]), st.sampled_from("abc")), max_size=30))
def test_renders_of_one_file_are_never_fewer_than_told(tellings: list[tuple[str, str]]) -> None:
    latch = Latch(name=ChannelName("file.f1"))
    admitted = [
        render
        for origin, render in tellings
        if latch.admit(told(origin, "render_result", url=f"https://h/{render}"))
    ]
    assert set(admitted) == {render for _, render in tellings}


def test_options_that_mean_nothing_are_refused() -> None:
    with pytest.raises(ValueError, match="types names no message"):
        CompletionRule(())
    with pytest.raises(ValueError, match="empty path"):
        CompletionRule(("file",), values=("",))
    with pytest.raises(ValueError, match="type_fields names no field"):
        CompletionOptions(type_fields=())
    with pytest.raises(ValueError, match="repeat"):
        CompletionOptions(repeat="maybe")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="remember"):
        CompletionOptions(remember=0)
