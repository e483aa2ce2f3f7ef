"""The budget in lockstep with a list of those who are in, under random coming and going."""

from collections import Counter
from dataclasses import dataclass

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    initialize,
    invariant,
    rule,
)

from bridge.endpoint.budget import Budget, Refused, Seat
from bridge.endpoint.limits import LimitOptions

ADDRESSES = st.sampled_from(["", "192.0.2.1", "::ffff:192.0.2.1", "2001:db8::1", "2001:db8::2"])
PARTY = {"::ffff:192.0.2.1": "192.0.2.1", "2001:db8::2": "2001:db8::1"}
PRINCIPALS = st.sampled_from(["", "ann", "bob"])


@dataclass(eq=False)
class Guest:
    """One who is in."""

    seat: Seat
    address: str
    principal: str


class BudgetMachine(RuleBasedStateMachine):
    guests = Bundle("guests")
    left = Bundle("left")

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0
        self.present: list[Guest] = []

    @initialize(
        connections=st.integers(0, 8), address=st.integers(0, 4), principal=st.integers(0, 4)
    )
    def begin(self, connections: int, address: int, principal: int) -> None:
        self.options = LimitOptions(
            connections=connections, per_address=address, per_principal=principal
        )
        self.budget = Budget(self.options)

    @rule(target=guests, address=ADDRESSES, principal=PRINCIPALS, lasting=st.booleans())
    def enter(self, address: str, principal: str, lasting: bool) -> Guest | None:
        address_of = PARTY.get(address, address)
        expected = self.refusal(address_of, principal)
        found = self.budget.enter(address, principal, self.now, lasting=lasting)
        if isinstance(found, Refused):
            assert found.reason == expected
            return None
        assert expected is None
        guest = Guest(found, address_of, principal)
        self.present.append(guest)
        return guest

    def refusal(self, address: str, principal: str) -> str | None:
        options = self.options
        addresses = Counter(guest.address for guest in self.present)
        principals = Counter(guest.principal for guest in self.present)
        if 0 < options.connections <= len(self.present):
            return "connections"
        if address and 0 < options.per_address <= addresses[address]:
            return "address"
        if principal and 0 < options.per_principal <= principals[principal]:
            return "principal"
        return None

    @rule(guest=guests, principal=PRINCIPALS)
    def name(self, guest: Guest | None, principal: str) -> None:
        """A client that nobody knew says who it is, in a frame."""
        if guest is None or guest.principal or not principal:
            return
        limit = self.options.per_principal
        full = 0 < limit <= sum(each.principal == principal for each in self.present)
        refused = guest.seat.name(principal)
        assert (refused is not None) == full
        if refused is None:
            guest.principal = principal

    @rule(target=left, guest=consumes(guests))
    def leave(self, guest: Guest | None) -> Guest | None:
        if guest:
            guest.seat.release()
            self.present.remove(guest)
        return guest

    @rule(guest=left)
    def leave_again(self, guest: Guest | None) -> None:
        if guest:
            guest.seat.release()

    @rule(seconds=st.integers(0, 100))
    def wait(self, seconds: int) -> None:
        self.now += seconds

    @rule()
    def sweep(self) -> None:
        self.budget._swept = -2000
        self.budget._sweep(self.now)

    @invariant()
    def everybody_is_counted_once(self) -> None:
        if hasattr(self, "budget"):
            assert self.budget.taken == len(self.present)

    def teardown(self) -> None:
        for guest in self.present:
            guest.seat.release()
        if hasattr(self, "budget"):
            assert self.budget.taken == 0
            self.budget._swept = -2000
            self.budget._sweep(self.now)
            assert self.budget.parties == 0


TestBudgetMachine = BudgetMachine.TestCase
TestBudgetMachine.settings = settings(max_examples=100, stateful_step_count=40, deadline=None)
