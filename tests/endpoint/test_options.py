"""How clients are treated: which settings are possible."""

from typing import Any

import pytest

from bridge.endpoint.options import ClientOptions


@pytest.mark.parametrize(
    "options",
    [
        {"heartbeat": 0},
        {"send_timeout": -1},
        {"batch": 0},
        {"max_frame_bytes": 0},
        {"uplink_queue": 0},
        {"max_subscriptions": 0},
        {"ping": -1},
        {"ping": float("inf")},
        {"retry": -1},
        {"heartbeat": float("nan")},
    ],
)
def test_an_option_that_cannot_be_used_is_refused(options: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=next(iter(options))):
        ClientOptions(**options)


def test_nothing_said_and_no_pings_are_possible() -> None:
    assert ClientOptions(ping=0, retry=0).fast_path
