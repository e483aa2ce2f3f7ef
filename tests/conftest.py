"""Fixtures for the whole suite, and the notice about peers that are not on this machine."""

from collections.abc import AsyncIterator, Generator, Iterator

import pytest
import structlog
from playwright.async_api import Browser, Page, async_playwright

from tests.support import peers


@pytest.fixture(autouse=True)
def unconfigured_logs() -> Iterator[None]:
    """Commands set up logging for their process, which here is everybody's."""
    yield
    structlog.reset_defaults()


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    """The bridge runs on asyncio (uvicorn and aiohttp do)."""
    return "asyncio"


@pytest.fixture
async def nchan(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[peers.Nchan]:
    """A fresh nginx with nchan: a real backend on both wires."""
    program = peers.needed(request.config.stash, "nginx with nchan", peers.NchanProgram.find())
    async with peers.running_nchan(program, tmp_path_factory.mktemp("nchan")) as running:
        yield running


@pytest.fixture(scope="session")
async def chromium(request: pytest.FixtureRequest) -> AsyncIterator[Browser]:
    """One Chromium for the whole run, with a new empty profile."""
    program = peers.needed(request.config.stash, "Chromium", peers.find_chromium())
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=program, args=list(peers.CHROMIUM_FLAGS)
        )
        yield browser
        await browser.close()


@pytest.fixture
async def page(chromium: Browser) -> AsyncIterator[Page]:
    """A tab of its own, which shares no state with those of other tests."""
    context = await chromium.new_context()
    yield await context.new_page()
    await context.close()


@pytest.fixture(scope="session")
def node(request: pytest.FixtureRequest) -> peers.Node:
    """Node.js with the npm packages `ws` and `eventsource`."""
    return peers.needed(request.config.stash, "Node.js with its packages", peers.Node.find())


@pytest.fixture(scope="session")
def curl(request: pytest.FixtureRequest) -> str:
    """The path of curl."""
    return peers.needed(request.config.stash, "curl", peers.find_program("curl"))


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> Generator[None, None, None]:
    """Say which real peers were missing, just above the last line: a skip is no pass."""
    yield
    names = peers.missing(config.stash)
    if names:
        terminalreporter.section("not tested here", yellow=True)
        terminalreporter.line(f"Missing on this machine: {', '.join(names)}.")
        terminalreporter.line(f"`{peers.REMEDY}` installs what is missing.")
