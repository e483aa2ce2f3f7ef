"""One channel's clients: who is sent what, in which turn, and who costs nobody anything."""

import pytest

from bridge.endpoint.batch import Batch, Form, message
from bridge.endpoint.fanout import FAULT, TOO_SLOW
from bridge.history.log import LogOptions
from bridge.wire.endings import COMPLETE, INTERNAL, NOT_FOUND, RESTART, TRY_LATER
from bridge.wire.event import PING, Event
from bridge.wire.framing import chunk
from tests.endpoint.hall import Client, Hall


def test_all_at_the_head_get_one_object_that_was_made_once() -> None:
    hall = Hall()
    first, second = hall.enter(), hall.enter()
    hall.publish("a", "b")
    hall.publish("c")
    hall.settle()
    assert first.said == ["a", "b", "c"]
    assert len(first.got) == 1
    assert first.got[0] is second.got[0]


def test_each_form_gets_the_same_events_in_its_own_framing() -> None:
    hall = Hall()
    clients = {form: hall.enter(form) for form in Form}
    hall.publish("a", "b")
    hall.settle()
    assert clients[Form.CHUNK].got == [chunk(clients[Form.BLOCKS].blocks[0])]
    assert clients[Form.FRAMES].got == [b"\x81\x01a\x81\x01b"]
    assert clients[Form.DEFLATED].got == clients[Form.FRAMES].got  # too short to be compressed
    assert clients[Form.PAYLOADS].got == [[message("a"), message("b")]]
    [batch] = clients[Form.ENTRIES].got
    assert isinstance(batch, Batch)
    assert str(batch.cursor) == "e-2"


def test_what_comes_before_the_turn_is_joined_into_it() -> None:
    hall = Hall()
    client = hall.enter()
    for payload in "abc":
        hall.publish(payload)
    assert len(hall.soon) == 1
    hall.turn()
    assert len(client.got) == 1


def test_a_newcomer_without_a_place_gets_only_what_comes() -> None:
    hall = Hall()
    hall.enter()
    hall.publish("old")
    client = hall.enter()
    hall.settle()
    assert client.said == []
    hall.publish("new")
    hall.settle()
    assert client.said == ["new"]


def test_a_newcomer_between_an_event_and_its_fan_out_does_not_get_it_twice() -> None:
    hall = Hall()
    hall.enter()
    hall.publish("old")
    ahead = hall.enter(after="e-1")
    behind = hall.enter(after="e-0")
    hall.settle()
    assert ahead.said == []
    assert behind.said == ["old"]


def test_one_who_comes_between_two_slices_does_not_get_the_batch_twice() -> None:
    hall = Hall(slice_=1)
    clients = [hall.enter(Form.BLOCKS), hall.enter(Form.BLOCKS), hall.enter(Form.CHUNK)]
    hall.publish("a")
    hall.turn()
    assert [len(each.got) for each in clients] == [1, 0, 0]
    late = [hall.enter(Form.BLOCKS), hall.enter(Form.CHUNK), hall.enter(Form.CHUNK, after="e-0")]
    hall.settle()
    assert [len(each.got) for each in clients] == [1, 1, 1]
    assert [len(each.got) for each in late] == [0, 0, 1]


def test_a_large_fan_out_lets_other_calls_in_between_slices() -> None:
    hall = Hall(slice_=2)
    clients = [hall.enter() for _ in range(5)]
    hall.publish("a")
    reached = []
    while hall.soon:
        hall.turn()
        reached.append(sum(len(each.got) for each in clients))
    assert reached[:3] == [2, 4, 5]


def test_a_flooding_backend_waits_for_those_who_keep_up_and_for_nobody_else() -> None:
    hall = Hall(slice_=1)
    slow, *_ = hall.enter(room=1), hall.enter(), hall.enter()
    channel = slow.reader._fanout.channel  # type: ignore[attr-defined]
    assert channel.has_room
    hall.publish("a")
    while hall.soon:
        assert not channel.has_room
        hall.turn()
    assert channel.has_room
    hall.publish("b")
    hall.settle()
    assert slow.reader.held
    assert channel.has_room


