"""The invariant of the matrix: each way of breaking it is seen."""

from hypothesis import given
from hypothesis import strategies as st

from tests.faults.account import Told, faults
from tests.support.clients import Hole

PUBLISHED = [f"e{number}" for number in range(1, 9)]
SOMEWHERE = Hole("reconnected", None)


def test_a_whole_stream_holds() -> None:
    assert not faults(PUBLISHED, PUBLISHED, whole=True)


def test_where_a_client_begins_and_ends_is_no_fault() -> None:
    assert not faults(PUBLISHED, PUBLISHED[2:5])


def test_a_hole_must_be_announced() -> None:
    assert faults(PUBLISHED, ["e1", "e4"]) == ["2 missing before event 4, and nobody said so"]
    assert not faults(PUBLISHED, ["e1", SOMEWHERE, "e4"])


def test_an_announcement_counts_only_in_its_place() -> None:
    assert faults(PUBLISHED, ["e1", SOMEWHERE, "e2", "e4"])
    assert faults(PUBLISHED, ["e1", "e4", SOMEWHERE])


def test_a_count_must_be_right() -> None:
    assert not faults(PUBLISHED, ["e1", Hole("skipped", 2), "e4"])
    assert faults(PUBLISHED, ["e1", Hole("skipped", 1), "e4"]) == [
        "2 missing before event 4, and 1 are told"
    ]
    assert not faults(PUBLISHED, ["e1", Hole("skipped", 1), SOMEWHERE, "e4"])


def test_a_doubled_event_is_a_fault_even_after_a_hole() -> None:
    assert faults(PUBLISHED, ["e1", "e1"]) == ["event 1 comes twice"]
    assert faults(PUBLISHED, ["e1", SOMEWHERE, "e1"]) == ["event 1 comes twice"]


def test_the_order_must_be_kept() -> None:
    assert faults(PUBLISHED, ["e1", "e2", SOMEWHERE, "e1"]) == ["event 1 comes after 2"]


def test_what_nobody_published_is_a_fault() -> None:
    assert faults(PUBLISHED, ["e1", "e"]) == ["nobody published e"]


def test_where_nothing_may_be_missing_an_announcement_is_a_fault() -> None:
    assert faults(PUBLISHED, ["e1", SOMEWHERE, "e2"], whole=True)
    assert faults(PUBLISHED, ["e1", "e3"], whole=True)


@given(st.lists(st.sampled_from([*PUBLISHED, SOMEWHERE])))
def test_no_fault_is_found_exactly_where_the_order_is_kept_and_holes_are_told(told: Told) -> None:
    numbers = [PUBLISHED.index(each) for each in told if not isinstance(each, Hole)]
    rising = numbers == sorted(set(numbers))
    runs: list[list[int]] = [[]]
    for each in told:
        if isinstance(each, Hole):
            runs.append([])
        else:
            runs[-1].append(PUBLISHED.index(each))
    dense = all(run == list(range(run[0], run[0] + len(run))) for run in runs if run)
    assert (not faults(PUBLISHED, told)) == (rising and dense)
