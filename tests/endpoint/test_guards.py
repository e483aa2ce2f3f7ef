"""Guards out of a configuration."""

import time
from pathlib import Path

import aiohttp
import pytest

from bridge.endpoint.auth_options import AuthOptions
from bridge.endpoint.guards import Guards
from bridge.endpoint.origin import BrowserOptions
from bridge.errors import ConfigError
from bridge.ops.metrics import Metrics
from tests.endpoint.parts import EVENTS, ask
from tests.endpoint.test_auth import guarding
from tests.support.issuers import bearer, by_token, options, public_pem, token


def guards(*auths: AuthOptions) -> Guards:
    def session() -> aiohttp.ClientSession:
        raise AssertionError

    made = BrowserOptions()
    return Guards(auths, made, Metrics(), clock=time.monotonic, wall=time.time, session=session)


def test_each_table_makes_a_guard_under_its_name() -> None:
    made = guards(AuthOptions(), by_token(name="staff"))
    assert made.by_name[""].is_open
    assert not made.by_name["staff"].is_open


def test_names_stand_for_principals_and_are_others_in_each_process() -> None:
    made = guards(AuthOptions())
    assert made.named("a") == made.named("a") != made.named("b")
    assert made.named("") == ""
    assert made.named("a") != guards(AuthOptions()).named("a")


@pytest.mark.parametrize("algorithm", ["RS256", "ES256", "EdDSA"])
async def test_a_key_is_read_from_its_file(algorithm: str, tmp_path: Path) -> None:
    file = tmp_path / "key.pem"
    file.write_bytes(public_pem(algorithm))
    auth = by_token(options(algorithms=(algorithm,), key_files=(str(file),)))
    async with guarding(auth) as (running, _):
        headers = bearer(token(algorithm))
        assert (await ask(running.authority, "HEAD", EVENTS, headers=headers)).status == 200


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (None, "cannot be read"),
        (b"nonsense", "no public key"),
        (public_pem("ES256"), "verifies none of algorithms"),
    ],
)
def test_a_file_that_holds_no_fitting_key_is_told_in_one_line(
    content: bytes | None, why: str, tmp_path: Path
) -> None:
    file = tmp_path / "key.pem"
    if content is not None:
        file.write_bytes(content)
    asked = options(algorithms=("RS256",), key_files=(str(file),))
    with pytest.raises(ConfigError, match=why) as caught:
        guards(by_token(asked))
    assert "\n" not in str(caught.value)