def test_what_is_published_during_a_fan_out_follows_it_in_order() -> None:
    hall = Hall(slice_=1)
    clients = [hall.enter() for _ in range(3)]
    hall.publish("a")
    hall.turn()
    hall.publish("b")
    hall.settle()
    assert [each.said for each in clients] == [["a", "b"]] * 3


def test_one_who_leaves_between_two_slices_gets_nothing_more() -> None:
    hall = Hall(slice_=1)
    clients = [hall.enter() for _ in range(3)]
    hall.publish("a")
    hall.turn()
    hall.leave(clients[2])
    hall.settle()
    assert [each.said for each in clients] == [["a"], ["a"], []]


def test_a_full_client_costs_one_batch_and_catches_up_from_its_place() -> None:
    hall = Hall()
    slow, quick = hall.enter(room=1), hall.enter()
    for payload in "abc":
        hall.publish(payload)
        hall.settle()
    assert slow.said == ["a"]
    assert quick.said == ["a", "b", "c"]
    slow.room = None
    slow.reader.room()
    hall.settle()
    assert slow.said == ["a", "b", "c"]
    hall.publish("d")
    hall.settle()
    assert slow.said == ["a", "b", "c", "d"]


def test_one_that_is_full_and_has_room_again_before_anything_comes_stays_at_the_head() -> None:
    hall = Hall()
    client = hall.enter(room=1)
    hall.publish("a")
    hall.settle()
    client.room = None
    client.reader.room()
    hall.publish("b")
    hall.settle()
    assert client.said == ["a", "b"]


def test_catching_up_goes_by_batches_one_a_turn_so_that_a_full_client_is_noticed() -> None:
    hall = Hall(batch=2)
    hall.enter()
    hall.publish(*"abcdef")
    hall.settle()
    client = hall.enter(after="e-0", room=2)
    hall.settle()
    assert client.said == ["a", "b", "c", "d"]
    assert len(client.got) == 2
    client.room = None
    client.reader.room()
    hall.settle()
    assert client.said == list("abcdef")


def test_those_who_catch_up_take_turns() -> None:
    hall = Hall(batch=1, slice_=2)
    hall.enter()
    hall.publish(*"abc")
    hall.settle()
    clients = [hall.enter(after="e-0") for _ in range(4)]
    hall.turn()
    hall.turn()
    assert [len(each.got) for each in clients] == [1, 1, 1, 1]
    hall.settle()
    assert [each.said for each in clients] == [list("abc")] * 4


def test_a_reader_has_one_turn_at_a_time_however_often_it_gets_room() -> None:
    hall = Hall(batch=1)
    hall.enter()
    hall.publish(*"abcdef")
    hall.settle()
    client = hall.enter(after="e-0")
    for _ in range(3):
        client.reader.full()
        client.reader.room()
    hall.turn()
    assert len(client.got) == 1


def test_one_whose_place_is_trimmed_meanwhile_is_told_of_the_hole_and_goes_on() -> None:
    hall = Hall(LogOptions(max_events=2))
    client = hall.enter(room=1)
    for payload in "abcde":
        hall.publish(payload)
        hall.settle()
    client.room = None
    client.reader.room()
    hall.settle()
    assert [each.lost for each in client.gaps] == [2]
    assert client.said == ["a", "d", "e"]
    assert hall.meter["gaps_told", "sse"] == 1


def test_a_burst_that_outruns_the_log_is_told_to_everyone_as_a_hole() -> None:
    hall = Hall(LogOptions(max_events=3))
    clients = [hall.enter(), hall.enter(room=1)]
    hall.publish(*"abcdef")
    hall.settle()
    for client in clients:
        assert [each.lost for each in client.gaps] == [3]
    assert clients[0].said == ["d", "e", "f"]
    assert clients[1].said == []


def test_an_ending_follows_everything_and_is_followed_by_nothing() -> None:
    hall = Hall()
    client = hall.enter()
    hall.publish("a")
    hall.channel().ended(NOT_FOUND, "gone")
    hall.settle()
    assert client.said == ["a"]
    assert client.ending == (NOT_FOUND, "gone")
    hall.publish("b")
    hall.settle()
    assert client.said == ["a"]


