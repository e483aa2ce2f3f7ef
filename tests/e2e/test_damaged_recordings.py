"""Recordings that are not whole, given to `ws2sse verify`: one line each, the rest is compared."""

import gzip
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from bridge.cli import main
from bridge.parity.observation import Observation, Side
from bridge.parity.recording import Header
from bridge.verify.files import RecordingFile

Captured = pytest.CaptureFixture[str]
Damage = Callable[[bytes], bytes]
COUNT = 300


def recorded(path: Path, channel: str = "c") -> bytes:
    with RecordingFile(path, Header("", (channel,), {"legacy": "ws"})) as file:
        for number in range(COUNT):
            text = json.dumps({"type": "n", "object": {"id": f"e{number}", "n": number * 7919}})
            file.add(Observation(Side.LEGACY, channel, text, number / 50))
    return path.read_bytes()


@pytest.fixture
def whole(tmp_path: Path) -> bytes:
    return recorded(tmp_path / "a.ndjson")


def verified(tmp_path: Path, capsys: Captured) -> tuple[int, dict[str, object], list[str]]:
    """Status, evidence and notes."""
    status = main(["verify", str(tmp_path / "a.ndjson"), str(tmp_path / "b"), "--format", "json"])
    said = capsys.readouterr()
    assert said.err == ""
    report = json.loads(said.out)
    return status, report["evidence"] | {"reason": report["reason"]}, report["notes"]


def lines(*numbers: int, instead: bytes = b"") -> Damage:
    """Lines of the file, counted from 1, made something else."""

    def damage(text: bytes) -> bytes:
        kept = text.splitlines(keepends=True)
        for number in numbers:
            kept[number - 1] = instead
        return b"".join(kept)

    return damage


def in_version_2(text: bytes) -> bytes:
    """From the middle on, what another version wrote."""
    kept = text.splitlines(keepends=True)
    kept.insert(201, kept[0].replace(b'"version":1', b'"version":2'))
    return b"".join(kept)


def set_back(text: bytes) -> bytes:
    """From the middle on, by a clock that was set an hour back."""
    kept = [json.loads(line) for line in text.splitlines()]
    for line in kept[200:]:
        line["at"] -= 3600
    return b"".join(json.dumps(line).encode() + b"\n" for line in kept)


@pytest.mark.parametrize(
    ("damage", "note", "matched", "unreadable"),
    [
        (lambda text: text[:-9], "b:301: a half-written line", COUNT - 1, 1),
        (lambda text: gzip.compress(text, 0)[:-12_000], "file breaks off here", 9, 0),
        (lambda text: gzip.compress(text[:-9]), "b:301: a half-written line", COUNT - 1, 1),
        (in_version_2, "b:202: version 2 of the format; this program reads 1", 200, 100),
        (set_back, "b:201: the clock runs backwards", COUNT, 0),
        (lambda text: text + b"\xff\xfe\n" * 3, "b:302: not JSON (3 times)", COUNT, 3),
        (lambda text: text + b'{"at":"soon"}\n', "b:302: not a line of a recording", COUNT, 1),
    ],
)  # fmt: skip
def test_what_is_readable_is_compared_and_the_rest_counted(
    damage: Damage,
    note: str,
    matched: int,
    unreadable: int,
    whole: bytes,
    tmp_path: Path,
    capsys: Captured,
) -> None:
    (tmp_path / "b").write_bytes(damage(whole))
    status, evidence, notes = verified(tmp_path, capsys)
    (said,) = [each for each in notes if each.startswith("b:")]
    assert said.endswith(note)
    assert status == 0
    assert matched <= int(str(evidence["matched"])) <= COUNT
    assert evidence["unreadable"] == unreadable


def test_lines_lost_between_others_are_missing(
    whole: bytes, tmp_path: Path, capsys: Captured
) -> None:
    (tmp_path / "b").write_bytes(lines(100, 101, instead=b"{]\n")(whole))
    status, evidence, notes = verified(tmp_path, capsys)
    assert (status, evidence["failed"], notes[0]) == (1, 2, "b:100: not JSON (2 times)")


@pytest.mark.parametrize("content", [b"", gzip.compress(b"")])
@pytest.mark.usefixtures("whole")
def test_an_empty_file_is_no_evidence(content: bytes, tmp_path: Path, capsys: Captured) -> None:
    (tmp_path / "b").write_bytes(content)
    status, evidence, notes = verified(tmp_path, capsys)
    assert (status, evidence["reason"]) == (3, "the recordings have no channel in common")
    assert "b:1: the file is empty" in notes


@pytest.mark.usefixtures("whole")
def test_neither_is_another_channel(tmp_path: Path, capsys: Captured) -> None:
    recorded(tmp_path / "b", "d")
    status, evidence, notes = verified(tmp_path, capsys)
    assert (status, evidence["reason"]) == (3, "the recordings have no channel in common")
    assert notes == [
        "a.ndjson:1: holds c, which b does not; left out",
        "b:1: holds d, which a.ndjson does not; left out",
    ]


@pytest.mark.parametrize("content", [b"hello\n", b"\x89PNG\r\n", gzip.compress(b"hello"), b"[]\n"])
def test_what_is_no_recording_is_a_mistake_in_the_call(
    content: bytes, whole: bytes, tmp_path: Path, capsys: Captured
) -> None:
    path = tmp_path / "b"
    path.write_bytes(content)
    for order in ([path, tmp_path / "a.ndjson"], [tmp_path / "a.ndjson", path], [path]):
        assert main(["verify", *map(str, order)]) == 2
        (line,) = capsys.readouterr().err.splitlines()
        assert line.startswith("ws2sse: b:1: not a recording")
    assert (tmp_path / "a.ndjson").read_bytes() == whole
