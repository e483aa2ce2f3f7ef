"""What a log keeps, what it answers a reader, and how it names what is gone."""

import json
from typing import Any

import pytest

from bridge.history.cursor import Cursor
from bridge.history.log import (
    BEYOND_TOP,
    OTHER_EPOCH,
    TRIMMED,
    UNREADABLE,
    Gap,
    Log,
    LogOptions,
    LogStatistics,
    Slice,
)
from bridge.wire.event import GAP, Event

EPOCH = "e1"


def at(seq: int, epoch: str = EPOCH) -> Cursor:
    return Cursor(epoch, seq)


def filled(count: int, **options: Any) -> Log:
    """A log of `count` one-byte events, one a second."""
    log = Log(EPOCH, LogOptions(**options))
    for second in range(1, count + 1):
        log.append(Event("x"), float(second))
    return log


def seqs(found: Slice | Gap) -> list[int]:
    assert isinstance(found, Slice)
    return [entry.seq for entry in found.entries]


def test_places_are_dense_from_one() -> None:
    log = Log(EPOCH)
    assert [log.append(Event(text), 0.0).seq for text in "abc"] == [1, 2, 3]
    assert (log.base, log.top) == (0, 3)


def test_an_entry_holds_its_event_its_place_and_when_it_came() -> None:
    event = Event("x")
    entry = Log(EPOCH).append(event, 4.5)
    assert entry.event is event
    assert (entry.cursor, entry.at, entry.size) == (at(1), 4.5, 1)


@pytest.mark.parametrize("epoch", ["", "with-dash", "x" * 33, "é", "a\n"])
def test_an_epoch_that_no_cursor_could_carry_is_refused(epoch: str) -> None:
    with pytest.raises(ValueError, match="letters and digits"):
        Log(epoch)


def test_the_oldest_go_first_when_there_are_too_many() -> None:
    log = filled(5, max_events=3)
    assert seqs(log.read(at(2))) == [3, 4, 5]
    assert log.base == 2


def test_the_oldest_go_first_when_their_payloads_are_too_large() -> None:
    log = filled(4, max_bytes=10)
    log.append(Event("é" * 4), 5.0)
    assert (log.base, log.statistics().bytes) == (2, 10)


def test_what_is_too_old_goes_at_the_next_append() -> None:
    log = filled(3, max_age=10.0)
    log.append(Event("x"), 12.5)
    assert log.base == 2


def test_what_is_too_old_goes_when_the_log_is_trimmed() -> None:
    log = filled(3, max_age=10.0)
    log.trim(12.0)
    assert log.base == 1


def test_an_entry_of_exactly_the_highest_age_stays() -> None:
    log = filled(2, max_age=10.0)
    log.trim(11.0)
    assert log.base == 0


def test_the_newest_stays_even_if_it_alone_is_too_large() -> None:
    log = filled(3, max_bytes=5)
    log.append(Event("x" * 100), 4.0)
    assert seqs(log.read(at(3))) == [4]
    assert log.base == 3


def test_the_newest_stays_however_old_it_is() -> None:
    log = filled(3, max_age=1.0)
    log.trim(1e9)
    assert (log.base, log.top) == (2, 3)


def test_trimming_an_empty_log_does_nothing() -> None:
    log = Log(EPOCH)
    log.trim(1e9)
    assert log.statistics() == LogStatistics(0, 0, 0, 0)


def test_statistics_tell_what_is_kept_and_what_is_gone() -> None:
    assert filled(5, max_events=3).statistics() == LogStatistics(
        events=3, bytes=3, appended=5, trimmed=2
    )


def test_a_reader_gets_all_that_follows_its_place_oldest_first() -> None:
    assert seqs(filled(4).read(at(1))) == [2, 3, 4]


def test_reading_on_from_the_cursor_of_a_slice_misses_and_repeats_nothing() -> None:
    log, cursor, got = filled(10), at(0), list[int]()
    for _ in range(4):
        found = log.read(cursor, limit=3)
        got += seqs(found)
        assert isinstance(found, Slice)
        cursor = found.cursor
    assert got == list(range(1, 11))
    assert cursor == at(10)


def test_a_reader_that_has_everything_gets_an_empty_slice_at_its_own_place() -> None:
    assert filled(3).read(at(3)) == Slice((), at(3))


def test_a_slice_stops_before_it_holds_too_many_bytes() -> None:
    assert seqs(filled(5).read(at(0), limit_bytes=2)) == [1, 2]


def test_a_slice_holds_one_entry_even_if_that_alone_is_too_large() -> None:
    assert seqs(filled(3).read(at(0), limit_bytes=0)) == [1]


def test_a_limit_below_one_does_not_pass_for_having_everything() -> None:
    assert seqs(filled(3).read(at(0), limit=0)) == [1]


def test_readers_of_one_place_get_the_same_bytes_not_equal_ones() -> None:
    log = filled(1)
    first, second = log.read(at(0)), log.read(at(0))
    assert isinstance(first, Slice)
    assert isinstance(second, Slice)
    assert first.entries[0].sse is second.entries[0].sse


def test_a_place_behind_what_is_kept_is_a_gap_that_counts_the_lost() -> None:
    log = filled(10, max_events=4)
    assert log.read(at(2)) == Gap("e1-2", at(6), 4, TRIMMED)
    assert seqs(log.read(at(6))) == [7, 8, 9, 10]