def test_one_that_is_behind_gets_all_before_its_ending() -> None:
    hall = Hall(batch=1)
    client = hall.enter(room=1)
    hall.publish("a")
    hall.settle()
    hall.publish("b", "c")
    hall.channel().ended(COMPLETE)
    hall.settle()
    assert client.ending is None
    client.room = None
    client.reader.room()
    hall.settle()
    assert client.said == ["a", "b", "c"]
    assert client.ending == (COMPLETE, "")


def test_a_newcomer_to_a_channel_that_is_over_ends_too() -> None:
    hall = Hall()
    hall.enter()
    hall.publish("a")
    hall.channel().ended(COMPLETE)
    hall.settle()
    client = hall.enter(after="e-0")
    hall.settle()
    assert client.said == ["a"]
    assert client.ending


def test_a_drain_ends_everyone_by_slices_with_a_delay_for_their_return() -> None:
    hall = Hall(slice_=2)
    clients = [hall.enter(form) for form in Form for _ in range(3)]
    hall.hub.drain()
    hall.turn()
    assert sum(each.ending is not None for each in clients) == 2
    hall.settle()
    for client in clients:
        assert client.ending
        assert client.ending[0] == RESTART.after(1234)


@pytest.mark.parametrize("most", [1, 2, 5, 7, 100])
def test_a_paced_drain_ends_as_many_as_are_due_and_serves_the_others(most: int) -> None:
    hall = Hall(slice_=2)
    clients = [hall.enter(form) for form in (Form.BLOCKS, Form.PAYLOADS) for _ in range(4)]
    hall.settle()
    hall.hub.refuse()
    for due in (most, 0):
        assert hall.fanouts.drain(due, lambda: 0.5) == min(due, len(clients))
        hall.settle()
        ended = [each for each in clients if each.ending]
        assert len(ended) == min(most, len(clients))
    assert all(each.ending and each.ending[0] == RESTART.after(1234) for each in ended)
    before = {each: len(each.got) for each in clients}
    hall.publish("x")
    hall.settle()
    assert all(len(each.got) == before[each] + (each not in ended) for each in clients)


def test_a_paced_end_comes_after_what_there_is_to_say() -> None:
    hall = Hall()
    client = hall.enter()
    hall.hub.refuse()
    hall.publish("x")
    assert hall.fanouts.drain(1, lambda: 0.5) == 1
    assert client.ending is None
    hall.settle()
    assert client.said == ["x"]
    assert client.ending


def test_who_cannot_take_more_is_not_ended_in_place_of_those_who_can() -> None:
    hall = Hall()
    slow, quick = hall.enter(room=1), hall.enter()
    for data in "ab":
        hall.publish(data)
        hall.settle()
    hall.hub.refuse()
    assert hall.fanouts.drain(2, lambda: 0.5) == 1
    assert (slow.ending, bool(quick.ending)) == (None, True)


def test_silence_brings_a_heartbeat_with_the_place_to_sse_clients_alone() -> None:
    hall = Hall(heartbeat=10.0)
    clients = {form: hall.enter(form) for form in Form}
    hall.publish("a")
    hall.settle()
    hall.pass_time(9)
    assert all(len(each.got) == 1 for each in clients.values())
    hall.pass_time(1.5)
    beat = clients[Form.BLOCKS].events[-1]
    assert (beat.event, beat.id) == (PING, "e-1")
    assert clients[Form.CHUNK].got[-1] == chunk(clients[Form.BLOCKS].blocks[-1])
    for form in (Form.FRAMES, Form.PAYLOADS, Form.ENTRIES):
        assert len(clients[form].got) == 1


def test_events_put_the_heartbeat_off() -> None:
    hall = Hall(heartbeat=10.0)
    client = hall.enter()
    for _ in range(5):
        hall.pass_time(8)
        hall.publish("a")
        hall.settle()
    assert client.said == ["a"] * 5
    assert all(event.event != PING for event in client.events)


def test_a_heartbeat_never_overtakes_the_events_of_a_fan_out_under_way() -> None:
    hall = Hall(heartbeat=10.0, slice_=1)
    clients = [hall.enter(), hall.enter()]
    hall.publish("a")
    hall.turn()
    soon, hall.soon = hall.soon, type(hall.soon)()
    hall.pass_time(30)
    hall.soon.extend(soon)
    hall.settle()
    assert clients[1].events[0].event == "message"


