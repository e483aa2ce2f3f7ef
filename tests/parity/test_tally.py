"""Counts of what was found: by place, by message, and over time, in bounded memory."""

from hypothesis import given
from hypothesis import strategies as st

from bridge.parity.canonical import Opaque
from bridge.parity.finding import Example, Kind
from bridge.parity.tally import SAME, Found, Leaf, Tally, Timeline
from tests.parity.talk import new, old

URL = Leaf(Kind.ALTERED, "file", "$.url")
GONE = Leaf(Kind.MISSING, "file")
BOTH = Example(old("a"), new("b"))
LONE = Example(old("a"))
CHANNEL = "c"


def pair(tally: Tally, at: float, *leaves: Leaf) -> frozenset[Leaf]:
    return tally.pair(at, CHANNEL, [Found(leaf, 1, 2) for leaf in leaves], BOTH)


def test_each_sort_has_its_count_times_and_first_example() -> None:
    tally = Tally()
    pair(tally, 5.0, URL)
    tally.pair(2.0, "other", [Found(URL, 3, 4)], Example(old("x"), new("y")))
    entry = tally.entries[URL]
    assert (entry.count, entry.first, entry.last) == (2, 2.0, 5.0)
    assert (entry.channel, entry.example) == (CHANNEL, BOTH)
    assert (entry.legacy, entry.candidate) == ("1", "2")
    assert tally.by_kind() == {Kind.ALTERED: 2}


def test_messages_are_counted_by_all_that_differs_about_them() -> None:
    tally = Tally()
    other = Leaf(Kind.ALTERED, "file", "$.n")
    pair(tally, 0.0, URL, other)
    pair(tally, 0.0, URL)
    tally.same(0.0)
    assert tally.pairs == {frozenset((URL, other)): 1, frozenset((URL,)): 1, SAME: 1}


def test_a_difference_that_comes_to_light_later_moves_its_pair() -> None:
    tally = Tally()
    moved = Leaf(Kind.REORDERED, "file")
    tally.same(0.0)
    signature = tally.add(0.0, CHANNEL, moved, BOTH, SAME)
    assert tally.pairs == {signature: 1}
    tally.add(0.0, CHANNEL, URL, BOTH, signature)
    assert tally.pairs == {frozenset((moved, URL)): 1}


def test_a_slice_knows_its_pairs_by_all_that_differs_about_them() -> None:
    tally = Tally()
    moved = Leaf(Kind.REORDERED, "file")
    for _ in range(2):
        tally.same(0.0)
    pair(tally, 0.0, URL)
    tally.add(0.0, CHANNEL, moved, BOTH, SAME)
    tally.add(0.0, CHANNEL, moved, BOTH, frozenset((URL,)))
    ((_, found),) = tally.slices()
    assert found.same == 1
    assert found.differing == {frozenset((moved,)): 1, frozenset((URL, moved)): 1}


def test_a_late_twin_takes_a_single_message_back() -> None:
    tally = Tally()
    tally.single(1.0, CHANNEL, GONE, LONE)
    tally.single(1.0, CHANNEL, GONE, LONE)
    assert tally.revise(1.0, GONE)
    assert (tally.singles.total(), tally.entries[GONE].count) == (1, 1)
    assert tally.revise(1.0, GONE)
    assert GONE not in tally.entries
    assert not tally.revise(1.0, GONE)
    assert [each.leaves.total() for _, each in tally.slices()] == [0]


def test_a_tally_takes_in_another() -> None:
    one, other = Tally(), Tally()
    pair(one, 1.0, URL)
    pair(other, 9.0, URL)
    other.single(3.0, CHANNEL, GONE, LONE)
    other.exposed["file"] += 4
    one.merge(other)
    assert (one.entries[URL].count, one.entries[URL].first, one.entries[URL].last) == (2, 1.0, 9.0)
    assert (one.entries[GONE].count, one.singles.total(), one.exposed["file"]) == (1, 1, 4)
    assert sum(each.leaves.total() for _, each in one.slices()) == 3


