"""What a reconnect cost."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.upstream.continuity import Continuity, Missing
from bridge.upstream.target import Replay
from bridge.wire.event import Event


def events(*ids: str | int, data: str = "") -> list[Event]:
    """Events whose data follows from their id."""
    return [Event(data or f"data of {each}", id=str(each)) for each in ids]


def read(replay: Replay = "auto", *ids: str | int, memory: int = 1024) -> Continuity:
    """A continuity that has read events with these ids and then lost its connection."""
    continuity = Continuity(replay, memory=memory)
    assert continuity.opened(resumed=False) is None
    assert continuity.admit(events(*ids)) == events(*ids)
    continuity.lost()
    return continuity


# Unbroken streams.


@given(
    st.lists(st.builds(Event, st.sampled_from("ab"), id=st.sampled_from(["", "1", "2", "3", "x"]))),
    st.sampled_from(["auto", "trusted", "none"]),
)
def test_an_unbroken_stream_passes_unchanged(stream: list[Event], replay: Replay) -> None:
    continuity = Continuity(replay)
    assert continuity.opened(resumed=False) is None
    assert continuity.admit(stream) == stream


def test_a_jump_in_an_unbroken_stream_is_no_hole_but_ends_the_proof() -> None:
    continuity = read("auto", 1, 2, 3, 5, 9)
    assert not continuity.provable
    assert continuity.opened(resumed=True) == Missing("reconnected")


# The three kinds of backend.


def test_without_replay_each_reconnect_is_a_hole() -> None:
    continuity = read("none", 1, 2, 3)
    assert not continuity.provable
    assert continuity.opened(resumed=True) == Missing("reconnected")
    assert continuity.admit(events(4, 4)) == events(4, 4)


def test_without_replay_nothing_is_a_repetition() -> None:
    continuity = read("none", 1)
    continuity.opened(resumed=True)
    assert continuity.admit(events(1)) == events(1)


def test_a_trusted_backend_that_was_told_the_place_is_whole() -> None:
    continuity = read("trusted", "a", "b")
    assert continuity.provable
    assert continuity.opened(resumed=True) is None
    assert continuity.admit(events("z")) == events("z")


def test_a_trusted_backend_without_a_place_to_resume_from_is_not() -> None:
    continuity = read("trusted")
    assert continuity.opened(resumed=False) == Missing("reconnected")


def test_dense_ids_prove_that_nothing_is_missing() -> None:
    continuity = read("auto", 1, 2, 3)
    assert continuity.provable
    assert continuity.opened(resumed=True) is None
    assert continuity.admit(events(4, 5)) == events(4, 5)


def test_dense_ids_count_what_is_missing() -> None:
    continuity = read("auto", 1, 2, 3)
    continuity.opened(resumed=True)
    assert continuity.admit(events(7)) == [Missing("skipped", 3), *events(7)]
    assert continuity.provable


@pytest.mark.parametrize("form", ["{}", "a3f-{}", "stream.{}", "x-7_{}", "/{}", "\n-{}"])
def test_ids_with_one_prefix_are_dense_too(form: str) -> None:
    continuity = read("auto", *(form.format(number) for number in (8, 9, 10)))
    continuity.opened(resumed=True)
    late = events(form.format(13))
    assert continuity.admit(late) == [Missing("skipped", 2), *late]


@pytest.mark.parametrize(
    "ids",
    [
        (),
        ("",),
        ("1", "2"),
        ("1", "2", ""),
        ("1", "2", "3", ""),
        ("a", "b", "c"),
        ("1", "1", "1"),
        ("a-1", "b-2", "c-3"),
        ("12:00:01", "12:00:02", "12:00:03"),
        ("1700000000001-0", "1700000000002-0", "1700000000003-0"),
        ("9" * 30, "1", "2"),
    ],
)
def test_where_ids_prove_nothing_a_reconnect_is_a_possible_hole_at_once(ids: list[str]) -> None:
    continuity = read("auto", *ids)
    assert not continuity.provable
    assert continuity.opened(resumed=True) == Missing("reconnected")


def test_a_step_over_an_announced_hole_is_no_evidence() -> None:
    continuity = read("auto", 1, 2)
    continuity.opened(resumed=True)
    assert continuity.admit(events(7)) == events(7)
    assert not continuity.provable
    continuity.admit(events(8))
    assert continuity.provable


def test_a_changed_prefix_is_a_renumbering() -> None:
    continuity = read("auto", "a-1", "a-2", "a-3")
    continuity.opened(resumed=True)
    assert continuity.admit(events("b-4")) == [Missing("renumbered"), *events("b-4")]
    assert not continuity.provable


def test_numbers_that_begin_anew_are_a_renumbering() -> None:
    continuity = read("auto", 1, 2, 3)
    continuity.opened(resumed=True)
    anew = events(1, 2, 3, data="of another life")
    assert continuity.admit(anew) == [Missing("renumbered"), *anew]
    assert continuity.provable


def test_after_a_renumbering_the_old_ids_are_forgotten() -> None:
    continuity = read("auto", 5, 6, 7)
    continuity.opened(resumed=True)
    anew = events(4, 5, 6, data="of another life")
    assert continuity.admit(anew) == [Missing("renumbered"), *anew]
    continuity.lost()
    continuity.opened(resumed=True)
    assert continuity.admit(anew[1:]) == []


def test_an_event_without_id_cannot_prove_a_dense_stream_whole() -> None:
    continuity = read("auto", 1, 2, 3)
    continuity.opened(resumed=True)
    assert continuity.admit(events("")) == [Missing("reconnected"), *events("")]


def test_the_proof_may_come_some_connections_later() -> None:
    continuity = read("auto", 1, 2, 3)
    for _ in range(3):
        assert continuity.opened(resumed=True) is None
        assert continuity.admit([]) == []
        continuity.lost()
    continuity.opened(resumed=True)
    assert continuity.admit(events(5)) == [Missing("skipped", 1), *events(5)]


# Repetitions.


@pytest.mark.parametrize("replay", ["auto", "trusted"])
def test_an_overlap_is_dropped(replay: Replay) -> None:
    continuity = read(replay, 1, 2, 3)
    continuity.opened(resumed=True)
    assert continuity.admit(events(2, 3, 4)) == events(4)


def test_an_overlap_of_opaque_ids_is_dropped() -> None:
    continuity = read("auto", "x", "y")
    continuity.opened(resumed=True)
    assert continuity.admit(events("x", "y", "z")) == events("z")


def test_after_the_first_new_event_nothing_is_dropped() -> None:
    continuity = read("auto", "x", "y")
    continuity.opened(resumed=True)
    assert continuity.admit(events("z", "y")) == events("z", "y")


def test_the_same_id_with_other_data_is_new() -> None:
    continuity = read("auto", "x", "y")
    continuity.opened(resumed=True)
    assert continuity.admit(events("x", data="other")) == events("x", data="other")


def test_the_same_data_under_another_name_is_new() -> None:
    continuity = read("auto", "x")
    continuity.opened(resumed=True)
    named = [Event("data of x", "named", id="x")]
    assert continuity.admit(named) == named


def test_ids_that_repeat_in_an_unbroken_stream_name_nothing() -> None:
    continuity = read("auto", "x", "x", "x")
    continuity.opened(resumed=True)
    assert continuity.admit(events("x")) == events("x")


def test_the_memory_is_bounded() -> None:
    continuity = read("auto", "a", "b", "c", memory=2)
    continuity.opened(resumed=True)
    assert continuity.admit(events("a")) == events("a")


def test_an_overlap_beyond_the_memory_counts_as_a_renumbering() -> None:
    continuity = read("auto", *range(1, 10), memory=4)
    continuity.opened(resumed=True)
    assert continuity.admit(events(1)) == [Missing("renumbered"), *events(1)]


# What the backend says, faults, ends.


def test_a_hole_that_the_backend_tells_is_not_announced_again() -> None:
    continuity = read("auto", 1, 2, 3)
    continuity.opened(resumed=True)
    continuity.told()
    assert continuity.admit(events(9, 10)) == events(9, 10)
    assert continuity.provable


def test_a_hole_told_in_an_unbroken_stream_is_no_evidence_against_its_numbering() -> None:
    continuity = Continuity()
    continuity.opened(resumed=False)
    continuity.admit(events(1, 2, 3))
    continuity.told()
    continuity.admit(events(9, 10))
    assert continuity.provable


@pytest.mark.parametrize("replay", ["auto", "trusted", "none"])
def test_after_a_fault_of_ours_a_hole_is_announced_whatever_the_ids_say(replay: Replay) -> None:
    continuity = Continuity(replay)
    continuity.opened(resumed=False)
    continuity.admit(events(1, 2, 3))
    continuity.lost(unsure=True)
    continuity.lost()
    assert continuity.opened(resumed=True) == Missing("reconnected")
    assert continuity.admit(events(3, 4)) == events(3, 4)


def test_a_connection_that_never_opened_is_no_break() -> None:
    continuity = Continuity("none")
    continuity.lost()
    assert continuity.opened(resumed=False) is None


def test_a_stream_that_ends_unbroken_is_whole() -> None:
    continuity = Continuity()
    continuity.opened(resumed=False)
    continuity.admit(events("x"))
    assert continuity.ended(resumed=True) is None


def test_an_end_before_the_proof_is_a_possible_hole() -> None:
    continuity = read("auto", 1, 2, 3)
    assert continuity.ended(resumed=True) == Missing("reconnected")


def test_an_end_soon_after_reopening_is_a_possible_hole() -> None:
    continuity = read("auto", 1, 2, 3)
    continuity.opened(resumed=True)
    assert continuity.ended(resumed=True) == Missing("reconnected")


def test_a_trusted_end_is_whole() -> None:
    assert read("trusted", 1).ended(resumed=True) is None
    assert read("trusted").ended(resumed=False) == Missing("reconnected")


def test_reading_on_after_an_end_is_a_reconnect() -> None:
    continuity = Continuity()
    continuity.opened(resumed=False)
    continuity.ended(resumed=False)
    assert continuity.opened(resumed=False) == Missing("reconnected")


def test_the_end_of_what_never_began_is_no_hole() -> None:
    continuity = Continuity()
    assert continuity.ended(resumed=False) is None
    assert continuity.opened(resumed=False) is None


# A backend with a history, cut at random.


@dataclass
class Backend:
    """Emits events whose data is their place in the source; what is delivered is read."""

    replays: bool
    numbered: bool
    overlap: int
    continuity: Continuity
    emitted: int = 0
    history: list[Event] = field(default_factory=list)
    got: int = 0
    out: list[Event | Missing] = field(default_factory=list)
    connected: bool = True
    ever: bool = False

    def emit(self, count: int) -> None:
        fresh = [self._next() for _ in range(count)]
        if self.connected:
            self._deliver(fresh)
            self.got = len(self.history)

    def _next(self) -> Event:
        self.emitted += 1
        number = str(len(self.history) + 1)
        event = Event(str(self.emitted), id=number if self.numbered else f"opaque{self.emitted}")
        self.history.append(event)
        return event

    def cut(self, meanwhile: int) -> None:
        self.connected = False
        self.continuity.lost()
        self.emit(meanwhile)
        self._reconnect(max(0, self.got - self.overlap) if self.replays else len(self.history))

    def restart(self) -> None:
        """A new life of the backend: numbers begin anew, and at least one event follows."""
        self.connected = False
        self.continuity.lost()
        self.history, self.got = [], 0
        self._reconnect(0)
        self.emit(1)

    def _reconnect(self, start: int) -> None:
        self.connected = True
        hole = self.continuity.opened(resumed=self.ever)
        if hole:
            self.out.append(hole)
        self._deliver(self.history[start:])
        self.got = len(self.history)

    def _deliver(self, batch: Iterable[Event]) -> None:
        batch = list(batch)
        self.ever = self.ever or bool(batch)
        self.out.extend(self.continuity.admit(batch))


steps = st.lists(
    st.one_of(
        st.tuples(st.just("emit"), st.integers(0, 5)),
        st.tuples(st.just("cut"), st.integers(0, 5)),
        st.just(("restart", 0)),
    ),
    max_size=30,
)


def run(backend: Backend, moves: Iterable[tuple[str, int]]) -> None:
    """Let a backend live through the moves, and have something to say at the end."""
    backend.continuity.opened(resumed=False)
    for move, count in moves:
        if move == "emit":
            backend.emit(count)
        elif move == "cut":
            backend.cut(count)
        else:
            backend.restart()
    backend.emit(1)


def check(backend: Backend) -> None:
    """The output is the source, in order and without doubles, and each hole is announced."""
    seen, holes = 0, list[Missing]()
    for each in backend.out:
        if isinstance(each, Missing):
            holes.append(each)
            continue
        place = int(each.data)
        assert place > seen, "doubled or out of order"
        if place > seen + 1:
            assert holes, "a hole was not announced"
            counts = [hole.lost for hole in holes]
            assert None in counts or sum(filter(None, counts)) == place - seen - 1
        seen, holes = place, []
    assert seen == backend.emitted


@given(steps, st.booleans(), st.booleans(), st.integers(0, 6))
def test_each_hole_is_announced_and_nothing_is_doubled(
    moves: list[tuple[str, int]], replays: bool, numbered: bool, overlap: int
) -> None:
    backend = Backend(replays, numbered, overlap, Continuity("auto"))
    run(backend, moves)
    check(backend)


@given(steps, st.integers(0, 6))
def test_a_trusted_backend_that_replays_has_no_hole_once_it_gave_an_id(
    moves: list[tuple[str, int]], overlap: int
) -> None:
    backend = Backend(True, True, overlap, Continuity("trusted"))
    run(backend, [("emit", 1), *(move for move in moves if move[0] != "restart")])
    check(backend)
    assert not [each for each in backend.out if isinstance(each, Missing)]


@given(steps, st.integers(0, 6))
def test_a_dense_backend_that_replays_raises_no_false_alarm(
    moves: list[tuple[str, int]], overlap: int
) -> None:
    backend = Backend(True, True, overlap, Continuity("auto"))
    run(backend, [("emit", 3), *(move for move in moves if move[0] != "restart")])
    check(backend)
    assert not [each for each in backend.out if isinstance(each, Missing)]


@given(steps)
def test_a_dense_backend_without_replay_has_each_hole_counted_exactly(
    moves: list[tuple[str, int]],
) -> None:
    backend = Backend(False, True, 0, Continuity("auto"))
    run(backend, [("emit", 3), *(move for move in moves if move[0] != "restart")])
    check(backend)
    assert all(each.lost for each in backend.out if isinstance(each, Missing))


# Over a restart of the bridge.


def restarted(before: Continuity, *delivered: str | int, replay: Replay = "auto") -> Continuity:
    """A later process's continuity, by what went through JSON and what the log still had."""
    after = Continuity(replay)
    after.recall(json.loads(json.dumps(before.saved())), events(*delivered))
    return after


