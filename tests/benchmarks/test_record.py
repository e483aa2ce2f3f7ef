"""A run takes the place of the last one, and of nothing else."""

from pathlib import Path

import pytest

from benchmarks.record import DOCUMENT, recorded, write

BEFORE = "a\n<!-- measured: run -->\nold\n<!-- /measured -->\nb\n<!-- measured: other -->\n"


def test_a_text_replaces_what_stood_between_its_comments() -> None:
    assert recorded(BEFORE, "run", r"new \1") == (
        "a\n<!-- measured: run -->\n\nnew \\1\n\n<!-- /measured -->\nb\n<!-- measured: other -->\n"
    )


def test_what_has_no_place_is_refused() -> None:
    with pytest.raises(ValueError, match="there are 0 places for 'sse'"):
        recorded(BEFORE, "sse", "new")


def test_the_document_on_disk_is_changed(tmp_path: Path) -> None:
    document = tmp_path / "performance.md"
    document.write_text(BEFORE)
    write("run", "new", document)
    assert "new" in document.read_text()
    assert "old" not in document.read_text()


def test_the_projects_document_has_a_place_for_each_recording() -> None:
    text = DOCUMENT.read_text()
    for name in ("bars", "run", "sse", "ws"):
        recorded(text, name, "")
