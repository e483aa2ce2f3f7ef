"""Schemathesis over all that the bridge serves by HTTP, from the document that it serves itself.

It waits for the end of each answer, and a stream has none. So streams are asked for by HEAD, and
by GET of a bridge that drains, whose streams are one event long.
"""

import subprocess
import sys
from pathlib import Path

import anyio.to_thread
import pytest

from tests.support.backends import SseBackend
from tests.support.bridges import bridging, upstream_of
from tests.support.issuers import by_token, token

PROGRAM = Path(sys.executable).with_name("schemathesis")
ENDLESS = "/x-stream == true"
SETTINGS = (
    "--phases=examples,coverage,fuzzing",
    "--max-examples=15",
    "--checks=all",
    "--generation-deterministic",
    "--continue-on-failure",
    "--request-timeout=10",
    "--no-color",
)


async def _tested(folder: Path, authority: str, *options: str) -> str:
    """What it says; fails the test where a check did. It keeps its notes in the folder."""
    command = [str(PROGRAM), "run", f"http://{authority}/openapi.json", *SETTINGS, *options]
    ran = await anyio.to_thread.run_sync(
        lambda: subprocess.run(
            command, cwd=folder, capture_output=True, text=True, check=False, timeout=100
        )
    )
    assert ran.returncode == 0, ran.stdout[-6000:] + ran.stderr
    return ran.stdout


async def test_every_operation_but_the_streams_answers_as_it_is_documented(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with (
        SseBackend() as backend,
        bridging(upstream_of(backend), channels=("*",)) as bridge,
    ):
        said = await _tested(tmp_path, bridge.authority, "--exclude-by", ENDLESS)
    assert "Tested: 12" in said
    assert not [record for record in caplog.records if record.exc_info]


async def test_streams_answer_as_documented_while_they_end(tmp_path: Path) -> None:
    accept = ("--header", "Accept: text/event-stream")
    async with SseBackend() as backend, bridging(upstream_of(backend)) as bridge:
        bridge.parts.hub.drain()
        said = await _tested(tmp_path, bridge.authority, "--include-by", ENDLESS, *accept)
    assert "Tested: 4" in said


async def test_a_guarded_bridge_answers_as_documented_to_those_it_knows_and_to_others(
    tmp_path: Path,
) -> None:
    # with a token it gets itself tickets too, and those are no ignored authentication
    bearer = f"Authorization: Bearer {token(channels=['*'])}"
    known = ("--header", bearer, "--exclude-checks", "ignored_auth")
    async with (
        SseBackend() as backend,
        bridging(upstream_of(backend), channels=("*",), auth=by_token()) as bridge,
    ):
        for more in (known, ()):
            said = await _tested(tmp_path, bridge.authority, "--exclude-by", ENDLESS, *more)
            assert "Tested: 13" in said