def test_numbered_ids_prove_a_restart_whole() -> None:
    after = restarted(read("auto", 1, 2, 3), 1, 2, 3)
    assert after.provable
    assert after.opened(resumed=True) is None
    assert after.admit(events(4)) == events(4)


def test_what_the_backend_repeats_after_a_restart_is_dropped() -> None:
    after = restarted(read("auto", 1, 2, 3), 2, 3)
    assert after.opened(resumed=True) is None
    assert after.admit(events(2, 3, 4)) == events(4)


def test_what_was_missed_while_the_bridge_was_away_is_counted() -> None:
    after = restarted(read("auto", 1, 2, 3), 3)
    after.opened(resumed=True)
    assert after.admit(events(6)) == [Missing("skipped", 2), *events(6)]


def test_a_restart_that_nothing_proves_is_a_hole_and_only_one() -> None:
    after = restarted(read("auto", "a", "b"), "a", "b")
    assert after.opened(resumed=True) == Missing("reconnected")
    assert after.admit(events("c")) == events("c")


def test_a_process_that_left_nothing_to_go_on_by_leaves_a_hole() -> None:
    after = Continuity("auto")
    after.recall({}, [])
    assert after.opened(resumed=False) == Missing("reconnected")


def test_a_trusted_backend_is_trusted_over_a_restart_as_well() -> None:
    after = restarted(read("trusted", "a"), "a", replay="trusted")
    assert after.opened(resumed=True) is None


def test_a_doubt_outlives_the_process() -> None:
    before = Continuity("auto")
    before.opened(resumed=False)
    before.admit(events(1, 2, 3))
    before.lost(unsure=True)
    assert restarted(before, 1, 2, 3).opened(resumed=True) == Missing("reconnected")


def test_ids_that_named_two_events_name_nothing_after_a_restart() -> None:
    before = read("auto", 1, 2, 3)
    before.opened(resumed=True)
    before.admit([*events(4), Event("again", id="4")])
    after = restarted(before, 3)
    after.opened(resumed=False)
    assert events(3)[0] in after.admit(events(3))
