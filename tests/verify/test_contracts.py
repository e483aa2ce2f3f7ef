"""Contracts on disk, and what is told of files that hold none."""

from pathlib import Path

import pytest

from bridge.errors import ConfigError
from bridge.parity.asyncapi import document
from bridge.parity.contract import Contract, legacy
from bridge.verify.contracts import LEGACY, read_contract, write_contract, write_document

AWKWARD = Contract({"a/b": {"type": "null"}, "..": {}, "file": {"type": "object"}})


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "contract"
    paths = write_contract(AWKWARD, folder)
    assert {path.parent for path in paths} == {folder}
    assert read_contract(folder).schemas == AWKWARD.schemas


def test_a_document_and_a_single_schema_are_read(tmp_path: Path) -> None:
    write_document(document(legacy()), tmp_path / "api.json")
    assert read_contract(tmp_path / "api.json") == legacy()
    (tmp_path / "task.json").write_text("{}")
    assert read_contract(str(tmp_path / "task.json")).schemas == {"task": {}}


def test_the_contract_that_ships_has_a_name() -> None:
    assert read_contract(LEGACY) is legacy()


@pytest.mark.parametrize(
    ("name", "text", "what"),
    [
        ("none", None, "cannot be read: no such file"),
        ("a.json", "{\n]", r"a.json:2: is no JSON"),
        ("a.json", "[]", "is no JSON object"),
        ("a.json", '{"type": 5}', "contract: a: no JSON Schema"),
        ("", None, "holds no schema"),
    ],
)
def test_what_cannot_be_used_is_told(
    name: str, text: str | None, what: str, tmp_path: Path
) -> None:
    if text is not None:
        (tmp_path / name).write_text(text)
    with pytest.raises(ConfigError, match=what):
        read_contract(tmp_path / name)


def test_a_document_among_schemas_is_refused(tmp_path: Path) -> None:
    write_document(document(AWKWARD), tmp_path / "api.json")
    with pytest.raises(ConfigError, match="is an AsyncAPI document among schemas"):
        read_contract(tmp_path)


def test_what_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match="cannot be written"):
        write_contract(AWKWARD, tmp_path / "file")
    with pytest.raises(ConfigError, match="cannot be written"):
        write_document({}, tmp_path / "file" / "x")
