"""The documents say what the code does: printed tables, settings, metrics, commands and links."""

import difflib
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer
from typer.core import TyperGroup
from typer.main import get_command

from bridge import config
from bridge.cli import app
from bridge.config import Config
from bridge.endpoint.session import diagram
from bridge.ops.metrics import TABLE as METRICS
from bridge.settings import schema
from bridge.settings.sources import CONFIG_VARIABLE, PREFIX, SHORT_VARIABLES
from bridge.wire.endings import TABLE as ENDINGS
from tests.support import documents, reference
from tests.support.documents import PRINTED, ROOT
from tests.test_layers import LAYERS

DOCUMENTS = [path.relative_to(ROOT).as_posix() for path in documents.documents()]
FOR_OPERATORS = [name for name in DOCUMENTS if name != "docs/design.md"]
"""Those whose dotted words are settings; the design's are modules."""

LONGEST_README = 150

_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
_HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
_LINK = re.compile(r"\]\(([^)\s]+)\)")
_REFERENCE = re.compile(r"\$\{([A-Za-z_]\w*)\}")
_VARIABLE = re.compile(rf"\b{PREFIX}[A-Z][A-Z0-9_]*[A-Z0-9]\b")
_KEY = re.compile(r"`([a-z_]+(?:\.[a-z_]+)+)(?: = [^`]+)?`")
_METRIC = re.compile(r"\bws2sse_[a-z]\w*")
_COMMANDS = "serve|check|tap|demo|contract|record|replay|verify"
_CALL = re.compile(rf"(?<![\w./-])(?:\S*/)?ws2sse (?:{_COMMANDS})\b[^\n|&>;]*")


def text_of(name: str) -> str:
    return (ROOT / name).read_text()


def blocks(language: str) -> list[tuple[str, str]]:
    """Every fenced block of a language, with the document that it stands in."""
    return [
        (name, body)
        for name in DOCUMENTS
        for found, body in _FENCE.findall(text_of(name))
        if found == language
    ]


def commands() -> Iterator[tuple[str, str]]:
    """Every line that a reader may type, continuation lines joined."""
    for name, body in blocks("sh"):
        for line in body.replace("\\\n", " ").splitlines():
            if line and not line.startswith("#"):
                yield name, line


def anchors(text: str) -> set[str]:
    """The fragments that the headings of a document get, as forges make them."""
    prose = _FENCE.sub("", text)
    words = (re.sub(r"[^\w\s-]", "", heading.lower()) for heading in _HEADING.findall(prose))
    return {word.strip().replace(" ", "-") for word in words}


def placed(name: str, body: str) -> dict[str, object]:
    """Upstreams for a fragment that has none, since no configuration goes without."""
    alone = "[upstream" in body or "[[relays]]" in body
    return {} if alone else {"upstream.sse.url": "http://backend/{channel}"}


@pytest.mark.parametrize("name", PRINTED)
def test_what_is_printed_from_the_code_is_up_to_date(name: str) -> None:
    old, new = text_of(name).splitlines(), documents.printed(name).splitlines()
    difference = "\n".join(difflib.unified_diff(old, new, name, "the code", lineterm="", n=0))
    assert not difference, f"run `{documents.COMMAND}`:\n{difference}"


@pytest.mark.parametrize("name", PRINTED)
def test_every_printed_part_stands_in_its_document_once(name: str) -> None:
    assert sorted(documents.parts_of(name)) == sorted(PRINTED[name])


def test_the_protocol_holds_the_endings_table_and_the_session_diagram() -> None:
    protocol = text_of("docs/protocol.md")
    rows = [f"| {each.ws} | `{each.name}` | {each.http} |" for each in ENDINGS]
    assert [row for row in rows if row not in protocol] == []
    assert f"```mermaid\n{diagram()}\n```" in protocol


def test_every_part_of_the_bridge_is_in_the_list_of_layers() -> None:
    design = text_of("docs/design.md")
    parts = [part for layer in LAYERS for part in layer if documents.has_source(part)]
    assert [part for part in parts if f"| `{part}` |" not in design] == []


def test_every_option_says_what_it_is() -> None:
    kinds: list[type] = [Config, *(kind for _, kind in reference.tables())]
    for kind in kinds:
        assert list(reference.words(kind).settings) == list(schema.fields(kind)), kind


def test_every_option_is_in_the_reference() -> None:
    operations = text_of("docs/operations.md")
    for heading, kind in reference.tables():
        section = operations.partition(f"### `{heading}`\n")[2].partition("\n### ")[0]
        keys = [key for key, type_ in schema.fields(kind).items() if not reference.is_table(type_)]
        assert [key for key in keys if f"| `{key}` |" not in section] == [], heading


