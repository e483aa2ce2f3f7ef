"""The command line of the fuzzer, without a fuzzer."""

import re
from pathlib import Path

import pytest

from tests.fuzz.__main__ import main

LOCK = Path(__file__).parents[2] / "requirements-fuzz.lock"


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--only", "cursor,nothing"], "no such target: nothing; there are event_stream, "),
        (["--replay", "x"], "--replay needs one target; name it by --only"),
        (["--only", "cursor", "--replay", "no-such"], "no-such: there is no such file"),
        (["--seconds", "0"], "--seconds must be 1 or more"),
    ],
)
def test_a_mistake_is_told_in_one_line(
    arguments: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 2
    assert capsys.readouterr().err.startswith(told)


def test_what_was_found_can_be_fed_again(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "input"
    path.write_bytes(b"e1-17")
    assert main(["--only", "cursor", "--replay", str(path)]) == 0
    assert "cursor holds" in capsys.readouterr().out


def test_the_fuzzer_is_pinned_by_content_alone() -> None:
    lock = LOCK.read_text()
    assert set(re.findall(r"^[a-z-]+(?===)", lock, re.MULTILINE)) == {"atheris"}
    assert "--hash=sha256:" in lock
    assert "://" not in lock
