"""The aligner in lockstep with models: of lossless sides the source itself, of lossy ones counts.

The backend appends to the source; each side delivers or drops the next event it has not come to;
the lead moves at any time.
"""

from collections import Counter

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from bridge.errors import HandOverRefused
from bridge.parity.aligner import Aligner, AlignerOptions, Receipt
from bridge.parity.observation import Side

SIDES = st.sampled_from([Side.LEGACY, Side.CANDIDATE])


class AlignerMachine(RuleBasedStateMachine):
    """Both sides deliver all; keys repeat, and the window may be narrow."""

    def __init__(self) -> None:
        super().__init__()
        self.source: list[str] = []
        self.place = {Side.LEGACY: 0, Side.CANDIDATE: 0}
        self.published: list[str] = []
        self.promised = 0
        self.fit = True

    @initialize(window=st.integers(1, 6), lead=SIDES)
    def begin(self, window: int, lead: Side) -> None:
        self.window = window
        self.aligner: Aligner[int] = Aligner(lead, AlignerOptions(window=window))

    @rule(keys=st.lists(st.sampled_from("ab"), min_size=1, max_size=4))
    def happen(self, keys: list[str]) -> None:
        self.source += keys

    @rule(side=SIDES, count=st.integers(1, 3))
    def deliver(self, side: Side, count: int) -> None:
        for _ in range(min(count, len(self.source) - self.place[side])):
            self.one(side)

    def one(self, side: Side) -> None:
        place = self.place[side]
        self.place[side] += 1
        self.publish(self.aligner.take(side, self.source[place], place))
        self.promise()
        ahead = self.place[self.aligner.lead] - self.place[self.aligner.standby]
        held = self.place[self.aligner.standby] - self.promised
        self.fit &= ahead <= self.window and held <= self.window

    def publish(self, places: tuple[int, ...]) -> None:
        self.published += [self.source[place] for place in places]

    def promise(self) -> None:
        self.promised = max(self.promised, self.place[self.aligner.lead])

    @rule()
    def cut(self) -> None:
        old, new = self.aligner.lead, self.aligner.standby
        if not self.fit:
            with pytest.raises(HandOverRefused):
                self.aligner.cut(new)
            return
        last = self.promised - 1 if self.promised else None
        receipt = self.aligner.cut(new)
        self.publish(receipt.filled)
        filled = tuple(range(self.promised, self.place[new]))
        assert receipt == Receipt(old, new, 0.0, last, filled[0] if filled else None, filled)
        self.promise()

    @invariant()
    def the_source_is_published_as_far_as_a_lead_has_come(self) -> None:
        assert self.published == self.source[: self.promised]

    @precondition(lambda self: self.aligner.receipt is not None)
    @invariant()
    def the_receipt_names_the_first_event_after_the_cut(self) -> None:
        receipt = self.aligner.receipt
        assert receipt is not None
        if self.promised > (0 if receipt.last_old is None else receipt.last_old + 1):
            assert receipt.first_new == (0 if receipt.last_old is None else receipt.last_old + 1)
        else:
            assert receipt.first_new is None

    @invariant()
    def the_state_is_told(self) -> None:
        told = self.aligner.statistics()
        assert told.fit is self.fit
        if told.fit:  # after that it has let go of some
            lead, standby = self.place[told.lead], self.place[self.aligner.standby]
            assert told.ahead == max(0, lead - standby)
            assert told.held == max(0, standby - self.promised)
            assert told.owed == max(0, min(standby, self.promised) - lead)


class LossyMachine(RuleBasedStateMachine):
    """Either side drops what it will; some events are unlike all others, some repeat a key."""

    def __init__(self) -> None:
        super().__init__()
        self.aligner: Aligner[str] = Aligner(Side.LEGACY)
        self.source: list[str] = []
        self.place = {Side.LEGACY: 0, Side.CANDIDATE: 0}
        self.said = {Side.LEGACY: Counter[str](), Side.CANDIDATE: Counter[str]()}
        self.led = {Side.LEGACY: Counter[str](), Side.CANDIDATE: Counter[str]()}
        self.published: Counter[str] = Counter()

    @rule(repeats=st.lists(st.booleans(), min_size=1, max_size=4))
    def happen(self, repeats: list[bool]) -> None:
        self.source += [
            "again" if repeat else f"event {len(self.source) + number}"
            for number, repeat in enumerate(repeats)
        ]

    @rule(side=SIDES, drops=st.lists(st.booleans(), min_size=1, max_size=4))
    def deliver(self, side: Side, drops: list[bool]) -> None:
        for dropped in drops[: len(self.source) - self.place[side]]:
            key = self.source[self.place[side]]
            self.place[side] += 1
            if not dropped:
                self.one(side, key)

    def one(self, side: Side, key: str) -> None:
        self.said[side][key] += 1
        self.led[side][key] += side is self.aligner.lead
        self.published.update(self.aligner.take(side, key, key))

    @rule()
    def cut(self) -> None:
        self.published.update(self.aligner.cut(self.aligner.standby).filled)

    @invariant()
    def nothing_is_published_twice(self) -> None:
        """No more often than one side said it, so never more often than the source."""
        for key, count in self.published.items():
            assert count <= max(said[key] for said in self.said.values())

    @invariant()
    def nothing_that_a_lead_delivered_is_lost(self) -> None:
        for led in self.led.values():
            assert led <= self.published


TestAlignerMachine = AlignerMachine.TestCase
TestAlignerMachine.settings = settings(max_examples=400, stateful_step_count=30, deadline=None)
TestLossyMachine = LossyMachine.TestCase
TestLossyMachine.settings = settings(max_examples=400, stateful_step_count=30, deadline=None)
