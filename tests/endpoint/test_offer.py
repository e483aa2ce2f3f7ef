"""Whether a server offers its connections."""

from bridge.endpoint.offer import EXTENSION, offered


def test_servers_that_offer_nothing_are_understood() -> None:
    assert offered({"type": "http"}) is None
    assert offered({"type": "http", "extensions": None}) is None
    assert str(offered({"type": "http", "extensions": {EXTENSION: "an offer"}})) == "an offer"
