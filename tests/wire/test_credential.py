"""Where a client's own credential goes."""

from urllib.parse import parse_qsl, urlsplit

import pytest

from bridge.wire.credential import OwnCredential
from bridge.wire.names import ChannelName, expand

TARGET = "https://backend.example/{channel}"


def test_it_takes_the_place_of_the_configured_one_however_that_is_spelt() -> None:
    configured = {"authorization": "Bearer bridge", "X-Kept": "yes"}
    sent = OwnCredential("Bearer own").headers(configured)
    assert sent == {"X-Kept": "yes", "Authorization": "Bearer own"}


@pytest.mark.parametrize("template", [TARGET, f"{TARGET}?a=b", f"{TARGET}?a=b#part"])
def test_it_may_stand_in_the_query_without_its_scheme(template: str) -> None:
    own = OwnCredential("Bearer a&b={channel}", query="key")
    filled = urlsplit(expand(own.url(template), ChannelName("project.1")))
    assert dict(parse_qsl(filled.query))["key"] == "a&b={channel}"
    assert own.headers({"Authorization": "Bearer bridge", "X": "y"}) == {"X": "y"}


def test_a_url_stays_where_a_header_takes_it() -> None:
    assert OwnCredential("Bearer own").url(TARGET) == TARGET
    assert OwnCredential("Bearer own", query="key").url("") == ""


def test_it_is_not_shown() -> None:
    assert "secret" not in repr(OwnCredential("Bearer secret"))
