"""A session's states, its moves, and a cursor that never goes back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.endpoint.session import TRANSITIONS, Session, Signal, State, diagram
from bridge.errors import InvalidTransition
from bridge.history.cursor import Cursor

PATHS = {
    State.OPENING: [],
    State.WAITING: [Signal.ACCEPTED],
    State.SENDING: [Signal.ACCEPTED, Signal.WOKEN],
    State.ENDING: [Signal.ACCEPTED, Signal.END],
    State.ENDED: [Signal.REFUSED],
}
SIGNALS = st.lists(st.sampled_from(Signal))


def in_state(state: State) -> Session:
    session = Session("sse", Cursor("e1", 5))
    for signal in PATHS[state]:
        session.apply(signal)
    assert session.state is state
    return session


def test_a_session_begins_unopened_at_its_cursor() -> None:
    session = Session("ws", Cursor("e1", 5), "alice")
    assert (session.wire, session.principal) == ("ws", "alice")
    assert (session.state, session.cursor) == (State.OPENING, Cursor("e1", 5))


def test_nobody_in_particular_is_the_empty_principal() -> None:
    assert Session("sse", Cursor("e1", 0)).principal == ""


def test_a_whole_life() -> None:
    session = in_state(State.OPENING)
    life = [Signal.ACCEPTED, Signal.WOKEN, Signal.SENT, Signal.END, Signal.SENT]
    assert [session.apply(signal) for signal in life] == [
        State.WAITING,
        State.SENDING,
        State.WAITING,
        State.ENDING,
        State.ENDED,
    ]


def test_a_refused_session_is_over_at_once() -> None:
    assert in_state(State.OPENING).apply(Signal.REFUSED) is State.ENDED


def test_a_send_under_way_may_be_given_up_for_the_end() -> None:
    assert in_state(State.SENDING).apply(Signal.END) is State.ENDING


@pytest.mark.parametrize("state", State)
def test_a_client_may_leave_at_any_time(state: State) -> None:
    assert in_state(state).apply(Signal.LEFT) is State.ENDED


@pytest.mark.parametrize("state", State)
@pytest.mark.parametrize("signal", Signal)
def test_the_table_alone_says_which_moves_there_are(state: State, signal: Signal) -> None:
    session = in_state(state)
    if signal in TRANSITIONS[state]:
        assert session.apply(signal) is TRANSITIONS[state][signal]
        return
    with pytest.raises(InvalidTransition):
        session.apply(signal)
    assert session.state is state


def test_an_illegal_move_is_told_with_the_moves_that_there_are() -> None:
    with pytest.raises(InvalidTransition) as told:
        in_state(State.ENDING).apply(Signal.WOKEN)
    assert str(told.value) == (
        "a session that is ending cannot be told 'woken' (it knows: sent, left)"
    )


@given(SIGNALS)
def test_nothing_is_sent_after_the_end(signals: list[Signal]) -> None:
    session = Session("sse", Cursor("e1", 0))
    for signal in signals:
        before = session.state
        if signal in TRANSITIONS[before]:
            session.apply(signal)
        if before in (State.ENDING, State.ENDED):
            assert session.state in (before, State.ENDED)


@pytest.mark.parametrize("place", [Cursor("e1", 5), Cursor("e1", 9), Cursor("e2", 0)])
@pytest.mark.parametrize("state", [State.OPENING, State.WAITING, State.SENDING])
def test_a_cursor_stays_moves_on_or_goes_to_another_epoch(state: State, place: Cursor) -> None:
    session = in_state(state)
    session.move(place)
    assert session.cursor == place


def test_a_cursor_never_moves_back_within_its_epoch() -> None:
    session = in_state(State.SENDING)
    with pytest.raises(InvalidTransition, match="never moves back: e1-5 to e1-4"):
        session.move(Cursor("e1", 4))
    assert session.cursor == Cursor("e1", 5)


@pytest.mark.parametrize("state", [State.ENDING, State.ENDED])
def test_a_cursor_does_not_move_once_the_end_has_come(state: State) -> None:
    session = in_state(state)
    with pytest.raises(InvalidTransition, match="sends nothing more"):
        session.move(Cursor("e1", 6))
    assert session.cursor == Cursor("e1", 5)


def test_every_state_can_be_reached_and_can_end() -> None:
    reached = {State.OPENING} | {to for row in TRANSITIONS.values() for to in row.values()}
    assert reached == set(State) == set(TRANSITIONS)
    assert all(Signal.LEFT in row for row in TRANSITIONS.values())


def test_the_diagram_draws_each_move_of_the_table_once() -> None:
    head, first, *moves, last = diagram().split("\n")
    assert (head, first, last) == (
        "stateDiagram-v2",
        "    [*] --> opening",
        "    ended --> [*]",
    )
    assert sorted(moves) == sorted(
        f"    {state.value} --> {to.value}: {signal.value}"
        for state, row in TRANSITIONS.items()
        for signal, to in row.items()
    )
