"""Which settings of authentication go together."""

from typing import Any

import pytest

from bridge.endpoint.auth_options import AuthOptions, PassthroughOptions, TicketOptions
from bridge.endpoint.forward_options import ForwardOptions
from tests.support.issuers import options


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"mode": "magic"}, "mode is 'magic'"),
        ({"mode": "jwt"}, "no table jwt"),
        ({"mode": "forward"}, "no table forward"),
        ({"jwt": options()}, "there is a table jwt"),
        (
            {"mode": "jwt", "jwt": options(), "forward": ForwardOptions("http://a/")},
            "table forward",
        ),
        ({"ways": ()}, "ways holds"),
        ({"ways": ("post",)}, "ways holds"),
        ({"mode": "passthrough", "ways": ("ticket",)}, "tickets alone"),
        ({"cookie": "a b"}, "are names"),
        ({"query": ""}, "are names"),
        ({"frame_timeout": 0}, "frame_timeout"),
        ({"name": "a/b"}, "plain word"),
        ({"name": "default"}, "choose another"),
    ],
)
def test_what_cannot_be_is_refused(changes: dict[str, Any], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        AuthOptions(**changes)


@pytest.mark.parametrize("changes", [{"lifetime": 0}, {"lifetime": 301}, {"most": 0}])
def test_tickets_live_shortly(changes: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="must be"):
        TicketOptions(**changes)


@pytest.mark.parametrize("changes", [{"header": "a b"}, {"query": "a&b"}])
def test_a_credential_goes_where_one_can(changes: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="is not"):
        PassthroughOptions(**changes)
