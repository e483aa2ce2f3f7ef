"""Whether a server offers its connections."""

from typing import Any

from starlette.types import Message

from bridge.endpoint.offer import EXTENSION, changed, offered


def test_servers_that_offer_nothing_are_understood() -> None:
    assert offered({"type": "http"}) is None
    assert offered({"type": "http", "extensions": None}) is None
    assert str(offered({"type": "http", "extensions": {EXTENSION: "an offer"}})) == "an offer"


def test_what_wraps_an_answer_sees_how_it_begins_when_its_connection_is_taken() -> None:
    begun: list[Message] = []

    def take(make: Any, *begin: Message) -> Any:
        begun.extend(begin)
        return make

    scope: Any = {"type": "http", "extensions": {EXTENSION: take, "other": {}}}
    changed(scope, lambda message: {**message, "seen": True})
    offer = offered(scope)
    assert offer
    assert offer("made", {"type": "http.response.start"}) == "made"  # type: ignore[arg-type]
    assert begun == [{"type": "http.response.start", "seen": True}]
    assert "other" in scope["extensions"]


def test_nothing_is_wrapped_where_nothing_is_offered() -> None:
    scope: Any = {"type": "http"}
    changed(scope, lambda message: message)
    assert offered(scope) is None
