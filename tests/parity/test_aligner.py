"""What two streams publish as one, whatever they drop and wherever the lead moves."""

from collections import Counter
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import combinations, product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.errors import HandOverRefused
from bridge.parity.aligner import Aligner, AlignerOptions, AlignerStatistics, Receipt
from bridge.parity.observation import Side

OLD, NEW = Side.LEGACY, Side.CANDIDATE
KEYS = st.sampled_from("abc")


@dataclass
class Bench:
    """An aligner with all that went in and came out. An event is its key and who brought it."""

    options: AlignerOptions | None = None
    published: list[Hashable] = field(default_factory=list)
    led: dict[Side, list[Hashable]] = field(default_factory=lambda: {OLD: [], NEW: []})
    now: float = 0.0

    def __post_init__(self) -> None:
        self.aligner: Aligner[tuple[Side, Hashable]] = Aligner(OLD, self.options)

    def say(self, side: Side, *keys: Hashable) -> None:
        for key in keys:
            if side is self.aligner.lead:
                self.led[side].append(key)
            events = self.aligner.take(side, key, (side, key), self.now)
            assert events in {(), ((side, key),)}
            self.published += [key for _, key in events]

    def cut(self) -> Receipt[tuple[Side, Hashable]]:
        receipt = self.aligner.cut(self.aligner.standby, self.now)
        self.published += [key for _, key in receipt.filled]
        return receipt

    def run(self, schedule: Iterable[object], streams: dict[Side, Sequence[Hashable]]) -> None:
        """Deliver the next event of a side for each side in the schedule, and cut at None."""
        left = {side: iter(stream) for side, stream in streams.items()}
        for step in schedule:
            if isinstance(step, Side):
                for key in (key for key in [next(left[step], None)] if key is not None):
                    self.say(step, key)
            else:
                self.cut()
        for side, rest in left.items():
            self.say(side, *rest)


def kept(keys: Sequence[Hashable], mask: Iterable[bool]) -> list[Hashable]:
    return [key for key, keep in zip(keys, mask, strict=False) if keep]


SCHEDULES = st.lists(st.sampled_from([OLD, NEW, OLD, NEW, None]), max_size=40)


# Lossless.


@settings(max_examples=1500, deadline=None)
@given(st.lists(KEYS, max_size=25), SCHEDULES)
def test_two_lossless_streams_are_the_source_wherever_the_lead_moves(
    source: list[str], schedule: list[object]
) -> None:
    bench = Bench()
    bench.run(schedule, {OLD: source, NEW: source})
    assert bench.published == source


@pytest.mark.parametrize(("length", "most_cuts"), [(1, 2), (2, 4), (3, 6), (4, 2)])
def test_no_source_interleaving_and_choice_of_cuts_is_an_exception(
    length: int, most_cuts: int
) -> None:
    """All of them, on two keys."""
    turns = range(2 * length)
    sources = [("a", *rest) for rest in product("ab", repeat=length - 1)]
    choices = [cuts for size in range(most_cuts + 1) for cuts in combinations(turns, size)]
    for source, old, cuts in product(sources, combinations(turns, length), choices):
        bench = Bench()
        left = {OLD: iter(source), NEW: iter(source)}
        for turn in turns:
            if turn in cuts:
                bench.cut()
            side = OLD if turn in old else NEW
            bench.say(side, next(left[side]))
        assert bench.published == [*source], (old, cuts)


# With drops.


@settings(max_examples=1500, deadline=None)
@given(SCHEDULES, *[st.lists(st.booleans(), min_size=16, max_size=16)] * 2)
def test_what_either_side_drops_leaves_no_duplicate_and_takes_nothing_of_the_leads(
    schedule: list[object], old: list[bool], new: list[bool]
) -> None:
    bench = Bench()
    source = range(16)
    bench.run(schedule, {OLD: kept(source, old), NEW: kept(source, new)})
    assert len(bench.published) == len(set(bench.published))
    assert {*bench.led[OLD], *bench.led[NEW]} <= set(bench.published)


