"""Which of several messages is the twin of one."""

from bridge.parity.diagonal import Shift
from bridge.parity.item import Item
from bridge.parity.ledger import Ledger
from bridge.parity.options import CompareOptions
from bridge.parity.shape import Shapes
from bridge.parity.twins import Twins
from tests.parity.talk import item, lane, new, old, reader, task


def twins(*lags: float) -> Twins:
    options, reading = CompareOptions(), reader()
    ledger = Ledger(options, reading, Shapes(5.0), 10.0)
    for lag in lags:
        ledger.lags.add(lag)
    return Twins(options, reading, ledger)


def place(found: Item | None) -> int | None:
    return None if found is None else found.seq


def test_the_same_text_is_found_and_else_what_says_the_same() -> None:
    other = lane(old(task("b")), old(task("a", n=1, m=2)))
    assert place(twins().find(item(new(task("a", n=1, m=2))), other)) == 1
    assert place(twins().find(item(new(task("a", m=2, n=1))), other)) == 1
    assert twins().find(item(new(task("c"))), other) is None


def test_of_several_the_one_at_the_usual_time_is_meant() -> None:
    other = lane(old("a", 0.0), old("a", 5.0), old("a", 9.0))
    assert place(twins().find(item(new("a", 5.4)), other)) == 1
    assert place(twins(4.0, 4.0, 4.0).find(item(new("a", 5.4)), other)) == 0
    late = lane(new("a", 4.0), new("a", 9.0))
    assert place(twins(4.0).find(item(old("a", 5.4)), late)) == 1


def test_of_several_at_a_usual_time_the_oldest_is_meant() -> None:
    found, other = twins(1.0, 2.0, 2.1, 3.0), lane(old("a", 0.0), old("a", 2.1), old("a", 3.0))
    assert place(found.find(item(new("a", 5.0)), other)) == 1
    assert place(found.find(item(new("a", 3.1)), other)) == 1
    assert place(found.find(item(new("a", 2.9)), other)) == 0


def test_what_the_other_side_has_yet_to_say_is_not_read_where_texts_agree() -> None:
    found = twins(*[1.0] * 100)
    early, late = item(old(task("a", m=2, n=1))), item(new(task("a", m=2, n=1), 1.0))
    assert found.find(early, lane(new(task("a", n=1, m=2)))) is None
    assert early.digest is None
    for _ in range(4):
        assert found.find(late, lane(old(task("a", n=1, m=2)))) is not None
    assert found.find(early, lane(new(task("a", n=1, m=2)))) is not None


def test_one_with_the_same_id_goes_before_a_nearer_one() -> None:
    other = lane(old("a", 0.0, id="7"), old("a", 5.0, id="8"))
    assert place(twins().find(item(new("a", 5.0, id="7")), other)) == 0


def test_what_is_usual_follows_the_lags_that_come_in() -> None:
    found = twins(0.0)
    assert found.nearness().usual == 0
    for _ in range(500):
        found._ledger.lags.add(2.0)
    assert found.nearness().usual == 2


def test_the_original_goes_before_its_replay_on_a_later_connection() -> None:
    other = lane(new("a", 0.0), new("a", 4.0, connection=1))
    assert place(twins().find(item(old("a", 4.0)), other)) == 0


def test_once_both_sides_share_ids_other_ids_are_other_messages() -> None:
    found = twins()
    assert found.fit(old("a", id="1"), new("a", id="2"))
    found.note(old("a", id="1"), new("a", id="1"))
    assert found.by_id
    assert not found.fit(old("a", id="1"), new("a", id="2"))
    assert found.fit(old("a", id="1"), new("a"))
    assert found.find(item(new("a", id="2")), lane(old("a", id="1"))) is None


def test_ids_that_disagree_once_have_to_agree_often_to_be_trusted() -> None:
    found = twins()
    found.note(old("a", id="1"), new("a", id="2"))
    found.note(old("a"), new("a"))
    trusted = []
    for _ in range(12):
        found.note(old("a", id="1"), new("a", id="1"))
        trusted.append(found.by_id)
    assert trusted == [False] * 10 + [True] * 2


def test_twins_are_expected_around_the_usual_lag() -> None:
    assert (twins().nearness().usual, twins().nearness().most) == (0.0, 10.0)
    near = twins(1.0, 1.0, 6.0).nearness()
    assert (near.usual, near.most) == (1.0, 5.0)
    assert twins(1.0).nearness().most == 2.0


def test_where_lags_hardly_vary_the_turn_gives_way_to_who_came_at_the_usual_time() -> None:
    found, other = twins(), lane(old("a", 0.0), old("b", 1.0), old("a", 4.0))
    assert place(found.best(item(new("a", 4.3)), other)) == 0
    found.expect(Shift(0.3, 0.3, 0.3))
    assert place(found.best(item(new("a", 4.3)), other)) == 2
    assert place(found.best(item(new("a", 9.0)), other)) == 0
    found.expect(Shift(0.3, 0.0, 3.0))
    assert place(found.best(item(new("a", 4.3)), other)) == 0


def test_one_stray_lag_makes_no_other_lag_usual() -> None:
    found = twins(*[0.3] * 99, -4.0)
    low, high = found.nearness().range
    assert (round(low, 2), round(high, 2)) == (0.3, 0.3)
