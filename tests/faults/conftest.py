"""Prints how many cells of the fault matrix held, and keeps that for the documents."""

import json
from collections.abc import Generator
from pathlib import Path

import pytest

from tests.endpoint.conftest import errors, way
from tests.faults.cells import reasons, settings

__all__ = ["errors", "held", "pytest_terminal_summary", "way"]

HELD = pytest.StashKey[int]()
RESULTS = Path(__file__).parents[2] / "build" / "faults" / "matrix.json"


@pytest.fixture
def held(request: pytest.FixtureRequest) -> "Held":
    """Where a test says how many cells held."""
    return Held(request.config)


class Held:
    """A count over the whole run."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config

    def add(self, cells: int) -> None:
        """So many more."""
        self._config.stash[HELD] = self._config.stash.get(HELD, 0) + cells


@pytest.hookimpl(wrapper=True)
def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> Generator[None, None, None]:
    """Cells that were not played out are told of with the reason: they are no pass."""
    yield
    count = config.stash.get(HELD, 0)
    if not count:
        return
    left_out = reasons(settings())
    terminalreporter.section("fault matrix")
    terminalreporter.line(f"{count} cells hold; {left_out.total()} cannot be:")
    for reason, how_many in left_out.most_common():
        terminalreporter.line(f"{how_many:5} {reason}")
    RESULTS.parent.mkdir(parents=True, exist_ok=True)
    RESULTS.write_text(json.dumps({"held": count, "impossible": dict(left_out)}, indent=1))
