"""The pytest plugin in the pytest run of another project, against real backends."""

import json
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Sequence

import anyio
import pytest

from tests.support.backends import SseBackend, WsBackend
from tests.support.waiting import until

pytest_plugins = ["pytester"]

CHANNEL = "project.1"
TEST = "def test_both(parity):\n    parity.listen('project.1')\n"
NOWHERE = (
    "--ws-upstream=ws://127.0.0.1:9/{channel}",
    "--sse-upstream=http://127.0.0.1:9/{channel}",
)
Backends = tuple[WsBackend, SseBackend]


@pytest.fixture
async def backends() -> AsyncIterator[Backends]:
    async with WsBackend() as ws, SseBackend() as sse:
        yield ws, sse


def message(number: int, url: str) -> str:
    return json.dumps({"type": "file", "object": {"id": f"f{number}", "type": "image", "url": url}})


async def run(
    pytester: pytest.Pytester, backends: Backends, url: Callable[[int], str], *arguments: str
) -> pytest.RunResult:
    """Run the test while the backends say 20 messages; the candidate with another URL in some."""
    ws, sse = backends
    pytester.makepyfile(TEST)
    options = ["--ws-upstream", ws.url, "--sse-upstream", sse.url, "-p", "no:cacheprovider"]
    results: list[pytest.RunResult] = []

    def pytest_run() -> None:
        results.append(pytester.runpytest_subprocess(*options, *arguments))

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(anyio.to_thread.run_sync, pytest_run)
        await until(lambda: ws.subscribers(CHANNEL) and sse.subscribers(CHANNEL), within=60)
        for number in range(20):
            ws.publish(CHANNEL, message(number, "https://host/a"))
            sse.publish(CHANNEL, message(number, url(number)))
    return results[0]


async def test_backends_that_agree_pass(pytester: pytest.Pytester, backends: Backends) -> None:
    found = await run(
        pytester, backends, lambda _: "https://host/a", "--parity-messages=20", "-W", "error"
    )
    found.assert_outcomes(passed=1)


async def test_a_difference_fails_and_is_written_as_a_test_that_fails_too(
    pytester: pytest.Pytester, backends: Backends
) -> None:
    found = await run(
        pytester,
        backends,
        lambda number: f"https://host/{'b' if number == 10 else 'a'}",
        "--parity-messages=20",
        "--parity-write-case=test_case.py",
    )
    found.assert_outcomes(failed=1)
    found.stdout.fnmatch_lines(["*altered 'file' at $.object.url, 1 times*", "*test_case.py*"])
    again = pytester.runpytest_subprocess("test_case.py")
    again.assert_outcomes(failed=1)
    again.stdout.fnmatch_lines(["*altered 'file' at $.object.url, 1 times*"])


async def test_too_little_said_fails(pytester: pytest.Pytester, backends: Backends) -> None:
    found = await run(pytester, backends, lambda _: "https://host/a", "--parity-for=1.5")
    found.assert_outcomes(failed=1)
    found.stdout.fnmatch_lines(["*insufficient:*"])


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["--ws-upstream=ws://x/{channel}"], "*give --ws-upstream URL and --sse-upstream URL*"),
        (["--ws-upstream=ftp://x/{channel}", "--sse-upstream=http://x/{channel}"], "*ws://*"),
        (["--parity-config=none.toml"], "*none.toml*"),
        (["--parity-messages=0"], "*--parity-messages is 0; it is to be at least 1"),
        (["--parity-for=-1"], "*--parity-for is -1; it is to be above 0"),
        (["--parity-for=nan"], "*--parity-for is nan; it is to be above 0"),
        (["--parity-channel=no channel"], "*a channel name is dotted words*"),
    ],
)
def test_options_that_cannot_be_used_are_told_in_a_line_before_any_test_runs(
    pytester: pytest.Pytester, arguments: list[str], line: str
) -> None:
    pytester.makepyfile(TEST)
    found = pytester.runpytest_subprocess(*arguments)
    assert found.ret is pytest.ExitCode.USAGE_ERROR
    found.stderr.fnmatch_lines([line])
    assert "Traceback" not in found.stderr.str()


@pytest.mark.parametrize(
    ("test", "arguments", "line"),
    [
        (TEST, [], "*give --ws-upstream URL and --sse-upstream URL*"),
        (TEST, NOWHERE, "*cannot listen to both backends*"),
        (TEST.replace("project.1", "no channel"), NOWHERE, "*a channel name is dotted words*"),
    ],
)
def test_what_keeps_a_test_from_listening_fails_it_in_a_line(
    pytester: pytest.Pytester, test: str, arguments: Sequence[str], line: str
) -> None:
    pytester.makepyfile(test)
    found = pytester.runpytest_subprocess(*arguments)
    found.assert_outcomes(errors=0, failed=1)
    found.stdout.fnmatch_lines([line])
    assert "plugin.py" not in found.stdout.str()


def test_a_channel_has_to_be_named(pytester: pytest.Pytester) -> None:
    pytester.makepyfile("def test_both(parity):\n    parity.listen()\n")
    found = pytester.runpytest_subprocess()
    found.stdout.fnmatch_lines(["*name a channel*"])


def test_recorded_sights_are_checked_without_a_backend(pytester: pytest.Pytester) -> None:
    pytester.makepyfile("def test_none(parity):\n    parity.check([])\n")
    found = pytester.runpytest_subprocess()
    found.stdout.fnmatch_lines(["*insufficient:*"])


def test_loading_the_plugin_loads_nothing_else() -> None:
    program = (
        "import sys, bridge.verify.plugin\n"
        "print([name for name in sys.modules if name.split('.')[0] in"
        " {'aiohttp', 'jsonschema', 'jsonschema_rs', 'pydantic', 'hypothesis', 'websockets'}])"
    )
    command = [sys.executable, "-c", program]
    found = subprocess.run(command, capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"