def test_values_are_shown_as_json_and_cut_where_they_are_long() -> None:
    tally = Tally()
    tally.pair(0.0, CHANNEL, [Found(URL, {"b": 1}, "x" * 900)], BOTH)
    tally.single(0.0, CHANNEL, GONE, Example(old(b"\0\1")))
    tally.pair(0.0, CHANNEL, [Found(Leaf(Kind.ENCODING, "f"), Opaque("a"), Opaque("b"))], BOTH)
    assert tally.entries[URL].legacy == '{"b":1}'
    assert len(tally.entries[URL].candidate or "") == 501
    gone = tally.entries[GONE]
    assert (gone.legacy, gone.candidate) == ("2 bytes of binary", None)
    assert tally.entries[Leaf(Kind.ENCODING, "f")].legacy == "a"


def test_sorts_and_signatures_are_bounded() -> None:
    tally = Tally()
    for each in range(3000):
        pair(tally, 0.0, Leaf(Kind.ALTERED, "file", f"$.a{each}"), URL)
    assert len(tally.entries) <= 2001
    assert len(tally.pairs) <= 2002
    assert tally.pairs.total() == 3000
    assert sum(entry.count for entry in tally.entries.values()) == 6000


def test_a_signature_too_many_is_counted_by_what_nothing_excuses() -> None:
    tally = Tally()
    excused = Leaf(Kind.ALTERED, "file", "$.ok", excused="ignored")
    for each in range(2500):
        pair(tally, 0.0, Leaf(Kind.ALTERED, "file", f"$.a{each % 1990}"))
    for each in range(200):
        pair(tally, 0.0, excused, Leaf(Kind.MISSING, f"t{each}"))
    assert all(any(leaf.excused is None for leaf in each) for each in tally.pairs if each)


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=60))
def test_a_timeline_holds_all_in_128_slices(times: list[float]) -> None:
    tally = Tally()
    for at in times:
        tally.same(at)
    found = list(tally.slices())
    assert len(found) <= 128
    assert sum(each.same for _, each in found) == len(times)
    starts = [at for at, _ in found]
    assert starts == sorted(starts)
    for at in times:
        assert any(start <= at < start + tally.timeline.length for start in starts)


def test_timelines_of_other_scales_add_up() -> None:
    one, other = Timeline(), Timeline()
    one.at(0.0).same += 1
    other.at(0.0).same += 1
    other.at(5000.0).same += 1
    one.merge(other)
    assert sum(each.same for each in one.slices.values()) == 3
    assert one.length >= 5000 / 128


def test_a_signature_too_many_is_counted_by_what_is_seen_least() -> None:
    tally = Tally()
    noisy = [Leaf(Kind.ALTERED, "file", f"$.n{place}", kept=True) for place in range(11)]
    state = Leaf(Kind.ALTERED, "file", "$.state")
    for which in range(2100):
        pair(tally, 0.0, *(leaf for place, leaf in enumerate(noisy) if which >> place & 1))
    for which in range(100):
        pair(tally, 0.0, state, *noisy[which % 11 :])
    assert sum(count for found, count in tally.pairs.items() if state in found) == 100


def test_a_pair_that_was_one_too_many_is_counted_once_when_more_comes_to_light() -> None:
    tally = Tally()
    for which in range(2100):
        pair(tally, 0.0, Leaf(Kind.ALTERED, "file", f"$.{which % 1000}"), *([URL] * (which > 999)))
    lost = Leaf(Kind.ALTERED, "file", "$.0"), Leaf(Kind.LATE, "file"), URL
    count = tally.pairs.total()
    tally.add(0.0, CHANNEL, Leaf(Kind.REORDERED, "file"), BOTH, pair(tally, 0.0, *lost))
    assert tally.pairs.total() == count + 1
    assert tally.timeline.at(0.0).differing.total() == count + 1


def test_only_wanted_sorts_are_kept() -> None:
    tally = Tally()
    for leaf in (GONE, GONE, URL, GONE):
        tally.single(1.0, CHANNEL, leaf, LONE)
    assert tally.keep(lambda leaf: leaf is URL) == 3
    assert (tally.singles, list(tally.entries)) == ({frozenset((URL,)): 1}, [URL])
    assert tally.timeline.at(1.0).leaves == {URL: 1}
