"""Which log belongs to which key, for as long as the process lives."""

import pytest

from bridge.history.log import LogOptions
from bridge.history.memory import MemoryStore, Store, StoreStatistics
from bridge.wire.event import Event

KEY = ("project.1", "")


@pytest.fixture
def store() -> Store:
    return MemoryStore(LogOptions(max_events=2))


def test_a_new_key_gets_an_empty_log_of_the_given_epoch(store: Store) -> None:
    log = store.open(KEY, "e1")
    assert (log.epoch, log.top) == ("e1", 0)


def test_a_known_key_gets_its_log_back_whatever_epoch_is_offered(store: Store) -> None:
    log = store.open(KEY, "e1")
    log.append(Event("x"), 0.0)
    assert store.open(KEY, "e2") is log
    assert log.epoch == "e1"


def test_scopes_of_one_channel_do_not_share_a_log(store: Store) -> None:
    assert store.open(("project.1", "alice"), "e1") is not store.open(("project.1", "bob"), "e2")


def test_a_dropped_key_starts_anew_in_the_next_epoch(store: Store) -> None:
    old = store.open(KEY, "e1")
    store.drop(KEY)
    new = store.open(KEY, "e2")
    assert new is not old
    assert new.epoch == "e2"


def test_dropping_an_unknown_key_is_ignored(store: Store) -> None:
    store.drop(KEY)
    assert store.statistics() == StoreStatistics(0, 0, 0)


def test_every_log_keeps_what_the_options_say(store: Store) -> None:
    log = store.open(KEY, "e1")
    for _ in range(3):
        log.append(Event("x"), 0.0)
    assert log.base == 1


def test_without_options_the_defaults_hold() -> None:
    log = MemoryStore().open(KEY, "e1")
    for _ in range(LogOptions().max_events + 1):
        log.append(Event("x"), 0.0)
    assert log.base == 1


def test_statistics_sum_over_all_logs(store: Store) -> None:
    store.open(KEY, "e1").append(Event("four"), 0.0)
    store.open(("file.2", ""), "e2").append(Event(b"binary"), 0.0)
    store.open(("file.3", ""), "e3")
    assert store.statistics() == StoreStatistics(logs=3, events=2, bytes=10)
