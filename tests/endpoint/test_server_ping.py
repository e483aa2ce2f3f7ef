"""Pings until they are stopped."""

from bridge.endpoint.server_ping import ServerPing
from tests.endpoint.hall import Hall


def test_a_client_is_pinged_again_and_again_until_it_is_stopped() -> None:
    hall, said = Hall(), list[float]()
    pings = ServerPing(hall.wheel, 10, lambda: said.append(hall.now))
    hall.pass_time(25)
    assert len(said) == 2
    pings.stop()
    hall.pass_time(100)
    assert len(said) == 2
