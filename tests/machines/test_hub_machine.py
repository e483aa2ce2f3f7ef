"""Readers come and go, upstreams speak and end, time passes: what always holds of the hub."""

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from bridge.history.log import Gap
from bridge.hub.channel import Channel
from bridge.hub.hub import HubOptions
from bridge.wire.endings import NOT_FOUND
from bridge.wire.event import Event
from tests.hub.parts import IdleLead, Rings, World, key

NAMES = st.sampled_from(["project.1", "project.2", "file.1"])


class Reader(Rings):
    """A session: reads everything after its cursor, and counts what it is told is missing."""

    def __init__(self) -> None:
        super().__init__()
        self.channel: Channel | None = None
        self.place: str | None = None
        self.name = ""
        self.got: list[str] = []


class HubMachine(RuleBasedStateMachine):
    """Drives a hub by its public calls against a plain account of what readers must see."""

    def __init__(self) -> None:
        super().__init__()
        self.world = World(HubOptions(linger=10, retain=30, refusal=5))
        self.reading: list[Reader] = []
        self.away: list[Reader] = []
        self.published = 0

    @rule(name=NAMES)
    def come(self, name: str) -> None:
        reader = Reader()
        reader.name = name
        self._join(reader)

    @precondition(lambda self: self.away)
    @rule(data=st.data())
    def come_back(self, data: st.DataObject) -> None:
        reader = data.draw(st.sampled_from(self.away))
        self.away.remove(reader)
        self._join(reader)

    @precondition(lambda self: self.reading)
    @rule(data=st.data())
    def leave(self, data: st.DataObject) -> None:
        reader = data.draw(st.sampled_from(self.reading))
        self._read(reader)
        assert reader.channel
        self.world.hub.leave(reader.channel, reader)
        self.reading.remove(reader)
        self.away.append(reader)

    @precondition(lambda self: self.reading)
    @rule(data=st.data(), count=st.integers(1, 4))
    def publish(self, data: st.DataObject, count: int) -> None:
        channel = self._some_open(data)
        if channel.ending is None:
            batch = [Event(str(self.published + n)) for n in range(count)]
            self.published += count
            bells = {id(each): each.count for each in self.reading}
            channel.publish(batch)
            for reader in self.reading:
                rings = reader.count - bells[id(reader)]
                assert rings == (1 if reader.channel is channel else 0)

    @precondition(lambda self: self.reading)
    @rule(data=st.data(), resumable=st.booleans())
    def learn_resumable(self, data: st.DataObject, *, resumable: bool) -> None:
        lead = self._some_open(data).lead
        assert isinstance(lead, IdleLead)
        lead.resumable = resumable

    @precondition(lambda self: self.reading)
    @rule(data=st.data())
    def end(self, data: st.DataObject) -> None:
        channel = self._some_open(data)
        if channel.ending is None:
            assert isinstance(channel.lead, IdleLead)
            channel.lead.running = False
            channel.ended(NOT_FOUND, "gone")

    @rule(seconds=st.sampled_from([1.0, 6.0, 11.0, 45.0]))
    def pass_time(self, seconds: float) -> None:
        self.world.pass_time(seconds)

    @invariant()
    def every_read_channel_has_a_running_lead_or_an_ending(self) -> None:
        for reader in self.reading:
            channel = reader.channel
            assert channel
            assert isinstance(channel.lead, IdleLead)
            assert channel.lead.running or channel.ending

    @invariant()
    def readers_of_one_name_share_one_channel(self) -> None:
        by_name: dict[str, set[int]] = {}
        for reader in self.reading:
            by_name.setdefault(reader.name, set()).add(id(reader.channel))
        assert all(len(channels) == 1 for channels in by_name.values())

    @invariant()
    def a_live_channel_has_exactly_its_readers(self) -> None:
        assert self.world.hub.statistics().readers == len(self.reading)

    @invariant()
    def what_a_reader_gets_is_in_order_and_never_twice(self) -> None:
        for reader in self.reading:
            self._read(reader)
            numbers = [int(text) for text in reader.got]
            assert numbers == sorted(set(numbers))

    def teardown(self) -> None:
        self.world.hub.close()
        assert not any(lead.running for lead in self.world.leads)

    def _some_open(self, data: st.DataObject) -> Channel:
        channel = data.draw(st.sampled_from(self.reading)).channel
        assert channel
        return channel

    def _join(self, reader: Reader) -> None:
        reader.channel = self.world.hub.join(key(reader.name), reader)
        self.reading.append(reader)
        place = reader.channel.log.place(reader.place)
        if isinstance(place, Gap):
            assert place.new.epoch == reader.channel.log.epoch
            place = place.new
        elif reader.place:
            assert str(place) == reader.place, "a place that is kept goes on where it was"
        reader.place = str(place)

    def _read(self, reader: Reader) -> None:
        assert reader.channel
        assert reader.place
        place = reader.channel.log.place(reader.place)
        assert not isinstance(place, Gap), "a live reader's place is never trimmed here"
        found = reader.channel.log.read(place)
        assert not isinstance(found, Gap)
        reader.got += [str(entry.event.data) for entry in found.entries]
        reader.place = str(found.cursor)


TestHub = HubMachine.TestCase
TestHub.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
