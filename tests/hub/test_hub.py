"""When upstreams start and stop, and how long logs outlive their readers."""

import pytest

from bridge.hub.channel import ChannelKey
from bridge.hub.hub import HubOptions
from bridge.wire.endings import COMPLETE, NOT_FOUND, RESTART
from bridge.wire.event import Event
from bridge.wire.names import ChannelName
from tests.hub.parts import Rings, World, key


def test_many_readers_of_one_channel_share_one_upstream() -> None:
    world = World()
    first, second = world.hub.join(key(), Rings()), world.hub.join(key(), Rings())
    assert first is second
    assert [lead.starts for lead in world.leads] == [1]


def test_scopes_never_share_an_upstream() -> None:
    world = World()
    name = ChannelName.parse("project.1")
    ann = world.hub.join(ChannelKey(name, "ann"), Rings())
    bob = world.hub.join(ChannelKey(name, "bob"), Rings())
    assert ann is not bob
    assert ann.log is not bob.log


def test_the_last_reader_leaving_stops_the_upstream_after_linger() -> None:
    world = World(HubOptions(linger=10))
    bell = Rings()
    world.hub.leave(world.hub.join(key(), bell), bell)
    world.pass_time(9.9)
    assert world.leads[0].running
    world.pass_time(0.2)
    assert not world.leads[0].running


def test_a_reader_returning_within_linger_keeps_the_upstream() -> None:
    world = World(HubOptions(linger=10))
    bell = Rings()
    channel = world.hub.join(key(), bell)
    world.hub.leave(channel, bell)
    world.pass_time(5)
    assert world.hub.join(key(), Rings()) is channel
    world.pass_time(100)
    assert world.leads[0].starts == 1
    assert world.leads[0].running


def test_a_parked_channel_keeps_its_log_and_starts_again() -> None:
    world = World(HubOptions(linger=1, retain=100))
    bell = Rings()
    channel = world.hub.join(key(), bell)
    channel.publish([Event("a")])
    world.hub.leave(channel, bell)
    world.pass_time(50)
    again = world.hub.join(key(), bell)
    assert again is channel
    assert again.log.top == 1
    assert not again.ready
    assert world.leads[0].starts == 2


def test_a_parked_channel_is_forgotten_after_retain() -> None:
    world = World(HubOptions(linger=1, retain=100))
    bell = Rings()
    old = world.hub.join(key(), bell)
    world.hub.leave(old, bell)
    world.pass_time(102)
    new = world.hub.join(key(), bell)
    assert new.log.epoch != old.log.epoch


def test_a_lead_that_cannot_resume_takes_its_log_with_it() -> None:
    world = World(HubOptions(linger=1, retain=100))
    bell = Rings()
    old = world.hub.join(key(), bell)
    world.leads[0].resumable = False
    world.hub.leave(old, bell)
    world.pass_time(2)
    assert world.hub.join(key(), bell).log.epoch != old.log.epoch


def test_a_refusal_is_repeated_for_a_while_and_then_tried_again() -> None:
    world = World(HubOptions(refusal=5, linger=60))
    bell = Rings()
    channel = world.hub.join(key(), bell)
    world.leads[0].running = False  # as a supervisor does after a final word
    channel.ended(NOT_FOUND, "no such project")
    world.hub.leave(channel, bell)
    world.pass_time(4)
    assert world.hub.join(key(), bell).ending is NOT_FOUND
    world.pass_time(1)
    assert world.hub.join(key(), bell).ending is None
    assert world.leads[0].starts == 2


def test_draining_wakes_every_reader_and_stands() -> None:
    world = World()
    bells = [Rings(), Rings()]
    for bell, name in zip(bells, ("project.1", "file.1"), strict=True):
        world.hub.join(key(name), bell)
    world.hub.drain()
    assert world.hub.draining is RESTART
    assert [bell.count for bell in bells] == [1, 1]


def test_refusing_newcomers_wakes_nobody() -> None:
    world, bell = World(), Rings()
    world.hub.join(key(), bell)
    world.hub.refuse()
    assert (world.hub.draining, world.hub.emptying, bell.count) == (RESTART, False, 0)


