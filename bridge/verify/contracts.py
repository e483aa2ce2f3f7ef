"""Contracts on disk: a folder with one JSON Schema for each type, or one AsyncAPI 3 document.

Decides how files are named after types; what they mean is `bridge.parity.contract`'s business.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

import orjson

from bridge.errors import ConfigError
from bridge.parity.asyncapi_in import contract_of
from bridge.parity.contract import Contract, legacy

LEGACY = "legacy"
"""Names the contract that ships, instead of a path."""

_SUFFIX = ".json"
_PRETTY = orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE


def read_contract(path: Path | str) -> Contract:
    """The contract of a folder or a file.

    Args:
        path: a folder of schemas, an AsyncAPI 3 document, one schema called `TYPE.json`, or
            `legacy` for the seven types that ship.

    Raises:
        ConfigError: it cannot be read, or is none of these.
    """
    if path == LEGACY:
        return legacy()
    place = Path(path)
    if place.is_dir():
        found = sorted(each for each in place.iterdir() if each.suffix == _SUFFIX)
        if not found:
            raise ConfigError(str(place), "holds no schema", "name the files TYPE.json")
        return _checked(Contract({_type(each): _schema(each) for each in found}, title=place.name))
    content = _object(place)
    if "asyncapi" in content:
        return _checked(contract_of(content, str(place)))
    return _checked(Contract({_type(place): content}, title=place.stem))


def write_contract(contract: Contract, folder: Path) -> tuple[Path, ...]:
    """Write one schema a file; gives the files. The folder is made; other files in it stay.

    Raises:
        ConfigError: it cannot be written there.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        paths = []
        for kind, schema in contract.schemas.items():
            path = folder / f"{quote(kind, safe=' ')}{_SUFFIX}"
            path.write_bytes(pretty(schema))
            paths.append(path)
    except OSError as error:
        raise _unusable(folder, error, "written") from None
    return tuple(paths)


def write_document(document: Any, path: Path) -> None:  # noqa: ANN401 - JSON is anything
    """Write an AsyncAPI document.

    Raises:
        ConfigError: it cannot be written there.
    """
    try:
        path.write_bytes(pretty(document))
    except OSError as error:
        raise _unusable(path, error, "written") from None


def pretty(value: Any) -> bytes:  # noqa: ANN401 - JSON is anything
    """JSON for people, with a line end."""
    return orjson.dumps(value, option=_PRETTY)


def _checked(contract: Contract) -> Contract:
    contract.validators()
    return contract


def _type(path: Path) -> str:
    return unquote(path.stem)


def _schema(path: Path) -> dict[str, Any]:
    schema = _object(path)
    if "asyncapi" in schema:
        raise ConfigError(str(path), "is an AsyncAPI document among schemas", "name it alone")
    return schema


def _object(path: Path) -> dict[str, Any]:
    try:
        content = orjson.loads(path.read_bytes())
    except OSError as error:
        raise _unusable(path, error, "read") from None
    except orjson.JSONDecodeError as error:
        where = f"{path}:{error.lineno}"
        raise ConfigError(where, f"is no JSON: {error.msg}") from None
    if not isinstance(content, dict):
        raise ConfigError(str(path), "is no JSON object", "write a schema or an AsyncAPI document")
    return content


def _unusable(path: Path, error: OSError, done: str) -> ConfigError:
    return ConfigError(str(path), f"cannot be {done}: {(error.strerror or str(error)).lower()}")
