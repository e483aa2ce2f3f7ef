"""Which settings for tokens go together."""

from typing import Any

import pytest

from tests.support.issuers import options


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"algorithms": ()}, "names none"),
        ({"algorithms": ("none",)}, "names none"),
        ({"algorithms": ("HS256", "RS256")}, "do not go with the keys"),
        ({"algorithms": ("RS256",)}, "do not go with the keys"),
        ({"key_files": ("a.pem",)}, "do not go with the keys"),
        ({"secret": "", "algorithms": ("RS256",)}, "exactly one"),
        ({"secret": "x" * 64, "jwks_url": "https://a.example/"}, "exactly one"),
        ({"secret": "short"}, "fewer than 32"),
        ({"secret": "x" * 40, "algorithms": ("HS512",)}, "fewer than 64"),
        ({"jwks_url": "a.example", "algorithms": ("RS256",)}, "full URL"),
        ({"channels": (), "channels_claim": ""}, "no token could read"),
        ({"channels": ("user/{sub}",)}, "channels holds"),
        ({"leeway": -1}, "leeway"),
        ({"jwks_interval": 0}, "jwks_interval"),
    ],
)
def test_what_cannot_be_is_refused(changes: dict[str, Any], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        options(**changes)


def test_a_secret_is_not_shown() -> None:
    assert "more than 64 bytes" not in repr(options())
