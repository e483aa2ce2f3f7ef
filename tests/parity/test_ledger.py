"""What a pair or a single message counts as."""

import pytest

from bridge.parity.finding import Kind
from bridge.parity.ledger import LEFT, RIGHT, Ledger
from bridge.parity.options import CompareOptions
from bridge.parity.shape import Shapes
from bridge.parity.tally import SAME, Leaf, Tally
from tests.parity.talk import CHANNEL, item, new, old, reader, task


def ledger(typed: bool = False, **options: object) -> Ledger:
    made = CompareOptions(**options)  # type: ignore[arg-type]
    return Ledger(made, reader(made), Shapes(5.0), 10.0, typed=typed)


def leaves(made: Ledger) -> list[tuple[Kind, str, str, str | None]]:
    return [(leaf.kind, leaf.path, leaf.reason, leaf.excused) for leaf in made.tally.entries]


def test_twins_to_the_byte_are_the_same() -> None:
    made = ledger(typed=True)
    made.pair(CHANNEL, item(old(task("a"), 1.0)), item(new(task("a"), 1.5)))
    assert made.tally.pairs == {SAME: 1}
    assert made.lags.quantile(0.5) == 0.5
    assert made.tally.exposed == {"task": 1}


def test_twins_with_another_value_are_altered_at_its_place() -> None:
    made = ledger(typed=True)
    made.pair(CHANNEL, item(old(task("a", n="x"))), item(new(task("a", n="y"))))
    assert leaves(made) == [(Kind.ALTERED, "$.object.n", "", None)]
    assert made.tally.exposed == {"task": 1}


def test_a_value_that_kept_its_shape_is_another_sort_than_one_that_did_not() -> None:
    made = ledger()
    url = "https://a/x?s={}"
    for value in (url.format(2), "rubbish"):
        made.pair(CHANNEL, item(old(task("a", u=url.format(1)))), item(new(task("a", u=value))))
    assert [leaf.kept for leaf in made.tally.entries] == [True, False]


@pytest.mark.parametrize(("encoding", "excused"), [("fail", None), ("excuse", "equal as JSON")])
def test_another_spelling_is_an_encoding(encoding: str, excused: str | None) -> None:
    made = ledger(encoding=encoding)
    made.pair(CHANNEL, item(old('{"a":1}')), item(new('{"a": 1}')))
    assert leaves(made) == [(Kind.ENCODING, "$", "compact against spaced", excused)]


def test_a_spelling_without_a_name_is_one_all_the_same() -> None:
    made = ledger()
    made.pair(CHANNEL, item(old('{"a":1}')), item(new('{"a":1.0}')))
    assert leaves(made) == [(Kind.ENCODING, "$", "escapes, or the spelling of numbers", None)]


def test_a_rule_excuses_a_difference() -> None:
    made = ledger(ignore=("$.object.n",))
    made.pair(CHANNEL, item(old(task("a", n=1))), item(new(task("a", n=2))))
    assert leaves(made) == [(Kind.ALTERED, "$.object.n", "", "ignored by $.object.n")]


def test_too_late_is_beyond_the_window_by_the_candidate_alone() -> None:
    made = ledger()
    late = item(old("a", 0.0)), item(new("a", 10.1))
    early = item(old("a", 11.0)), item(new("a"))
    assert made.is_late(*late)
    assert not made.is_late(*early)
    made.pair(CHANNEL, *late)
    assert leaves(made) == [(Kind.LATE, "$", "", None)]
    entry = next(iter(made.tally.entries.values()))
    assert (entry.legacy, entry.candidate) == ("0.000 s", "10.100 s")


def test_two_clocks_are_set_by_the_pairs() -> None:
    made = ledger(clocks="two")
    for at in range(20):
        made.same(item(old("a", at)), item(new("a", at + 100.0)))
    assert made.offset == 100
    assert (made.time(RIGHT, 150.0), made.time(LEFT, 150.0)) == (50.0, 150.0)
    assert not made.is_late(item(old("a", 0.0)), item(new("a", 105.0)))
    assert ledger().offset == 0


def test_a_pair_that_moved_counts_once_as_a_message() -> None:
    made = ledger()
    left, right = item(old(task("a", n=1))), item(new(task("a", n=2)))
    made.pair(CHANNEL, left, right)
    made.moved(CHANNEL, left, right)
    assert made.tally.pairs.total() == 1
    assert made.tally.by_kind() == {Kind.ALTERED: 1, Kind.REORDERED: 1}


def test_a_single_message_is_excused_in_a_hole_of_the_legacy_side() -> None:
    made = ledger(typed=True)
    for side, seen, kind in ((LEFT, old("a"), Kind.MISSING), (RIGHT, new("a"), Kind.EXTRA)):
        made.single(made.tally, CHANNEL, side, item(seen), kind, "lost")
    assert leaves(made) == [
        (Kind.MISSING, "$", "lost", None),
        (Kind.EXTRA, "$", "lost", "in a hole: lost"),
    ]
    assert made.tally.exposed == {"": 1}


def test_a_hole_of_the_candidate_is_an_excuse_where_that_is_asked_for() -> None:
    made = ledger(excuse_holes=True)
    made.single(made.tally, CHANNEL, LEFT, item(old("a")), Kind.MISSING, "lost")
    assert leaves(made)[0][3] == "in a hole: lost"


def test_a_late_twin_takes_back_what_its_message_was_counted_as() -> None:
    made, waiting = ledger(), Tally()
    outside, again, tail, lone = (item(old("a")) for _ in range(4))
    made.outside, again.repeated, made.repeated = 1, True, 1
    made.single(waiting, CHANNEL, LEFT, tail, Kind.MISSING)
    made.single(made.tally, CHANNEL, LEFT, lone, Kind.MISSING)
    for each in (outside, again, tail, lone):
        made.revise(LEFT, each, waiting)
    assert (made.outside, made.repeated) == (0, 0)
    assert (waiting.singles.total(), made.tally.singles.total()) == (0, 0)
    assert Leaf(Kind.MISSING, "") not in made.tally.entries
