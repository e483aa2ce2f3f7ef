"""The pytest plugin: a team's own CI checks that its two backends say the same.

Decides the options and what a failed check leaves behind. Whoever uses none of it pays nothing:
what compares and listens is loaded by the fixture that needs it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from bridge.config import Config
    from bridge.parity.options import CompareOptions
    from bridge.parity.report import Report
    from bridge.verify.watching import Watching
    from bridge.wire.names import ChannelName

_BACKENDS = ("ws_upstream", "sse_upstream", "parity_config")
_CASE = "--parity-write-case"


def pytest_addoption(parser: pytest.Parser) -> None:
    """The options, in a group of their own."""
    group = parser.getgroup("parity", "parity of two backends (ws2sse)")
    group.addoption("--ws-upstream", metavar="URL", help="The WebSocket backend, with {channel}.")
    group.addoption("--sse-upstream", metavar="URL", help="The SSE backend, with {channel}.")
    group.addoption(
        "--parity-config", metavar="FILE", help="Backends and how to reach them, as bridge.toml."
    )
    group.addoption(
        "--parity-channel",
        action="append",
        default=[],
        metavar="CHANNEL",
        help="Listen to this one where a test names none; repeatable.",
    )
    group.addoption(
        "--parity-for",
        type=float,
        default=30.0,
        metavar="SECONDS",
        help="Wait so long for messages [30].",
    )
    group.addoption(
        "--parity-messages",
        type=int,
        default=100,
        metavar="N",
        help="So many have to be compared for a pass [100].",
    )
    group.addoption(
        "--parity-control",
        action="store_true",
        help="Listen to the WebSocket backend twice, to learn what differs by nature.",
    )
    group.addoption(
        _CASE, metavar="FILE", help="Write the smallest stream that shows a difference as a test."
    )


def pytest_configure(config: pytest.Config) -> None:
    """Refuse options that cannot be used before any test runs; none at all are none amiss.

    Raises:
        pytest.UsageError: one cannot be used; pytest ends with 4.
    """
    messages, seconds = config.getoption("parity_messages"), config.getoption("parity_for")
    if messages < 1:
        raise pytest.UsageError(f"--parity-messages is {messages}; it is to be at least 1")
    if not 0 < seconds < float("inf"):
        raise pytest.UsageError(f"--parity-for is {seconds:g}; it is to be above 0")
    channels = config.getoption("parity_channel")
    if channels or any(map(config.getoption, _BACKENDS)):
        from bridge.errors import LocalFault  # noqa: PLC0415 - see the module

        try:
            _named(channels)
            if any(map(config.getoption, _BACKENDS)):
                _backends(config)
        except LocalFault as error:
            raise pytest.UsageError(str(error)) from None


def _named(channels: Sequence[str]) -> list[ChannelName]:
    from bridge.errors import ConfigError, InvalidChannel  # noqa: PLC0415
    from bridge.wire.names import ChannelName  # noqa: PLC0415

    try:
        return [ChannelName.parse(text) for text in channels]
    except InvalidChannel as error:
        raise ConfigError("pytest", str(error), "see --parity-channel") from None


def _backends(config: pytest.Config) -> Config:
    import os  # noqa: PLC0415

    from bridge.config import load  # noqa: PLC0415
    from bridge.errors import ConfigError  # noqa: PLC0415

    ws, sse, file = map(config.getoption, _BACKENDS)
    if not file and not (ws and sse):
        what = "parity takes two backends"
        raise ConfigError("pytest", what, "give --ws-upstream URL and --sse-upstream URL")
    urls = {"upstream.ws.url": ws, "upstream.sse.url": sse}
    return load(Path(file) if file else None, urls, os.environ, needs_lead=False)


class Parity:
    """What the fixture `parity` gives.

    Args:
        config: of pytest.
    """

    def __init__(self, config: pytest.Config) -> None:
        self._config = config

    @contextmanager
    def watching(self, *channels: str) -> Iterator[Watching]:
        """Listen to both backends while the block makes them speak, and compare afterwards.

        Both subscriptions are open when the block begins. When it ends, messages are waited for
        until both sides said equally much and fell quiet, or `--parity-for` is over.

        Args:
            channels: what to listen to; those of `--parity-channel` where none is named.

        Raises:
            NoParityError: the backends differ, or said too little to tell.
        """
        with ExitStack() as until_done:
            watching = self._listening(until_done, channels or self._option("parity_channel"))
            yield watching
            watching.wait()
        self.check(watching.sights())

    def _listening(self, until_done: ExitStack, channels: Sequence[str]) -> Watching:
        from bridge.errors import ConfigError  # noqa: PLC0415
        from bridge.verify.watching import Patience, Watching  # noqa: PLC0415

        if not channels:
            pytest.fail("name a channel: parity.watching('project.42') or --parity-channel", False)
        patience = Patience(
            most=self._option("parity_for"), messages=self._option("parity_messages")
        )
        control = bool(self._option("parity_control"))
        try:
            backends, names = _backends(self._config), _named(channels)
            return until_done.enter_context(Watching(backends, names, patience, control=control))
        except ConfigError as error:
            pytest.fail(str(error), pytrace=False)

    def listen(self, *channels: str) -> None:
        """Compare what both backends say by themselves; as `watching` with an empty block."""
        with self.watching(*channels):
            pass

    def check(self, sights: object, options: CompareOptions | None = None) -> Report:
        """Compare sights, and write the difference where `--parity-write-case` says.

        Args:
            sights: an iterable of what was seen, such as of a recording.
            options: how to compare.

        Raises:
            NoParityError: they differ, or are too few.
        """
        from bridge.parity.proof import NoParityError, assert_parity, case  # noqa: PLC0415

        try:
            return assert_parity(sights, options or self.options)  # type: ignore[arg-type]
        except NoParityError as error:
            path = self._option("parity_write_case")
            if path and error.example:
                Path(path).write_text(case(error), encoding="utf-8")
                error.add_note(f"written as a test: {path}")
            raise

    @property
    def options(self) -> CompareOptions:
        """How `watching` compares."""
        from bridge.parity.options import CompareOptions  # noqa: PLC0415

        return CompareOptions(min_messages=self._option("parity_messages"))

    def _option(self, name: str):  # type: ignore[no-untyped-def]  # noqa: ANN202 - as pytest's
        return self._config.getoption(name)


@pytest.fixture
def parity(request: pytest.FixtureRequest) -> Parity:
    """Checks that two backends say the same: `with parity.watching("project.42"): ...`."""
    return Parity(request.config)
