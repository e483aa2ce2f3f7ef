"""Events are immutable values with the defaults of data-only blocks."""

from dataclasses import FrozenInstanceError

import pytest

from bridge.wire.event import BINARY, END, GAP, PING, Event


def test_an_event_without_a_name_has_the_name_of_data_only_blocks() -> None:
    assert Event("x").type == "message"


def test_an_event_cannot_be_changed() -> None:
    event = Event("x")
    with pytest.raises(FrozenInstanceError):
        event.data = "y"  # type: ignore[misc]


@pytest.mark.parametrize("origin", ["", "sse", "ws", "poll", "snapshot"])
def test_what_a_backend_said_is_no_notice(origin: str) -> None:
    assert not Event("x", origin=origin).is_notice


def test_what_the_bridge_says_is_a_notice() -> None:
    assert Event("x", type=GAP, origin="bridge").is_notice


def test_the_bridge_names_its_own_events_apart_from_all_backends() -> None:
    names = [GAP, PING, END, BINARY]
    assert len(set(names)) == len(names)
    assert all(name.startswith("bridge.") for name in names)
