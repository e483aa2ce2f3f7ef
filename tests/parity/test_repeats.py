"""Saying something again: after a reconnect it may be, else it is a duplicate."""

import pytest

from bridge.parity.item import Item
from bridge.parity.repeats import Repeats, Repetition
from tests.parity.talk import item, lane, new, old

LEGACY, CANDIDATE = 0, 1


def repeats(*texts: str, ids: tuple[str, str] = ("", ""), **limits: float) -> Repeats:
    made = Repeats(limits.get("keep", 30.0), int(limits.get("most", 10_000)), 10.0)
    for place, text in enumerate(texts):
        made.add(item(old(text, place, id=ids[0])), item(new(text, place + 0.02, id=ids[1])))
    return made


def of(made: Repeats, side: int, again: Item, *, opened: float | None = None) -> Repetition:
    own = lane()
    if opened is not None:
        own.connected(again.seen.connection, opened)
    return made.of(side, again, b"", own)


@pytest.mark.parametrize("side", [LEGACY, CANDIDATE])
def test_soon_after_a_reconnect_it_may_be_said_again(side: int) -> None:
    said = old if side == LEGACY else new
    again = item(said("a", 14.0, connection=1))
    assert of(repeats("a"), side, again, opened=5.0) is Repetition.ALLOWED
    late = Repetition.NONE if side == LEGACY else Repetition.DUPLICATE
    assert of(repeats("a"), side, again, opened=3.0) is late


def test_on_the_same_connection_the_candidate_may_not() -> None:
    assert of(repeats("a"), CANDIDATE, item(new("a", 1.0))) is Repetition.DUPLICATE
    assert of(repeats("a"), CANDIDATE, item(new("b", 1.0))) is Repetition.NONE


def test_the_legacy_side_may_unless_it_gives_the_same_id() -> None:
    assert of(repeats("a"), LEGACY, item(old("a", 1.0))) is Repetition.NONE
    with_ids = repeats("a", ids=("7", "7"))
    assert of(with_ids, LEGACY, item(old("a", 1.0, id="7"))) is Repetition.DUPLICATE
    assert of(with_ids, LEGACY, item(old("a", 1.0, id="8"))) is Repetition.NONE


def test_the_same_under_a_new_id_is_a_duplicate_even_after_a_reconnect() -> None:
    made = repeats("a", ids=("7", "7"))
    again = item(new("a", 1.0, id="8", connection=1))
    assert of(made, CANDIDATE, again, opened=0.5) is Repetition.DUPLICATE
    same = item(new("a", 1.0, id="7", connection=1))
    assert of(made, CANDIDATE, same, opened=0.5) is Repetition.ALLOWED


def test_twins_that_differ_are_known_by_either_text_and_by_their_key() -> None:
    made = Repeats(30.0, 100, 10.0)
    left, right = item(old("a")), item(new("A"))
    left.digest = b"key"
    made.add(left, right)
    for again, digest in ((new("a"), b""), (new("A"), b""), (new("other"), b"key")):
        assert made.of(CANDIDATE, item(again), digest, lane()) is Repetition.DUPLICATE


def test_what_one_side_alone_said_only_that_side_repeats() -> None:
    made = Repeats(30.0, 100, 10.0)
    made.add_single(CANDIDATE, item(new("a", 0.0)), 0.0)
    assert of(made, CANDIDATE, item(new("a", 1.0))) is Repetition.DUPLICATE
    assert of(made, LEGACY, item(old("a", 1.0))) is Repetition.NONE
    assert made.is_replay(CANDIDATE, new("a", 1.0, connection=1))
    assert not made.is_replay(LEGACY, old("a", 1.0, connection=1))


def test_a_replay_says_what_an_earlier_connection_said() -> None:
    made = repeats("a", ids=("", "7"))
    assert made.is_replay(CANDIDATE, new("a", connection=1))
    assert made.is_replay(CANDIDATE, new("a", connection=1, id="7"))
    assert not made.is_replay(CANDIDATE, new("a", connection=1, id="8"))
    assert not made.is_replay(CANDIDATE, new("a", connection=0))
    assert not made.is_replay(CANDIDATE, new("b", connection=1))


def test_what_is_too_old_is_forgotten_but_the_last_thousand() -> None:
    made = repeats(*(str(each) for each in range(1500)))
    made.forget(10_000.0)
    assert not made.is_replay(CANDIDATE, new("499", connection=1))
    assert made.is_replay(CANDIDATE, new("500", connection=1))


def test_there_are_never_more_than_allowed() -> None:
    made = repeats(*(str(each) for each in range(1500)), most=100)
    made.forget(0.0)
    assert not made.is_replay(CANDIDATE, new("1399", connection=1))
    assert made.is_replay(CANDIDATE, new("1400", connection=1))


def test_what_is_said_for_the_second_time_keeps_its_first_trace_until_that_is_old() -> None:
    made = repeats("a", "a", most=1)
    made.forget(0.0)
    assert not made.is_replay(CANDIDATE, new("a", connection=1))


def test_a_payload_that_recurs_is_a_repetition_under_each_id_that_it_had() -> None:
    made = Repeats(30.0, 10_000, 10.0)
    for own in ("7", "8", ""):
        made.add(item(old("a", 0.0, id=own)), item(new("a", 0.0, id=own and f"c{own}")))
    for side, said, own in ((CANDIDATE, new, "c8"), (CANDIDATE, new, "c7"), (LEGACY, old, "8")):
        again = item(said("a", 1.0, id=own, connection=1))
        assert of(made, side, again, opened=0.5) is Repetition.ALLOWED
        assert made.is_replay(side, again.seen)
    fresh = item(new("a", 1.0, id="c9", connection=1))
    assert of(made, CANDIDATE, fresh, opened=0.5) is Repetition.DUPLICATE
    assert not made.is_replay(CANDIDATE, fresh.seen)
