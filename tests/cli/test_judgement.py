"""Options, forms and exit statuses of the `verify` commands."""

import json
from pathlib import Path

import pytest

from bridge.cli.judgement import Destination, chosen, noise_of, rendered
from bridge.errors import ConfigError
from bridge.parity.comparison import Comparison
from bridge.parity.options import CompareOptions
from tests.parity.samples import EMPTY, PASSED, REPORT

Captured = pytest.CaptureFixture[str]


@pytest.mark.parametrize(("report", "status"), [(PASSED, 0), (REPORT, 1), (EMPTY, 3)])
def test_each_outcome_has_its_status(report: object, status: int, capsys: Captured) -> None:
    assert Destination("text", (), None).conclude(report, Comparison()) == status  # type: ignore[arg-type]
    assert capsys.readouterr().out.partition(" ")[0] in {"PASS", "FAIL", "INSUFFICIENT"}


def test_a_files_name_decides_its_form(tmp_path: Path, capsys: Captured) -> None:
    begins = {"a.txt": "FAIL", "a.json": "{", "a.xml": "<?xml", "a.HTML": "<!doctype", "a.out": "{"}
    paths = tuple(tmp_path / name for name in begins)
    Destination("json", paths, tmp_path / "noise").conclude(REPORT, Comparison())
    assert {path.name: path.read_text()[: len(begins[path.name])] for path in paths} == begins
    assert json.loads(capsys.readouterr().out)["outcome"] == "fail"
    assert noise_of(tmp_path / "noise") is not None


def test_a_file_that_cannot_be_written_is_told_before_the_work(tmp_path: Path) -> None:
    for path, why in ((tmp_path, "is a directory"), (tmp_path / "no" / "a", "does not exist")):
        with pytest.raises(ConfigError, match=why):
            Destination("text", (path,), None).check()


def test_what_is_given_stands_over_what_is_configured() -> None:
    base = CompareOptions(window=5, min_messages=7)
    options = chosen(base, window=60.0, ignore=["$.a"], confidence=None)
    assert (options.window, options.recall, options.ignore) == (60.0, 60.0, ("$.a",))
    assert options.min_messages == 7


@pytest.mark.parametrize(
    "wrong", [{"window": -1.0}, {"ignore": ["object"]}, {"normalise": ["$.a=loud"]}]
)
def test_an_option_that_cannot_be_used_is_one_line(wrong: dict[str, object]) -> None:
    with pytest.raises(ConfigError) as found:
        chosen(CompareOptions(), **wrong)
    assert "\n" not in str(found.value)


def test_other_files_are_no_noise(tmp_path: Path) -> None:
    assert noise_of(None) is None
    assert noise_of(tmp_path / "none") is None
    (tmp_path / "noise").write_text("[]")
    with pytest.raises(ConfigError, match="is not what --noise keeps"):
        noise_of(tmp_path / "noise")


def test_every_form_is_rendered() -> None:
    assert all(rendered(REPORT, form) for form in ("text", "json", "junit", "html"))
