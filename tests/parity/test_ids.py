"""When the ids of what messages are about tell them apart."""

import json

from bridge.parity.canonical import parse
from bridge.parity.envelope import EnvelopeRules, Message, unwrap
from bridge.parity.ids import Ids, first
from bridge.parity.rules import Rules
from bridge.parity.volatile import Volatile
from tests.parity.talk import old, task

NAMES = ("id", "file_id")
PATH = "$.object.id"


def message(data: str) -> Message:
    return unwrap(old(data), parse(data), EnvelopeRules())


def ids(*ignore: str, volatile: Volatile | None = None) -> Ids:
    return Ids(NAMES, Rules(ignore), volatile or Volatile())


def test_another_id_is_another_thing() -> None:
    assert ids().apart(message(task("a")), message(task("b")))
    assert not ids().apart(message(task("a")), message(task("a", more=1)))


def test_an_id_is_the_same_as_a_text_and_as_a_number() -> None:
    assert not ids().apart(message(task(5)), message(task("5")))


def test_who_names_no_id_or_another_member_proves_nothing() -> None:
    unnamed = message('{"type":"task","object":{"n":1}}')
    other = message('{"type":"task","object":{"file_id":"b"}}')
    assert not ids().apart(message(task("a")), unnamed)
    assert not ids().apart(unnamed, message(task("a")))
    assert not ids().apart(message(task("a")), other)


def test_an_ignored_id_tells_nothing_apart() -> None:
    assert not ids(PATH).apart(message(task("a")), message(task("b")))
    assert ids("file:$.object.id").apart(message(task("a")), message(task("b")))


def test_an_id_learned_as_noise_tells_nothing_apart() -> None:
    noisy = ids(volatile=Volatile([("task", PATH)]))
    assert not noisy.apart(message(task("a")), message(task("b")))


def test_ids_that_no_twins_share_differ_by_nature() -> None:
    found = ids()
    for number in range(8):
        assert not found.alone(0, message(task(f"a{number}")))
    answers = [found.alone(1, message(task(f"b{number}"))) for number in range(12)]
    assert answers == [False] * 7 + [True] + [False] * 4
    assert not found.apart(message(task("a")), message(task("b")))


def test_once_twins_share_an_id_no_number_of_lonely_ones_matters() -> None:
    found = ids()
    found.twins(message(task("a")), message(task("a", n=1)))
    for side in (0, 1):
        assert not any(found.alone(side, message(task(number))) for number in range(50))
    assert found.apart(message(task("a")), message(task("b")))


def test_twins_with_different_ids_prove_no_trust() -> None:
    found = ids()
    found.twins(message(task("a")), message(task("b")))
    for number in range(8):
        found.alone(0, message(task(number)))
    assert any(found.alone(1, message(task(number))) for number in range(8))


def test_messages_without_an_id_are_not_counted() -> None:
    found = ids()
    bare = message('{"type":"task","object":{}}')
    assert not any(found.alone(side, bare) for side in (0, 1) for _ in range(20))


def test_the_first_member_that_says_something() -> None:
    assert first({"a": "", "b": None, "c": 0}, ("a", "b", "c")) == "0"
    assert first({"a": {"b": 1}}, ("a",)) == first([1], ("a",)) == first({}, ()) == ""
    assert json.loads(first({"a": 1.5}, ("a",))) == 1.5
