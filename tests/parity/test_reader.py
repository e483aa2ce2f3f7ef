"""What is read of a message: type, entity, version, id, key and features."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.parity.envelope import EnvelopeRules, Form
from bridge.parity.finding import Kind
from bridge.parity.item import State
from bridge.parity.options import CompareOptions
from bridge.parity.reader import Reader, place_of_type, told
from bridge.parity.volatile import Volatile
from tests.parity.talk import item, new, old, reader, task

BODIES = st.dictionaries(st.text(max_size=3), st.integers() | st.text(max_size=3), max_size=4)


def test_a_message_is_read_once() -> None:
    one = item(task("a"))
    reading = reader()
    assert reading.message(one) is reading.message(one)
    assert reading.digest(one) is reading.digest(one)
    assert reading.features(one) is reading.features(one)


def test_an_entity_is_a_type_and_an_id() -> None:
    assert reader().entity(item(task("a", file_id="b"))) == ("task", "a")
    assert reader().entity(item('{"type":"task","object":{"file_id":7}}')) == ("task", "7")
    assert reader().entity(item("tick")) == ("", "")


def test_of_a_pair_no_more_than_its_entity_is_kept() -> None:
    one = item(task("a"))
    one.state = State.PAIRED
    assert reader().entity(one) == ("task", "a")
    assert one.message is None
    assert reader().entity(one) == ("task", "a")


def test_a_version_is_the_first_that_is_there() -> None:
    assert reader().version(item(task("a", revision=3, seq=4))) == "3"
    assert reader().version(item(task("a"))) == ""


def test_an_identity_is_where_the_options_say_or_on_the_wire() -> None:
    options = CompareOptions(identity=("$.object.event_id", "$.n"))
    assert reader(options).identity(item(old(task("a", event_id=5), id="w"))) == "5"
    assert reader(options).identity(item(old(task("a", event_id=[]), id="w"))) == "w"
    assert reader(options).identity(item(old('{"n":"x"}', id="w"))) == '"x"'
    assert reader().identity(item(old(task("a"), id="w"))) == "w"
    assert reader().identity(item(old(task("a"), id="w")), wire=False) == ""


@given(BODIES)
def test_a_digest_does_not_depend_on_the_spelling(body: dict[str, object]) -> None:
    one = json.dumps({"type": "t", "object": body})
    other = json.dumps({"object": dict(reversed(body.items())), "type": "t"}, indent=1)
    reading = reader()
    assert reading.digest(item(one)) == reading.digest(item(other))


def test_a_digest_leaves_out_what_is_ignored_and_what_is_volatile() -> None:
    options = CompareOptions(ignore=("$.object.url",), normalise=("$.object.s=lower",))
    reading = Reader(options, EnvelopeRules(), Volatile([("task", "$.object.at")]))
    one, other = task("a", url=1, at=2, s="X"), task("a", url=3, at=4, s="x")
    assert reading.digest(item(one)) == reading.digest(item(other))
    assert reading.digest(item(one)) != reading.digest(item(task("b", url=1, at=2, s="X")))
    assert reading.digest(item("tick")) != reading.digest(item('"tick"'))


def test_another_envelope_is_the_same_key_once_the_legacy_one_is_known() -> None:
    reading = reader()
    legacy = item(old('{"type":"task","object":{"id":1}}'))
    digest = reading.digest(legacy)
    for data, event in (('{"id":1}', "task"), ('{"data":{"id":1},"type":"task"}', "message")):
        candidate = item(new(data, type=event))
        assert reading.digest(candidate) == digest
        assert reading.features(candidate) == reading.features(legacy)


@pytest.mark.parametrize("named", [False, True])
def test_another_envelope_is_named_unless_the_event_may_stand_for_it(named: bool) -> None:
    reading = reader(envelope=EnvelopeRules(named=named))
    legacy, candidate = item(old(task("a"))), item(new('{"id":"a"}', type="task"))
    found = reading.differences(legacy, candidate)
    assert [(each.kind, each.path) for each in found] == ([] if named else [(Kind.ENVELOPE, "$")])


def test_what_differs_inside_another_envelope_is_found_beside_it() -> None:
    legacy, candidate = item(old(task("a"))), item(new('{"type":"task","data":{"id":"b"}}'))
    found = reader(envelope=EnvelopeRules(named=True)).differences(legacy, candidate)
    assert [(each.kind, each.path) for each in found] == [
        (Kind.ALTERED, "$.object.id"),
        (Kind.ENVELOPE, "$"),
    ]


def test_a_message_told_in_another_form() -> None:
    bare = reader().message(item(new('{"id":1}', type="task")))
    assert told(bare, Form("message", "type", "object")) == {"type": "task", "object": {"id": 1}}
    assert told(bare, Form("message", "type")) == {"type": "task", "id": 1}
    assert told(bare, bare.form) is bare.value
    number = reader().message(item(new("7", type="task")))
    assert told(number, Form()) == 7


def test_where_the_type_stands() -> None:
    assert place_of_type(Form("message", "my type")) == "$['my type']"
    assert place_of_type(Form("file")) == "$"


def test_messages_about_different_things_are_apart() -> None:
    assert reader().apart(item(task("a")), item(new(task("b"))))
    assert not reader().apart(item(task("a")), item(new(task("a"))))


def test_twins_that_were_met_make_ids_trusted_and_places_less_volatile() -> None:
    reading = reader()
    reading.met(item(task("a")), item(task("a")), 1000)
    assert not any(
        reading.ids.alone(side, reading.message(item(task(n)))) for side in (0, 1) for n in range(9)
    )
    assert not any(reading.volatile.differed("task", ["$.object.n"]) for _ in range(100))