@settings(max_examples=1500, deadline=None)
@given(
    st.lists(KEYS, min_size=16, max_size=16),
    SCHEDULES,
    *[st.lists(st.booleans(), min_size=16, max_size=16)] * 2,
)
def test_repeated_keys_beside_drops_are_published_as_often_as_a_lead_said_them_and_no_more(
    source: list[str], schedule: list[object], old: list[bool], new: list[bool]
) -> None:
    bench = Bench()
    streams: dict[Side, Sequence[Hashable]] = {OLD: kept(source, old), NEW: kept(source, new)}
    bench.run(schedule, streams)
    published = Counter(bench.published)
    for key in "abc":
        assert published[key] <= max(Counter(stream)[key] for stream in streams.values())
        assert published[key] >= max(Counter(led)[key] for led in bench.led.values())


@settings(max_examples=1000, deadline=None)
@given(SCHEDULES, st.lists(st.booleans(), min_size=16, max_size=16))
def test_while_one_side_leads_its_own_stream_is_published(
    schedule: list[object], new: list[bool]
) -> None:
    bench = Bench()
    source = [number // 2 for number in range(16)]
    uncut = [step for step in schedule if step]
    bench.run(uncut, {OLD: source, NEW: kept(source, new)})
    assert bench.published == source


@settings(max_examples=1000, deadline=None)
@given(st.permutations(range(8)), st.permutations(range(8)), SCHEDULES)
def test_sides_that_differ_in_order_lose_and_repeat_nothing(
    old: list[int], new: list[int], schedule: list[object]
) -> None:
    bench = Bench()
    bench.run(schedule, {OLD: old, NEW: new})
    assert sorted(bench.published, key=str) == sorted(range(8), key=str)


def test_pointers_to_the_next_equal_key_would_repeat_here() -> None:
    """The old side dropped the first `a`; the new one's `a` stands for its second."""
    bench = Bench()
    bench.say(OLD, "b", "a")
    bench.cut()
    bench.say(NEW, "a", "b", "a")
    assert bench.published == ["b", "a", "a"]


# A hand-over and its receipt.


def test_a_cut_to_a_side_that_is_ahead_fills_what_the_old_lead_lacks() -> None:
    bench = Bench()
    bench.say(OLD, 1)
    bench.say(NEW, 1, 2, 3)
    receipt = bench.cut()
    assert (receipt.old, receipt.new, receipt.last_old) == (OLD, NEW, (OLD, 1))
    assert receipt.filled == ((NEW, 2), (NEW, 3))
    assert bench.aligner.receipt is not None
    assert bench.aligner.receipt.first_new == (NEW, 2)
    bench.say(OLD, 2, 3, 4)
    bench.say(NEW, 4)
    assert bench.published == [1, 2, 3, 4]


def test_a_cut_to_a_side_that_is_behind_drops_what_it_repeats() -> None:
    bench = Bench()
    bench.say(OLD, 1, 2, 3)
    bench.say(NEW, 1)
    assert bench.cut().filled == ()
    bench.say(NEW, 2, 3)
    assert bench.aligner.receipt == Receipt(OLD, NEW, 0.0, (OLD, 3), None, (), 0, 2)
    bench.say(NEW, 4)
    assert bench.aligner.receipt == Receipt(OLD, NEW, 0.0, (OLD, 3), (NEW, 4), (), 0, 2)
    assert bench.published == [1, 2, 3, 4]


def test_a_dead_lead_is_followed_by_all_that_the_standby_has() -> None:
    bench = Bench()
    bench.say(OLD, 1)
    bench.say(NEW, *range(1, 50))
    bench.cut()
    bench.say(NEW, 50)
    assert bench.published == list(range(1, 51))


def test_what_the_lead_dropped_long_ago_is_not_published_after_the_fact() -> None:
    bench = Bench(AlignerOptions(displacement=2))
    bench.say(NEW, *range(10))
    bench.say(OLD, 0, 2, 3, 4, 5, 7, 8)
    receipt = bench.cut()
    assert receipt.skipped == 1
    assert receipt.filled == ((NEW, 6), (NEW, 9))


def test_a_standby_that_is_behind_shows_as_well_what_the_lead_dropped_long_ago() -> None:
    bench = Bench(AlignerOptions(displacement=2))
    bench.say(OLD, 1, 2, 3, 4)
    bench.say(NEW, 0, 1, 2, 3)
    receipt = bench.cut()
    assert (receipt.filled, receipt.skipped) == ((), 1)


def test_what_the_lead_has_passed_is_let_go_with_age() -> None:
    bench = Bench(AlignerOptions(seconds=5))
    bench.say(NEW, 1, 2)
    bench.say(OLD, 2)
    bench.now = 6
    bench.say(NEW, 3)
    assert (receipt := bench.cut()).filled == ((NEW, 3),)
    assert receipt.skipped == 1


# The window.


@settings(max_examples=1500, deadline=None)
@given(st.integers(1, 4), st.lists(KEYS, min_size=20, max_size=20), SCHEDULES)
def test_with_any_window_a_hand_over_is_whole_or_refused(
    window: int, source: list[str], schedule: list[object]
) -> None:
    """Refused exactly when one side ever was further ahead than the window."""
    bench = Bench(AlignerOptions(window=window))
    said = {OLD: 0, NEW: 0}
    published, fit = 0, True
    for step in schedule:
        lead, standby = bench.aligner.lead, bench.aligner.standby
        if isinstance(step, Side):
            if said[step] == len(source):
                continue
            bench.say(step, source[said[step]])
            said[step] += 1
            published = max(published, said[lead])
            fit &= said[lead] - said[standby] <= window and said[standby] - published <= window
        elif fit:
            bench.cut()
            published = max(published, said[standby])
        else:
            with pytest.raises(HandOverRefused, match=f"more than {window} events"):
                bench.cut()
        assert bench.published == source[:published]
        assert bench.aligner.statistics().fit is fit


def test_the_window_bounds_what_is_kept() -> None:
    bench = Bench(AlignerOptions(window=3))
    bench.say(OLD, *range(10))
    bench.say(NEW, *range(100, 110))
    assert bench.aligner.statistics() == AlignerStatistics(OLD, 3, 3, 0, fit=False)
    assert bench.published == list(range(10))


def test_drops_that_the_standby_has_passed_do_not_count_as_lagging() -> None:
    bench = Bench(AlignerOptions(window=3))
    for number in range(0, 100, 2):
        bench.say(OLD, number, number + 1)
        bench.say(NEW, number)
    assert bench.aligner.statistics().fit
    bench.cut()
    bench.say(NEW, 100)
    assert bench.published == [*range(101)]


def test_a_side_that_was_left_behind_may_lead_once_it_opened_anew() -> None:
    bench = Bench(AlignerOptions(window=2))
    bench.say(NEW, 0)
    bench.say(OLD, 1, 2, 3, 4)
    with pytest.raises(HandOverRefused, match="open candidate anew first"):
        bench.cut()
    bench.aligner.admit(NEW)
    bench.say(OLD, 5)
    assert bench.cut().filled == ()
    bench.say(NEW, 5, 6)
    assert bench.published == [1, 2, 3, 4, 5, 6]


def test_a_standby_that_fell_silent_may_not_lead() -> None:
    bench = Bench(AlignerOptions(seconds=5))
    bench.say(OLD, 1)
    bench.now = 5
    bench.say(OLD, 2)
    assert bench.aligner.statistics().fit
    bench.now = 5.1
    with pytest.raises(HandOverRefused, match=r"5 s apart"):
        bench.cut()


def test_an_equal_event_long_after_is_another_one() -> None:
    bench = Bench(AlignerOptions(seconds=5))
    bench.say(OLD, "a", "b")
    bench.say(NEW, "b")
    bench.cut()
    bench.now = 6
    bench.say(NEW, "a")
    assert bench.published == ["a", "b", "a"]


def test_the_lead_cannot_be_moved_to_itself() -> None:
    with pytest.raises(HandOverRefused, match="legacy leads already"):
        Bench().aligner.cut(OLD)


@pytest.mark.parametrize(
    ("options", "what"),
    [
        ({"window": 0}, "window must be"),
        ({"seconds": 0.0}, "seconds must be"),
        ({"displacement": -1}, "displacement must"),
    ],
)
def test_options_out_of_range_are_refused(options: dict[str, int], what: str) -> None:
    with pytest.raises(ValueError, match=what):
        AlignerOptions(**options)
