"""What each fault does to a message, and how often."""

import json
import random
from collections.abc import Callable, Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.verify.faults import Cut, Fault, FaultPlan, Faults, Message, Send, plan

TEXT = '{"type":"file","object":{"id":"f1","progress":7,"done":false,"note":"é"}}'
ONE, TWO = Message(TEXT, id="1"), Message('{"type":"other","n":1}', id="2")


def always(value: float = 0.0) -> Callable[[], float]:
    return lambda: value


def put(fault: str, *messages: Message) -> list[object]:
    """What is sent where the fault befalls whatever it can."""
    faults = Faults([FaultPlan(Fault(fault), 1.0)], always())
    steps = [step for each in messages for step in faults.take(each)]
    return [step.message if isinstance(step, Send) else step for step in [*steps, *faults.flush()]]


def test_a_dropped_message_is_not_sent() -> None:
    assert put("drop", ONE, TWO) == []


def test_a_duplicate_comes_under_an_id_of_its_own() -> None:
    assert put("duplicate", ONE) == [ONE, Message(TEXT)]


def test_a_reordered_message_comes_behind_the_next() -> None:
    assert put("reorder", ONE, TWO) == [TWO, ONE]


def test_what_is_held_back_at_the_end_is_sent_as_it_was() -> None:
    assert put("reorder", ONE) == put("coalesce", ONE) == [ONE]


def test_the_next_message_stands_for_a_coalesced_one() -> None:
    assert put("coalesce", ONE, TWO) == [TWO]


def test_connections_are_cut_behind_the_message() -> None:
    sent, cut = put("disconnect", ONE)
    assert sent == ONE
    assert isinstance(cut, Cut)


def test_a_delay_holds_up_the_message() -> None:
    faults = Faults([plan("delay:1:3")], always())
    assert list(faults.take(ONE)) == [Send(ONE, 3.0)]


def changed(fault: str, message: Message = ONE) -> dict[str, object]:
    (sent,) = put(fault, message)
    assert isinstance(sent, Message)
    said = json.loads(sent.data)
    assert isinstance(said, dict)
    return said


def test_one_value_is_altered_and_keeps_its_type_and_the_message_its_identity() -> None:
    assert changed("alter") == {
        "type": "file",
        "object": {"id": "f1", "progress": 8, "done": False, "note": "é"},
    }


def test_one_value_gets_another_type() -> None:
    assert changed("type-drift")["object"] == {
        "id": "f1",
        "progress": "7",
        "done": False,
        "note": "é",
    }


@pytest.mark.parametrize("fault", ["alter", "type-drift"])
@pytest.mark.parametrize("value", [1, 1.5, True, "x", None])
def test_every_sort_of_value_can_change(fault: str, value: object) -> None:
    before = json.dumps({"v": value})
    after = changed(fault, Message(before))["v"]
    assert after != value
    if value is not None:
        assert (type(after) is type(value)) == (fault == "alter")


def test_the_text_changes_and_the_meaning_does_not() -> None:
    (sent,) = put("encoding", ONE)
    assert isinstance(sent, Message)
    assert sent.data != ONE.data
    assert json.loads(sent.data) == json.loads(ONE.data)


def test_the_message_is_wrapped_otherwise() -> None:
    before = json.loads(TEXT)
    assert list(changed("envelope").items()) == [
        ("type", "file"),
        ("payload", before["object"]),
    ]
    assert put("envelope", TWO) == [TWO]


@pytest.mark.parametrize("fault", ["type-drift", "encoding", "envelope"])
@pytest.mark.parametrize("data", ["plain", b"binary", "7", "[" * 100_000])
def test_what_needs_json_spares_what_is_none(fault: str, data: str | bytes) -> None:
    assert put(fault, Message(data)) == [Message(data)]


@pytest.mark.parametrize(("data", "after"), [("plain", "plain~"), (b"\0", b"\0~"), ("{}", "{}~")])
def test_what_holds_no_value_is_altered_all_the_same(data: str | bytes, after: str | bytes) -> None:
    assert put("alter", Message(data)) == [Message(after)]


@given(st.integers(0, 2**32), st.sampled_from(Fault))
def test_a_seed_repeats_itself_and_counts_what_it_did(seed: int, fault: Fault) -> None:
    def run() -> tuple[list[object], int]:
        faults = Faults([FaultPlan(fault, 0.3)], random.Random(seed).random)
        messages: Iterable[Message] = (Message(f'{{"n":{n}}}') for n in range(50))
        steps: list[object] = [step for each in messages for step in faults.take(each)]
        return [*steps, *faults.flush()], faults.counts[fault]

    assert run() == run()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("drop", FaultPlan(Fault.DROP, 0.01)),
        ("drop:0.5", FaultPlan(Fault.DROP, 0.5)),
        ("delay:1:2.5", FaultPlan(Fault.DELAY, 1.0, 2.5)),
    ],
)
def test_a_fault_is_written_with_its_rate(text: str, expected: FaultPlan) -> None:
    assert plan(text) == expected


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("explode", "there is no fault 'explode'; there are drop, duplicate"),
        ("drop:2", "a share from 0 to 1"),
        ("drop:nan", "a share from 0 to 1"),
        ("drop:x", "a rate is a number"),
        ("drop:0.1:5", "write a fault as drop:0.01"),
        ("delay:0.1:-5", "a number of seconds"),
    ],
)
def test_a_wrong_fault_says_how_to_write_it(text: str, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        plan(text)
