"""Where settings come from: a TOML file, `WS2SSE_*` variables and flags, merged into one tree.

Decides which source wins (flags over environment over file) and remembers where each value came
from, for error messages and for hiding secrets; never whether a value is any good.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path as FilePath
from typing import Any

import orjson

from bridge.errors import ConfigError
from bridge.settings import schema
from bridge.settings.references import resolve
from bridge.settings.schema import Path, dotted

PREFIX = "WS2SSE_"
CONFIG_VARIABLE = "WS2SSE_CONFIG"
"""Names the file where no `--config` does."""

SHORT_VARIABLES: Mapping[str, Path] = {
    "WS2SSE_SSE_UPSTREAM": ("upstream", "sse", "url"),
    "WS2SSE_FAST_PATH": ("client", "fast_path"),
    "WS2SSE_WS_UPSTREAM": ("upstream", "ws", "url"),
}
SHORT_FLAGS: Mapping[str, str] = {
    "upstream.sse.url": "--sse-upstream",
    "upstream.ws.url": "--ws-upstream",
}

# Kubernetes tells every pod about its services in variables named after them, so a service
# called `ws2sse` brings these; they are not ours
_SERVICE_LINK = re.compile(r"WS2SSE_(?:SERVICE_(?:HOST|PORT\w*)|PORT_\d+_\w+)")
_SERVICE_ADDRESS = re.compile(r"(?:tcp|udp|sctp)://")

_TOML_PLACE = re.compile(r" \(at line (\d+), column (\d+)\)$| \(at end of document\)$")


@dataclass(slots=True)
class Sources:
    """The merged tree and what is known about it.

    Attributes:
        root: the type of the whole configuration.
        tree: the values, nested as in TOML.
        origins: what brought the value at a path: a file's name, a variable or a flag.
        problems: what was wrong on the way, by path.
        secrets: what `${NAME}` brought.
    """

    root: object
    tree: dict[str, Any] = field(default_factory=dict)
    origins: dict[Path, str] = field(default_factory=dict)
    problems: list[tuple[Path, ConfigError]] = field(default_factory=list)
    secrets: set[str] = field(default_factory=set)

    def where(self, path: Path) -> str:
        """What a user looks for: `bridge.toml: upstream.sse.url`, `WS2SSE_PORT` or `--port`."""
        for length in range(len(path), -1, -1):
            origin = self.origins.get(path[:length])
            if origin:
                return ": ".join(filter(None, [origin, dotted(path[length:])]))
        within = (self.origins[each] for each in self.origins if each[: len(path)] == path)
        return next(within, dotted(path)) if path else ""

    def as_written(self, path: Path, beside: Path) -> str:
        """How to write `path` in the source that brought `beside`."""
        if self.origins.get(beside, "").startswith(PREFIX):
            return PREFIX + "__".join(map(str, path)).upper()
        return dotted(path)

    def blame(self, path: Path, what: str, remedy: str = "") -> None:
        """Note a problem."""
        self.problems.append((path, ConfigError(self.where(path) or "configuration", what, remedy)))

    def put(self, path: Path, value: object, origin: str) -> None:
        """Set a value over whatever a weaker source gave."""
        node: dict[str, Any] = self.tree
        for step in path[:-1]:
            inner = node.get(str(step))
            if not isinstance(inner, dict):
                inner = node[str(step)] = {}
            node = inner
        node[str(path[-1])] = value
        self.origins[path] = origin


def read(
    root: object, file: FilePath | None, flags: Mapping[str, object], environ: Mapping[str, str]
) -> Sources:
    """Gather and merge all sources.

    Args:
        root: the type of the configuration.
        file: the TOML file, if any.
        flags: values by dotted key; None means not given.
        environ: the environment.

    Raises:
        ConfigError: the file cannot be read or is not TOML.
    """
    sources = Sources(root)
    if file:
        sources.tree = _read_file(file)
        sources.origins[()] = str(file)
    for name, path, text in _variables(sources, environ):
        _take_variable(sources, name, path, text)
    for key, value in flags.items():
        if value is not None:
            flag = SHORT_FLAGS.get(key, "--" + key.replace("_", "-"))
            sources.put(schema.parse_dotted(key), value, flag)
    _follow(sources, (), sources.tree, environ)
    return sources


def _read_file(file: FilePath) -> dict[str, Any]:
    try:
        text = file.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ConfigError(str(file), f"is not UTF-8 text (byte {error.start})") from None
    except IsADirectoryError:
        raise ConfigError(str(file), "is a directory", "name the file in it") from None
    except FileNotFoundError:
        raise ConfigError(str(file), "there is no such file") from None
    except OSError as error:
        raise ConfigError(str(file), f"cannot be read: {error.strerror}") from None
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise _not_toml(str(file), text, str(error)) from None
    except RecursionError:
        raise ConfigError(str(file), "is nested too deeply to be a configuration") from None


def _not_toml(file: str, text: str, message: str) -> ConfigError:
    place = _TOML_PLACE.search(message)
    what = _TOML_PLACE.sub("", message)
    what = what[:1].lower() + what[1:]
    if place is None:  # pragma: no cover - every message of tomllib names a place
        return ConfigError(file, what)
    line, column = place[1] or text.count("\n") + 1, place[2] or len(text.rpartition("\n")[2]) + 1
    return ConfigError(f"{file}:{line}:{column}", what)


def _variables(sources: Sources, environ: Mapping[str, str]) -> Iterator[tuple[str, Path, str]]:
    """Our variables that are set, with the paths that they name; the full names win."""
    for name, path in SHORT_VARIABLES.items():
        if environ.get(name):
            yield name, path, environ[name]
    for name, text in sorted(environ.items()):
        ours = name.startswith(PREFIX) and name not in SHORT_VARIABLES and name != CONFIG_VARIABLE
        # compose files set what they leave out to the empty string
        if ours and text and not _is_service_link(name, text):
            yield name, _path_of(sources, name), text


def _is_service_link(name: str, text: str) -> bool:
    if name == "WS2SSE_PORT":
        return _SERVICE_ADDRESS.match(text) is not None
    return _SERVICE_LINK.fullmatch(name) is not None


def _path_of(sources: Sources, name: str) -> Path:
    """`WS2SSE_UPSTREAM__SSE__URL` names `upstream.sse.url`."""
    kind = sources.root
    node: object = sources.tree
    path: list[str] = []
    for word in name.removeprefix(PREFIX).lower().split("__"):
        step = _map_key(word, node) if schema.is_map(kind) else word
        path.append(step)
        kind = schema.below(kind, step)
        node = node.get(step, {}) if isinstance(node, dict) else {}
    return tuple(path)


def _map_key(word: str, node: object) -> str:
    """A header's name: variables cannot hold a hyphen; a name in the file keeps its case."""
    name = word.replace("_", "-")
    keys = map(str, node) if isinstance(node, dict) else ()
    return next((key for key in keys if key.lower() == name), name)


