"""Recordings on disk: what is left of them after a kill, and what is read of damaged ones."""

import gzip
import os
import random
import resource
import string
from pathlib import Path

import pytest

from bridge.errors import ConfigError, NotARecording
from bridge.parity.observation import Observation, Side, Sight
from bridge.parity.recording import Header, Transcript
from bridge.verify import files
from bridge.verify.files import RecordingFile, header_of, sights

HEADER = Header("2026-11-25T10:00:00.000Z", ("c",), {"legacy": "ws"})
NAMES = ["a.ndjson", "a.ndjson.gz"]


def seen(number: int) -> Observation:
    noise = "".join(random.Random(number).choices(string.ascii_letters, k=200))
    return Observation(Side.LEGACY, "c", noise, float(number))


def written(path: Path, count: int) -> list[Observation]:
    with RecordingFile(path, HEADER) as file:
        for number in range(count):
            file.add(seen(number))
    return [seen(number) for number in range(count)]


def read(path: Path) -> tuple[list[Sight], Transcript]:
    transcript = Transcript(path.name)
    return list(sights(path, transcript)), transcript


@pytest.mark.parametrize("name", NAMES)
def test_a_recording_is_read_as_it_was_written(name: str, tmp_path: Path) -> None:
    all_of_it = written(tmp_path / name, 100)
    found, transcript = read(tmp_path / name)
    assert found == all_of_it
    assert transcript.header == header_of(tmp_path / name) == HEADER
    assert transcript.notes() == ()


@pytest.mark.parametrize(("name", "is_packed"), [("a.ndjson", False), ("a.gz", True)])
def test_the_name_decides_about_compression(name: str, is_packed: bool, tmp_path: Path) -> None:
    written(tmp_path / name, 1)
    assert (tmp_path / name).read_bytes().startswith(b"\x1f\x8b") == is_packed


@pytest.mark.parametrize("name", NAMES)
def test_what_was_flushed_is_read_though_nothing_was_finished(name: str, tmp_path: Path) -> None:
    file = RecordingFile(tmp_path / name, HEADER)
    file.add(seen(1))
    file.flush()
    assert not (tmp_path / name).exists()
    assert read(tmp_path / f"{name}.part")[0] == [seen(1)]
    file.close()


def test_an_earlier_recording_stays_until_the_new_one_is_finished(tmp_path: Path) -> None:
    path = tmp_path / "a.ndjson"
    written(path, 3)
    with RecordingFile(path, HEADER, replace=True):
        assert len(read(path)[0]) == 3
    assert read(path)[0] == []
    assert [each.name for each in tmp_path.iterdir()] == ["a.ndjson"]


def test_what_is_there_already_is_not_replaced_unasked(tmp_path: Path) -> None:
    path, link = tmp_path / "a.ndjson", tmp_path / "link"
    written(path, 3)
    link.symlink_to(path)
    for name in (path, link):
        with pytest.raises(ConfigError, match=f"{name.name}: exists .*--force"):
            RecordingFile(name, HEADER)
    with RecordingFile(link, HEADER, replace=True) as file:
        file.add(seen(7))
    assert link.is_symlink()
    assert read(path)[0] == [seen(7)]


@pytest.mark.parametrize("replace", [False, True])
def test_what_is_no_ordinary_file_stays_what_it_is(replace: bool, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(ConfigError, match="pipe: is not an ordinary file"):
        RecordingFile(tmp_path / "pipe", HEADER, replace=replace)
    assert [each.name for each in tmp_path.iterdir()] == ["pipe"]


def test_two_recordings_never_share_a_file(tmp_path: Path) -> None:
    path = tmp_path / "a.ndjson"
    with RecordingFile(path, HEADER) as first:
        first.add(seen(1))
        with pytest.raises(ConfigError, match=r"a.ndjson.part: exists, .*rename or remove it"):
            RecordingFile(path, HEADER)
    assert read(path)[0] == [seen(1)]


@pytest.mark.parametrize("name", NAMES)
def test_a_full_disk_is_one_line_and_what_came_before_is_kept(name: str, tmp_path: Path) -> None:
    file = RecordingFile(tmp_path / name, HEADER)
    file.add(seen(0))
    file.flush()
    earlier = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, earlier[1]))

    def fill() -> None:
        for number in range(1, 100):
            file.add(seen(number))
            file.flush()

    try:
        with pytest.raises(ConfigError, match=f"{name}: cannot be written: .*{name}.part"):
            fill()
        file.close()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, earlier)
    assert not (tmp_path / name).exists()
    assert read(tmp_path / f"{name}.part")[0][0] == seen(0)


def test_closing_twice_is_closing_once(tmp_path: Path) -> None:
    file = RecordingFile(tmp_path / "a.ndjson", HEADER)
    file.close()
    file.close()
    assert (tmp_path / "a.ndjson").exists()


def test_a_truncated_archive_is_read_up_to_the_break(tmp_path: Path) -> None:
    path = tmp_path / "a.ndjson.gz"
    all_of_it = written(path, 1000)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    found, transcript = read(path)
    assert 100 < len(found) < 1000
    assert found == all_of_it[: len(found)]
    (note,) = transcript.notes()
    assert note == f"a.ndjson.gz:{len(found) + 2}: the compressed file breaks off here"


def test_a_damaged_archive_is_read_up_to_the_damage(tmp_path: Path) -> None:
    path = tmp_path / "a.ndjson.gz"
    all_of_it = written(path, 1000)
    content = bytearray(path.read_bytes())
    middle = len(content) // 2
    content[middle : middle + 64] = bytes(64)
    path.write_bytes(content)
    found, transcript = read(path)
    assert found[:100] == all_of_it[:100]
    assert any("damaged" in note or "not JSON" in note for note in transcript.notes())


def test_compression_is_known_by_the_content(tmp_path: Path) -> None:
    all_of_it = written(tmp_path / "a.ndjson", 3)
    packed = gzip.compress((tmp_path / "a.ndjson").read_bytes())
    (tmp_path / "b.ndjson").write_bytes(packed)
    assert read(tmp_path / "b.ndjson")[0] == all_of_it


@pytest.mark.parametrize("content", [b"", gzip.compress(b"")])
def test_an_empty_file_is_told(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "a.ndjson").write_bytes(content)
    found, transcript = read(tmp_path / "a.ndjson")
    assert found == []
    assert transcript.notes() == ("a.ndjson:1: the file is empty",)
    assert header_of(tmp_path / "a.ndjson") == Header()


def test_an_endless_line_is_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.ndjson"
    written(path, 2)
    monkeypatch.setattr(files, "LONGEST_LINE", 1000)
    first, *rest = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(first + b"x" * 4500 + b"\n" + b"".join(rest))
    found, transcript = read(path)
    assert found == [seen(0), seen(1)]
    assert transcript.unreadable == 1


def test_what_cannot_be_opened_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(NotARecording, match="none: cannot be read: no such file"):
        read(tmp_path / "none")
    with pytest.raises(NotARecording, match="cannot be read: is a directory"):
        read(tmp_path)


def test_what_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be written: no such file"):
        RecordingFile(tmp_path / "none" / "a", HEADER)
    with pytest.raises(ConfigError, match="cannot be written: is a directory"):
        RecordingFile(tmp_path, HEADER)
