"""The order of the layers and the purity of those that decide, checked by walking the imports.

`docs/design.md` says why; this module is the binding list.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

LAYERS: tuple[frozenset[str], ...] = tuple(
    map(
        frozenset,
        (
            {"errors"},
            {"wire"},
            {"seams"},
            {"parity"},
            {"rollout"},
            {"history"},
            {"upstream", "hub"},
            {"endpoint"},
            {"control"},
            {"ops"},
            {"settings"},
            {"config"},
            {"assembly"},
            {"app"},
            {"server"},
            {"demo", "verify"},
            {"cli"},
            {"__main__"},
        ),
    )
)
"""Top first. A part imports from the layers above its own and from itself, not from a sibling."""

PURE = (
    "errors",
    "wire",
    "seams",
    "parity",
    "rollout",
    "history.log",
    "history.answers",
    "history.cursor",
    "history.pool",
)
"""What decides and never waits: the clock, chance and the network are its callers' business."""

WAITING = frozenset(
    {
        "aiohttp",
        "anyio",
        "asyncio",
        "concurrent",
        "httpx",
        "multiprocessing",
        "os",
        "random",
        "redis",
        "secrets",
        "select",
        "selectors",
        "signal",
        "socket",
        "ssl",
        "starlette",
        "subprocess",
        "threading",
        "time",
        "urllib.request",
        "uuid",
        "uvicorn",
        "uvloop",
        "websockets",
    }
)
"""Modules that wait, tell the time, throw dice or reach outside the process."""

CLOCKS = frozenset({"now", "utcnow", "today"})
"""Methods of `date` and `datetime` that look at the clock."""

COMPAT_MAY_USE = ("bridge.errors", "bridge.wire")
"""What of the bridge a program that only imports `compat` carries along."""

SOURCES = sorted([*ROOT.glob("bridge/**/*.py"), *ROOT.glob("compat/**/*.py")])


def module_name(path: Path) -> str:
    """The dotted name of a source file; of a package for its `__init__`."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports(tree: ast.AST, package: str) -> Iterator[str]:
    """Every module that the tree may import, wherever the statement stands.

    `from a import b` gives `a.b`, for `b` may be a module. `package` resolves relative imports.
    """
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = ".".join(package.split(".")[: 1 - node.level or None]) if node.level else ""
            origin = ".".join(filter(None, (base, node.module)))
            yield from (f"{origin}.{alias.name}" for alias in node.names)


def layer_of(module: str) -> tuple[int, str] | None:
    """Where `bridge.PART...` stands: the layer's number and the part; None of anything else."""
    root, _, rest = module.partition(".")
    part = rest.partition(".")[0]
    if root != "bridge" or not part:
        return None
    for number, parts in enumerate(LAYERS):
        if part in parts:
            return number, part
    return None


def under(module: str, names: frozenset[str] | tuple[str, ...]) -> bool:
    """Whether a module is one of these or lies within one."""
    return any(module == name or module.startswith(f"{name}.") for name in names)


def wrong_imports(module: str, source: str, *, is_package: bool = False) -> list[str]:
    """The imports that break a rule, of a module with this dotted name and this text."""
    package = module if is_package else module.rpartition(".")[0]
    tree = ast.parse(source)
    return [wrong for name in imports(tree, package) for wrong in _faults(module, name)]


def _faults(module: str, name: str) -> Iterator[str]:
    here, there = layer_of(module), layer_of(name)
    if here and there and there[1] != here[1] and there[0] >= here[0]:
        yield f"{module} imports {name}, which is not above it"
    if under(module, ("compat",)) and under(name, ("bridge",)) and not under(name, COMPAT_MAY_USE):
        yield f"{module} imports {name}; compat stands alone"
    if under(module, tuple(f"bridge.{part}" for part in PURE)) and under(name, WAITING):
        yield f"{module} imports {name}; it is to decide, not to wait"


def clock_readings(source: str) -> list[int]:
    """The lines that call `now()`, `utcnow()` or `today()` on anything."""
    return [
        node.lineno
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in CLOCKS
    ]


@pytest.mark.parametrize("path", SOURCES, ids=module_name)
def test_a_module_imports_only_from_the_layers_above(path: Path) -> None:
    is_package = path.name == "__init__.py"
    assert wrong_imports(module_name(path), path.read_text(), is_package=is_package) == []


@pytest.mark.parametrize("path", SOURCES, ids=module_name)
def test_what_is_pure_never_looks_at_the_clock(path: Path) -> None:
    if under(module_name(path), tuple(f"bridge.{part}" for part in PURE)):
        assert clock_readings(path.read_text()) == []


def test_every_part_of_the_bridge_has_its_layer() -> None:
    modules = [
        module_name(path) for path in SOURCES if path.parts[-2:] != ("bridge", "__init__.py")
    ]
    assert [name for name in modules if under(name, ("bridge",)) and not layer_of(name)] == []


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("bridge.wire.sse", "from bridge.history import cursor"),
        ("bridge.hub.hub", "from bridge.upstream.sse import SseUpstream"),
        ("bridge.upstream.sse", "import bridge.hub"),
        ("bridge.upstream.sse", "from bridge import hub"),
        ("bridge.upstream.sse", "from ..hub import channel"),
        ("bridge.upstream.sse", "def late():\n    from bridge.endpoint import ws"),
        ("bridge.history.log", "import time"),
        ("bridge.wire.sse", "from asyncio import Queue"),
        ("bridge.parity.verdict", "import urllib.request"),
        ("compat.client.connect", "from bridge.hub import channel"),
        ("compat.client.connect", "import bridge"),
    ],
)
def test_a_wrong_import_is_found(module: str, source: str) -> None:
    assert len(wrong_imports(module, source)) == 1


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("bridge.hub.hub", "from bridge.hub.channel import Channel"),
        ("bridge.hub.hub", "from .channel import Channel\nfrom ..seams import Lead"),
        ("bridge.history.memory", "import time"),
        ("bridge.cli.main", "from bridge import app, server"),
        ("bridge.wire.names", "from urllib.parse import quote"),
        ("compat.client.connect", "from bridge.wire.sse import Decoder\nimport asyncio"),
    ],
)
def test_a_rightful_import_passes(module: str, source: str) -> None:
    assert wrong_imports(module, source) == []


def test_a_look_at_the_clock_is_found() -> None:
    assert clock_readings("import datetime\nat = datetime.datetime.now()") == [2]
