"""Clients come, stop reading, read on and leave while a channel speaks: what each must have got."""

from itertools import pairwise

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from bridge.endpoint.batch import Batch, Form
from bridge.history.cursor import Cursor
from bridge.history.log import Gap, LogOptions
from bridge.wire.endings import COMPLETE
from bridge.wire.sse import Decoder
from tests.endpoint.hall import Client, Hall

KEPT = 6


class Account:
    """What one client was told: the places of its events, in their order, and of holes."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self.start = client.reader.session.cursor.seq

    @property
    def reached(self) -> int:
        """The place after the last thing that it was told."""
        steps = self.steps()
        return steps[-1][1] if steps else self.start

    def steps(self) -> list[tuple[int, int]]:
        """Each event and hole as the places before and after it."""
        found: list[tuple[int, int]] = []
        at = self.start
        for made in self.client.got:
            for before, after in self._steps_of(made, at):
                found.append((before, after))
                at = after
        return found

    def _steps_of(self, made: object, at: int) -> list[tuple[int, int]]:
        if isinstance(made, Gap):
            old = Cursor.parse(made.old or "")
            return [(old.seq if old else at, made.new.seq)]
        if isinstance(made, Batch):
            return [(entry.seq - 1, entry.seq) for entry in made.entries]
        assert isinstance(made, bytes)
        places = [(event.data, event.id) for event in Decoder().feed(made)]
        for data, place in places:
            assert place == f"e-{data}", "an event came under another's place"
        return [(int(data) - 1, int(data)) for data, _ in places]


class FanoutMachine(RuleBasedStateMachine):
    """Drives a fan-out by hand; every payload is the place that it gets."""

    def __init__(self) -> None:
        super().__init__()
        self.hall = Hall(
            LogOptions(max_events=KEPT), slice_=1, batch=2, heartbeat=1000.0, send_timeout=10.0
        )
        self.keeper = self.hall.join()  # so that the channel outlives its readers
        self.here: list[Account] = []
        self.gone: list[Account] = []

    @property
    def top(self) -> int:
        return self.keeper.channel.log.top

    @property
    def is_over(self) -> bool:
        return bool(self.keeper.channel.ending or self.hall.hub.draining)

    @precondition(lambda self: not self.is_over)
    @rule(count=st.integers(1, 2 * KEPT))
    def publish(self, count: int) -> None:
        self.hall.publish(*(str(self.top + n + 1) for n in range(count)))

    @rule(
        form=st.sampled_from([Form.BLOCKS, Form.ENTRIES]),
        room=st.none() | st.integers(1, 3),
        data=st.data(),
    )
    def come(self, form: Form, room: int | None, data: st.DataObject) -> None:
        place = data.draw(st.none() | st.integers(0, self.top).map("e-{}".format))
        client = self.hall.enter(form, after=place, room=room)
        account = Account(client)
        if client.gaps:  # told by the endpoint, before the fan-out has the client
            account.start = int(place.rpartition("-")[2]) if place else 0
        self.here.append(account)

    @rule()
    def turn(self) -> None:
        self.hall.turn()

    @precondition(lambda self: self.here)
    @rule(data=st.data(), room=st.none() | st.integers(1, 3))
    def read_on(self, data: st.DataObject, room: int | None) -> None:
        client = data.draw(st.sampled_from(self.here)).client
        client.room = room
        client.reader.room()

    @precondition(lambda self: self.here)
    @rule(data=st.data())
    def stop_reading(self, data: st.DataObject) -> None:
        data.draw(st.sampled_from(self.here)).client.reader.full()

    @precondition(lambda self: self.here)
    @rule(data=st.data())
    def leave(self, data: st.DataObject) -> None:
        account = data.draw(st.sampled_from(self.here))
        self.here.remove(account)
        self.gone.append(account)
        self.hall.leave(account.client)

    @rule(seconds=st.integers(1, 4))
    def pass_time(self, seconds: int) -> None:
        self.hall.pass_time(seconds)

    @precondition(lambda self: not self.is_over)
    @rule(draining=st.booleans())
    def end(self, *, draining: bool) -> None:
        """Whoever still is behind gets everything first; the outlets see that nothing follows."""
        if draining:
            self.hall.hub.drain()
        else:
            self.keeper.channel.ended(COMPLETE)

    @rule()
    def let_the_loop_run(self) -> None:
        """Nobody starves: once nothing is due, whoever reads has everything, the end included."""
        self.hall.settle()
        for account in self.here:
            client = account.client
            assert client.reader.held or account.reached == self.top
            if self.is_over:
                assert client.reader.held

    @invariant()
    def each_stream_is_the_log_from_its_place_on(self) -> None:
        for account in (*self.here, *self.gone):
            steps = account.steps()
            if steps:
                assert steps[0][0] == account.start
            for (_, after), (before, _) in pairwise(steps):
                assert before == after, "a hole that nobody told of, or an event twice"

    @invariant()
    def an_end_comes_last(self) -> None:
        for account in (*self.here, *self.gone):
            ending = account.client.ending
            if ending and ending[0].name in {"complete", "restart"}:
                assert account.reached == self.top


TestFanout = FanoutMachine.TestCase
TestFanout.settings = settings(max_examples=40, stateful_step_count=40, deadline=None)
