"""The fan-out with clients that fill, drain, join and leave at random: each stream is whole."""

from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from bridge.endpoint.batch import Form
from bridge.history.log import TRIMMED, Gap, LogOptions
from bridge.wire.endings import FORBIDDEN, RESTART, Ending
from bridge.wire.event import PING
from tests.endpoint.audience import Audience, Client

FORMS = st.sampled_from([Form.ENTRIES, Form.BLOCKS, Form.CHUNK, Form.PAYLOADS])
LOG = LogOptions(max_events=8)


class FanoutMachine(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.clients: list[Client] = []
        self.everyone: list[Client] = []

    @initialize(batch=st.integers(1, 4))
    def begin(self, batch: int) -> None:
        self.audience = Audience(LOG, batch=batch, send_timeout=1e6)
        self.audience.fanouts.join(self.audience.key)  # the channel stays, whoever leaves

    @property
    def is_ended(self) -> bool:
        return bool(self.audience.channel.ending or self.audience.hub.draining)

    def chosen(self, number: int) -> Client | None:
        return self.clients[number % len(self.clients)] if self.clients else None

    # What the backend does.

    @precondition(lambda self: not self.is_ended)
    @rule(count=st.integers(1, 12))
    def publish(self, count: int) -> None:
        self.audience.publish(count)

    @precondition(lambda self: not self.is_ended)
    @rule()
    def notice(self) -> None:
        self.audience.notice()

    @precondition(lambda self: not self.is_ended and len(self.everyone) > 3)
    @rule(is_drain=st.booleans())
    def end(self, is_drain: bool) -> None:
        if is_drain:
            self.audience.hub.drain(RESTART)
        else:
            self.audience.channel.ended(FORBIDDEN, "as it is")

    # What clients do.

    @rule(form=FORMS, back=st.none() | st.integers(0, 10))
    def join(self, form: Form, back: int | None) -> None:
        log = self.audience.channel.log
        place = None if back is None else f"{log.epoch}-{max(log.top - back, 0)}"
        client = self.audience.join(form, place)
        self.clients.append(client)
        self.everyone.append(client)

    @rule(number=st.integers(0, 20))
    def fill(self, number: int) -> None:
        client = self.chosen(number)
        if client and not client.is_full:
            client.fills = True

    @rule(number=st.integers(0, 20))
    def fill_at_once(self, number: int) -> None:
        """As by a pong: the outlet is full, and not for anything that the fan-out wrote."""
        client = self.chosen(number)
        if client and not client.is_full:
            client.is_full = True
            client.reader.full()

    @rule(number=st.integers(0, 20))
    def room(self, number: int) -> None:
        client = self.chosen(number)
        if client and client.is_full:
            client.room()

    @rule(number=st.integers(0, 20))
    def leave(self, number: int) -> None:
        client = self.chosen(number)
        if client:
            self.clients.remove(client)
            self.audience.leave(client)

    # What passes.

    @rule()
    def turn(self) -> None:
        self.audience.turn()

    @rule()
    def settle(self) -> None:
        self.audience.settle()
        for client in self.clients:
            if not client.is_full:
                self.is_complete(client)

    @rule(seconds=st.sampled_from([1, 16]))
    def beat(self, seconds: int) -> None:
        self.audience.time.move(seconds)

    # What holds.

    @invariant()
    def every_stream_is_whole_and_in_order(self) -> None:
        for client in self.everyone:
            self.reached(client)

    def reached(self, client: Client) -> int:
        """How far a stream goes, every step of which is the next one or an announced hole."""
        at = client.start.seq
        for each in client.said:
            if isinstance(each, Gap):
                assert each.reason == TRIMMED
                before = int(str(each.old).rpartition("-")[2])
                assert at <= before <= self.visible(client, at)
                assert each.lost == each.new.seq - before > 0
                at = each.new.seq
            elif isinstance(each, Ending):
                assert each is client.said[-1]
                assert self.visible(client, at) == self.audience.channel.log.top
            elif each != PING:
                assert self.next(client, at) == each
                at = each
        return self.visible(client, at)

    def next(self, client: Client, at: int) -> int:
        return self.visible(client, at) + 1

    def visible(self, client: Client, at: int) -> int:
        """The same place, behind notices of which this client sees nothing."""
        at_most: Any = self.audience.channel.log.top
        while client.form is Form.PAYLOADS and at < at_most and at + 1 in self.audience.notices:
            at += 1
        return at

    def is_complete(self, client: Client) -> None:
        assert self.reached(client) == self.audience.channel.log.top
        assert client.is_over == self.is_ended

    def teardown(self) -> None:
        """Who has room gets everything, and the end where there is one."""
        if hasattr(self, "audience"):
            for client in self.clients:
                client.room()
            self.settle()


TestFanoutMachine = FanoutMachine.TestCase
TestFanoutMachine.settings = settings(max_examples=100, stateful_step_count=50, deadline=None)
