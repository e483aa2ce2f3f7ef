"""Recordings compared: one or two files, whatever state they are in."""

import gzip
import json
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import pytest

from bridge.errors import NotARecording
from bridge.parity.comparison import Comparison
from bridge.parity.observation import Observation, Side
from bridge.parity.options import CompareOptions
from bridge.parity.recording import Header
from bridge.parity.report import Outcome, Report
from bridge.verify.files import RecordingFile
from bridge.verify.matching import compare, parts

COUNT = 300


def said(side: Side, number: int, at: float, channel: str = "c") -> Observation:
    text = json.dumps({"type": "n", "object": {"id": f"e{number}", "v": number}})
    return Observation(side, channel, text, at, "ws" if side is not Side.CANDIDATE else "sse")


def recording(
    path: Path,
    seen: Iterable[Observation],
    created: str = "",
    channels: tuple[str, ...] = ("c",),
) -> Path:
    seen = list(seen)
    sides = {each.side.value: each.wire for each in seen}
    with RecordingFile(path, Header(created, channels, sides)) as file:
        for each in seen:
            file.add(each)
    return path


def one_side(path: Path, side: Side, start: float = 0.0, but: int = -1, created: str = "") -> Path:
    numbers = (number for number in range(COUNT) if number != but)
    return recording(path, (said(side, n, start + n / 50) for n in numbers), created)


def compared(*paths: Path, clocks: str = "two") -> Report:
    options = CompareOptions(clocks=clocks)  # type: ignore[arg-type]
    return compare(parts(paths), Comparison(options))


def kinds(report: Report) -> set[str]:
    return {each.kind.value for each in report.findings if each.excused is None}


@pytest.mark.parametrize("start", [0.0, 4.0, 5_000.0])
def test_two_files_are_laid_side_by_side_whenever_they_began(start: float, tmp_path: Path) -> None:
    old = one_side(tmp_path / "a.ndjson", Side.LEGACY)
    new = one_side(tmp_path / "b.ndjson.gz", Side.CANDIDATE, start)
    for report in (compared(old, new), compared(new, old)):
        assert report.verdict.outcome is Outcome.PASS
        assert report.verdict.evidence.matched == COUNT
    assert compared(old, new).names == ("a.ndjson", "b.ndjson.gz")


def test_a_difference_is_found(tmp_path: Path) -> None:
    old = one_side(tmp_path / "a.ndjson", Side.LEGACY)
    new = one_side(tmp_path / "b.ndjson", Side.CANDIDATE, 3.0, but=100)
    report = compared(old, new)
    assert (report.verdict.outcome, kinds(report)) == (Outcome.FAIL, {"missing"})


def test_one_file_holds_both_sides(tmp_path: Path) -> None:
    seen = [said(side, n, n / 50) for n in range(COUNT) for side in (Side.LEGACY, Side.CANDIDATE)]
    report = compared(recording(tmp_path / "a.ndjson", seen), clocks="one")
    assert (report.verdict.outcome, report.names) == (Outcome.PASS, ("legacy", "candidate"))


def test_of_two_files_with_both_sides_each_gives_its_own(tmp_path: Path) -> None:
    both = [said(side, n, n / 50) for n in range(COUNT) for side in Side]
    wrong = [replace(each, data="x") for each in both if each.side is not Side.CANDIDATE]
    right = [each for each in both if each.side is Side.CANDIDATE]
    old = recording(tmp_path / "a.ndjson", both)
    new = recording(tmp_path / "b.ndjson", [*wrong, *right])
    report = compared(old, new)
    assert report.verdict.outcome is Outcome.PASS
    assert report.verdict.evidence.candidate == COUNT


def test_files_that_say_nothing_in_common_are_laid_by_their_headers(tmp_path: Path) -> None:
    old = one_side(tmp_path / "a.ndjson", Side.LEGACY, created="2026-11-25T10:00:00Z")
    late = (said(Side.CANDIDATE, n + COUNT, n / 50) for n in range(COUNT))
    new = recording(tmp_path / "b.ndjson", late, created="2026-11-25T11:00:00Z")
    report = compared(old, new)
    assert report.duration > 3600
    assert report.verdict.outcome is Outcome.INSUFFICIENT


def test_what_a_damaged_file_still_holds_is_compared_and_the_rest_counted(tmp_path: Path) -> None:
    old = one_side(tmp_path / "a.ndjson", Side.LEGACY)
    new = one_side(tmp_path / "b.ndjson", Side.CANDIDATE)
    new.write_bytes(new.read_bytes()[:-7])
    report = compared(old, new)
    assert report.verdict.evidence.unreadable == 1
    assert report.notes[0] == f"b.ndjson:{COUNT + 1}: a half-written line"


def test_a_truncated_archive_is_compared_up_to_its_break(tmp_path: Path) -> None:
    old = one_side(tmp_path / "a.ndjson", Side.LEGACY)
    new = tmp_path / "b.ndjson.gz"
    packed = gzip.compress(one_side(tmp_path / "b", Side.CANDIDATE).read_bytes(), 0)
    new.write_bytes(packed[:-2_000])
    report = compared(old, new)
    assert report.verdict.evidence.matched > COUNT // 2
    assert "breaks off here" in report.notes[0]


def test_a_recording_of_another_channel_is_told_and_proves_nothing(tmp_path: Path) -> None:
    old = one_side(tmp_path / "a.ndjson", Side.LEGACY)
    other = (said(Side.CANDIDATE, n, n / 50, "d") for n in range(COUNT))
    new = recording(tmp_path / "b.ndjson", other, channels=("d",))
    report = compared(old, new)
    assert report.verdict.outcome is Outcome.INSUFFICIENT
    assert report.verdict.reason == "the recordings have no channel in common"
    assert report.notes[:2] == (
        "a.ndjson:1: holds c, which b.ndjson does not; left out",
        "b.ndjson:1: holds d, which a.ndjson does not; left out",
    )


def test_an_empty_file_proves_nothing(tmp_path: Path) -> None:
    old = one_side(tmp_path / "a.ndjson", Side.LEGACY)
    (tmp_path / "b.ndjson").touch()
    report = compared(old, tmp_path / "b.ndjson")
    assert report.verdict.outcome is Outcome.INSUFFICIENT
    assert "b.ndjson:1: the file is empty" in report.notes


def test_files_of_one_name_are_told_apart(tmp_path: Path) -> None:
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
    old = one_side(tmp_path / "a" / "x.ndjson", Side.LEGACY)
    new = one_side(tmp_path / "b" / "x.ndjson", Side.CANDIDATE)
    assert compared(old, new).names == (str(old), str(new))


def test_it_ends_early_where_it_is_told_to(tmp_path: Path) -> None:
    seen = [said(side, n, n / 500) for n in range(2_000) for side in (Side.LEGACY, Side.CANDIDATE)]
    given = parts([recording(tmp_path / "a.ndjson", seen)])
    report = compare(given, Comparison(), lambda count: count >= 1_000)
    assert report.verdict.evidence.legacy == 500


def test_what_is_no_recording_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "b.txt").write_text("hello\n")
    old = one_side(tmp_path / "a.ndjson", Side.LEGACY)
    with pytest.raises(NotARecording, match=r"b\.txt:1: not a recording"):
        compared(old, tmp_path / "b.txt")