def _take_variable(sources: Sources, name: str, path: Path, text: str) -> None:
    kind = schema.at(sources.root, path)
    if not schema.is_structured(kind):
        sources.put(path, text, name)
        return
    value = _parse_structured(text, is_words=kind == tuple[str, ...])
    sources.put(path, text if value is None else value, name)
    if value is None:
        sources.blame(path, "must be JSON", "or put it into the file")


def _parse_structured(text: str, *, is_words: bool) -> object:
    """JSON; a list of strings may be written with commas instead."""
    if is_words and not text.lstrip().startswith("["):
        return [word.strip() for word in text.split(",")]
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        return None


def _follow(sources: Sources, path: Path, value: object, environ: Mapping[str, str]) -> None:
    """Follow the references in all strings at or below a path, in place, but those of flags."""
    if isinstance(value, dict):
        for key, each in value.items():
            _follow(sources, (*path, key), each, environ)
    elif isinstance(value, list):
        for index, each in enumerate(value):
            _follow(sources, (*path, index), each, environ)
    elif isinstance(value, str) and not sources.origins.get(path, "").startswith("--"):
        # a shell has already expanded what a flag holds
        _follow_one(sources, path, value, environ)


def _follow_one(sources: Sources, path: Path, text: str, environ: Mapping[str, str]) -> None:
    try:
        value, secrets = resolve(text, environ)
    except ConfigError as error:
        sources.blame(path, f"{error.where} {error.what}", error.remedy)
        return
    sources.secrets |= secrets
    node: Any = sources.tree
    for step in path[:-1]:
        node = node[step]
    node[path[-1]] = value
