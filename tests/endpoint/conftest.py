"""What a client does is no fault of the application's: nothing may be logged for it."""

import logging
from collections.abc import Iterator

import pytest

from tests.endpoint import parts
from tests.endpoint.parts import Lines
from tests.support.servers import ways


@pytest.fixture(params=["taken", "stepped"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Whether the server offers its connections: clients must not be able to tell."""
    taken = request.param == "taken"
    monkeypatch.setattr(parts, "PROTOCOLS", ways(fast=taken))
    return str(request.param)


@pytest.fixture
def errors() -> Iterator[list[str]]:
    """Errors that servers and the event loop logged so far; the test may empty it."""
    keeper = Lines()
    loggers = [logging.getLogger(name) for name in Lines.LOGGERS]
    for logger in loggers:
        logger.addFilter(keeper)
    yield keeper.lines
    for logger in loggers:
        logger.removeFilter(keeper)
    assert not keeper.lines
