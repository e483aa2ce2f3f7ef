"""Fixtures for the whole suite."""

import pytest


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    """The bridge runs on asyncio (uvicorn and aiohttp do)."""
    return "asyncio"
