"""The house rules that no linter knows, checked on every tracked file.

Ruff looks after formatting, docstrings of public names and complexity; this module after sizes,
the pairing of modules with their tests, and words that must not stand in the project's files.
"""

import ast
import re
import statistics
import subprocess
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SOURCE_ROOTS = ("bridge", "compat")
MAX_FILE_LINES = 300
MAX_MEDIAN_LINES = 8
MAX_FUNCTION_LINES = 45

UNPAIRED: Mapping[str, str] = {
    "bridge/seams.py": "Protocols and plain values; whoever implements one tests it",
    "bridge/parity/observation.py": "plain values; whoever makes or reads them tests it",
    "bridge/parity/finding.py": "plain values; the comparison that finds tests it",
    "bridge/parity/report.py": "plain values; the comparison that fills them in tests it",
}
"""Source modules without a test module of their own, each with its reason."""

CODE = frozenset({".py", ".js", ".mjs", ".ts", ".tsx"})
LOCKS = frozenset({"requirements.lock", "requirements-fuzz.lock", "package-lock.json"})

# Spelled in two halves, so that this file does not name what it forbids.
UNFINISHED = re.compile(r"\b(?:TO" + r"DO|FIX" + r"ME|XX" + r"X)\b")
REGISTRY = re.compile(
    r"registry\.(?:npmjs|yarnpkg)" + r"\.|pypi\.org/(?:simple|packages)|pythonhosted" + r"\.org"
    r"|index-" + r"url\s*=|proxy\.golang" + r"\.org"
)
MACHINE_PATH = re.compile(r"(?:^|[\s\"'`=(:])/(?:home|root|work|opt|Users|tmp)/\w", re.MULTILINE)

FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


@cache
def project_files() -> tuple[Path, ...]:
    """The files under version control, new ones included; all of them in an exported tree."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    try:
        listed = subprocess.run(command, cwd=ROOT, capture_output=True, check=True, text=True)
    except (OSError, subprocess.CalledProcessError):
        return tuple(_exported_files())
    names = sorted(filter(None, listed.stdout.split("\0")))
    return tuple(path for name in names if (path := ROOT / name).is_file())


def _exported_files() -> Iterator[Path]:
    for path in sorted(ROOT.rglob("*")):
        parts = path.relative_to(ROOT).parts
        if (
            path.is_file()
            and not {"node_modules", "__pycache__"} & set(parts)
            and (not parts[0].startswith(".") or parts[0] == ".ci")
        ):
            yield path


def relative(path: Path) -> str:
    """The path as it is called within the project."""
    return path.relative_to(ROOT).as_posix()


def texts() -> Iterator[tuple[str, str]]:
    """Name and text of every file that is text."""
    for path in project_files():
        content = path.read_bytes()
        if b"\0" not in content:
            yield relative(path), content.decode()


def sources() -> list[Path]:
    """The Python files that ship."""
    return [
        path
        for path in project_files()
        if path.suffix == ".py" and relative(path).split("/")[0] in SOURCE_ROOTS
    ]


def found(pattern: re.Pattern[str]) -> list[str]:
    """Where a pattern occurs: `name:line: text`. Lock files list other people's words."""
    return [
        f"{name}:{text.count(chr(10), 0, match.end()) + 1}: {match[0].strip()}"
        for name, text in texts()
        for match in pattern.finditer(text)
        if Path(name).name not in LOCKS or pattern is not UNFINISHED
    ]


def function_lengths(source: str) -> Iterator[tuple[int, str]]:
    """Lines and name of every function, without its docstring; bare declarations left out."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, FUNCTIONS):
            has_docstring = ast.get_docstring(node) is not None
            body = node.body[1:] if has_docstring else node.body
            if body and node.end_lineno is not None:
                first = node.body[0]
                skipped = (first.end_lineno or 0) - first.lineno + 1 if has_docstring else 0
                yield node.end_lineno - node.lineno + 1 - skipped, node.name


def has_behaviour(path: Path) -> bool:
    """Whether a module defines anything that runs; a package's docstring alone does not."""
    tree = ast.parse(path.read_text())
    return any(isinstance(node, (*FUNCTIONS, ast.ClassDef)) for node in tree.body)


def paired_test(path: Path) -> Path:
    """Where the tests of a source module belong."""
    package, *folders, name = path.relative_to(ROOT).parts
    kept = folders if package == "bridge" else [package, *folders]
    stem = (kept[-1] if kept else package) if name == "__init__.py" else Path(name).stem
    return ROOT.joinpath("tests", *kept, f"test_{stem}.py")


def _none(faults: list[str]) -> None:
    assert not faults, "\n" + "\n".join(faults)


def test_every_module_opens_with_a_docstring() -> None:
    modules = [path for path in project_files() if path.suffix == ".py"]
    bare = [
        relative(path) for path in modules if not ast.get_docstring(ast.parse(path.read_text()))
    ]
    _none([name for name in bare if not _is_empty_test_package(name)])


def _is_empty_test_package(name: str) -> bool:
    return name.startswith("tests/") and name.endswith("__init__.py")


def test_source_files_stay_short() -> None:
    lengths = {
        name: text.count("\n")
        for name, text in texts()
        if Path(name).suffix in CODE and name.split("/")[0] in SOURCE_ROOTS
    }
    _none([f"{name}: {lines}" for name, lines in lengths.items() if lines >= MAX_FILE_LINES])


def test_functions_stay_short() -> None:
    lengths = [
        (lines, f"{relative(path)}:{name}")
        for path in sources()
        for lines, name in function_lengths(path.read_text())
    ]
    median = statistics.median(lines for lines, _ in lengths)
    longest = sorted(lengths, reverse=True)[:10]
    assert median < MAX_MEDIAN_LINES, f"the median is {median} lines; the longest are {longest}"
    _none([f"{name}: {lines}" for lines, name in longest if lines > MAX_FUNCTION_LINES])


def test_every_source_module_has_its_test_module() -> None:
    unpaired = [
        f"{relative(path)} lacks {relative(paired_test(path))}"
        for path in sources()
        if has_behaviour(path) and relative(path) not in UNPAIRED and not paired_test(path).exists()
    ]
    _none(unpaired)


@pytest.mark.parametrize("name", UNPAIRED)
def test_an_exemption_names_a_module_that_needs_it(name: str) -> None:
    assert (ROOT / name).exists()
    assert not paired_test(ROOT / name).exists()


def test_nothing_is_left_unfinished() -> None:
    _none(found(UNFINISHED))


def test_no_file_names_a_package_registry() -> None:
    _none(found(REGISTRY))


def test_no_file_names_a_path_of_somebodys_machine() -> None:
    _none(found(MACHINE_PATH))


def test_the_packages_of_the_node_peers_are_pinned_by_content_alone() -> None:
    lock = (ROOT / "tests/peers/package-lock.json").read_text()
    assert '"integrity"' in lock
    assert "http" not in lock


def test_a_function_is_measured_without_its_docstring() -> None:
    documented = 'def one():\n    """Doc.\n\n    More.\n    """\n    return 1\n'
    declared = 'def bare():\n    """Doc."""\n'
    assert list(function_lengths(documented + declared)) == [(2, "one")]