def test_a_place_of_another_epoch_is_a_gap_of_unknown_size() -> None:
    log = filled(10, max_events=4)
    assert log.read(at(8, "e0")) == Gap("e0-8", at(6), None, OTHER_EPOCH)


def test_a_place_beyond_the_top_is_a_gap_of_unknown_size() -> None:
    assert filled(3).read(at(4)) == Gap("e1-4", at(0), None, BEYOND_TOP)


@pytest.mark.parametrize("nothing", [None, ""])
def test_a_reader_without_a_cursor_begins_at_the_tail(nothing: str | None) -> None:
    assert filled(3).place(nothing) == at(3)


def test_a_reader_without_a_cursor_begins_with_the_last_few_if_so_configured() -> None:
    assert filled(5, start=2).place(None) == at(3)


def test_a_reader_that_is_to_get_more_than_is_kept_gets_what_is_kept() -> None:
    assert filled(1, start=2).place(None) == at(0)
    aged = filled(5, start=4, max_age=10.0)
    aged.trim(13.5)
    assert aged.place(None) == at(3)


def test_a_reader_with_a_readable_cursor_begins_there() -> None:
    assert filled(5).place("e1-2") == at(2)


def test_a_reader_with_an_unreadable_cursor_gets_all_that_is_kept() -> None:
    assert filled(10, max_events=4).place("junk") == Gap("junk", at(6), None, UNREADABLE)


def test_a_reader_whose_place_is_gone_is_told_before_it_reads() -> None:
    log = filled(10, max_events=4)
    assert log.place("e1-2") == Gap("e1-2", at(6), 4, TRIMMED)
    assert log.place("e0-2") == Gap("e0-2", at(6), None, OTHER_EPOCH)
    assert log.place("e1-11") == Gap("e1-11", at(6), None, BEYOND_TOP)


def test_what_is_trimmed_between_placing_and_reading_is_told_as_a_gap() -> None:
    log = filled(5, max_events=5)
    place = log.place("e1-0")
    log.append(Event("x"), 6.0)
    log.append(Event("x"), 7.0)
    assert place == at(0)
    assert log.read(place) == Gap("e1-0", at(2), 2, TRIMMED)


def test_what_is_trimmed_behind_a_told_gap_is_told_as_another() -> None:
    log = filled(10, max_events=4)
    told = log.place("e1-2")
    assert isinstance(told, Gap)
    log.append(Event("x"), 11.0)
    assert log.read(told.new) == Gap("e1-6", at(7), 1, TRIMMED)


def test_hostile_text_is_not_sent_back_at_length() -> None:
    told = Log(EPOCH).place("x" * 100_000)
    assert isinstance(told, Gap)
    assert told.old == "x" * 64


def test_hostile_text_can_always_be_told_as_json() -> None:
    told = Log(EPOCH).place('\ud800"\r\n\0</script>')
    assert isinstance(told, Gap)
    assert json.loads(told.data)["old"] == '?"\r\n\0</script>'


def test_a_gap_as_data_names_both_places_the_count_and_the_reason() -> None:
    data = Gap("e1-2", at(6), 4, "trimmed").data
    assert json.loads(data) == {"old": "e1-2", "new": "e1-6", "lost": 4, "reason": "trimmed"}
    assert list(json.loads(data)) == ["old", "new", "lost", "reason"]
    assert "\n" not in data


def test_a_gap_that_knows_little_says_null() -> None:
    said = json.loads(Gap(None, at(0), None, "unknown").data)
    assert (said["old"], said["lost"]) == (None, None)


def test_a_notice_takes_a_place_between_the_events() -> None:
    log = filled(2)
    notice = log.gap_notice("upstream lost", 3, 3.0)
    log.append(Event("x"), 4.0)
    assert (notice.seq, notice.event.type, notice.ws) == (3, GAP, None)
    assert notice.event.is_notice
    assert notice.event.at == 3.0
    assert seqs(log.read(at(2))) == [3, 4]


def test_a_notice_leads_from_the_place_before_it_to_its_own() -> None:
    log = filled(2)
    notice = log.gap_notice("upstream lost", None, 3.0)
    assert json.loads(notice.event.data) == {
        "old": "e1-2",
        "new": str(notice.cursor),
        "lost": None,
        "reason": "upstream lost",
    }


def test_a_notice_is_the_same_block_for_those_here_and_those_who_resume() -> None:
    log = filled(1)
    notice = log.gap_notice("upstream lost", None, 2.0)
    resumed = log.read(at(1))
    assert isinstance(resumed, Slice)
    assert resumed.entries == (notice,)
    assert notice.sse.startswith(b"event: bridge.gap\nid: e1-2\n")


def test_the_defaults_keep_five_minutes_and_begin_at_the_tail() -> None:
    assert LogOptions() == LogOptions(10_000, 64 * 1024 * 1024, 300.0, 0)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"max_events": 0}, "max_events must be 1 or more"),
        ({"max_bytes": 0}, "max_bytes must be 1 or more"),
        ({"max_age": 0}, "max_age must be more than 0"),
        ({"max_age": float("nan")}, "max_age must be more than 0"),
        ({"start": -1}, "start must be 0"),
        ({"start": 11, "max_events": 10}, "start exceeds max_events"),
    ],
)
def test_bad_options_are_refused_with_a_remedy(options: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        LogOptions(**options)


def test_no_age_limit_can_be_had() -> None:
    log = filled(2, max_age=float("inf"))
    log.trim(1e300)
    assert log.base == 0
