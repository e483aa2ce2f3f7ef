"""Which settings for tokens go together."""

from pathlib import Path
from typing import Any

import pytest

from bridge.upstream.tls import TlsOptions
from tests.support.certificates import Authority
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
        ({"jwks_url": "https://a:99999/x", "algorithms": ("RS256",)}, "unusable host or port"),
        ({"jwks_url": "https://a/ x", "algorithms": ("RS256",)}, "holds a space"),
        ({"channels": (), "channels_claim": ""}, "no token could read"),
        ({"channels": ("user/{sub}",)}, "channels holds"),
        ({"channels": ("user.{su b}",)}, "channels holds"),
        ({"sends": ("user.{sub",)}, "sends holds"),
        ({"leeway": -1}, "leeway"),
        ({"jwks_interval": 0}, "jwks_interval"),
    ],
)
def test_what_cannot_be_is_refused(changes: dict[str, Any], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        options(**changes)


def test_a_secret_is_not_shown() -> None:
    assert "more than 64 bytes" not in repr(options())


def test_tls_is_for_keys_that_are_fetched(tmp_path: Path) -> None:
    tls = TlsOptions(str(Authority(tmp_path, "authority").certificate))
    with pytest.raises(ValueError, match="tls is for jwks_url"):
        options(tls=tls)
