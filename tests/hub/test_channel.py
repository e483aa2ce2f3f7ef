"""What a channel does with what its upstream says."""

from bridge.history.cursor import Cursor
from bridge.history.log import Log, LogOptions, Slice
from bridge.hub.channel import Channel, Latch
from bridge.ops.metrics import Metrics
from bridge.wire.endings import NOT_FOUND
from bridge.wire.event import GAP, Event
from tests.hub.parts import IdleLead, Rings, key


def make(latch: Latch | None = None, meter: Metrics | None = None) -> Channel:
    log = Log("e", LogOptions())
    channel = Channel(key(), log, clock=lambda: 1.0, meter=meter or Metrics(), latch=latch)
    channel.lead = IdleLead(channel)
    return channel


def payloads(channel: Channel) -> list[str | bytes]:
    found = channel.log.read(Cursor("e", 0))
    assert isinstance(found, Slice)
    return [entry.event.data for entry in found.entries]


def test_a_batch_is_appended_in_order_and_rings_once() -> None:
    channel, bell = make(), Rings()
    channel.attach(bell)
    channel.publish([Event("a"), Event("b")])
    assert payloads(channel) == ["a", "b"]
    assert bell.count == 1


def test_an_empty_batch_rings_nobody() -> None:
    channel, bell = make(), Rings()
    channel.attach(bell)
    channel.publish([])
    assert bell.count == 0


def test_a_gap_stands_in_the_log_where_it_happened() -> None:
    channel = make()
    channel.publish([Event("a")])
    channel.gap("the backend restarted", 3)
    channel.publish([Event("b")])
    found = channel.log.read(Cursor("e", 0))
    assert isinstance(found, Slice)
    assert [entry.event.type for entry in found.entries] == ["message", GAP, "message"]


def test_an_ending_stands_until_the_lead_starts_again() -> None:
    channel, bell = make(), Rings()
    channel.attach(bell)
    channel.ended(NOT_FOUND, "unknown")
    assert (channel.ending, channel.reason, bell.count) == (NOT_FOUND, "unknown", 1)
    assert channel.ready
    channel.start()
    assert channel.ending is None
    assert not channel.ready


def test_a_detached_bell_is_silent() -> None:
    channel, bell = make(), Rings()
    channel.attach(bell)
    channel.detach(bell)
    channel.opened()
    assert bell.count == 0
    assert channel.readers == 0


def test_a_latched_completion_is_left_out_and_counted() -> None:
    class Once:
        def __init__(self) -> None:
            self.seen: set[str | bytes] = set()

        def admit(self, event: Event, seq: int) -> bool:
            fresh = event.data not in self.seen
            self.seen.add(event.data)
            return fresh

        def told(self, event: Event) -> int | None:
            return None

        def tells(self, event: Event) -> bool:
            return True

    meter = Metrics()
    channel = make(Once(), meter)
    channel.publish([Event("done"), Event("done")])
    assert payloads(channel) == ["done"]
    assert meter.value("completions_latched") == 1
    assert meter.value("events_published") == 1


def test_there_is_room_unless_those_who_keep_up_are_behind() -> None:
    channel = make()
    assert channel.has_room
    channel.behind = lambda: True
    assert not channel.has_room