def test_a_full_client_is_not_sent_heartbeats_and_loses_nothing_by_it() -> None:
    hall = Hall(heartbeat=1.0, send_timeout=100.0)
    client = hall.enter(room=1)
    hall.publish("a")
    hall.settle()
    hall.pass_time(5)
    assert len(client.got) == 1
    client.room = None
    client.reader.room()
    hall.publish("b")
    hall.settle()
    assert client.said == ["a", "b"]


def test_one_that_does_not_read_for_too_long_is_ended_and_counted_once() -> None:
    hall = Hall(send_timeout=5.0)
    client = hall.enter(room=1)
    hall.publish("a")
    hall.settle()
    hall.pass_time(6)
    assert client.ending == (TRY_LATER.after(1234), TOO_SLOW)
    assert hall.meter["slow_clients", "sse"] == 1
    hall.pass_time(6)
    assert client.aborted
    assert hall.meter["slow_clients", "sse"] == 1


def test_a_wire_that_breaks_ends_its_client_and_costs_no_other_an_event() -> None:
    hall = Hall()
    clients = [hall.enter() for _ in range(3)]
    clients[1].broken = True
    hall.publish("a")
    hall.settle()
    hall.publish("b")
    hall.settle()
    assert [each.said for each in clients] == [["a", "b"], [], ["a", "b"]]
    assert clients[1].ending == (INTERNAL.after(1234), FAULT)


def test_a_wire_that_breaks_while_it_catches_up_ends_its_client() -> None:
    hall = Hall()
    hall.enter()
    hall.publish("a")
    hall.settle()
    client = hall.enter(after="e-0")
    client.broken = True
    hall.settle()
    assert client.ending == (INTERNAL.after(1234), FAULT)


@pytest.mark.parametrize("form", [Form.FRAMES, Form.PAYLOADS])
def test_an_event_that_a_mapping_cannot_make_ends_its_clients_and_no_others(form: Form) -> None:
    def outgoing(event: Event, _: object) -> tuple[str]:
        raise ValueError("no such member")

    hall = Hall(outgoing=outgoing)
    sse, ws = hall.enter(), hall.enter(form)
    hall.publish("a")
    hall.settle()
    assert sse.said == ["a"]
    assert ws.ending == (INTERNAL.after(1234), FAULT)
    hall.publish("b")
    hall.settle()
    assert sse.said == ["a", "b"]


def test_deliveries_are_counted_by_wire_and_not_for_those_passed_over() -> None:
    hall = Hall()
    hall.enter()
    hall.enter(Form.FRAMES)
    slow = hall.enter(room=1)
    hall.publish("a")
    hall.settle()
    hall.publish("b", "c")
    hall.settle()
    assert hall.meter["events_delivered", "sse"] == 4
    assert hall.meter["events_delivered", "ws"] == 3
    slow.room = None
    slow.reader.room()
    hall.settle()
    assert hall.meter["events_delivered", "sse"] == 6


def test_who_waits_for_the_backend_is_called_once_it_answers_or_at_once() -> None:
    hall, called = Hall(), list[str]()
    fanout = hall.join()
    fanout.when_ready(lambda: called.append("waited"))
    assert not called
    hall.channel().opened()
    assert called == ["waited"]
    fanout.when_ready(lambda: called.append("at once"))
    hall.publish("a")
    assert called == ["waited", "at once"]


def test_a_closed_fan_out_says_nothing_more() -> None:
    hall = Hall(heartbeat=1.0)
    client = hall.enter()
    hall.leave(client)
    hall.pass_time(5)
    assert client.got == []
    assert all(each.cancelled or each.at > hall.now for each in hall.timers)


def test_leaving_twice_is_harmless() -> None:
    hall = Hall()
    client, other = hall.enter(), hall.enter()
    client.reader.left()
    client.reader.left()
    hall.publish("a")
    hall.settle()
    assert other.said == ["a"]


def test_one_that_left_while_it_was_waiting_for_the_head_is_forgotten() -> None:
    hall = Hall()
    hall.enter()
    hall.publish("a")
    client = hall.enter(after="e-1")
    hall.leave(client)
    hall.settle()
    assert isinstance(client, Client)
    assert client.got == []
