"""Which settings of the endpoint that is asked can be."""

from typing import Any

import pytest

from bridge.endpoint.forward_options import ForwardOptions


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"url": "ftp://a/"}, "full URL"),
        ({"url": "http://{channel}/"}, "field in its host"),
        ({"timeout": 0}, "timeout"),
        ({"max_answers": 0}, "max_answers"),
        ({"fresh": 301}, "fresh"),
        ({"headers": {"Cookie": "a=b"}}, "client's own"),
        ({"headers": {"authorization": "x"}}, "client's own"),
    ],
)
def test_what_cannot_be_is_refused(changes: dict[str, Any], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        ForwardOptions(**({"url": "http://127.0.0.1/auth"} | changes))
