"""Which limits are possible."""

from typing import Any

import pytest

from bridge.endpoint.limits import LimitOptions


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"connections": -1}, "connections"),
        ({"arrivals": float("inf")}, "arrivals"),
        ({"frames": float("nan")}, "frames"),
        ({"head_bytes": 0}, "head_bytes"),
        ({"head_timeout": 0}, "head_timeout"),
        ({"body_timeout": 0}, "body_timeout"),
        ({"trusted_proxies": ("10.0.0.1/8",)}, "trusted_proxies"),
        ({"trusted_proxies": ("proxy",)}, "trusted_proxies"),
        ({"proxy_protocol": True}, "trusted_proxies is empty"),
    ],
)
def test_what_cannot_be_is_refused_by_name(settings: dict[str, Any], named: str) -> None:
    with pytest.raises(ValueError, match=named):
        LimitOptions(**settings)


def test_a_rate_and_a_count_may_be_no_limit() -> None:
    assert LimitOptions(connections=0, arrivals=0, channels=0, log_bytes=0).connections == 0