@pytest.mark.parametrize(("name", "body"), blocks("toml"))
def test_every_printed_configuration_is_valid(name: str, body: str, tmp_path: Path) -> None:
    file = tmp_path / "bridge.toml"
    file.write_text(body)
    environment = dict.fromkeys(_REFERENCE.findall(body), "secret" * 6)
    config.load(file, placed(name, body), environment)


@pytest.mark.parametrize("name", FOR_OPERATORS)
def test_every_key_that_is_named_is_a_setting(name: str) -> None:
    prose = _FENCE.sub("", text_of(name))
    named = {key for key in _KEY.findall(prose) if key.partition(".")[0] in Config.model_fields}
    assert [
        key for key in sorted(named) if schema.at(Config, schema.parse_dotted(key)) is None
    ] == []


@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_variable_that_is_named_is_a_setting(name: str) -> None:
    own = {CONFIG_VARIABLE, *SHORT_VARIABLES}
    for variable in set(_VARIABLE.findall(text_of(name))) - own:
        path = tuple(variable.removeprefix(PREFIX).lower().split("__"))
        assert schema.at(Config, path) is not None, variable


@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_metric_that_is_named_is_exposed(name: str) -> None:
    known = {f"ws2sse_{each.name}" for each in METRICS}
    named = {metric.removesuffix("_total") for metric in _METRIC.findall(text_of(name))}
    assert named <= known


@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_link_leads_somewhere(name: str) -> None:
    for link in _LINK.findall(text_of(name)):
        if link.startswith(("http://", "https://")):
            continue
        path, _, fragment = link.partition("#")
        target = (ROOT / name).parent / path if path else ROOT / name
        assert target.exists(), link
        assert not fragment or fragment in anchors(target.read_text()), link


def test_every_command_line_is_one_that_the_program_knows() -> None:
    program = get_command(app)
    calls = [(name, call) for name, line in commands() for call in _CALL.findall(line)]
    assert calls
    for name, call in calls:
        _, command, *arguments = shlex.split(call)
        try:
            known = program.commands[command]  # type: ignore[attr-defined]
            context = known.make_context(command, arguments)
            if isinstance(known, TyperGroup):
                words: list[str] = [*context._protected_args, *context.args]
                word, rest = words[0], words[1:]
                known.commands[word].make_context(word, rest)
        except typer.TyperException as error:
            pytest.fail(f"{name}: {call}: {error.format_message()}")


def test_every_make_target_that_is_named_exists() -> None:
    targets = set(re.findall(r"^([a-z-]+):", text_of("Makefile"), re.MULTILINE))
    named = {word for name in DOCUMENTS for word in re.findall(r"`?make ([a-z-]+)", _code(name))}
    assert named
    assert named <= targets


def _code(name: str) -> str:
    """What of a document is code: its fenced shell blocks and its inline code."""
    text = text_of(name)
    fenced = [body for language, body in _FENCE.findall(text) if language == "sh"]
    return "\n".join([*fenced, *re.findall(r"`[^`\n]+`", _FENCE.sub("", text))])


def test_the_readme_is_short() -> None:
    assert text_of("README.md").count("\n") < LONGEST_README


def test_the_changelog_keeps_its_groups_in_their_order() -> None:
    order = ["Incompatible", "New", "Improved", "Fixed"]
    for release in re.split(r"^## ", text_of("CHANGELOG.md"), flags=re.MULTILINE)[1:]:
        groups = re.findall(r"^### (.+)$", release, re.MULTILINE)
        assert groups == [group for group in order if group in groups]


def test_stale_documents_are_named_and_nothing_is_written_without_the_flag(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(documents, "ROOT", tmp_path)
    monkeypatch.setattr(documents, "PRINTED", {"one.md": {"endings": documents.endings}})
    stale = "before\n<!-- printed: endings -->\nold\n<!-- /printed -->\nafter\n"
    (tmp_path / "one.md").write_text(stale)
    assert documents.main([]) == 1
    assert (tmp_path / "one.md").read_text() == stale
    assert documents.main(["--write"]) == 0
    assert documents.main([]) == 0
    assert "| 1012 | `restart` |" in (tmp_path / "one.md").read_text()
    assert capsys.readouterr().out == "stale: one.md\nwritten: one.md\n"


def test_the_command_that_prints_anew_runs() -> None:
    _, *arguments = shlex.split(documents.COMMAND)
    arguments.remove("--write")
    found = subprocess.run(
        [sys.executable, *arguments], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert found.returncode == 0, found.stdout + found.stderr
