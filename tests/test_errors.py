"""The exception tree: as it is drawn, and what each one says."""

import re

import pytest

from bridge import errors
from bridge.errors import (
    BridgeError,
    ConfigError,
    ConfigErrors,
    EventTooLarge,
    LocalFault,
    RelayLost,
    RelayRefused,
    RemoteFault,
)


def drawn() -> dict[str, str | None]:
    """Each name of the docstring's tree, with the name above it."""
    assert errors.__doc__
    parents: dict[str, str | None] = {}
    above: list[tuple[int, str]] = []
    for line in errors.__doc__.splitlines():
        found = re.match(r"([ │├└─]{4,})([A-Z][A-Za-z]+)(?:\s|$)", line)
        if found:
            depth, name = len(found[1]), found[2]
            while above and above[-1][0] >= depth:
                above.pop()
            parents[name] = above[-1][1] if above else None
            above.append((depth, name))
    return parents


def tree(root: type[BaseException], parent: str | None = None) -> dict[str, str | None]:
    """Each class below `root` that the module defines, with its base."""
    found: dict[str, str | None] = {root.__name__: parent}
    for child in root.__subclasses__():
        if child.__module__ == errors.__name__:
            found |= tree(child, root.__name__)
    return found


def test_the_tree_is_as_it_is_drawn() -> None:
    assert drawn() == tree(BridgeError)


def test_each_error_is_ours_or_theirs() -> None:
    for name in tree(BridgeError):
        kind = getattr(errors, name)
        assert kind is BridgeError or issubclass(kind, LocalFault) != issubclass(kind, RemoteFault)


def test_a_setting_is_told_with_its_place_and_remedy() -> None:
    fault = ConfigError("bridge.toml: port", "is no number", "write 8080")
    assert str(fault) == "bridge.toml: port: is no number (write 8080)"
    assert (fault.where, fault.what, fault.remedy) == (
        "bridge.toml: port",
        "is no number",
        "write 8080",
    )
    assert str(ConfigError("--port", "is missing")) == "--port: is missing"


def test_several_settings_are_told_one_a_line() -> None:
    both = ConfigErrors([ConfigError("a", "x"), ConfigError("b", "y", "z")])
    assert str(both) == "a: x\nb: y (z)"
    assert (both.where, len(both.problems)) == ("a", 2)


def test_an_event_that_is_too_large_says_what_is_not() -> None:
    fault = EventTooLarge(10)
    assert (str(fault), fault.limit) == ("an event exceeds 10 bytes", 10)


@pytest.mark.parametrize("status", [502, 504])
def test_a_lost_relay_has_a_status(status: int) -> None:
    assert RelayLost("away", status).status == status
    assert RelayLost("away").status == 502


def test_a_refused_relay_keeps_the_backends_words() -> None:
    fault = RelayRefused(403, b"no", [(b"a", b"b")])
    assert (fault.status, fault.body, fault.headers) == (403, b"no", ((b"a", b"b"),))
    assert str(fault) == "the backend answered 403"