def test_closing_stops_every_upstream_and_cancels_every_timer() -> None:
    world = World()
    bell = Rings()
    world.hub.leave(world.hub.join(key(), bell), bell)
    world.hub.join(key("file.1"), bell)
    world.hub.close()
    assert not any(lead.running for lead in world.leads)
    assert all(timer.cancelled for timer in world.timers)
    assert not list(world.hub.channels())


def test_statistics_count_phases_and_readers() -> None:
    world = World(HubOptions(linger=1))
    bell = Rings()
    world.hub.join(key(), bell)
    world.hub.leave(world.hub.join(key("file.1"), bell), bell)
    seen = world.hub.statistics()
    assert seen.channels == {"live": 1, "lingering": 1, "parked": 0}
    assert seen.readers == 1


def test_leaving_twice_or_late_changes_nothing() -> None:
    world = World(HubOptions(linger=1))
    bell, other = Rings(), Rings()
    channel = world.hub.join(key(), bell)
    world.hub.join(key(), other)
    world.hub.leave(channel, bell)
    world.hub.leave(channel, bell)
    assert channel.readers == 1
    world.hub.close()
    world.hub.leave(channel, other)
    assert not world.timers


def test_an_ended_channel_is_not_parked() -> None:
    world = World(HubOptions(linger=1, retain=100))
    bell = Rings()
    channel = world.hub.join(key(), bell)
    channel.ended(COMPLETE)
    world.hub.leave(channel, bell)
    world.pass_time(2)
    assert not list(world.hub.channels())


@pytest.mark.parametrize("field", ["linger", "retain", "refusal"])
@pytest.mark.parametrize("value", [-1, float("inf"), float("nan")])
def test_times_that_make_no_sense_are_refused(field: str, value: float) -> None:
    with pytest.raises(ValueError, match=field):
        HubOptions(**{field: value})


class Told:
    """A latch that remembers what it was shown."""

    def __init__(self) -> None:
        self.seqs: list[int] = []

    def admit(self, event: Event, seq: int) -> bool:
        self.seqs.append(seq)
        return True

    def told(self, event: Event) -> int | None:
        return None

    def tells(self, event: Event) -> bool:
        return False


def test_closing_leaves_the_logs_to_the_store_and_a_latch_learns_what_they_tell() -> None:
    world, bell, latch = World(), Rings(), Told()
    log = world.hub.join(key(), bell).log
    for payload in ("one", "two"):
        log.append(Event(payload), 0.0)
    world.hub.close()
    world.hub._new_latch = lambda _: latch
    assert world.hub.join(key(), bell).log is log
    assert latch.seqs == [1, 2]


# Channels in memory.


def test_the_longest_idle_channel_makes_room_whether_it_lingers_or_is_parked() -> None:
    world = World(HubOptions(linger=10, retain=100))
    world.hub._max_channels = 3
    bell = Rings()
    for name in ("file.1", "file.2", "file.3"):
        assert world.hub.make_room(key(name))
        world.hub.join(key(name), bell)
    assert not world.hub.make_room(key("file.4"))
    assert world.hub.make_room(key("file.1"))
    first, second, _ = world.hub.channels()
    world.hub.leave(second, bell)
    world.pass_time(15)  # parked
    world.hub.leave(first, bell)  # lingers
    for name, gone in (("file.4", "file.2"), ("file.5", "file.1")):
        assert world.hub.make_room(key(name))
        world.hub.join(key(name), bell)
        assert gone not in {str(channel.key) for channel in world.hub.channels()}
    assert not world.hub.make_room(key("file.6"))
    assert world.hub.readers(key("file.5")) == 1
    assert world.hub.readers(key("file.6")) == 0


def test_a_channel_that_is_read_again_is_idle_no_more() -> None:
    world = World()
    world.hub._max_channels = 1
    bell = Rings()
    world.hub.leave(world.hub.join(key(), bell), bell)
    world.hub.join(key(), bell)
    assert not world.hub.make_room(key("file.1"))
