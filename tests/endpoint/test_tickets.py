"""Tickets: once, shortly, and not too many."""

from itertools import count

from bridge.endpoint.auth_options import TicketOptions
from bridge.endpoint.credentials import bearer
from bridge.endpoint.tickets import Tickets
from bridge.ops.metrics import Metrics

SHOWN = bearer("secret", "header")


class World:
    """Tickets whose clock and chance the test has."""

    def __init__(self, **changes: int) -> None:
        self.now, numbers = 0.0, count()
        self.metrics = Metrics()
        self.tickets = Tickets(
            TicketOptions(**({"lifetime": 30} | changes)),
            lambda: self.now,
            lambda: f"ticket-{next(numbers)}",
            self.metrics,
        )


def test_a_ticket_stands_for_its_credential_once() -> None:
    world = World()
    text = world.tickets.issue(SHOWN)
    assert text is not None
    found = world.tickets.redeem(text)
    assert found is not None
    assert (found.token, found.way) == ("secret", "ticket")
    assert world.tickets.redeem(text) is None
    assert world.metrics.value("tickets", outcome="refused") == 1


def test_an_invented_ticket_is_worth_nothing() -> None:
    world = World()
    world.tickets.issue(SHOWN)
    assert world.tickets.redeem("") is None
    assert world.tickets.redeem("ticket-1") is None


def test_an_old_ticket_is_worth_nothing_and_is_forgotten() -> None:
    world = World(most=1)
    text = world.tickets.issue(SHOWN)
    assert world.tickets.issue(SHOWN) is None
    assert world.metrics.value("tickets", outcome="full") == 1
    world.now = 30
    assert world.tickets.redeem(str(text)) is None
    assert world.tickets.issue(SHOWN) is not None


def test_one_principal_may_have_a_tenth_of_them_until_they_are_spent() -> None:
    world = World(most=20)
    held = [world.tickets.issue(SHOWN, "mallory") for _ in range(2)]
    assert world.tickets.issue(SHOWN, "mallory") is None
    assert world.tickets.issue(SHOWN, "alice") is not None
    world.tickets.redeem(str(held[0]))
    assert world.tickets.issue(SHOWN, "mallory") is not None
    world.now = 30
    assert [world.tickets.issue(SHOWN, "mallory") is None for _ in range(3)] == [0, 0, 1]
    assert world.tickets._had == {"mallory": 2}


def test_where_nobody_knows_the_principal_each_credential_has_its_share() -> None:
    world = World(most=10)
    assert world.tickets.issue(SHOWN) is not None
    assert world.tickets.issue(SHOWN) is None
    assert world.tickets.issue(bearer("other", "header")) is not None
