"""Which logs give something up once all of them hold too much."""

from hypothesis import given
from hypothesis import strategies as st

from bridge.history.log import Log, LogOptions
from bridge.history.pool import Pool, fair_level
from bridge.wire.event import Event


def filled(pool: Pool, *sizes: int) -> Log:
    log = Log("e", LogOptions(), pool)
    for size in sizes:
        log.append(Event("x" * size), 0.0)
    return log


@given(sizes=st.lists(st.integers(0, 50), max_size=8), total=st.integers(0, 200))
def test_the_level_is_the_highest_to_which_all_fit(sizes: list[int], total: int) -> None:
    level = fair_level(sizes, total)
    held = [min(size, level) for size in sizes]
    assert sum(held) <= total
    if held != sizes:
        assert sum(min(size, level + 1) for size in sizes) > total


def test_the_largest_gives_first_and_the_small_ones_nothing() -> None:
    given_up: list[int] = []
    pool = Pool(100, given_up.append)
    small = filled(pool, 10, 10)
    large = filled(pool, *[10] * 9)
    assert small.held == 20
    assert large.held == 70
    assert pool.held == 90
    assert given_up == [20]


def test_the_log_that_grows_is_not_the_one_that_pays() -> None:
    pool = Pool(100)
    large = filled(pool, *[10] * 9)
    small = filled(pool, 10, 10)
    assert (large.held, small.held) == (70, 20)
    assert large.base == 2


def test_the_newest_entries_stay_even_if_they_alone_exceed_the_bound() -> None:
    pool = Pool(10)
    logs = [filled(pool, 20) for _ in range(3)]
    assert [log.held for log in logs] == [20] * 3
    logs[0].append(Event("y" * 20), 0.0)
    assert [log.held for log in logs] == [20] * 3


def test_once_they_are_gone_the_bound_holds_again() -> None:
    pool = Pool(100)
    giants = [filled(pool, 200) for _ in range(2)]
    for giant in giants:
        pool.remove(giant)
    assert pool.held == 0
    assert filled(pool, *[10] * 11).held <= 100


def test_a_log_that_was_removed_counts_no_more() -> None:
    pool = Pool(100)
    log = filled(pool, 50)
    pool.remove(log)
    pool.remove(log)
    log.append(Event("x" * 90), 0.0)
    assert pool.held == 0
    assert log.held == 140


def test_what_a_log_trims_itself_is_room_for_others() -> None:
    pool = Pool(100)
    log = Log("e", LogOptions(max_events=2), pool)
    for _ in range(20):
        log.append(Event("x" * 10), 0.0)
    assert pool.held == log.held == 20


def test_without_a_bound_nothing_is_given_up() -> None:
    assert filled(Pool(), *[1000] * 50).held == 50_000
